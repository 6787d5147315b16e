"""LoRA: beside chosen matrices a product of two narrow ones learns, and the matrices stay as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field
from torch import nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.nn.align import Align
from glassformer.nn.attention import Attention
from glassformer.nn.block import MLP
from glassformer.nn.low_rank import LowRank, put
from glassformer.nn.recurrent import Recurrent

UNBENT = (Recurrent, Align)
"""Parts that compute with the matrices of their layers and never call these: an update would be lost."""


class Config(Settings):
    """An update B A of rank ``rank``, scaled by alpha / rank (Hu et al. 2022, §4.1).

    ``targets`` are parts of names of linear layers, such as ``attention.q`` or ``mlp``; without any all of
    attention and of the MLPs are bent. ``dropout`` falls on what an update reads. ``rslora`` scales by
    alpha / √rank (Kalajdzievski 2023).
    """

    name: Literal["lora"] = "lora"
    rank: int = Field(default=8, gt=0)
    alpha: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] = ()
    rslora: bool = False


def bend(body: nn.Module, config: Config, tokenizers: Any) -> None:  # noqa: ARG001
    """Put an update beside every matrix that is meant; UserError where there is none."""
    scale = config.alpha / (math.sqrt(config.rank) if config.rslora else config.rank)
    for name, linear in chosen(body, config.targets).items():
        rank = min(config.rank, linear.in_features, linear.out_features)
        put(body, name, LowRank(linear, rank, scale, config.dropout))


def chosen(body: nn.Module, targets: tuple[str, ...] = ()) -> dict[str, nn.Linear]:
    """The linear layers that are bent, by their names; UserError for a target that none has in its name."""
    settings: Any = body.config
    if not targets:
        found = {name: one for name, one, owner in _linears(body) if isinstance(owner, Attention | MLP)}
        if not found:
            raise UserError(
                f"adapt: lora bends the matrices of attention and of MLPs, and {settings.name} has none; use "
                "adapt: full, probe or prompt"
            )
        return found
    able = {name: one for name, one, owner in _linears(body) if not isinstance(owner, UNBENT)}
    for target in targets:
        if not any(target in name for name in able):
            unable = any(target in name for name, _, _ in _linears(body))
            reason = "names layers that cannot be bent" if unable else "is in the name of no linear layer"
            some = ", ".join(dict.fromkeys(_without_numbers(name) for name in able)) or "none"
            raise UserError(f"adapt.targets: {target!r} {reason} of {settings.name}; there are {some}")
    return {name: one for name, one in able.items() if any(target in name for target in targets)}


def _linears(body: nn.Module) -> Iterator[tuple[str, nn.Linear, nn.Module]]:
    """Every linear layer, with its name and the part that it belongs to."""
    for above, owner in body.named_modules():
        for last, part in owner.named_children():
            if isinstance(part, nn.Linear):
                yield f"{above}.{last}".lstrip("."), part, owner


def _without_numbers(name: str) -> str:
    """``attention.q`` for ``blocks.3.attention.q``."""
    parts = name.split(".")
    last = max((place for place, part in enumerate(parts) if part.isdigit()), default=-1)
    return ".".join(parts[last + 1 :]) or name
