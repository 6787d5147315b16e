"""A body with a head: one vector of a text, or one of every token, scored for a few labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.nn.dropout import Dropout
from glassformer.nn.names import Form, Names

Pool = Literal["last", "first", "mean", "each"]

STD = 0.02
SCORING = ("output", "transform", "pooler", "next_sentence")
"""Parts of bodies that make scores of words, or a vector of a text, out of hidden states."""


class Head(Settings):
    """What stands on a body, as ``config.json`` has it.

    ``objective`` is what it was learned by and ``ability`` what the whole can do. ``pool`` says which hidden
    state a text is told by: that of its ``last`` or ``first`` token, or their ``mean``; ``each`` token has
    scores of its own where words are tagged. ``outputs`` are as many as ``labels``, or 1: the score of the
    second of two labels, that of the first being 0. ``width`` is that of the hidden states. Longer texts than
    ``max_length`` tokens lose their end. Tags are of words or of single characters (``unit``).
    """

    objective: str
    ability: Literal["classifies", "tags"]
    pool: Pool
    labels: tuple[str, ...] = Field(min_length=2)
    outputs: int = Field(ge=1)
    width: int = Field(ge=1)
    max_length: int = Field(ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    unit: Literal["word", "character"] = "word"

    @model_validator(mode="after")
    def _scores_every_label(self) -> Head:
        if self.outputs != len(self.labels) and (self.outputs, len(self.labels)) != (1, 2):
            raise ValueError(f"{self.outputs} outputs cannot tell {len(self.labels)} labels apart")
        return self


class Headed(nn.Module):
    """A body, and a linear layer from its hidden states to scores of labels.

    ::

        body ── hidden states ── pool ── dropout ── classifier ── scores of labels

    The parts of the body that score words are taken off it: nothing would train them.
    """

    def __init__(self, body: nn.Module, head: Head) -> None:
        super().__init__()
        for part in SCORING:
            if isinstance(getattr(body, part, None), nn.Module):
                delattr(body, part)
        self.body, self.head = body, head
        self.config: Any = body.config
        self.abilities: tuple[str, ...] = (head.ability,)
        self.dropout = Dropout(head.dropout)
        self.classifier = nn.Linear(head.width, head.outputs)
        nn.init.normal_(self.classifier.weight, std=STD)
        nn.init.zeros_(self.classifier.bias)

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows *token width"]:
        """The vector of every text, or of every token where words are tagged.

        Uses what the body uses of the batch: ``tokens``, and ``keep`` where rows are padded.
        """
        body: Any = self.body
        hidden: Tensor = body.hidden(batch)
        if self.head.pool != "each":
            hidden = pooled(hidden, batch.get("keep"), self.head.pool)
        return self.dropout(hidden)

    def scores(self, hidden: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows labels"]:
        """Scores of the labels before softmax, in float32; of a single output they are 0 and s.

        Then softmax gives the second label σ(s), so that one formula serves both.
        """
        found: Tensor = self.classifier(hidden).float()
        return torch.cat([torch.zeros_like(found), found], dim=-1) if self.head.outputs == 1 else found

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows *token labels"]:
        """The scores of every text, or of every token."""
        return self.scores(self.hidden(batch))


def pooled(
    hidden: Float[Tensor, "rows token width"], keep: Bool[Tensor, "rows token"] | None, pool: Pool
) -> Float[Tensor, "rows width"]:
    """One vector a row: of its last or first real token, or their mean; padding may stand on either side."""
    if keep is None:
        return hidden.mean(dim=1) if pool == "mean" else hidden[:, 0 if pool == "first" else -1]
    if pool == "mean":
        return (hidden * keep[:, :, None]).sum(dim=1) / keep.sum(dim=1, keepdim=True)
    places = torch.arange(keep.shape[1], device=keep.device).expand(keep.shape)
    never = -1 if pool == "last" else keep.shape[1]
    chosen = torch.where(keep, places, never)
    place = chosen.amax(dim=1) if pool == "last" else chosen.amin(dim=1)
    return hidden[torch.arange(len(hidden), device=hidden.device), place]


def width_of(body: nn.Module) -> int:
    """How wide the hidden states of a body are, found by asking it for one."""
    asked: Any = body
    training = body.training
    token = torch.zeros(1, 1, dtype=torch.long, device=next(body.parameters()).device)
    with torch.no_grad():
        width = asked.eval().hidden({"tokens": token}).shape[-1]
    body.train(training)
    return int(width)


def bare(config: Any) -> Any:
    """The configuration of a body without the head that it would have for itself (``head: none``)."""
    return config.model_copy(update={"head": "none"}) if hasattr(config, "head") else config


def body_of(model: nn.Module) -> nn.Module:
    """The body of a model that has a head, any other model itself."""
    return model.body if isinstance(model, Headed) else model


def head_of(model: nn.Module) -> Head | None:
    """The head of a model, None where it has none."""
    return model.head if isinstance(model, Headed) else None


class HeadedNames(Names):
    """The names of a body's weights, and ``classifier`` for those of the head on it."""

    def __init__(self, body: Names) -> None:
        super().__init__([])
        self.body = body

    def to_file(self, name: str) -> str | None:
        """The file's name: the body's own, or that of the head."""
        return self.body.to_file(name.removeprefix("body.")) if name.startswith("body.") else name

    def to_memory(self, name: str) -> tuple[str, ...] | None:
        """The names in memory, below ``body`` but for the head's."""
        if name.startswith("classifier."):
            return (name,)
        held = self.body.to_memory(name)
        return None if held is None else tuple(f"body.{one}" for one in held)

    def form(self, name: str) -> Form:
        """How the weight with this name in memory is shaped in a file."""
        return self.body.form(name.removeprefix("body."))
