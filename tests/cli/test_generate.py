"""``glassformer generate``: a prompt in, what follows it out, in every way it can be asked."""

import json
import sys

import pytest
from tiny_family import write_bert, write_gpt

import glassformer as gf

TEXT = "Once upon\n\nthe cat\n"
SHORT = ("--max-new-tokens", 6)
BACKWARD = "objective: {name: causal_lm, direction: backward}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_gpt(tmp_path_factory.mktemp("gpt") / "model")


@pytest.fixture(scope="module")
def expected(folder):
    return gf.load(folder).generate(TEXT.splitlines(), max_new_tokens=6)


def escaped(text):
    return text.replace("\r", "\\r").replace("\n", "\\n")


def test_a_prompt_is_gone_on_with(ask, folder, expected):
    ended = ask("generate", folder, "Once upon", *SHORT)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == expected[0] + "\n"
    assert ask("generate", folder, "", *SHORT).out == expected[1] + "\n"
    with_prompt = ask("generate", folder, "Once upon", *SHORT, "--with-prompt")
    assert with_prompt.out == f"Once upon{expected[0]}\n"


def test_each_line_is_a_prompt_and_becomes_a_line(ask, folder, expected, tmp_path):
    lines = [escaped(text) for text in expected]
    assert ask("generate", folder, *SHORT, text=TEXT).out.split("\n") == [*lines, ""]
    (tmp_path / "in.txt").write_text(TEXT, "utf-8")
    from_file = ask("generate", folder, *SHORT, "--input", tmp_path / "in.txt", "--with-prompt").out
    assert from_file.split("\n") == [*map("".join, zip(TEXT.splitlines(), lines, strict=True)), ""]
    assert ask("generate", folder, text="").out == ""


def test_json_tells_everything_of_a_prompt_or_of_lines(ask, folder, expected):
    told = ask("generate", folder, "Once upon", *SHORT, "--json").result
    assert (told["prompt"], told["text"]) == ("Once upon", expected[0])
    assert set(told) == {"prompt", "text", "tokens", "logp", "score", "stopped"}
    out = ask("generate", folder, *SHORT, "--num-beams", 3, "--n-best", 2, "--json", text=TEXT).out
    records = [json.loads(line) for line in out.splitlines()]
    assert [one["prompt"] for one in records] == TEXT.splitlines()
    assert all(len(one["alternatives"]) == 1 for one in records)


def test_a_list_is_numbered(ask, folder):
    out = ask("generate", folder, "the", *SHORT, "--num-beams", 3, "--n-best", 2).out
    rows = [line.split(" ||| ") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["0", "0"]


def test_options_reach_decoding(ask, folder, expected):
    stop = expected[2][2:4]
    cut = ask("generate", folder, "the cat", *SHORT, "--stop", stop, "--stop", "never there").out
    assert cut == expected[2].partition(stop)[0] + "\n"
    fixed = ask("generate", folder, "the cat", *SHORT, "--cache", "fixed").out
    assert fixed == expected[2] + "\n"
    drawn = ("generate", folder, "the cat", *SHORT, "--sample", "--repetition-penalty", 1.3, "--seed")
    assert ask(*drawn, 1).out == ask(*drawn, 1).out != ask(*drawn, 2).out


def test_a_backward_model_writes_before_the_prompt(ask, tmp_path):
    folder = write_gpt(tmp_path / "model", recipe=BACKWARD)
    (text,) = gf.load(folder).generate("sleeps", max_new_tokens=6)
    assert ask("generate", folder, "sleeps", *SHORT, "--with-prompt").out == text + "sleeps\n"
    lines = ask("generate", folder, *SHORT, "--with-prompt", text="sleeps\n").out
    assert lines == escaped(text) + "sleeps\n"


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ((), b"the\n\xff\n", "standard input:2: not valid UTF-8"),
        ((), "a\n" + "the cat sleeps " * 20, "prompt 2: it has"),
        (("x", "--input", "in.txt"), "", "give one of them"),
        (("--input", "missing.txt"), "", "missing.txt: no such file"),
        (("x", "--n-best", 5), "", "raise num_beams"),
        (("x", "--repetition-penalty", 0), "", "--repetition-penalty"),
        (("x", "--stop", ""), "", "stop_strings"),
        (("x", "--cache", "big"), "", "--cache"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, folder, words, text, said):
    ended = ask("generate", folder, *words, text=text)
    assert ended.code == 2
    assert said in ended.err and "Traceback" not in ended.err


def test_a_prompt_that_is_too_long_may_be_cut(ask, folder):
    ended = ask("generate", folder, "the cat sleeps " * 20, *SHORT, "--too-long", "cut")
    assert ended.code == 0 and "warning: prompt 1" in ended.err


def test_a_closed_standard_input_is_told(ask, folder, monkeypatch):
    real = gf.completions

    def closed(*given, **named):
        monkeypatch.setattr(sys, "stdin", None)
        return real(*given, **named)

    monkeypatch.setitem(vars(gf), "completions", closed)
    ended = ask("generate", folder)
    assert ended.code == 2 and "standard input is closed" in ended.err


def test_a_model_of_another_kind_names_its_verb(ask, model_folder, tmp_path):
    for other, verb in ((model_folder, "translate"), (write_bert(tmp_path / "bert"), "predict")):
        ended = ask("generate", other, "x")
        assert ended.code == 2 and f"use glassformer {verb}" in ended.err


def test_a_question_is_framed_and_so_is_what_is_said_beforehand(ask, folder):
    model, short = gf.load(folder), ("--max-new-tokens", 3)
    asked = model.conversing().generate(["cat"], max_new_tokens=3)
    assert ask("generate", folder, "cat", *short, "--chat").out == asked[0] + "\n"
    before = model.conversing([("system", "a")]).generate(["cat"], max_new_tokens=3)
    told = ask("generate", folder, "cat", *short, "--system", "a", "--json").result
    assert told["text"] == before[0]
    lines = ask("generate", folder, *short, "--chat", text="cat\nthe\n").out.splitlines()
    assert lines[0] == escaped(asked[0]) and len(lines) == 2


def test_a_backward_model_cannot_answer(ask, tmp_path):
    folder = write_gpt(tmp_path / "back", recipe=BACKWARD)
    assert "cannot answer" in ask("generate", folder, "a", "--chat").err
