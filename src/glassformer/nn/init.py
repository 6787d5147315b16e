"""How weights begin."""

from __future__ import annotations

from torch import nn


def begin(model: nn.Module, dim: int) -> None:
    """Xavier-uniform matrices (Glorot & Bengio 2010), zero biases, token vectors normal with variance 1/dim.

    Token vectors of that size, scaled by √dim on the way in, stand beside position vectors of like size, and
    used as output weights give scores of about unit size at the first step, so the first loss is near ln V.
    """
    for part in model.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=dim**-0.5)
