"""Completions: one for each line in order, ready to be printed on one line or as JSON."""

import pytest
from tiny_family import write_gpt

import glassformer as gf
from glassformer.api.completing import Completion, completions, one_line
from glassformer.api.lines import lines_of
from glassformer.decode.generate import Generation

LINES = ["Once upon", "", "the cat"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return gf.load(write_gpt(tmp_path_factory.mktemp("gpt") / "model"), device="cpu")


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "in.txt"
    file.write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("window", [1, 2, 1024])
def test_there_is_one_for_each_line_in_order(model, path, window):
    settings = gf.choose(model.decoding, {"max_new_tokens": 5})
    found = list(completions(model, path, settings, window=window))
    assert [one.prompt for one in found] == LINES
    assert [one.number for one in found] == [0, 1, 2]
    assert [one.found[0].text for one in found] == model.generate(LINES, max_new_tokens=5)
    assert list(completions(model, LINES, settings, window=window)) == found


def test_a_list_has_its_alternatives(model):
    settings = gf.choose(model.decoding, {"max_new_tokens": 4, "num_beams": 3, "num_return_sequences": 2})
    (one,) = completions(model, ["the"], settings)
    told = one.as_json()
    assert set(told) == {"prompt", "text", "tokens", "logp", "score", "stopped", "alternatives"}
    assert [set(other) for other in told["alternatives"]] == [{"text", "tokens", "logp", "score", "stopped"}]
    rows = [line.split(" ||| ") for line in one.lines()]
    assert len(rows) == 2 and all(len(row) == 4 and row[0] == "0" for row in rows)


def test_a_text_stands_on_one_line_with_its_prompt_where_it_belongs():
    text = Generation("a\nb\r", (1, 2), -1.0, -0.5, "length", (3,))
    forward = Completion(2, "p", (text,), listed=False)
    assert list(forward.lines()) == ["a\\nb\\r"]
    assert list(forward.lines(with_prompt=True)) == ["pa\\nb\\r"]
    backward = Completion(2, "p", (text,), listed=True, backward=True)
    assert list(backward.lines(with_prompt=True)) == ["2 ||| a\\nb\\rp ||| -1.0000 ||| -0.5000"]
    assert forward.as_json() == {
        "prompt": "p",
        "text": "a\nb\r",
        "tokens": 2,
        "logp": -1.0,
        "score": -0.5,
        "stopped": "length",
    }


def test_lines_come_from_a_file_or_a_list(path):
    assert list(lines_of(path)) == LINES == list(lines_of(LINES))
    assert one_line("plain") == "plain"
