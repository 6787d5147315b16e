"""What the tests of models share: weights that matter, and how close is equal."""

from typing import TypeVar

import torch
from torch import nn

CLOSE = {"rtol": 0.0, "atol": 1e-5}

M = TypeVar("M", bound=nn.Module)


def drawn(model: M) -> M:
    """Every weight random and of a size that matters, so that no part can go wrong unseen."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.normal_(std=0.3)
    return model.eval()
