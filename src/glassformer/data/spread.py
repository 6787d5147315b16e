"""One function over many items in several processes: the results in order, few of them at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from glassformer.base.errors import RunError

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    function: Callable[[Item], Result], items: Iterable[Item], processes: int = 1
) -> Generator[tuple[Item, Result], None, None]:
    """Each item with ``function`` of it, in the order of the items, computed by several processes.

    At most two items a process are under way or waiting to be taken, whatever their number. With one process
    nothing is started; with more, ``function`` and the items must be picklable. An error in the function is
    raised where its result would have come; RunError when a process dies. Closing the generator, or Ctrl-C,
    ends the processes.
    """
    if processes <= 1:
        for item in items:
            yield item, function(item)
        return
    pool = _pool(processes, function)
    try:
        waiting: deque[tuple[Item, Future[Any]]] = deque()
        for item in items:
            waiting.append((item, _submitted(pool, item)))
            if len(waiting) >= 2 * processes:
                yield _finished(waiting)
        while waiting:
            yield _finished(waiting)
    except BrokenProcessPool:
        raise RunError(
            "a process that was encoding ended unexpectedly, perhaps for want of memory; use fewer processes"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _finished(waiting: deque[tuple[Item, Future[Any]]]) -> tuple[Item, Any]:
    item, future = waiting.popleft()
    return item, future.result()


def _pool(processes: int, function: Callable[[Any], Any]) -> Executor:
    # Not forked: the threads of torch and of the tokenizers library do not survive that.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_take, initargs=(function,))


def _submitted(pool: Executor, item: Any) -> Future[Any]:
    with _deaf_children():
        return pool.submit(_apply, item)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that begin here do not hear Ctrl-C, which a terminal sends to all: their parent ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_taken: list[Callable[[Any], Any]] = []


def _take(function: Callable[[Any], Any]) -> None:
    """In a new process: remember the function, which is sent once, and stay on one core."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    _taken[:] = [function]


def _apply(item: Any) -> Any:
    return _taken[0](item)
