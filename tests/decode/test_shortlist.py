"""Shortlists: which tokens a source allows, and a state that scores those alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from toy_states import Table

from glassformer.base.errors import UserError
from glassformer.decode.search import search
from glassformer.decode.settings import Decoding
from glassformer.decode.shortlist import Shortlist

PAD, START, END = 0, 1, 2
LIST = Shortlist(torch.tensor([[-1, -1], [-1, -1], [-1, -1], [5, 6], [7, -1]]), torch.tensor([END]), 9)
SOURCE = torch.tensor([[3, 4, 2], [4, 2, 0]])
KEEP = SOURCE != PAD


class Narrow(Table):
    """A table that can be asked for a few columns."""

    chosen: Tensor | None = None

    def step(self, tokens: Tensor) -> Tensor:
        scores = super().step(tokens)
        return scores if self.chosen is None else scores[:, self.chosen]

    def narrow(self, tokens: Tensor) -> None:
        self.chosen = tokens


WIDE = Shortlist(LIST.likely, torch.tensor([END, 4, 8]), 9)
"""Of so many words that scoring some alone would not pay."""


def _table(rows: int = 2) -> Tensor:
    return torch.randn(rows, 9, 9, generator=torch.Generator().manual_seed(4))


def test_a_source_allows_what_its_tokens_bring_and_what_is_always_there():
    allowed = LIST.allowed(SOURCE, KEEP)
    assert [row.nonzero().flatten().tolist() for row in allowed] == [[2, 5, 6, 7], [2, 7]]


def test_padding_brings_nothing():
    padded = torch.tensor([[3, 4]])
    assert LIST.allowed(padded, torch.tensor([[True, False]]))[0].nonzero().flatten().tolist() == [2, 5, 6]


@pytest.mark.parametrize(("words", "more"), [(LIST, []), (WIDE, [4, 8])])
def test_each_row_has_its_own_scores_and_all_others_are_impossible(words, more):
    table, asked = _table(), Narrow(_table())
    state = words.narrowed(asked, SOURCE, KEEP)
    assert (asked.chosen is None) == bool(more)
    scores = state.step(torch.tensor([1, 1]))
    for row, allowed in enumerate([[2, 5, 6, 7, *more], [2, 7, *more]]):
        others = [token for token in range(9) if token not in allowed]
        assert torch.equal(scores[row, allowed], table[row, 1, allowed])
        assert (scores[row, others] == -torch.inf).all()
    state.select(torch.tensor([1, 1, 0]))
    assert torch.equal(state.step(torch.tensor([1, 1, 1])), scores[[1, 1, 0]])


def test_forced_tokens_may_stand_in_their_own_row():
    scores = LIST.narrowed(Narrow(_table()), SOURCE, KEEP, [[8], []]).step(torch.tensor([1, 1]))
    assert scores[0, 8] > -torch.inf and scores[1, 8] == -torch.inf


@pytest.mark.parametrize("beams", [1, 3])
def test_batch_mates_change_nothing(beams):
    table = _table()
    settings = Decoding(num_beams=beams, num_return_sequences=beams)

    def found(rows):
        state = LIST.narrowed(Narrow(table[rows]), SOURCE[rows], KEEP[rows])
        return search(state, len(rows), bos_id=START, eos_id=END, pad_id=PAD, settings=settings, max_length=6)

    assert found([0, 1]) == [*found([0]), *found([1])]
    allowed = LIST.allowed(SOURCE, KEEP)
    assert all(allowed[row, list(one.tokens)].all() for row in (0, 1) for one in found([0, 1])[row])


def test_a_state_that_cannot_narrow_is_refused():
    with pytest.raises(UserError, match="whole vocabulary at once; leave the shortlist away"):
        LIST.narrowed(Table(_table()), SOURCE, KEEP)
