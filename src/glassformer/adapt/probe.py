"""A probe: the body stays as it is, and only the head on it learns."""

from __future__ import annotations

from typing import Any, Literal

from torch import nn

from glassformer.base.config import Settings

HEAD_ALONE = True
"""Nothing learns here but a head, so the objective must bring one."""


class Config(Settings):
    """What the body's hidden states say of a task by themselves: a linear layer is learned upon them."""

    name: Literal["probe"] = "probe"


def bend(body: nn.Module, config: Config, tokenizers: Any) -> None:
    """Nothing is put into the body."""
