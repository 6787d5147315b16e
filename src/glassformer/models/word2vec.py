"""word2vec: a table of vectors for words, and a second one that they are told by while they are learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.nn.names import Names


class Config(Settings):
    """Sizes; a ``vocab_size`` of 0 comes from the tokenizer.

    ``told_by`` is what a word is told by: the vector of every ``word``, for negative sampling, or those of
    the inner ``nodes`` of Huffman's tree on the way to it, for the hierarchical softmax.
    """

    name: Literal["word2vec"] = "word2vec"
    dim: int = Field(default=100, gt=0)
    told_by: Literal["words", "nodes"] = "words"
    vocab_size: int = Field(default=0, ge=0)
    pad_id: int = 0
    eos_id: int = 2


PRESETS: dict[str, dict[str, Any]] = {
    # The defaults of the authors' program, and of the vectors they published.
    "small": {"dim": 100},
    "published": {"dim": 300},
}


class Model(nn.Module):
    """Vectors of words (Mikolov et al. 2013a, §3; Mikolov et al. 2013b, §2): ability ``hidden``.

    ``counts`` is how often the training text has each word: what sub-sampling, noise words and the tree are
    made of. It does not learn, and is saved with the tables, so that a folder can be measured and go on
    learning.
    """

    abilities: ClassVar[tuple[str, ...]] = ("embeds",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size = config.vocab_size
        self.input = nn.Embedding(size, config.dim)
        self.output = nn.Embedding(max(1, size - 1) if config.told_by == "nodes" else size, config.dim)
        self.counts = nn.Parameter(torch.zeros(size), requires_grad=False)
        # As in the authors' program: words begin near zero, and nothing tells them apart yet.
        nn.init.uniform_(self.input.weight, -0.5 / config.dim, 0.5 / config.dim)
        nn.init.zeros_(self.output.weight)

    @property
    def vectors(self) -> Float[Tensor, "vocab dim"]:
        """The vector of every word: what training is for."""
        return self.input.weight.detach()

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token dim"]:
        """The vector of each of ``tokens``, whatever stands around it."""
        found: Tensor = self.input(batch["tokens"])
        return found

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token dim"]:
        """The same: a word alone has no scores."""
        return self.hidden(batch)


# --- files -------------------------------------------------------------------------------------------------

OWN_TYPE = "glassformer-word2vec"
MODEL_TYPES = (OWN_TYPE,)


def names(config: Config) -> Names:  # noqa: ARG001 - the same for all
    """Every weight's name in memory and in a file."""
    return Names([("input", "input"), ("output", "output"), ("counts", "counts")])


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model, which ``transformers`` does not have."""
    return {
        "architectures": ["GlassformerWord2Vec"],
        "model_type": OWN_TYPE,
        "hidden_size": config.dim,
        "told_by": config.told_by,
        "vocab_size": config.vocab_size,
        "pad_token_id": config.pad_id,
        "eos_token_id": config.eos_id,
    }


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``."""
    return Config(
        dim=written["hidden_size"],
        told_by=written["told_by"],
        vocab_size=written["vocab_size"],
        pad_id=written["pad_token_id"],
        eos_id=written["eos_token_id"],
    )
