"""How weights begin."""

from __future__ import annotations

from torch import nn

from glassformer.nn.embedding import Output
from glassformer.nn.position import Positions

# The parts of a block that write into the residual sum.
RESIDUAL = ("attention.out", "cross.out", "mlp.down")


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


def begin_normal(model: nn.Module, std: float, *, depth: int | None = None) -> None:
    """All matrices, token and learned position vectors normal with deviation ``std``, biases zero.

    With ``depth``, what every block adds to the residual sum is made smaller by 1/√(2·depth), so that the sum
    of all 2·depth parts begins at the size of one (Radford et al. 2019, §2.3).
    """
    tied: set[int] = set()
    for name, part in model.named_modules():
        if not isinstance(part, nn.Linear | nn.Embedding | Positions | Output):
            continue
        if isinstance(part.weight, nn.Parameter) and id(part.weight) not in tied:
            smaller = (2 * depth) ** -0.5 if depth and name.endswith(RESIDUAL) else 1.0
            nn.init.normal_(part.weight, std=std * smaller)
            tied.add(id(part.weight))
        if isinstance(part, nn.Linear | Output) and part.bias is not None:
            nn.init.zeros_(part.bias)
