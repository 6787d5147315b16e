"""Texts in the mirror: what follows there stands before here, in letters and in ids."""

from tiny_family import TEXTS, tokenizer

from glassformer.api.mirrored import Mirrored, mirrored


def test_ids_run_from_the_end_and_come_back():
    words = tokenizer()
    seen = Mirrored(words)
    for text in TEXTS:
        (row,) = seen.encode_batch([mirrored(text)])
        assert row == words.encode(text)[::-1]
        assert mirrored(seen.decode(row)) == text
    assert seen.opening == ()


def test_what_goes_on_stands_before():
    words = tokenizer()
    seen = Mirrored(words)
    end, start = words.encode("sleeps")[::-1], words.encode("the cat")[::-1]
    assert seen.decode([*end, *start]) == mirrored("the cat sleeps")
