"""The functions between two matrices: what they compute, and what files call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from glassformer.base.errors import UserError

Activation = Literal["relu", "gelu", "gelu_tanh", "silu"]


def _gelu_tanh(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": functional.gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": functional.silu,
}

# What files call each; of several names for one, the first is written.
IN_FILES: dict[str, Activation] = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "silu": "silu",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python": "gelu",
    "swish": "silu",
}


def write_activation(activation: Activation, names: Mapping[str, Activation] = IN_FILES) -> str:
    """What a file calls it.

    >>> write_activation("gelu_tanh")
    'gelu_new'
    """
    return next(file for file, ours in names.items() if ours == activation)


def read_activation(
    written: Mapping[str, Any], key: str, usual: str, names: Mapping[str, Activation] = IN_FILES
) -> Activation:
    """The function that a ``config.json`` names with ``key``, or the ``usual`` one where it names none.

    Raises UserError for a name that is not known.
    """
    named = written.get(key, usual)
    if named not in names:
        raise UserError(
            f"config.json: {key} is {named!r}, which is not known here; known are {', '.join(names)}"
        )
    return names[named]
