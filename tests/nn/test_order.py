"""Rows that change places: what is picked is what was asked for, and no more is copied than must be."""

from __future__ import annotations

import random

import pytest
import torch

from glassformer.nn.order import Order


def _follow(order: Order, memory: torch.Tensor, rows: list[int], group: int | None) -> torch.Tensor:
    """A memory with a number in each place, after these rows were picked."""
    chosen = torch.tensor(rows, dtype=torch.long)
    moves = order.moves(chosen, group)
    if moves is None:
        return memory[order.restart(chosen)]
    assert not {source for source, _ in moves} & {target for _, target in moves}
    assert len(moves) == len(rows) - len(set(rows))
    after = memory.clone()
    for source, target in moves:
        after[target] = memory[source]
    return after


@pytest.mark.parametrize("group", [None, 1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_those_that_were_picked_however_often_and_how_many(group: int | None, seed: int) -> None:
    chance = random.Random(seed)
    order, memory = Order(6), torch.arange(6)
    wanted = list(range(6))
    for _ in range(30):
        count = chance.choice([len(wanted), len(wanted), chance.randint(1, 9)])
        rows = [chance.randrange(len(wanted)) for _ in range(count)]
        memory, wanted = _follow(order, memory, rows, group), [wanted[row] for row in rows]
        assert order.listed(memory).tolist() == wanted
        assert torch.equal(order.listed(order.placed(torch.arange(count))), torch.arange(count))


def test_what_stays_or_only_changes_places_is_not_copied() -> None:
    order = Order(4)
    assert order.moves(torch.tensor([0, 1, 2, 3])) == []
    assert order.moves(torch.tensor([3, 1, 0, 2])) == []
    assert order.listed(torch.tensor([10, 11, 12, 13])).tolist() == [13, 11, 10, 12]
    assert order.moves(torch.tensor([0, 0, 1, 2])) == [(3, 2)]
    assert order.listed(torch.tensor([10, 11, 13, 13])).tolist() == [13, 13, 11, 10]


def test_places_are_copied_within_their_group_or_not_at_all() -> None:
    order = Order(6)
    assert order.moves(torch.tensor([2, 2, 1, 5, 3, 3]), 3) == [(2, 0), (3, 4)]
    assert order.moves(torch.tensor([0, 0, 0, 0, 3, 4]), 3) is None


def test_a_number_of_rows_that_changes_and_a_gpu_are_left_to_one_copy_of_everything() -> None:
    assert Order(3).moves(torch.tensor([0, 1])) is None
    assert Order(3).moves(torch.tensor([0, 1, 2, 2])) is None
    assert Order(2).moves(torch.empty(2, dtype=torch.long, device="meta")) is None


def test_a_fork_goes_on_by_itself() -> None:
    order = Order(3)
    order.moves(torch.tensor([2, 1, 0]))
    twin = order.fork()
    twin.moves(torch.tensor([1, 2, 0]))
    assert order.listed(torch.arange(3)).tolist() == [2, 1, 0]
    assert twin.listed(torch.arange(3)).tolist() == [1, 0, 2]


def test_no_rows_are_no_trouble() -> None:
    order, none = Order(0), torch.tensor([], dtype=torch.long)
    assert order.moves(none) == []
    assert order.restart(none).tolist() == []
