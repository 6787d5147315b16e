"""Writing: prompts of unlike length side by side, read in any chunks, as if each stood alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.cache import Fixed, Growing, Slot
from glassformer.nn.mask import Mask
from glassformer.nn.position import Positions
from glassformer.nn.writing import Causal, Writing

TOKENS = torch.tensor([[0, 0, 5, 6], [1, 2, 3, 4], [0, 0, 0, 0]])
KEEP = TOKENS != 0
CLOSE = {"rtol": 0.0, "atol": 1e-5}
LIMIT = 8


class _Stack(nn.Module):
    """Two blocks between a table and its transpose."""

    def __init__(self) -> None:
        super().__init__()
        block = BlockConfig(dim=8, heads=2, mlp_dim=12)
        self.table = nn.Embedding(20, 8)
        self.positions = Positions("learned", LIMIT, 8)
        nn.init.normal_(self.positions.weight)
        self.blocks = nn.ModuleList(Block(block) for _ in range(2))
        self.output = nn.Linear(8, 20)
        self.asked: list[object] = []

    def run(
        self, tokens: Tensor, mask: Mask, positions: int | Tensor, slots: Sequence[Slot] | None = None
    ) -> Tensor:
        self.asked.append(positions)
        x = self.table(tokens) + self.positions(positions, tokens.shape[1])
        for block, slot in zip(self.blocks, slots or [None] * 2, strict=True):
            x = block(x, mask, cache=slot)
        return x

    def alone(self, tokens: Tensor) -> Tensor:
        return self.output(self.run(tokens[None], Mask(causal=True), 0))[0]


@pytest.fixture
def stack() -> _Stack:
    made = _Stack().eval().requires_grad_(requires_grad=False)
    assert isinstance(made, Causal)
    return made


@pytest.mark.parametrize("fixed", [None, 4 + 4])
def test_padded_prompts_are_read_as_if_each_stood_alone(stack: _Stack, fixed: int | None) -> None:
    state = Writing(stack, TOKENS, KEEP, max_length=LIMIT, fixed=fixed)
    more = torch.tensor([[7, 8, 9], [10, 11, 12], [13, 14, 15]])
    found = torch.cat([state.step(more[:, 0])[:, None], state.read(more[:, 1:])], dim=1)
    for row in range(3):
        whole = stack.alone(torch.cat([TOKENS[row, KEEP[row]], more[row]]))
        torch.testing.assert_close(found[row], whole[-3:], **CLOSE)


def test_positions_are_counted_over_real_tokens(stack: _Stack) -> None:
    state = Writing(stack, TOKENS, KEEP, max_length=LIMIT)
    state.step(torch.tensor([7, 7, 7]))
    prompt, step = stack.asked
    assert isinstance(prompt, Tensor)
    assert isinstance(step, Tensor)
    assert prompt.tolist() == [[0, 0, 0, 1], [0, 1, 2, 3], [0, 0, 0, 0]]
    assert step.tolist() == [[2], [4], [0]]


def test_without_padding_no_position_is_counted(stack: _Stack) -> None:
    state = Writing(stack, TOKENS[1:2], KEEP[1:2], max_length=LIMIT)
    state.step(torch.tensor([7]))
    assert stack.asked == [0, 4]


def test_an_empty_prompt_reads_nothing(stack: _Stack) -> None:
    for keep in (None, KEEP[:, :0]):
        state = Writing(stack, TOKENS[:, :0], keep, max_length=LIMIT)
        assert stack.asked == []
        torch.testing.assert_close(state.step(TOKENS[:, 3])[0], stack.alone(TOKENS[0, 3:])[0], **CLOSE)
        stack.asked.clear()


def test_rows_are_picked_with_their_padding(stack: _Stack) -> None:
    state = Writing(stack, TOKENS, KEEP, max_length=LIMIT)
    state.select(torch.tensor([2, 0, 0]))
    found = state.step(torch.tensor([7, 8, 9]))
    for place, (row, token) in enumerate([(2, 7), (0, 8), (0, 9)]):
        whole = stack.alone(torch.cat([TOKENS[row, KEEP[row]], torch.tensor([token])]))
        torch.testing.assert_close(found[place], whole[-1], **CLOSE)


def test_memories_grow_or_are_fixed_as_asked(stack: _Stack) -> None:
    growing = Writing(stack, TOKENS, max_length=LIMIT)
    assert [type(slot) for slot in growing.slots] == [Growing] * 2
    fixed = Writing(stack, TOKENS, max_length=LIMIT, fixed=4)
    assert [type(slot) for slot in fixed.slots] == [Fixed] * 2
    with pytest.raises(IndexError, match="holds 4 positions and position 5"):
        fixed.step(TOKENS[:, 0])


def test_only_padding_on_the_left_is_a_prompt(stack: _Stack) -> None:
    with pytest.raises(ValueError, match="padded on their left"):
        Writing(stack, TOKENS, KEEP.flip(1), max_length=LIMIT)


def test_a_text_longer_than_the_model_is_refused_and_padding_does_not_count(stack: _Stack) -> None:
    wide = torch.nn.functional.pad(TOKENS[:2], (5, 0))
    state = Writing(stack, wide[:1], wide[:1] != 0, max_length=LIMIT)
    for _ in range(6):
        state.step(torch.tensor([3]))
    with pytest.raises(UserError, match="a text of 9 tokens is longer than the model, which reads 8"):
        state.step(torch.tensor([3]))
    both = Writing(stack, wide, wide != 0, max_length=LIMIT)
    both.read(torch.full((2, 4), 3))
    both.select(torch.tensor([0]))  # the longer row is finished, so the shorter may go on
    both.read(torch.full((1, 2), 3))
    with pytest.raises(UserError, match="a text of 9 tokens"):
        both.step(torch.tensor([3]))


@pytest.mark.parametrize("fixed", [None, 8])
def test_padding_in_the_middle_is_passed_over(stack: _Stack, fixed: int | None) -> None:
    state = Writing(stack, TOKENS[1:2, :2], max_length=LIMIT, fixed=fixed)
    state.select(torch.tensor([0, 0]))
    more = torch.tensor([[7, 8, 9], [10, 0, 0]])
    hidden = state.take(more, more != 0)
    last = state.step(torch.tensor([11, 12]))
    for row, text in enumerate([[1, 2, 7, 8, 9, 11], [1, 2, 10, 12]]):
        whole = stack.alone(torch.tensor(text))
        count = len(text) - 3
        torch.testing.assert_close(stack.output(hidden[row, :count]), whole[2:-1], **CLOSE)
        torch.testing.assert_close(last[row], whole[-1], **CLOSE)


@pytest.mark.parametrize("fixed", [None, 8])
def test_a_fork_goes_on_by_itself(stack: _Stack, fixed: int | None) -> None:
    state = Writing(stack, TOKENS, KEEP, max_length=LIMIT, fixed=fixed)
    twin = state.fork()
    twin.select(torch.tensor([1]))
    twin.read(torch.tensor([[9, 9]]))
    found = state.step(torch.tensor([7, 8, 9]))
    for row, token in enumerate([7, 8, 9]):
        whole = stack.alone(torch.cat([TOKENS[row, KEEP[row]], torch.tensor([token])]))
        torch.testing.assert_close(found[row], whole[-1], **CLOSE)
    assert state.length == 5
    assert twin.length == 6


@pytest.mark.parametrize("fixed", [None, LIMIT])
def test_a_fork_whose_rows_are_copied_over_each_other_leaves_the_others_as_they_were(
    stack: _Stack, fixed: int | None
) -> None:
    state, before = (Writing(stack, TOKENS[:2], KEEP[:2], max_length=LIMIT, fixed=fixed) for _ in range(2))
    twin = state.fork()
    twin.select(torch.tensor([0, 0]))
    more = torch.tensor([[7, 8], [9, 10]])
    wanted = before.read(more)
    torch.testing.assert_close(twin.read(more)[0], wanted[0], **CLOSE)
    torch.testing.assert_close(state.read(more), wanted, **CLOSE)
