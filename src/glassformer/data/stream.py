"""The order in which batches come: shuffled, bucketed by length, and a pure function of seed and position."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, tee
from sys import is_finalizing
from typing import Protocol, runtime_checkable

import numpy as np

from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Features
from glassformer.data.permutation import derive, permute

WINDOW = 1 << 15
"""How many consecutive examples of the shuffled order are sorted by length together."""

Collate = Callable[[Sequence[Features], np.random.Generator], Batch]


@runtime_checkable
class Rows(Protocol):
    """What can be streamed: encoded examples in order, and what each costs, known without reading it."""

    @property
    def lengths(self) -> np.ndarray:
        """The cost of each row in a batch: its length in tokens, or 1 where rows are counted."""
        ...

    @property
    def fingerprint(self) -> str:
        """A name that is equal when all rows are."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> Features: ...


@dataclass(frozen=True)
class Position:
    """A place between two batches: ``index`` batches of window ``window`` in epoch ``epoch`` were given."""

    epoch: int = 0
    window: int = 0
    index: int = 0


@dataclass(frozen=True)
class _Plan:
    """One batch before it is read: which rows of which store, where it stands, and where the next does."""

    at: Position
    after: Position
    stores: np.ndarray
    rows: np.ndarray


class Stream:
    """Batches from one or several weighted stores, endlessly, in an order that can be entered anywhere.

    One epoch visits every example of a store of weight ``w`` exactly ``w`` times; with a fraction, a
    different part of the store has its turn each epoch, and all have been visited equally often in the end.
    The order is a permutation that is computed, not held (see ``permutation``), so memory does not grow with
    the corpus. ``window`` consecutive examples of it are sorted by length and cut into batches such that rows
    times the longest example stays within ``tokens_per_batch`` (an example longer than that comes alone); the
    batches of a window are shuffled again.

    With several ranks each batch is dealt out: rank ``r`` receives rows ``r, r + ranks, …``. The batches
    themselves do not depend on the number of ranks, so a batch may have fewer rows than there are ranks; the
    ranks left over then receive ``Batch({}, 0)``, which is false, adds nothing, and must be skipped.

    ``workers`` threads prepare batches ahead; they change nothing but speed. An error inside ``collate`` is
    raised where the batch would have come.
    """

    def __init__(
        self,
        stores: Sequence[tuple[Rows, float]],
        *,
        tokens_per_batch: int,
        collate: Collate,
        seed: int,
        shuffle: bool = True,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
        window: int = WINDOW,
    ) -> None:
        if not any(len(store) and weight > 0 for store, weight in stores):
            raise UserError("there is nothing to stream: every data source is empty or has weight 0")
        self.stores = [store for store, _ in stores]
        self.firsts = [0, *accumulate(map(len, self.stores))]
        self.weights = [Fraction(str(weight)) for _, weight in stores]
        self.tokens_per_batch = tokens_per_batch
        self.collate = collate
        self.seed = seed
        self.shuffle = shuffle
        self.workers = workers
        self.rank = rank
        self.ranks = ranks
        self.window = window

    def batches(self, position: Position = Position()) -> Iterator[tuple[Batch, Position]]:
        """Batches from ``position`` on, without end, each with the position after it."""
        yield from self._prepared(self._endless(position))

    def once(self, seen: Callable[[int], object] | None = None) -> Iterator[Batch]:
        """Every example of every store exactly once, whatever its weight: one pass for evaluation.

        Windows follow the order of the files; within one, examples are sorted by length. ``seen`` is told how
        many examples, over all ranks, each batch had, once it is done with.
        """
        counts = [(0, len(store)) for store in self.stores]
        plans = self._epoch(
            Position(), _Slots(counts, [len(store) for store in self.stores], None, self.seed)
        )
        planned, told = tee(plans)
        for (batch, _), plan in zip(self._prepared(planned), told, strict=True):
            yield batch
            if seen is not None:
                seen(len(plan.rows))

    def epoch_size(self, epoch: int = 0) -> int:
        """How many examples one epoch visits, all ranks together."""
        return self._slots(epoch).total

    def _slots(self, epoch: int) -> _Slots:
        sizes = [len(store) for store in self.stores]
        spans = [
            (int(epoch * weight * size), int((epoch + 1) * weight * size))
            for weight, size in zip(self.weights, sizes, strict=True)
        ]
        return _Slots(spans, sizes, epoch if self.shuffle else None, self.seed)

    def _endless(self, position: Position) -> Iterator[_Plan]:
        while True:
            yield from self._epoch(position, self._slots(position.epoch))
            position = Position(position.epoch + 1)

    def _epoch(self, start: Position, slots: _Slots) -> Iterator[_Plan]:
        windows = -(-slots.total // self.window)
        for window in range(start.window, windows):
            stores, rows = slots.examples(window * self.window, min((window + 1) * self.window, slots.total))
            batches = self._cut(stores, rows, start.epoch, window)
            first = start.index if window == start.window else 0
            for index in range(first, len(batches)):
                at = Position(start.epoch, window, index)
                yield _Plan(
                    at, _after(at, len(batches), windows), stores[batches[index]], rows[batches[index]]
                )

    def _cut(self, stores: np.ndarray, rows: np.ndarray, epoch: int, window: int) -> list[np.ndarray]:
        """The window's examples as batches of similar length: arrays of indices into the window."""
        lengths = np.empty(len(rows), dtype=np.int64)
        for number, store in enumerate(self.stores):
            mine = stores == number
            lengths[mine] = store.lengths[rows[mine]]
        # The examples arrive shuffled and the sort is stable, so equal lengths stay shuffled.
        order = np.argsort(-lengths, kind="stable")
        batches, start = [], 0
        while start < len(order):
            size = max(1, self.tokens_per_batch // max(1, int(lengths[order[start]])))
            batches.append(order[start : start + size])
            start += size
        if not self.shuffle:
            return batches
        turns = np.random.default_rng(derive(self.seed, epoch, window)).permutation(len(batches))
        return [batches[turn] for turn in turns]

    def _make(self, plan: _Plan) -> Batch:
        mine = slice(self.rank, None, self.ranks)
        chosen = list(zip(plan.stores[mine].tolist(), plan.rows[mine].tolist(), strict=True))
        features = [self.stores[store][row] for store, row in chosen]
        if not features:
            return Batch({}, 0)
        at = plan.at
        rng = np.random.default_rng(derive(self.seed, at.epoch, at.window, at.index, self.rank))
        rows = tuple(self.firsts[store] + row for store, row in chosen)
        return replace(self.collate(features, rng), rows=rows)

    def _prepared(self, plans: Iterator[_Plan]) -> Iterator[tuple[Batch, Position]]:
        if self.workers <= 0:
            for plan in plans:
                yield self._make(plan), plan.after
            return
        with _pool(self.workers) as pool:
            waiting: deque[tuple[Future[Batch], Position]] = deque()
            for plan in plans:
                waiting.append((pool.submit(self._make, plan), plan.after))
                if len(waiting) > 2 * self.workers:
                    yield _result(waiting)
            while waiting:
                yield _result(waiting)


@dataclass(frozen=True)
class _Slots:
    """One epoch as numbered slots, one example each: which example is in slot ``i`` is computed on demand.

    Store ``k`` of size ``n`` is thought of as an endless row of copies, each shuffled by itself; ``spans[k]``
    is the stretch of it that this epoch takes. Slots are all stretches laid end to end, then shuffled.
    ``epoch`` is None for the order of the files.
    """

    spans: Sequence[tuple[int, int]]
    sizes: Sequence[int]
    epoch: int | None
    seed: int

    @property
    def total(self) -> int:
        return sum(stop - start for start, stop in self.spans)

    def examples(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Store numbers and row numbers of the slots from ``first`` up to ``last``."""
        slots = np.arange(first, last, dtype=np.uint64)
        if self.epoch is not None:
            slots = permute(slots, self.total, derive(self.seed, self.epoch))
        ends = np.cumsum([stop - start for start, stop in self.spans])
        stores = np.searchsorted(ends, slots.astype(np.int64), side="right")
        rows = np.empty(len(slots), dtype=np.int64)
        for number, (span, size) in enumerate(zip(self.spans, self.sizes, strict=True)):
            mine = stores == number
            before = int(ends[number]) - (span[1] - span[0])
            rows[mine] = self._rows(number, slots[mine].astype(np.int64) - before + span[0], size)
        return stores, rows

    def _rows(self, store: int, places: np.ndarray, size: int) -> np.ndarray:
        if not len(places):
            return places
        copies, inside = np.divmod(places, size)
        if self.epoch is None:
            return inside
        rows = np.empty_like(inside)
        for copy in np.unique(copies):
            mine = copies == copy
            rows[mine] = permute(inside[mine].astype(np.uint64), size, derive(self.seed, store, int(copy), 1))
        return rows


def _after(at: Position, batches: int, windows: int) -> Position:
    """The position behind the batch at ``at``, written as the beginning of what comes next."""
    if at.index + 1 < batches:
        return Position(at.epoch, at.window, at.index + 1)
    if at.window + 1 < windows:
        return Position(at.epoch, at.window + 1)
    return Position(at.epoch + 1)


def _result(waiting: deque[tuple[Future[Batch], Position]]) -> tuple[Batch, Position]:
    batch, position = waiting.popleft()
    return batch.result(), position


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end when the iterator is closed, exhausted or interrupted; work not begun is forgotten."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        yield pool
    finally:
        # An interpreter that ends has joined the threads already, and taken apart what shutting down needs.
        if not is_finalizing():
            pool.shutdown(wait=True, cancel_futures=True)
