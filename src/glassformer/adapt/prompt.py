"""Soft prompts: a few vectors before every text learn, and the model stays as it is."""

from __future__ import annotations

from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.hub.tables import tables
from glassformer.nn.virtual import put_before
from glassformer.text.tokenizer import TokenizerPair

NEEDS = ("generates", "encodes", "translates")
"""Abilities of bodies that read words by one table."""


class Config(Settings):
    """``tokens`` virtual tokens stand before every text (Lester et al. 2021, §2).

    They begin as vectors of words drawn from the vocabulary (``init: words``), as those of the words of
    ``text``, said again until there are enough, or at ``random`` (§3.2).
    """

    name: Literal["prompt"] = "prompt"
    tokens: int = Field(default=20, gt=0)
    init: Literal["words", "text", "random"] = "words"
    text: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Config:
        if (self.init == "text") != (self.text is not None):
            raise ValueError("init: text and text belong together; give both or none")
        return self


def bend(body: nn.Module, config: Config, tokenizers: TokenizerPair | None) -> None:
    """Put the virtual tokens before all that the body reads; UserError for a body that reads no words."""
    asked: Any = body
    found = tables(body, getattr(asked.config, "vocab_size", 0))
    if not found or not set(NEEDS) & set(asked.abilities):
        raise UserError(
            f"adapt: prompt needs a model that {' or '.join(NEEDS)}; {asked.config.name} "
            f"{' and '.join(asked.abilities)}"
        )
    put_before(body, found[0], _first(found[0].weight.detach(), config, tokenizers))


def _first(table: Tensor, config: Config, tokenizers: TokenizerPair | None) -> Float[Tensor, "token dim"]:
    """The vectors that the virtual tokens begin with."""
    if config.init == "random":
        return torch.randn(config.tokens, table.shape[1]) * table.std()
    if config.init == "text":
        ids = _ids(str(config.text), tokenizers)
        return table[torch.tensor([ids[place % len(ids)] for place in range(config.tokens)])].clone()
    never = set() if tokenizers is None else set(tokenizers.source.specials_ids())
    words = torch.tensor([number for number in range(len(table)) if number not in never])
    drawn = words[torch.randperm(len(words))]
    return table[drawn.repeat(-(-config.tokens // len(drawn)))[: config.tokens]].clone()


def _ids(text: str, tokenizers: TokenizerPair | None) -> list[int]:
    ids = [] if tokenizers is None else tokenizers.source.encode(text)
    if not ids:
        raise UserError(f"adapt.text: {text!r} has no words that the model's tokenizer knows")
    return list(ids)
