"""``glassformer tokenizer encode | decode | show``: text and ids, a line a line."""

import pytest


def test_what_is_encoded_is_decoded_again(ask, model_folder):
    text = "나는 학교에 간다\n\nI go  to school 😀\n"
    ids = ask("tokenizer", "encode", model_folder, text=text)
    assert ids.code == 0 and ids.out.count("\n") == 3
    assert ask("tokenizer", "decode", model_folder, text=ids.out).out == text


def test_pieces_may_be_shown_for_ids(ask, model_folder):
    out = ask("tokenizer", "encode", model_folder, "--pieces", "--side", "target", text="I go to").out
    assert "".join(out.split()).replace("▁", " ").strip() == "I go to"


def test_show_says_what_it_is_and_how_it_cuts(ask, model_folder):
    assert "byte_bpe" in ask("tokenizer", "show", model_folder).out
    told = ask("tokenizer", "show", model_folder, "I go", "--json").result
    assert told["kind"] == "byte_bpe" and told["vocab_size"] == 300
    assert next(word for _, _, word in told["cut"]) == 0


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (("decode", "{folder}"), "1 x\n", "line 1: 'x' is not an id"),
        (("encode", "{folder}"), b"\xff\n", "standard input:1: not valid UTF-8"),
        (("show", "missing"), "", "missing: there is no such folder"),
        (("shwo", "missing"), "", "Did you mean 'show'"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, model_folder, words, text, said):
    ended = ask("tokenizer", *(word.format(folder=model_folder) for word in words), text=text)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
