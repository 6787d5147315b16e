"""Blocks show every token, cost no memory, and are rows like any other."""

from itertools import pairwise

import numpy as np
import pytest

from glassformer.data.batch import pad
from glassformer.data.blocks import Blocks, crop
from glassformer.data.example import Batch, Example, Features
from glassformer.data.store import build
from glassformer.data.stream import Rows, Stream


@pytest.fixture
def text(tmp_path):
    """A store of ``count`` tokens 0, 1, 2 …, in documents of up to seven."""

    def make(count):
        rows = [np.arange(start, min(start + 7, count)) for start in range(0, count, 7)]
        examples = [Example({"tokens": row}, "a") for row in rows]
        return build(examples, lambda chunk: [Features(one.fields) for one in chunk], tmp_path / str(count))

    return make


@pytest.mark.parametrize("count", [2, 9, 10, 11, 12, 13, 100])
@pytest.mark.parametrize("block", [1, 3, 8])
def test_every_token_but_the_first_is_predicted_once(count, block, text):
    blocks = Blocks(text(count), block, cropped=False)
    rows = [blocks[row].arrays["tokens"] for row in range(len(blocks))]
    assert [token for row in rows for token in row[1:]] == list(range(1, count))
    assert all(before[-1] == after[0] for before, after in pairwise(rows))
    assert {len(row) for row in rows[:-1]} <= {block + 1}
    assert 2 <= len(rows[-1]) <= block + 1


def test_cropped_rows_have_every_place_to_begin_at(text):
    blocks = Blocks(text(26), 5, cropped=True)
    rows = [blocks[row].arrays["tokens"].tolist() for row in range(len(blocks))]
    assert rows == [list(range(start, start + 10)) for start in (0, 5, 10, 15, 16)]
    begins = {row[0] + place for row in rows for place in range(5)}
    assert begins == set(range(26 - 5))


@pytest.mark.parametrize("count", [2, 3, 9, 10, 11])
def test_a_short_text_is_one_row(count, text):
    blocks = Blocks(text(count), 10, cropped=True)
    assert len(blocks) == 1
    assert blocks[0].arrays["tokens"].tolist() == list(range(count))
    taken = crop(blocks[0].arrays["tokens"], np.random.default_rng(0))
    assert 2 <= len(taken) <= 11


def test_a_crop_begins_anywhere_and_is_a_block_and_one_token():
    row = np.arange(10)
    rng = np.random.default_rng(0)
    crops = [crop(row, rng) for _ in range(200)]
    assert {len(one) for one in crops} == {6}
    assert {int(one[0]) for one in crops} == set(range(5))
    assert all((np.diff(one) == 1).all() for one in crops)
    again = crop(row, np.random.default_rng(0))
    assert again.tolist() == crops[0].tolist()


def test_a_single_token_is_no_row(text):
    assert len(Blocks(text(1), 4, cropped=False)) == len(Blocks(text(1), 4, cropped=True)) == 0


def test_lengths_of_any_number_of_rows_are_one_number(text):
    blocks = Blocks(text(100), 4, cropped=False)
    assert blocks.lengths.shape == (25,)
    assert blocks.lengths.strides == (0,)
    assert set(blocks.lengths[np.array([0, 24])].tolist()) == {4}


def test_rows_outside_are_index_errors(text):
    blocks = Blocks(text(10), 4, cropped=False)
    for row in (-1, 3):
        with pytest.raises(IndexError):
            blocks[row]
    with pytest.raises(ValueError, match="at least one token"):
        Blocks(text(10), 0, cropped=False)


def test_the_fingerprint_follows_the_text_and_the_cut(text):
    store = text(30)
    names = {
        Blocks(one, block, cropped=cropped).fingerprint
        for one, block, cropped in ((store, 4, True), (store, 4, False), (store, 5, True))
    }
    assert len(names) == 3
    assert Blocks(store, 4, cropped=True).fingerprint in names


def test_the_counts_and_the_folder_are_those_of_the_store(text):
    store = text(6)
    blocks = Blocks(store, 4, cropped=True)
    assert blocks.counts("tokens", 8).tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert (blocks.tokens("tokens"), blocks.folder) == (6, store.folder)


def test_a_stream_takes_batches_of_so_many_rows(text):
    blocks = Blocks(text(101), 4, cropped=False)
    assert isinstance(blocks, Rows)

    def collate(features, rng):
        return Batch({"tokens": pad([one.arrays["tokens"] for one in features], 0)}, len(features))

    stream = Stream([(blocks, 1.0)], tokens_per_batch=4 * 6, collate=collate, seed=1, shuffle=False)
    sizes = [batch["tokens"].shape for batch in stream.once()]
    assert [tuple(size) for size in sizes] == [(6, 5)] * 4 + [(1, 5)]
    first, _ = next(stream.batches())
    assert first["tokens"].shape == (6, 5)


def test_fixed_rows_give_every_token_once_but_the_last(text):
    blocks = Blocks(text(26), 5, cropped=True).fixed()
    rows = [blocks[row].arrays["tokens"].tolist() for row in range(len(blocks))]
    assert [token for row in rows for token in row[:-1]] == list(range(25))
    assert blocks.fingerprint != Blocks(text(26), 5, cropped=True).fingerprint
