"""``glassformer tokenizer train``: from files to a folder."""

import pytest


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("나는 학교에 간다\tI go to school\n" * 3, encoding="utf-8")
    return path


def test_what_was_typed_is_what_is_learned(ask, pairs, tmp_path):
    out = tmp_path / "vocabulary"
    asked = ("tokenizer", "train", pairs, "-o", out, "--kind", "unigram", "--vocab-size", 300, "--jamo")
    ended = ask(*asked, "--lowercase", "--json")
    assert ended.code == 0
    assert (ended.result["kind"], ended.result["output"]) == ("unigram", str(out))
    assert ended.result["vocab_size"] <= 300
    assert (
        ask("tokenizer", "decode", out, text=ask("tokenizer", "encode", out, text="School").out).out
        == "school\n"
    )


def test_a_small_text_gives_a_small_vocabulary_and_a_sentence(ask, pairs, tmp_path):
    ended = ask("tokenizer", "train", pairs, "--kind", "word", "--output", tmp_path / "v")
    assert "The vocabulary has 12 pieces, not 8000" in ended.err
    assert "vocab_size  12" in ended.out


def test_separate_vocabularies_are_counted_apart(ask, pairs, tmp_path):
    ended = ask("tokenizer", "train", pairs, "--separate", "--kind", "word", "-o", tmp_path / "v", "--json")
    assert (ended.result["vocab_size"], ended.result["target_vocab_size"]) == (8, 9)


def test_text_may_come_from_stdin(ask, tmp_path):
    ended = ask(
        "tokenizer", "train", "-", "--kind", "character", "-o", tmp_path / "v", text="가나다\n가나다\n"
    )
    assert ended.code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("missing.txt", "-o", "{tmp}/v"), "missing.txt: no such file"),
        (("{pairs}",), "--output"),
        (("{pairs}", "-o", "{tmp}"), "not overwritten"),
        (("{pairs}", "-o", "{tmp}/v", "--kind", "bpee"), "--kind"),
        (("{pairs}", "-o", "{tmp}/v", "--vocab-size", "20"), "too small"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, pairs, tmp_path, words, said):
    ended = ask("tokenizer", "train", *(word.format(pairs=pairs, tmp=tmp_path) for word in words))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
