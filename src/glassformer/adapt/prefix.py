"""Prefix tuning: keys and values before every text learn in every layer, and the model stays as it is."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from torch import nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.nn.prefix import Prefixes, put_prefixes, sizes_of


class Config(Settings):
    """Keys and values of ``tokens`` virtual tokens in every layer of self-attention (Li & Liang 2021, §4).

    With ``inner`` they are made in training by an MLP with so many hidden units from vectors as wide as the
    model (§4.3); what it gives is all that is kept.
    """

    name: Literal["prefix"] = "prefix"
    tokens: int = Field(default=20, gt=0)
    inner: int = Field(default=0, ge=0)


def bend(body: nn.Module, config: Config, tokenizers: Any) -> None:  # noqa: ARG001
    """Put the prefix into every self-attention; UserError for a model without any."""
    sizes, settings = sizes_of(body), getattr(body, "config", None)
    if not sizes:
        raise UserError(
            f"adapt: prefix puts keys and values into self-attention, and {getattr(settings, 'name', 'it')} "
            "has none; use adapt: prompt, probe or full"
        )
    dim = getattr(settings, "dim", sizes[0])
    put_prefixes(body, Prefixes(config.tokens, sizes, inner=config.inner, dim=dim))
