"""``glassformer score``: a line in, a line out, or one figure for a whole file."""

import json

import pytest
from tiny_family import write_gpt

import glassformer as gf

TEXT = "the cat sleeps\n\nOnce upon a time\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_gpt(tmp_path_factory.mktemp("gpt") / "model")


def test_each_line_has_its_columns_in_order(ask, folder, tmp_path):
    out = ask("score", folder, text=TEXT).out
    rows = [line.split("\t") for line in out.split("\n")[:-1]]
    scores = gf.load(folder).score(TEXT.splitlines())
    assert [row[4] for row in rows] == TEXT.splitlines()
    assert [int(row[1]) for row in rows] == [len(one.tokens) for one in scores]
    assert [float(row[0]) for row in rows] == pytest.approx([one.logp for one in scores], abs=1e-3)
    (tmp_path / "in.txt").write_text(TEXT, "utf-8")
    assert ask("score", folder, "--input", tmp_path / "in.txt").out == out
    assert ask("score", folder, "the cat sleeps").out.split("\t")[4] == "the cat sleeps\n"


def test_json_has_the_figures_and_every_token(ask, folder):
    told = ask("score", folder, "sleeps", "--context", "the cat ", "--json").result
    (one,) = gf.load(folder).score("sleeps", "the cat ")
    assert told["text"] == "sleeps"
    assert told["logp"] == pytest.approx(one.logp, abs=1e-4)
    assert [piece["logp"] for piece in told["pieces"]] == pytest.approx(list(one.logps), abs=1e-4)
    records = [json.loads(line) for line in ask("score", folder, "--json", text=TEXT).out.splitlines()]
    assert [one["text"] for one in records] == TEXT.splitlines()
    assert records[1]["perplexity"] is None


def test_a_whole_file_is_one_text(ask, folder, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text(TEXT * 5, "utf-8")
    told = ask("score", folder, "--whole", "--input", path, "--stride", 4, "--json").result
    (one,) = gf.load(folder).score((TEXT * 5).removesuffix("\n"), stride=4)
    assert told["input"] == str(path)
    assert told["logp"] == pytest.approx(one.logp, rel=1e-5)
    assert told["tokens"] == len(one.tokens)
    columns = ask("score", folder, "--whole", "--stride", 4, text=TEXT * 5).out.split("\t")
    assert columns[1::3] == [str(told["tokens"]), "-\n"]


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (("x", "--whole"), "", "give one of them"),
        (("x", "--input", "in.txt"), "", "give one of them"),
        (("--whole", "--context", "x"), "a", "leave one of them out"),
        (("x", "--stride", 99), "", "stride 99 does not fit the model"),
        (("x", "--stride", 0), "", "--stride"),
        (("--input", "missing.txt"), "", "missing.txt: no such file"),
        ((), b"\xff\n", "standard input:1: not valid UTF-8"),
        (("--whole",), b"\xff\n", "standard input:1: not valid UTF-8"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, folder, words, text, said):
    ended = ask("score", folder, *words, text=text)
    assert ended.code == 2
    assert said in ended.err and "Traceback" not in ended.err


def test_a_model_of_another_kind_names_its_verb(ask, model_folder):
    ended = ask("score", model_folder, "x")
    assert ended.code == 2 and "use glassformer translate" in ended.err
