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


@BOTH
def test_rows_are_copied_over_others_in_place_and_a_fork_keeps_its_own(make: Callable[[], Slot]) -> None:
    slot = make()
    slot.move([(0, 1)])
    keys, values = (part.clone() for part in slot.extend(*_pair(3)))
    twin = slot.fork()
    slot.move([(0, 2)])
    assert torch.equal(slot.held()[0], keys[[0, 1, 0]])
    assert torch.equal(slot.held()[1], values[[0, 1, 0]])
    assert torch.equal(twin.held()[0], keys)
    more = _pair(2)
    assert torch.equal(slot.extend(*more)[1], torch.cat([values[[0, 1, 0]], more[1]], dim=2))
    slot.move([(1, 0)])
    assert torch.equal(slot.held()[0], torch.cat([keys[[0, 1, 0]], more[0]], dim=2)[[1, 1, 2]])


def test_what_grows_is_seldom_copied_and_never_written_into_what_was_given() -> None:
    slot, given = Growing(), _pair(2)
    before = given[0].clone()
    slot.extend(*given)
    places = set()
    for _ in range(200):
        places.add(slot.extend(*_pair(1))[0].data_ptr())
    assert len(places) < 12
    assert torch.equal(given[0], before)
    assert slot.held()[0].untyped_storage().nbytes() < 1.5 * slot.held()[0].nbytes


def test_gradients_flow_through_all_that_is_held() -> None:
    slot, parts = Growing(), [torch.randn(1, 1, 1, 2, requires_grad=True) for _ in range(4)]
    for part in parts:
        held = slot.extend(part, 2 * part)
        (held[0] * held[1]).sum().backward(retain_graph=True)
    for place, part in enumerate(parts):
        torch.testing.assert_close(part.grad, 4 * part.detach() * (4 - place))


def test_what_was_read_in_inference_mode_grows_outside_of_it() -> None:
    slot = Growing()
    with torch.inference_mode():
        slot.extend(*_pair(2))
        slot.extend(*_pair(1))
    with torch.no_grad():
        slot.extend(*_pair(1))
        slot.move([(0, 1)])
    assert slot.length == 4
