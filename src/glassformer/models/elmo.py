"""ELMo: two language models that read a text from its two ends, and a mixture of their layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.models.rnn import begin_words
from glassformer.nn.cell import Cell
from glassformer.nn.dropout import Dropout
from glassformer.nn.embedding import Output
from glassformer.nn.names import Names
from glassformer.nn.recurrent import Recurrence


class Config(Settings):
    """Sizes and choices; the layers of a direction are as wide as the embeddings, so that all can be mixed.

    The published model reads words by their characters, has wider cells that are projected down, and lets its
    second layer see past its first; here there is none of that.
    """

    name: Literal["elmo"] = "elmo"
    cell: Cell = "lstm"
    dim: int = Field(default=256, gt=0)
    depth: int = Field(default=2, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    max_length: int = Field(default=4096, gt=0)
    vocab_size: int = Field(default=0, ge=0)
    pad_id: int = 0
    eos_id: int = 2
    start_id: int = 1


PRESETS: dict[str, dict[str, Any]] = {
    # On a laptop.
    "tiny": {"dim": 128, "depth": 1},
    "small": {"dim": 256},
    # Peters et al. 2018, §3.4, without the width of its cells.
    "original": {"dim": 512},
}


class Model(nn.Module):
    """Tells every token in its context (Peters et al. 2018, §3.1, §3.2): abilities ``both`` and ``hidden``.

    ::

        tokens → embedding → recurrence → … →  forward  → output → scores of the next token
                           → recurrence ← … ← backward  → output → scores of the token before

        hidden = γ Σ_j s_j h_j,  h_0 = [x; x],  h_j = [forward layer j; backward layer j],  s = softmax

    The two directions share the embedding and the output, and no layer of one sees the other. Training them
    leaves γ and s alone; a head on the model learns them for its task.
    """

    abilities: ClassVar[tuple[str, ...]] = ("contextualizes",)
    scoring: ClassVar[tuple[str, ...]] = ("output",)
    of_the_task: ClassVar[tuple[str, ...]] = ("mixture", "scale")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.dim)
        sizes = (config.dim, config.dim, config.depth, config.cell)
        self.onward = Recurrence(*sizes, dropout=config.dropout)
        self.backward = Recurrence(*sizes, dropout=config.dropout)
        self.dropout = Dropout(config.dropout)
        self.output = Output(nn.Parameter(torch.empty(config.vocab_size, config.dim)), bias=True)
        self.mixture = nn.Parameter(torch.zeros(config.depth + 1))
        self.scale = nn.Parameter(torch.ones(()))
        begin_words(self.embedding, self.output)

    def layers(self, batch: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
        """What every layer gives in the two directions, the embeddings first, each [rows, token, dim].

        Uses ``tokens`` of the batch and, where they are there, ``keep`` (False on padding, on either side)
        and ``documents`` (each is read alone).
        """
        x = self.dropout(self.embedding(batch["tokens"]))
        told = {key: batch[key] for key in ("keep", "documents") if key in batch}
        turned = {key: value.flip(1) for key, value in told.items()}
        onward = self.onward.each(x, **told)
        backward = [layer.flip(1) for layer in self.backward.each(x.flip(1), **turned)]
        return [(x, x), *zip(onward, backward, strict=True)]

    def both(
        self, batch: Mapping[str, Tensor]
    ) -> tuple[Float[Tensor, "rows token dim"], Float[Tensor, "rows token dim"]]:
        """The last hidden state of every token read forward, and read backward, for ``output``."""
        onward, backward = self.layers(batch)[-1]
        return self.dropout(onward), self.dropout(backward)

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token width"]:
        """Every token in its context: the mixture of all layers, forward beside backward, 2·dim wide."""
        layers = [torch.cat(pair, dim=-1) for pair in self.layers(batch)]
        shares = torch.softmax(self.mixture, dim=0)
        return self.scale * sum(share * layer for share, layer in zip(shares, layers, strict=True))

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token width"]:
        """The same."""
        return self.hidden(batch)


# --- files -------------------------------------------------------------------------------------------------

OWN_TYPE = "glassformer-elmo"
MODEL_TYPES = (OWN_TYPE,)
FIELDS = ("cell", "dim", "depth", "dropout", "max_length", "vocab_size")
"""What ``config.json`` calls as the configuration does."""
PARTS = ("embedding", "output", "mixture", "scale")
INSIDE = ("input", "hidden", "candidate")
"""Of a recurrent layer."""


def names(config: Config) -> Names:  # noqa: ARG001 - every model of a kind has the same names
    """Every weight's name in memory and in a file."""
    directions = (("onward", "forward"), ("backward", "backward"))
    return Names(
        [
            *((part, part) for part in PARTS),
            *((f"{one}.layers.*.{part}", f"{file}.*.{part}") for one, file in directions for part in INSIDE),
        ]
    )


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model, of a type of its own."""
    return {
        "architectures": ["GlassformerELMo"],
        "model_type": OWN_TYPE,
        **{field: getattr(config, field) for field in FIELDS},
        "pad_token_id": config.pad_id,
        "bos_token_id": config.start_id,
        "eos_token_id": config.eos_id,
    }


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``."""
    return Config(
        **{field: written[field] for field in FIELDS},
        pad_id=written["pad_token_id"],
        start_id=written["bos_token_id"],
        eos_id=written["eos_token_id"],
    )
