"""Negative sampling: words told from noise by products of whole chunks, with the gradient written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

Slopes = tuple[Tensor, Tensor]
Form = Callable[[Tensor, Tensor, Mapping[str, Tensor], bool], tuple[Tensor, Slopes | None]]
SLICE = 128
"""How many chunks are worked on at a time, so that what is in between stays in the caches of a processor."""


def sampled_loss(
    form: Form,
    inputs: Float[Tensor, "vocab dim"],
    outputs: Float[Tensor, "vocab dim"],
    batch: Mapping[str, Tensor],
) -> Float[Tensor, ""]:
    """The summed loss in the form of ``skip_gram`` or ``cbow``, of the two tables' rows that a batch needs.

    A word u is told from noise words k by its scores with a vector v (Mikolov et al. 2013b, eq. 4):

        loss = −log σ(u·v) − Σ_k log σ(−k·v)

    The noise words of a chunk are shared by all of its words, so that their scores are one product; each
    counts as its ``weights`` say: where a word tells n others, n · negative / their number, without those
    that are the noise word itself. In expectation this is the loss with ``negative`` noise words drawn for
    each pair alone.

    The gradient of a table has only the rows that were read, as a sparse tensor.
    """
    total: Tensor = _apply(inputs, outputs, batch, form)
    return total


class _Sampled(torch.autograd.Function):
    """The loss, and on the way the gradient of every row that was read."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, outputs: Tensor, batch: Mapping[str, Tensor], form: Form) -> Tensor:
        total, slopes = form(inputs, outputs, batch, any(ctx.needs_input_grad[:2]))
        if slopes is not None:
            ctx.kinds = [(table.shape, table.dtype) for table in (inputs, outputs)]
            ctx.save_for_backward(batch["input_rows"], batch["output_rows"], *slopes)
        return total

    @staticmethod
    def backward(ctx: Any, *scales: Tensor) -> tuple[Tensor | None, ...]:
        held = ctx.saved_tensors
        found = [
            torch.sparse_coo_tensor(
                rows[None], slopes.mul_(scales[0]).to(kind), shape, is_coalesced=True, check_invariants=False
            )
            for rows, slopes, (shape, kind) in zip(held[:2], held[2:], ctx.kinds, strict=True)
        ]
        return found[0], found[1], None, None


# What the compiler makes of it would have no sparse gradients.
_apply: Any = torch.compiler.disable(_Sampled.apply)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Around:
    """What some chunks say of their words: whom each sees, how many those are, and how noise counts."""

    pairs: Bool[Tensor, "chunk word around"]
    seen: Int[Tensor, "chunk word"]
    weights: Float[Tensor, "chunk word noise"]

    @classmethod
    def of(cls, batch: Mapping[str, Tensor], cut: slice) -> Around:
        """That of these chunks of a batch."""
        return cls(batch["pairs"][cut], batch["seen"][cut], batch["weights"][cut])


class _Side:
    """The rows of one table that a batch reads, and their gradient, summed in float32 at least."""

    def __init__(self, rows: Float[Tensor, "row dim"], places: Int[Tensor, "chunk place"]) -> None:
        self.rows, self.places = rows, places
        self.gradient = torch.zeros_like(rows, dtype=_wide_of(rows))

    def read(self, cut: slice) -> Float[Tensor, "chunk place dim"]:
        """The vectors at the places of some chunks."""
        return functional.embedding(self.places[cut], self.rows)

    def sum_(self, slopes: Float[Tensor, "chunk place dim"], cut: slice) -> None:
        """Adds the gradient of each place to that of its row."""
        self.gradient.index_add_(0, self.places[cut].flatten(), _wide(slopes.flatten(0, 1)))


def skip_gram(
    inputs: Float[Tensor, "vocab dim"],
    outputs: Float[Tensor, "vocab dim"],
    batch: Mapping[str, Tensor],
    learning: bool,
) -> tuple[Float[Tensor, ""], Slopes | None]:
    """Every word tells each of those around it."""
    sides = [
        _Side(table.index_select(0, batch[f"{name}_rows"]), batch[f"{name}_places"])
        for name, table in (("input", inputs), ("output", outputs))
    ]
    total = inputs.new_zeros((), dtype=_wide_of(inputs))
    for part in range(0, len(batch["pairs"]), SLICE):
        cut = slice(part, part + SLICE)
        loss, slopes = _skips(sides[0].read(cut), sides[1].read(cut), Around.of(batch, cut), learning)
        total += loss
        for side, slope in zip(sides, slopes, strict=True) if slopes is not None else ():
            side.sum_(slope, cut)
    return total, (sides[0].gradient, sides[1].gradient) if learning else None


