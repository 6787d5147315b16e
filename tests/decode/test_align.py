"""Links read from attention, and how wrong they are."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.decode.align import (
    Gold,
    align,
    alignment_error_rate,
    links,
    pharaoh,
    read_gold,
)


def _weights(target: int, source: int, shown: Sequence[tuple[int, int]], heads: int = 2) -> Tensor:
    """Attention where position i looks at j for every (i, j) shown; heads agree only on average."""
    weights = torch.full((heads, target, source), 0.1)
    for position, place in shown:
        weights[:, position, place] = 0.5
        weights[0, position, (place + 1) % source] = 0.6
    return weights / weights.sum(dim=2, keepdim=True)


def test_each_target_piece_points_to_the_piece_it_looks_at() -> None:
    # Source pieces: a word of two, a word, the end. Target pieces: the start, a word, a word of two.
    weights = _weights(4, 4, [(0, 2), (1, 2), (2, 0), (3, 1)])
    assert links(weights, [0, 0, 1], [0, 1, 1], at="read") == [(0, 1), (1, 0)]
    assert links(weights, [0, 0, 1], [0, 1, 1], at="written") == [(0, 1), (1, 0), (1, 1)]


def test_the_end_token_and_padding_are_never_aligned() -> None:
    weights = torch.zeros(1, 5, 6)
    weights[:, :, 2:] = 0.2
    weights[:, :, 1] = 0.1
    assert links(weights, [0, 1], [0, 1, 2]) == [(1, 0), (1, 1), (1, 2)]


def test_pieces_of_no_word_and_empty_sides_have_no_links() -> None:
    weights = _weights(3, 3, [(1, 0), (2, 1)])
    assert links(weights, [-1, 0], [0, 1]) == [(0, 1)]
    assert links(weights, [], [0, 1]) == []
    assert links(weights, [0], []) == []


class Pieces:
    """Pieces of two letters at most, within words."""

    def _cut(self, text: str) -> list[tuple[int, str]]:
        return [
            (number, word[place : place + 2])
            for number, word in enumerate(text.split())
            for place in range(0, len(word), 2)
        ]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [[10 + int.from_bytes(piece.encode()) for _, piece in self._cut(text)] for text in texts]

    def words(self, text: str) -> list[int]:
        return [number for number, _ in self._cut(text)]


IDS = SimpleNamespace(pad_id=0, start_id=1, eos_id=2)
PAIR = SimpleNamespace(source=Pieces(), target=Pieces())


def _same_piece(source: Tensor, keep: Tensor, target: Tensor) -> list[Tensor]:
    """Two layers: the first looks at equal pieces, the second at nothing in particular."""
    assert torch.equal(keep, source != 0)
    equal = (target.unsqueeze(2) == source.unsqueeze(1)).float() + 0.01
    equal = equal / equal.sum(dim=2, keepdim=True)
    return [equal.unsqueeze(1), torch.full_like(equal, 1 / source.size(1)).unsqueeze(1)]


PAIRS = [
    ("abcd ef gh", "gh abcd ef"),
    ("ab", "ab"),
    ("", "ab"),
    ("ab", ""),
    ("xy zw uv st qr", "st zw"),
]


@pytest.mark.parametrize("rows", [1, 2, 32])
def test_texts_are_aligned_word_by_word_in_any_batch(rows: int) -> None:
    got = list(align(_same_piece, IDS, PAIR, PAIRS, rows=rows))
    assert [pharaoh(found) for found in got] == ["0-1 1-2 2-0", "0-0", "", "", "1-1 3-0"]


def test_what_the_model_cannot_read_has_no_links() -> None:
    got = list(align(_same_piece, IDS, PAIR, [("ab cd ef gh", "cd ab gh ef"), *PAIRS[1:2]], max_length=3))
    assert [pharaoh(found) for found in got] == ["0-1 1-0", "0-0"]


def test_a_model_with_one_layer_has_only_that() -> None:
    (found,) = align(lambda *batch: _same_piece(*batch)[:1], IDS, PAIR, [("ab cd", "cd ab")])
    assert found == [(0, 1), (1, 0)]


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="layer 2 was asked for but the decoder has 2 layers"):
        list(align(_same_piece, IDS, PAIR, PAIRS, layer=2))


def test_gold_links_are_sure_or_possible() -> None:
    gold = read_gold("0-0 1?2 3p4")
    assert gold == Gold(frozenset({(0, 0)}), frozenset({(0, 0), (1, 2), (3, 4)}))
    assert read_gold("") == Gold(frozenset(), frozenset())
    for wrong in ("0", "0-", "a-1", "0-1-2", "-1-2"):
        with pytest.raises(UserError, match=r"gold\.txt:3: .* is not a link"):
            read_gold(f"0-0 {wrong}", "gold.txt:3")


def test_the_error_rate_is_that_of_the_definition() -> None:
    gold = [read_gold("0-0 1-1 2?2"), read_gold("0-1")]
    assert alignment_error_rate([[(0, 0), (1, 1)], [(0, 1)]], gold) == 0.0
    assert alignment_error_rate([[(0, 0), (1, 1), (2, 2)], [(0, 1)]], gold) == 0.0
    assert alignment_error_rate([[(3, 3)], [(4, 4)]], gold) == 1.0
    # A = 3 links, S = 3; of A one is sure and two are possible: 1 − (1 + 2) / 6.
    assert alignment_error_rate([[(0, 0), (2, 2)], [(5, 5)]], gold) == pytest.approx(0.5)
    assert alignment_error_rate([], []) == 0.0
    with pytest.raises(UserError, match="1 alignments but 2 gold"):
        alignment_error_rate([[]], gold)
