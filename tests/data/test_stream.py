import json
import os
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import glassformer
from glassformer.base.errors import UserError
from glassformer.data.batch import pad
from glassformer.data.example import Batch, Example, Features
from glassformer.data.store import build
from glassformer.data.stream import Position, Stream


def encode(examples):
    return [Features(example.fields) for example in examples]


def make_store(folder, sizes, first=1):
    """A store whose example ``i`` is ``[first + i]`` repeated, so that every token names its example."""
    arrays = [np.full(size, first + number) for number, size in enumerate(sizes)]
    examples = [
        Example({"source": array, "target": array[: len(array) // 2]}, f"a:{n}")
        for n, array in enumerate(arrays)
    ]
    return build(examples, encode, folder)


def collate(features, rng):
    source = pad([one.arrays["source"] for one in features], 0)
    return Batch({"source": source, "noise": torch.from_numpy(rng.random(2))}, len(features))


def stream(stores, **options):
    options = {"tokens_per_batch": 64, "collate": collate, "seed": 7, "window": 50, **options}
    return Stream([(store, 1.0) if not isinstance(store, tuple) else store for store in stores], **options)


def seen(batch):
    return batch["source"][:, 0].tolist() if batch else []


def epoch(a_stream, number=0):
    """The batches of one epoch."""
    batches = []
    for batch, after in a_stream.batches(Position(number)):
        batches.append(batch)
        if after.epoch > number:
            return batches
    raise AssertionError("a stream has no end")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


SIZES = [1 + (7 * n) % 23 for n in range(130)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("stream") / "store", SIZES)


def test_each_epoch_visits_every_example_once_and_in_another_order(store):
    orders = [
        [example for batch in epoch(stream([store]), number) for example in seen(batch)] for number in (0, 1)
    ]
    for order in orders:
        assert sorted(order) == list(range(1, 131))
    assert orders[0] != orders[1]
    assert stream([store]).epoch_size() == 130


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60),
    st.integers(1, 100),
    st.integers(1, 70),
    st.integers(),
)
def test_any_corpus_any_budget_any_window_gives_each_example_once(
    tmp_path_factory, sizes, budget, window, seed
):
    made = make_store(tmp_path_factory.mktemp("any") / "store", sizes)
    batches = epoch(stream([made], tokens_per_batch=budget, window=window, seed=seed))
    assert sorted(example for batch in batches for example in seen(batch)) == list(range(1, len(sizes) + 1))
    for batch in batches:
        rows, longest = batch["source"].shape
        assert rows * longest <= budget or rows == 1


def test_similar_lengths_stand_together(store):
    batches = epoch(stream([store], window=130))
    cells = sum(batch["source"].numel() for batch in batches)
    assert cells < 1.1 * sum(SIZES)


def test_the_order_depends_on_the_seed_and_on_nothing_else(store):
    first, again = epoch(stream([store])), epoch(stream([store]))
    assert all(same(one, other) for one, other in zip(first, again, strict=True))
    other = epoch(stream([store], seed=8))
    assert [seen(batch) for batch in first] != [seen(batch) for batch in other]


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(store, workers):
    alone = list(islice(stream([store]).batches(), 70))
    helped = list(islice(stream([store], workers=workers).batches(), 70))
    for (one, at), (other, there) in zip(alone, helped, strict=True):
        assert same(one, other)
        assert at == there


@settings(max_examples=15, deadline=None)
@given(stop=st.integers(0, 120), workers=st.integers(0, 2))
def test_a_stream_goes_on_from_any_position_as_if_never_stopped(store, stop, workers):
    made = stream([store, (store, 0.3)], workers=workers)
    whole = list(islice(made.batches(), stop + 30))
    position = whole[stop - 1][1] if stop else Position()
    saved = Position(**json.loads(json.dumps(asdict(position))))
    rest = list(islice(made.batches(saved), 30))
    for (one, at), (other, there) in zip(whole[stop:], rest, strict=True):
        assert same(one, other)
        assert at == there


def test_resuming_far_away_reads_nothing_before(store):
    calls = []

    def counting(features, rng):
        calls.append(len(features))
        return collate(features, rng)

    next(stream([store], collate=counting).batches(Position(epoch=10**6, window=2, index=3)))
    assert len(calls) == 1


def test_a_position_behind_the_last_batch_of_a_window_means_the_next(store):
    batch, _ = next(stream([store]).batches(Position(0, 0, 10_000)))
    expected, _ = next(stream([store]).batches(Position(0, 1, 0)))
    assert same(batch, expected)
    batch, _ = next(stream([store]).batches(Position(0, 99, 0)))
    expected, _ = next(stream([store]).batches(Position(1)))
    assert same(batch, expected)


@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_ranks_share_out_every_batch_and_the_batches_do_not_depend_on_them(store, ranks):
    whole = [seen(batch) for batch in epoch(stream([store]))]
    parts = [
        [seen(batch) for batch in epoch(stream([store], rank=rank, ranks=ranks))] for rank in range(ranks)
    ]
    for number, batch in enumerate(whole):
        for rank in range(ranks):
            assert parts[rank][number] == batch[rank::ranks]


def test_a_rank_without_rows_receives_an_empty_batch(tmp_path):
    made = make_store(tmp_path / "one", [5])
    batch, after = next(stream([made], rank=1, ranks=2).batches())
    assert not batch
    assert batch.count == 0
    assert after == Position(1)


def test_ranks_and_positions_draw_different_chances(store):
    draws = [
        tuple(batch["noise"].tolist())
        for rank in (0, 1)
        for number in (0, 1)
        for batch in epoch(stream([store], rank=rank, ranks=2), number)
        if batch
    ]
    assert len(set(draws)) == len(draws)


def visits(a_stream, epochs):
    return Counter(x for number in range(epochs) for batch in epoch(a_stream, number) for x in seen(batch))


def test_a_whole_weight_visits_each_example_so_often_in_every_epoch(store, tmp_path):
    small = make_store(tmp_path / "small", [3] * 11, first=1000)
    counted = visits(stream([store, (small, 3.0)]), 1)
    assert all(counted[example] == 1 for example in range(1, 131))
    assert all(counted[example] == 3 for example in range(1000, 1011))


def test_a_fractional_weight_takes_another_part_each_epoch_and_is_fair(tmp_path):
    made = make_store(tmp_path / "made", [3] * 40)
    fraction = stream([(made, 0.25)])
    parts = [visits(fraction, 1)] + [
        Counter(x for batch in epoch(fraction, n) for x in seen(batch)) for n in (1, 2, 3)
    ]
    assert [part.total() for part in parts] == [10, 10, 10, 10]
    assert sum(parts, Counter()) == Counter(range(1, 41))


def test_a_weight_with_a_remainder_is_kept_on_average(tmp_path):
    made = make_store(tmp_path / "made", [3] * 7)
    counted = visits(stream([(made, 1.1)]), 10)
    assert set(counted.values()) == {11}


def test_a_weight_so_small_that_most_epochs_are_empty_still_streams(tmp_path):
    made = make_store(tmp_path / "made", [3] * 2)
    positions = [after.epoch for _, after in islice(stream([(made, 0.01)]).batches(), 3)]
    assert positions == [50, 100, 150]


def test_without_shuffling_the_examples_keep_the_order_of_the_file(store):
    batches = epoch(stream([store], shuffle=False, window=1))
    assert [seen(batch)[0] for batch in batches] == list(range(1, 131))


def test_one_pass_gives_everything_once_whatever_the_weights_and_always_alike(store, tmp_path):
    small = make_store(tmp_path / "small", [3] * 11, first=1000)
    made = stream([(store, 0.2), (small, 5.0)])
    first, again = list(made.once()), list(made.once())
    assert sorted(x for batch in first for x in seen(batch)) == [*range(1, 131), *range(1000, 1011)]
    assert all(same(one, other) for one, other in zip(first, again, strict=True))
    windows = [x for batch in first for x in seen(batch)]
    assert sorted(windows[:50]) == list(range(1, 51))


@pytest.mark.parametrize("workers", [0, 2])
def test_one_pass_tells_how_many_examples_are_done_with(store, workers):
    told = []
    for number, _ in enumerate(stream([store], workers=workers).once(told.append)):
        assert len(told) == number
    assert sum(told) == len(store)


def test_nothing_to_stream_is_an_error():
    with pytest.raises(UserError, match="nothing to stream"):
        stream([])


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_while_collating_is_raised_where_the_batch_would_have_come(store, workers):
    def failing(features, rng):
        if any(one.arrays["source"][0] == 60 for one in features):
            raise ValueError("row 60 is broken")
        return collate(features, rng)

    expected = next(n for n, batch in enumerate(epoch(stream([store]))) if 60 in seen(batch))
    batches = stream([store], collate=failing, workers=workers).batches()
    assert len(list(islice(batches, expected))) == expected
    with pytest.raises(ValueError, match="row 60 is broken"):
        next(batches)
    assert not threads()


def test_closing_the_iterator_ends_its_threads(store):
    batches = stream([store], workers=2).batches()
    next(batches)
    assert threads()
    batches.close()
    assert not threads()


def test_interrupting_ends_the_threads(store):
    batches = stream([store], workers=2).batches()
    next(batches)
    with pytest.raises(KeyboardInterrupt):
        batches.throw(KeyboardInterrupt)
    assert not threads()


def test_the_interpreter_ends_with_an_iterator_still_open(store):
    script = f"""
        from pathlib import Path
        from glassformer.data.example import Batch
        from glassformer.data.store import Store
        from glassformer.data.stream import Stream
        store = Store(Path({str(store.folder)!r}))
        collate = lambda features, rng: Batch({{}}, len(features))
        made = Stream([(store, 1.0)], tokens_per_batch=64, collate=collate, seed=1, workers=2)
        batches = made.batches()
        next(batches)
        print("done")
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": str(Path(glassformer.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "done\n"
    assert ended.stderr == ""