def _skips(
    centre: Float[Tensor, "chunk word dim"],
    others: Float[Tensor, "chunk near_and_noise dim"],
    around: Around,
    learning: bool,
) -> tuple[Float[Tensor, ""], Slopes | None]:
    """All scores of a chunk are one product::

    centre      those around          noise
      a       . . a b c d e f       x y z …          a word's own pairs are a band of it
    """
    pairs, weights = around.pairs, around.weights
    near = pairs.shape[1] + pairs.shape[2] - 1
    scores = centre @ others.transpose(1, 2)
    right = torch.sigmoid(_wide(band(scores, pairs.shape)))
    noise = torch.sigmoid(-_wide(scores[:, :, near:]))
    total = -_logs(right).masked_fill_(~pairs, 0).sum() - (weights * _logs(noise)).sum()
    if not learning:
        return total, None
    slopes = torch.zeros_like(scores)
    band(slopes, pairs.shape).copy_((right - 1) * pairs)
    slopes[:, :, near:] = weights * (1 - noise)
    return total, (slopes @ others, slopes.transpose(1, 2) @ centre)


def cbow(
    inputs: Float[Tensor, "vocab dim"],
    outputs: Float[Tensor, "vocab dim"],
    batch: Mapping[str, Tensor],
    learning: bool,
    *,
    whole: bool = False,
) -> tuple[Float[Tensor, ""], Slopes | None]:
    """The mean of those around a word tells the word; with ``whole`` each gets all of the mean's gradient.

    A mean is kept as a sum, and its ``share`` goes to the scores and slopes, which are a number a word.
    """
    weights, counts = batch["weights"], batch["seen"]
    shape, has = counts.shape, counts > 0
    share = counts.clamp(min=1).to(_wide_of(inputs)).reciprocal()
    words = functional.embedding(batch["told"], outputs)
    noise_words = functional.embedding(batch["noise"], outputs)
    seen = functional.embedding_bag(batch["near"], inputs, batch["starts"], mode="sum").view(*shape, -1)
    right = torch.sigmoid((seen * words).sum(2, dtype=_wide_of(seen)) * share)
    noise = torch.sigmoid(-_wide(noise_words @ seen.transpose(1, 2)) * share[:, None])
    total = -_logs(right).masked_fill_(~has, 0).sum() - (weights * _logs(noise)).sum()
    if not learning:
        return total, None
    slope, slopes = (right - 1) * has, weights * (1 - noise)
    kind, size = seen.dtype, counts.numel()
    of_outputs = seen.new_empty(size + batch["noise"].numel(), seen.shape[2])
    torch.mul((slope * share).to(kind)[:, :, None], seen, out=of_outputs[:size].view(seen.shape))
    torch.bmm((slopes * share[:, None]).to(kind), seen, out=of_outputs[size:].view(noise_words.shape))
    if not whole:
        slope, slopes = slope * share, slopes * share[:, None]
    # What is not needed again holds what comes of it: a batch is larger than a processor's caches.
    of_seen = words.mul_(slope.to(kind)[:, :, None]).baddbmm_(slopes.to(kind).transpose(1, 2), noise_words)
    return total, (_bagged(of_seen.flatten(0, 1), batch, "input"), _bagged(of_outputs, batch, "output"))


def _bagged(slopes: Float[Tensor, "place dim"], batch: Mapping[str, Tensor], side: str) -> Tensor:
    """The gradient of every row of a table: the sum of those of the places that read it."""
    readers, starts = batch[f"{side}_readers"], batch[f"{side}_starts"]
    return functional.embedding_bag(readers, _wide(slopes), starts, mode="sum")


def band(scores: Float[Tensor, "chunk word column"], shape: torch.Size) -> Float[Tensor, "chunk word around"]:
    """Of each word the columns of its window, which begin one further to the right with every word."""
    words, columns = scores.shape[1:]
    return scores.as_strided(shape, (words * columns, columns + 1, 1))


def _logs(chances: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The logarithms; a chance that was rounded to 0 counts as the smallest number, so that all are finite.

    A weight of 0 times −∞ would be no number. ``logsigmoid`` of the scores takes longer.
    """
    return chances.clamp(min=torch.finfo(chances.dtype).tiny).log_()


def _wide_of(scores: Tensor) -> torch.dtype:
    """At least float32: a loss is worth it."""
    return torch.promote_types(scores.dtype, torch.float32)


def _wide(scores: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return scores.to(_wide_of(scores))
