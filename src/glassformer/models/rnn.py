"""The recurrent language model: LSTM, GRU or simple RNN, which remembers a text in a state of one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.nn.cell import Cell, State
from glassformer.nn.dropout import Dropout
from glassformer.nn.embedding import Output
from glassformer.nn.names import Names
from glassformer.nn.recurrent import Recurrence
from glassformer.nn.recurring import Recurring


class Config(Settings):
    """Sizes and choices. ``cell`` is ``lstm``, ``gru`` or ``rnn``; a ``hidden_dim`` of 0 is ``dim``.

    ``dropout`` falls on the embeddings, between the layers and on what the last gives, never on what a layer
    carries from token to token (Zaremba et al. 2014). ``tied``: the output's matrix is the embeddings'. There
    is no table of places: ``max_length`` only bounds what is read at once and written.
    """

    name: Literal["rnn"] = "rnn"
    cell: Cell = "lstm"
    dim: int = Field(default=256, gt=0)
    hidden_dim: int = Field(default=0, ge=0)
    depth: int = Field(default=2, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    tied: bool = False
    max_length: int = Field(default=4096, gt=0)
    vocab_size: int = Field(default=0, ge=0)
    pad_id: int = 0
    eos_id: int = 2
    start_id: int = 1

    @property
    def width(self) -> int:
        """How wide hidden states are."""
        return self.hidden_dim or self.dim

    @model_validator(mode="after")
    def _fits(self) -> Config:
        if self.tied and self.width != self.dim:
            raise ValueError(
                f"tied needs hidden states as wide as embeddings; dim is {self.dim} and hidden_dim "
                f"{self.hidden_dim}"
            )
        return self


PRESETS: dict[str, dict[str, Any]] = {
    # The network of the lectures: 100-dimensional words, one tanh layer of 128.
    "lecture": {"cell": "rnn", "dim": 100, "hidden_dim": 128, "depth": 1, "dropout": 0.0},
    # On a laptop.
    "tiny": {"dim": 128, "depth": 1},
    "small": {"dim": 256, "depth": 2, "dropout": 0.2},
    # Zaremba et al. 2014, §4.1.
    "zaremba-small": {"dim": 200, "depth": 2, "dropout": 0.0},
    "zaremba-medium": {"dim": 650, "depth": 2, "dropout": 0.5},
    "zaremba-large": {"dim": 1500, "depth": 2, "dropout": 0.65},
}


class Model(nn.Module):
    """Writes on: abilities ``hidden`` (training) and ``start`` (decoding).

    ::

        tokens → embedding → dropout → recurrence → dropout → output → scores of the next token
    """

    abilities: ClassVar[tuple[str, ...]] = ("generates",)
    scoring: ClassVar[tuple[str, ...]] = ("output",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.dim)
        self.recurrence = Recurrence(
            config.dim, config.width, config.depth, config.cell, dropout=config.dropout
        )
        self.dropout = Dropout(config.dropout)
        tied: nn.Parameter = self.embedding.weight  # type: ignore[assignment]
        own = nn.Parameter(torch.empty(config.vocab_size, config.width))
        self.output = Output(tied if config.tied else own, bias=True)
        begin_words(self.embedding, self.output)

    def run(
        self,
        tokens: Int[Tensor, "rows token"],
        state: Sequence[State] | None = None,
        *,
        keep: Bool[Tensor, "rows token"] | None = None,
        documents: Int[Tensor, "rows token"] | None = None,
    ) -> tuple[Float[Tensor, "rows token width"], list[State]]:
        """The hidden state of every token, and what every layer carries on (``nn.recurring.Recurs``)."""
        x = self.dropout(self.embedding(tokens))
        hidden, after = self.recurrence(x, state, keep=keep, documents=documents)
        return self.dropout(hidden), after

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token width"]:
        """The last layer's hidden state of every token, for ``output``.

        Uses ``tokens`` of the batch and, where they are there, ``keep`` (False on padding, on either side)
        and ``documents`` (each begins anew).
        """
        return self.run(batch["tokens"], keep=batch.get("keep"), documents=batch.get("documents"))[0]

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token vocab"]:
        """Scores of what may follow every token."""
        scores: Tensor = self.output(self.hidden(batch))
        return scores

    def start(
        self,
        tokens: Int[Tensor, "rows width"],
        keep: Bool[Tensor, "rows width"] | None = None,
        *,
        fixed: int | None = None,
    ) -> Recurring:
        """Read prompts, padded on the left where ``keep`` is False, and stand ready for the next token.

        The memory has a fixed size anyway, whatever ``fixed`` says.
        """
        del fixed
        return Recurring(self, tokens, keep)


def begin_words(table: nn.Embedding, output: Output) -> None:
    """First vectors of words of unit size in every dimension, and those of their scores with variance 1/dim.

    So every word moves the first state by as much as a state moves the next, and first scores are small; a
    table that is both has the smaller ones.
    """
    nn.init.normal_(table.weight)
    nn.init.normal_(output.weight, std=output.weight.shape[1] ** -0.5)


# --- files -------------------------------------------------------------------------------------------------

OWN_TYPE = "glassformer-rnn"
MODEL_TYPES = (OWN_TYPE,)
FIELDS = ("cell", "dim", "hidden_dim", "depth", "dropout", "max_length", "vocab_size")
"""What ``config.json`` calls as the configuration does."""

PARTS = ("input", "hidden", "candidate")
"""Of a recurrent layer."""


def names(config: Config) -> Names:  # noqa: ARG001 - every model of a kind has the same names
    """Every weight's name in memory and in a file."""
    return Names(
        [
            ("embedding", "embedding"),
            *((f"recurrence.layers.*.{part}", f"layers.*.{part}") for part in PARTS),
            ("output", "output"),
        ]
    )


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model, of a type of its own."""
    return {
        "architectures": ["GlassformerRNN"],
        "model_type": OWN_TYPE,
        **{field: getattr(config, field) for field in FIELDS},
        "tie_word_embeddings": config.tied,
        "pad_token_id": config.pad_id,
        "bos_token_id": config.start_id,
        "eos_token_id": config.eos_id,
    }


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``."""
    return Config(
        **{field: written[field] for field in FIELDS},
        tied=written["tie_word_embeddings"],
        pad_id=written["pad_token_id"],
        start_id=written["bos_token_id"],
        eos_id=written["eos_token_id"],
    )
