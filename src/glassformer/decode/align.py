"""From cross-attention to word alignments: which source word a target word looks at, and how rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.decode.state import Ids
from glassformer.decode.tokenizer import Reads

Link = tuple[int, int]
"""A source word and a target word that belong together, both counted from 0."""

Attend = Callable[
    [Int[Tensor, "rows source"], Bool[Tensor, "rows source"], Int[Tensor, "rows target"]], Sequence[Tensor]
]
"""Reads sources and targets (start token first) and gives each decoder layer's cross-attention weights,
[rows, heads, target, source]."""

At = Literal["read", "written"]


@runtime_checkable
class Words(Reads, Protocol):
    """A tokenizer that knows the whitespace word each id belongs to."""

    def words(self, text: str) -> list[int]:
        """For each id of the text the index of its word in ``text.split()``."""
        ...


@runtime_checkable
class WordTokenizers(Protocol):
    """The tokenizers of both sides."""

    @property
    def source(self) -> Words:
        """Reads the sources."""
        ...

    @property
    def target(self) -> Words:
        """Reads the targets."""
        ...


def links(
    weights: Float[Tensor, "heads target source"],
    source_words: Sequence[int],
    target_words: Sequence[int],
    *,
    at: At = "read",
) -> list[Link]:
    """The links of one sentence pair, sorted: each target piece points to the source piece it looks at most.

    ``weights`` is one layer's cross-attention with the start token at target position 0; heads are averaged
    and the source's end token is left out. ``source_words`` and ``target_words`` name the word of each
    piece (negative: none). ``at`` says which moment of a target piece counts: when it is ``read`` back as
    the input of the next step, where the model knows it (Chen et al. 2020), or when it is ``written``,
    where it is still only guessed.
    """
    first = 1 if at == "read" else 0
    shown = weights.mean(dim=0)[first : first + len(target_words), : len(source_words)]
    if not shown.numel():
        return []
    chosen = shown.argmax(dim=1).tolist()
    found = {(source_words[piece], word) for piece, word in zip(chosen, target_words, strict=True)}
    return sorted(link for link in found if min(link) >= 0)


def align(
    attend: Attend,
    ids: Ids,
    tokenizers: WordTokenizers,
    pairs: Iterable[tuple[str, str]],
    *,
    layer: int = -2,
    at: At = "read",
    rows: int = 32,
    max_length: int | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[list[Link]]:
    """The links of each pair of texts, in order, read ``rows`` pairs at a time.

    ``layer`` counts as an index does, -2 being the last but one, where attention aligns best (Garg et al.
    2019); a model with a single layer has only that. A pair with a blank side has no links, nor has what
    lies beyond the ``max_length`` tokens that the model reads of a side, its end or start token included.
    Raises UserError for a layer the model does not have.
    """
    remaining = iter(pairs)
    room = None if max_length is None else max_length - 1
    while batch := list(islice(remaining, rows)):
        sources = [row[:room] for row in tokenizers.source.encode_batch([source for source, _ in batch])]
        targets = [row[:room] for row in tokenizers.target.encode_batch([target for _, target in batch])]
        source = _padded([[*row, ids.eos_id] for row in sources], ids.pad_id)
        keep = torch.arange(source.size(1)) < torch.tensor([[len(row) + 1] for row in sources])
        target = _padded([[ids.start_id, *row] for row in targets], ids.pad_id)
        with torch.inference_mode():
            weights = _layer(attend(source.to(device), keep.to(device), target.to(device)), layer).cpu()
        for texts, shown in zip(batch, weights, strict=True):
            source_words = tokenizers.source.words(texts[0])[:room]
            yield links(shown, source_words, tokenizers.target.words(texts[1])[:room], at=at)


def _padded(rows: Sequence[Sequence[int]], pad_id: int) -> Int[Tensor, "rows longest"]:
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[pad_id] * (longest - len(row))] for row in rows])


def _layer(weights: Sequence[Tensor], layer: int) -> Float[Tensor, "rows heads target source"]:
    if len(weights) == 1 and layer == -2:
        return weights[0]
    if not -len(weights) <= layer < len(weights):
        raise UserError(
            f"layer {layer} was asked for but the decoder has {len(weights)} layers, 0 to {len(weights) - 1}"
        )
    return weights[layer]


def pharaoh(found: Iterable[Link]) -> str:
    """Links in Pharaoh's notation: ``0-0 1-2``, source before target."""
    return " ".join(f"{source}-{target}" for source, target in found)


@dataclass(frozen=True, slots=True)
class Gold:
    """What a human aligner marked: links that are ``sure`` and links that are at least ``possible``."""

    sure: frozenset[Link]
    possible: frozenset[Link]


def read_gold(line: str, where: str = "gold alignment") -> Gold:
    """One line of gold links: ``1-2`` sure, ``1?2`` (or ``1p2``) possible; sure links are possible too.

    Raises UserError, beginning with ``where``, for anything else.
    """
    sure, possible = set(), set()
    for word in line.split():
        for mark in "-?p":
            source, found, target = word.partition(mark)
            if found:
                break
        if not (source.isdecimal() and target.isdecimal()):
            raise UserError(
                f"{where}: {word!r} is not a link; write 0-1 for a sure and 0?1 for a possible one"
            )
        link = int(source), int(target)
        possible.add(link)
        if mark == "-":
            sure.add(link)
    return Gold(frozenset(sure), frozenset(possible))


def alignment_error_rate(found: Sequence[Iterable[Link]], gold: Sequence[Gold]) -> float:
    """How wrong links are over a whole test set, from 0 (right) to 1 (Och & Ney 2003).

        AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|)

    with the found links A, the sure links S and the possible links P. Raises UserError when there are not
    as many sentences on both sides; a test set without any link has error 0.
    """
    if len(found) != len(gold):
        raise UserError(
            f"there are {len(found)} alignments but {len(gold)} gold alignments; they must go together"
        )
    right = total = 0
    for links_, marked in zip(found, gold, strict=True):
        chosen = set(links_)
        right += len(chosen & marked.sure) + len(chosen & marked.possible)
        total += len(chosen) + len(marked.sure)
    return 1 - right / total if total else 0.0
