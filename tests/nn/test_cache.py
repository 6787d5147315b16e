"""Caches: what is read stays, rows can be picked, and growing and fixed memories hold the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from glassformer.nn.cache import Fixed, Growing, Slot

BOTH = pytest.mark.parametrize("make", [Growing, lambda: Fixed(10)], ids=["growing", "fixed"])


def _pair(keys: int, rows: int = 3) -> tuple[Tensor, Tensor]:
    return torch.randn(rows, 2, keys, 4), torch.randn(rows, 2, keys, 4)


@BOTH
@pytest.mark.parametrize("chunks", [[7], [1] * 7, [3, 1, 3], [1, 6]])
def test_chunks_read_one_after_another_are_held_as_a_whole(
    make: Callable[[], Slot], chunks: list[int]
) -> None:
    slot = make()
    assert slot.length == 0
    keys, values = _pair(sum(chunks))
    for k, v in zip(keys.split(chunks, dim=2), values.split(chunks, dim=2), strict=True):
        held = slot.extend(k, v)
        assert torch.equal(held[0], slot.held()[0])
    assert slot.length == 7
    assert torch.equal(slot.held()[0], keys)
    assert torch.equal(slot.held()[1], values)


@BOTH
def test_selected_rows_are_kept_in_the_order_given(make: Callable[[], Slot]) -> None:
    slot = make()
    keys, values = _pair(4)
    slot.extend(keys, values)
    rows = torch.tensor([2, 0, 0, 1])
    slot.select(rows)
    assert torch.equal(slot.held()[0], keys[rows])
    more, others = _pair(2, rows=4)
    assert torch.equal(slot.extend(more, others)[0], torch.cat([keys[rows], more], dim=2))


@BOTH
def test_an_empty_memory_may_be_selected_from_but_not_read(make: Callable[[], Slot]) -> None:
    slot = make()
    slot.select(torch.tensor([1, 0]))
    assert slot.length == 0
    with pytest.raises(IndexError, match="nothing has been read"):
        slot.held()


@BOTH
def test_all_rows_may_be_dropped(make: Callable[[], Slot]) -> None:
    slot = make()
    slot.extend(*_pair(2))
    slot.select(torch.tensor([], dtype=torch.long))
    assert slot.held()[0].shape == (0, 2, 2, 4)


def test_a_fixed_memory_stays_in_place_and_says_when_it_is_full() -> None:
    slot = Fixed(5)
    first = slot.extend(*_pair(2))[0].data_ptr()
    assert slot.extend(*_pair(3))[0].data_ptr() == first
    with pytest.raises(IndexError, match="holds 5 positions and position 6 was asked for"):
        slot.extend(*_pair(1))


@BOTH
def test_a_fork_holds_the_same_and_goes_on_by_itself(make: Callable[[], Slot]) -> None:
    slot = make()
    assert slot.fork().length == 0
    keys = slot.extend(*_pair(2))[0].clone()
    twin = slot.fork()
    more = _pair(1)
    twin.extend(*more)
    slot.extend(*(torch.zeros_like(part) for part in more))
    assert (slot.length, twin.length) == (3, 3)
    assert torch.equal(twin.held()[0][:, :, :2], keys)
    assert torch.equal(twin.held()[0][:, :, 2:], more[0])
    assert not slot.held()[0][:, :, 2:].any()
