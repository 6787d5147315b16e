"""The hierarchical softmax: a word told by the turns on the way to it."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from glassformer.objectives.sampled import means


def tree_loss(
    inputs: Float[Tensor, "vocab dim"],
    outputs: Float[Tensor, "node dim"],
    batch: Mapping[str, Tensor],
    *,
    skips: bool,
) -> Float[Tensor, ""]:
    """The summed negative log-likelihood of words by those around them (Mikolov et al. 2013b, §2.1).

        −log p(word | v) = − Σ_turns log σ(turn · node·v),     turn = ±1

    ``v`` is each of those around the word (``skips``), or their mean.
    """
    near = functional.embedding(batch["words"], inputs, sparse=True)
    nodes = functional.embedding(batch["nodes"], outputs, sparse=True)
    pairs, turns = batch["pairs"], batch["turns"]
    if skips:
        seen = near.unfold(1, pairs.shape[2], 1).transpose(2, 3)
        there = pairs[:, :, :, None] & (turns != 0)[:, :, None]
        scores = (seen @ nodes.transpose(2, 3)) * turns[:, :, None]
    else:
        seen = means(pairs, batch["seen"], near.dtype) @ near
        there = (batch["seen"] > 0)[:, :, None] & (turns != 0)
        scores = (nodes @ seen[..., None])[..., 0] * turns
    return (
        -functional.logsigmoid(scores.float() if scores.itemsize < 4 else scores).masked_fill(~there, 0).sum()
    )
