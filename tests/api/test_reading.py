"""Texts before a model reads them: two on a line, rows of unlike lengths, and what is too long."""

import pytest
import torch
from tiny_family import tokenizer

from glassformer.api.reading import as_record, batched, encoded, shown_as, text_of, told_of_length
from glassformer.base.errors import UserError
from glassformer.models import bert, gpt


@pytest.mark.parametrize(
    ("line", "texts", "found"),
    [
        ("a\tb", 1, "a\tb"),
        ("a\tb", 2, ("a", "b")),
        ("a\tb", 0, ("a", "b")),
        ("a b", 0, "a b"),
        ("a\tb\tc", 0, "a\tb\tc"),
        ('{"premise": "a", "hypothesis": "b", "x": 1}', 2, ("a", "b")),
        ('{"text": "a", "pair": "b"}', 0, ("a", "b")),
        ('{"text": "a"}', 0, '{"text": "a"}'),
        ("{a", 0, "{a"),
        ("  ", 2, "  "),
    ],
)
def test_a_line_holds_one_text_or_two(line, texts, found):
    assert text_of(line, 3, texts) == found


@pytest.mark.parametrize("line", ["a", "a\t", "a\tb\tc", '{"text": "a", "pair": 3}', "[1]"])
def test_a_line_without_two_texts_is_refused_where_two_are_read(line):
    with pytest.raises(UserError, match=r"^line 3: this model reads two texts at once; write both with"):
        text_of(line, 3, 2)


def test_a_text_too_long_is_cut_with_a_warning_or_refused(capsys):
    words = tokenizer("both")
    (row,) = encoded([(7, "the cat sleeps")], words, 4, "cut")
    assert len(row.tokens) == 4
    size = row.read + row.lost
    assert f"text 7: it has {size} tokens; only the first 2 are read" in capsys.readouterr().err
    with pytest.raises(
        UserError, match=f"text 7: it has {size} tokens but the model reads at most 2; split it"
    ):
        encoded([(7, "the cat sleeps")], words, 4, "refuse")
    with pytest.raises(UserError, match="text 1: it has 9 tokens but the model reads at most 4"):
        told_of_length(1, 9, 4, "refuse")


def test_rows_are_padded_and_segments_stand_where_the_model_knows_them():
    words = tokenizer("both")
    rows = encoded([(1, ("cat", "the cat")), (2, ("cat", "a"))], words, 30, "refuse")
    batch = batched(rows, bert.Config(pad_id=words.pad_id), "cpu")
    assert batch["keep"].sum(1).tolist() == [len(row.tokens) for row in rows]
    for row, segments, keep in zip(rows, batch["segments"], batch["keep"], strict=True):
        assert segments[keep].tolist() == [int(at >= row.second) for at in range(len(row.tokens))]
    assert set(batched(rows[:1], gpt.Config(), "cpu")) == {"tokens"}
    alone = encoded([(1, "cat")], words, 30, "refuse")
    assert set(batched(alone, bert.Config(), "cpu")) == {"tokens"}
    assert torch.equal(batched(alone, gpt.Config(), "cpu")["tokens"][0], torch.tensor(alone[0].tokens))


def test_texts_are_shown_on_a_line_and_as_a_record():
    assert (shown_as("a"), shown_as(("a", "b"))) == ("a", "a\tb")
    assert (as_record("a"), as_record(("a", "b"))) == ({"text": "a"}, {"text": "a", "pair": "b"})
