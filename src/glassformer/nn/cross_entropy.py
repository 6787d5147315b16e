"""Cross-entropy over a vocabulary without ever holding the scores of all positions at once."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

IGNORED = -100
CHUNK = 1 << 22  # scores held at a time; 16 MiB in float32 stays near the caches of a CPU


def cross_entropy(
    hidden: Float[Tensor, "row dim"],
    weight: Float[Tensor, "vocab dim"],
    bias: Float[Tensor, " vocab"] | None,
    labels: Int[Tensor, " row"],
    smoothing: float = 0.0,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The summed label-smoothed loss and, without gradient, the summed negative log-likelihood, in nats.

        loss = Σ_rows  (1 - ε) · (-log p_label) + ε · mean_v(-log p_v),     p = softmax(W h + b)
                                                        (Szegedy et al. 2016; Vaswani et al. 2017, §5.4)

    Rows whose label is -100 count nothing. The scores are made in chunks of rows, and each chunk's gradient
    is formed while its scores exist, so memory does not grow with rows × vocabulary.
    """
    keep = labels != IGNORED
    if not bool(keep.all()):
        hidden, labels = hidden[keep], labels[keep]
    loss, plain = _Chunked.apply(hidden, weight, bias, labels, smoothing)  # type: ignore[no-untyped-call]
    return loss, plain


class _Chunked(Function):
    """One pass that gives the loss and keeps only the gradients of hidden, weight and bias."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes arguments by position
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        words = weight.shape[0]
        column = weight.sum(0, dtype=torch.float32)
        gradients = _Gradients(hidden, weight, bias, ctx.needs_input_grad, smoothing / words * column)
        loss = hidden.new_zeros((), dtype=torch.float32)
        plain = torch.zeros_like(loss)
        rows = max(1, CHUNK // words)
        for start in range(0, hidden.shape[0], rows):
            chosen = slice(start, start + rows)
            scores = functional.linear(hidden[chosen], weight, bias)
            # Slopes are rounded to the scores' type anyway; a loss alone is worth a full float.
            p = torch.softmax(scores, dim=1, dtype=None if gradients.wanted else torch.float32)
            normaliser = _normaliser(scores, p)
            logp = scores.gather(1, labels[chosen, None])[:, 0].float() - normaliser
            plain -= logp.sum()
            loss -= (1 - smoothing) * logp.sum()
            if smoothing:
                loss -= smoothing * (_mean_score(hidden[chosen], column, bias, words) - normaliser).sum()
            if gradients.wanted:
                gradients.add(chosen, _slope(p, labels[chosen], logp, smoothing), smoothing / words)
        ctx.gradients = gradients
        ctx.mark_non_differentiable(plain)
        return loss, plain

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        scaled = ctx.gradients.scaled(outputs[0])
        ctx.gradients = None
        return (*scaled, None, None)


class _Gradients:
    """The gradients of hidden, weight and bias, summed chunk by chunk in float32.

    The part of the slope that is the same for every word, ε/V, never touches the big matrix of slopes: it is
    one sum of the rows of ``weight``, given as ``lowered``, and one such sum of ``hidden``.
    """

    def __init__(
        self, hidden: Tensor, weight: Tensor, bias: Tensor | None, needs: tuple[bool, ...], lowered: Tensor
    ) -> None:
        self.hidden, self.weight, self.bias = hidden, weight, bias
        self.lowered = lowered.to(hidden.dtype)
        self.wanted = any(needs[:3])
        self.of_hidden = torch.empty_like(hidden) if needs[0] else None
        self.of_weight = torch.zeros_like(weight, dtype=torch.float32) if needs[1] else None
        self.of_bias = torch.zeros_like(bias, dtype=torch.float32) if bias is not None and needs[2] else None

    def add(self, chosen: slice, slope: Tensor, level: float) -> None:
        """Add a chunk's part; ``level`` is what each slope still has to be lowered by."""
        hidden = self.hidden[chosen]
        if self.of_hidden is not None:
            torch.sub(slope @ self.weight, self.lowered, out=self.of_hidden[chosen])
        if self.of_weight is not None:
            self.of_weight += slope.t() @ hidden
            self.of_weight -= level * hidden.sum(0, dtype=torch.float32)
        if self.of_bias is not None:
            self.of_bias += slope.sum(0, dtype=torch.float32) - level * slope.shape[0]

    def scaled(self, by: Tensor) -> list[Tensor | None]:
        """The gradients times the slope of what was made of the loss, in the types of their tensors."""
        pairs = ((self.of_hidden, self.hidden), (self.of_weight, self.weight), (self.of_bias, self.bias))
        return [None if g is None or x is None else (g * by).to(x.dtype) for g, x in pairs]


def _normaliser(scores: Tensor, p: Tensor) -> Tensor:
    """ln Σ exp(score) of each row; from the largest probability, which cannot be too small for a float."""
    return scores.amax(1).float() - p.amax(1).float().log()


def _mean_score(hidden: Tensor, column: Tensor, bias: Tensor | None, words: int) -> Tensor:
    """Each row's mean over the vocabulary without a pass over the scores: Σ_v (w_v · h) = (Σ_v w_v) · h."""
    total = hidden.float() @ column
    return (total if bias is None else total + bias.sum(dtype=torch.float32)) / words


def _slope(p: Tensor, labels: Tensor, logp: Tensor, smoothing: float) -> Tensor:
    """The loss's slope by the scores, softmax minus target, but for the even part of a smoothed target.

    Written over ``p``, which nobody needs any more: a matrix as large as the scores is dear to make.
    """
    at_label = (logp.exp() - (1 - smoothing)).to(p.dtype)
    # scatter_ would first copy all of it, and copy it back.
    p[torch.arange(len(labels), device=labels.device), labels] = at_label
    return p
