"""The hierarchical softmax: a word told by the turns on the way to it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from glassformer.objectives.sampled import band


def tree_loss(
    inputs: Float[Tensor, "vocab dim"],
    outputs: Float[Tensor, "node dim"],
    batch: Mapping[str, Tensor],
    *,
    skips: bool,
    whole: bool = False,
) -> Float[Tensor, ""]:
    """The summed negative log-likelihood of words by those around them (Mikolov et al. 2013b, §2.1).

        −log p(word | v) = − Σ_turns log σ(turn · node·v),     turn = ±1

    ``v`` is each of those around the word (``skips``), or their mean; with ``whole`` each of them gets all of
    the mean's gradient.
    """
    near = functional.embedding(batch["words"], inputs, sparse=True)
    nodes = functional.embedding(batch["nodes"], outputs, sparse=True)
    pairs, turns = batch["pairs"], batch["turns"]
    if skips:
        seen = near.unfold(1, pairs.shape[2], 1).transpose(2, 3)
        there = pairs[:, :, :, None] & (turns != 0)[:, :, None]
        scores = (seen @ nodes.transpose(2, 3)) * turns[:, :, None]
    else:
        seen = _means(pairs, batch["seen"], near.dtype) @ near
        if whole:
            sums = _means(pairs, torch.ones_like(batch["seen"]), near.dtype) @ near
            seen = sums + (seen - sums).detach()
        there = (batch["seen"] > 0)[:, :, None] & (turns != 0)
        scores = (nodes @ seen[..., None])[..., 0] * turns
    return (
        -functional.logsigmoid(scores.float() if scores.itemsize < 4 else scores).masked_fill(~there, 0).sum()
    )


def _means(
    pairs: Bool[Tensor, "chunk word around"], seen: Int[Tensor, "chunk word"], kind: torch.dtype
) -> Float[Tensor, "chunk word near"]:
    """The matrix that takes the mean of those around each word; a row of zeros where there is none."""
    chunks, size, around = pairs.shape
    matrix = torch.zeros(chunks, size, size + around - 1, dtype=kind, device=pairs.device)
    share = seen.clamp(min=1).to(kind).reciprocal()[:, :, None]
    band(matrix, pairs.shape).copy_(pairs * share)
    return matrix
