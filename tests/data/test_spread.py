"""Work spread over processes comes back in order, few items at a time, and ends when it is told to."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from glassformer.base.errors import RunError, UserError
from glassformer.data import spread as module
from glassformer.data.spread import spread


class Threads(ThreadPoolExecutor):
    """Threads in the place of processes, which take seconds to start."""

    def __init__(self, function):
        super().__init__(2)
        module._take(function)


@pytest.fixture
def threads(monkeypatch):
    monkeypatch.setattr(module, "_pool", lambda processes, function: Threads(function))
    yield
    module._taken.clear()


def test_one_process_takes_an_item_when_it_is_asked_for_one():
    taken = []
    results = spread(str, (taken.append(number) or number for number in range(3)))
    assert next(results) == (0, "0")
    assert taken == [0]
    assert list(results) == [(1, "1"), (2, "2")]


def test_results_come_in_the_order_of_the_items(threads):
    assert list(spread(lambda number: -number, range(20), 2)) == [(number, -number) for number in range(20)]


def test_few_items_are_under_way_however_many_there_are(threads):
    taken = []
    results = spread(str, (taken.append(number) or number for number in range(100)), 2)
    for done in range(1, 90):
        next(results)
        assert len(taken) <= done + 4
    results.close()
    assert len(taken) < 100


def test_an_error_comes_where_the_result_would_have(threads):
    def fail_at_two(number):
        if number == 2:
            raise UserError("two: is too much")
        return number

    results = spread(fail_at_two, range(9), 2)
    assert [next(results), next(results)] == [(0, 0), (1, 1)]
    with pytest.raises(UserError, match="two: is too much"):
        next(results)


def test_a_process_that_dies_is_one_sentence(threads, monkeypatch):
    def dead(waiting):
        raise BrokenProcessPool

    monkeypatch.setattr(module, "_finished", dead)
    with pytest.raises(RunError, match=r"ended unexpectedly.*use fewer processes"):
        list(spread(str, range(3), 2))


def test_new_processes_do_not_hear_ctrl_c_and_this_one_does_again():
    with module._deaf_children():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_real_processes_give_what_one_gives():
    paths = ["a", "b/c", "d.txt"]
    assert list(spread(os.path.basename, paths, 2)) == list(spread(os.path.basename, paths))
