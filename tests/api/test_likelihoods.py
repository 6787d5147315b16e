"""Likelihoods of lines and of whole files: sums that do not depend on where a file was cut."""

import math

import pytest
from tiny_family import write_gpt

import glassformer as gf
from glassformer.api import likelihoods as room
from glassformer.api.likelihoods import Judged, likelihood, likelihoods
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.decode.score import Likelihood

LINES = ["the cat sleeps", "", "나는 학교에 간다"]
BACKWARD = "objective: {name: causal_lm, direction: backward}\n"


@pytest.fixture(scope="module", params=[None, BACKWARD], ids=["forward", "backward"])
def model(request, tmp_path_factory):
    return gf.load(write_gpt(tmp_path_factory.mktemp("gpt") / "model", recipe=request.param), device="cpu")


def test_every_line_is_scored_in_order_after_one_context(model, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    found = list(likelihoods(model, str(path)))
    assert [one.text for one in found] == LINES
    scores = model.score(LINES)
    assert [one.likelihood for one in found] == [one.likelihood for one in scores]
    after = list(likelihoods(model, LINES, "Once upon a time "))
    assert [one.likelihood for one in after] == [
        one.likelihood for one in model.score(LINES, ["Once upon a time "] * 3)
    ]
    assert after[0].likelihood != found[0].likelihood


def test_a_record_has_figures_and_pieces_and_a_line_has_columns(model):
    one, empty = likelihoods(model, LINES[:2])
    told = one.as_json()
    assert sum(piece["logp"] for piece in told["pieces"]) == pytest.approx(told["logp"])
    assert len(told["pieces"]) == told["tokens"]
    assert told["perplexity"] == pytest.approx(math.exp(-told["logp"] / told["tokens"]))
    assert told["bits_per_byte"] == pytest.approx(-told["logp"] / math.log(2) / len(LINES[0].encode()))
    columns = one.line().split("\t")
    assert columns[1:2] + columns[4:] == [str(told["tokens"]), LINES[0]]
    assert float(columns[0]) == pytest.approx(told["logp"], abs=1e-4)
    assert empty.as_json()["perplexity"] is None
    assert empty.line() == "0.0000\t0\tnan\tnan\t"


def test_a_file_is_one_text_wherever_it_is_cut(model, tmp_path, monkeypatch):
    text = "\n".join(f"the cat {number} sleeps" for number in range(200))
    path = tmp_path / "in.txt"
    path.write_text(text + "\n", encoding="utf-8")
    whole = likelihood(model, str(path), stride=1)
    (one,) = model.score([text], stride=1)
    assert whole.text == str(path) and whole.as_json()["input"] == str(path)
    assert whole.likelihood.nats == pytest.approx(one.likelihood.nats, rel=1e-5)
    assert whole.likelihood.bytes == len(text.encode())
    monkeypatch.setattr(room, "PIECE", 0)
    cut = likelihood(model, str(path), stride=1)
    assert (cut.likelihood.tokens, cut.likelihood.bytes) == (whole.likelihood.tokens, len(text.encode()))
    assert cut.likelihood.nats == pytest.approx(whole.likelihood.nats, rel=1e-4)


def test_no_piece_begins_with_a_space_or_a_blank_line():
    lines = list(enumerate(["one", "", "  two", "three", "four", ""], start=1))
    assert list(room._pieces(lines, 1)) == ["one\n\n  two\n", "three\n", "four\n"]
    assert list(room._pieces(lines, 1000)) == ["one\n\n  two\nthree\nfour\n"]
    assert list(room._pieces([], 1)) == list(room._pieces([(1, "")], 1)) == []


def test_an_empty_file_has_no_likelihood(model, tmp_path):
    (tmp_path / "in.txt").write_text("", "utf-8")
    assert likelihood(model, str(tmp_path / "in.txt")) == Judged(str(tmp_path / "in.txt"), Likelihood())


def test_a_stride_that_does_not_fit_is_refused(model):
    with pytest.raises(UserError, match="stride 99 does not fit the model"):
        list(likelihoods(model, LINES, stride=99))


def test_a_file_is_scored_with_a_bar_in_kilobytes_of_the_file(model, tmp_path, monkeypatch, capsys):
    text = "\n".join(f"the cat {number} sleeps" for number in range(300)) + "\n"
    path = tmp_path / "in.txt"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(report, "SECONDS_BETWEEN_LINES", 0.0)
    likelihood(model, str(path))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    size = round(len(text) / 1000)
    assert lines[-1].startswith(f"scoring (kB) {size}/{size} (100%)")


def test_what_cannot_be_weighed_has_no_total(tmp_path):
    (tmp_path / "in.txt").write_text("x" * 2600, encoding="utf-8")
    assert room._kilobytes(str(tmp_path / "in.txt")) == 3
    assert [room._kilobytes(path) for path in ("-", str(tmp_path / "in.gz"), str(tmp_path))] == [None] * 3
