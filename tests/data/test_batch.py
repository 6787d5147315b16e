import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassformer.data.batch import keep, pad

rows = st.lists(st.lists(st.integers(0, 60_000), max_size=9), min_size=1, max_size=6)


@given(rows, st.integers(1, 8))
def test_padding_keeps_every_token_and_fills_the_rest(lists, multiple):
    arrays = [np.array(row, dtype=np.int64) for row in lists]
    table, mask = pad(arrays, -1, multiple), keep(arrays, multiple)
    assert table.dtype == torch.int64
    assert mask.dtype == torch.bool
    assert table.shape == mask.shape
    assert table.shape[1] % multiple == 0
    assert table.shape[1] - max(map(len, lists)) < multiple
    for row, (cells, real) in enumerate(zip(table, mask, strict=True)):
        assert cells[real].tolist() == lists[row]
        assert (cells[~real] == -1).all()


def test_narrow_arrays_become_wide_so_that_minus_one_hundred_fits():
    table = pad([np.array([65_535], dtype=np.uint16), np.array([1, 2], dtype=np.uint16)], -100)
    assert table.tolist() == [[65_535, -100], [1, 2]]


def test_a_batch_without_rows_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        pad([], 0)
