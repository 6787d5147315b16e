import numpy as np
import pytest

from glassformer.data.shift import Shift, shifts


def corpus(rows, seed=0):
    rng = np.random.default_rng(seed)
    source = rng.integers(5, 80, rows)
    return source, np.round(source * rng.uniform(1.5, 2.2, rows)).astype(int)


def found(source, target, files=None):
    return list(shifts(source, target, np.zeros(len(source), dtype=np.uint32) if files is None else files))


def test_a_corpus_in_step_has_no_shifts():
    assert found(*corpus(1000)) == []


@pytest.mark.parametrize("by", [-3, -1, 1, 2])
def test_a_side_that_slipped_is_found_where_it_slipped(by):
    source, target = corpus(1000)
    target[400:] = np.roll(target[400:], by)
    assert found(source, target) == [Shift(400, 999, by)]


def test_a_corpus_sorted_by_length_is_not_called_shifted():
    source, target = corpus(1000)
    order = np.argsort(source, kind="stable")
    assert found(source[order], target[order]) == []


def test_lengths_that_have_nothing_to_do_with_each_other_are_not_called_shifted():
    source, target = corpus(1000)
    assert found(source, np.random.default_rng(1).permutation(target)) == []


def test_equal_lengths_and_few_rows_say_nothing():
    assert found(np.full(300, 7), np.full(300, 9)) == []
    assert found(*corpus(10)) == []


def test_each_file_is_looked_at_by_itself():
    source, target = corpus(400)
    target[200:] = np.roll(target[200:], 1)
    files = np.repeat(np.arange(2, dtype=np.uint32), 200)
    assert found(source, target, files) == [Shift(200, 399, 1)]
