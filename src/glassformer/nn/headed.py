"""A body with a head: one vector of a text, or one of every token, scored for a few labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.nn.dropout import Dropout
from glassformer.nn.names import Form, Names

Pool = Literal["last", "first", "mean", "max", "each"]
Tells = Literal["label", "labels", "number"]

STD = 0.02


class Spans(Settings):
    """How answers are looked for in a text (``objectives.span``).

    ``null`` is the token of a row that says that there is none. One is given unless that scores more than
    ``threshold`` above the best answer; None for a model that always answers. ``stride`` tokens lie between
    windows, None for half of what one holds. Questions lose what is beyond ``max_question`` tokens, and no
    answer has more than ``max_answer``.
    """

    null: Literal["first", "last"] = "first"
    threshold: float | None = None
    stride: int | None = Field(default=None, ge=1)
    max_question: int = Field(default=64, ge=1)
    max_answer: int = Field(default=30, ge=1)


class Head(Settings):
    """What stands on a body, as ``config.json`` has it.

    ``objective`` is what it was learned by and ``ability`` what the whole can do. ``pool`` says which hidden
    state a text is told by: that of its ``last`` or ``first`` token, or their ``mean``; ``each`` token has
    scores of its own where words are tagged or answers are found. ``tells`` says what scores mean: one of the
    ``labels``, those of them whose probability reaches ``threshold``, or a number, whose name is then the one
    label. ``outputs`` are as many as ``labels``, or 1: the score of the second of two labels, that of the
    first being 0. A model that ``compares`` has neither: the pooled state is its answer, and ``scale`` are
    the numbers that cosines of 0 and of 1 stand for. ``width`` is that of the hidden states. ``texts`` are
    read at once, 1 or 2; 0 where nobody said. Longer ones than ``max_length`` tokens lose their end. Tags are
    of words or of single characters (``unit``); where they have a ``scheme``, only sequences that are legal
    in it are told. ``weights`` say how much each label counts in training, nothing where all count alike.
    ``form`` is ``native`` where the head is built as the body's family builds it (``Native``), else ``own``.
    ``spans`` is how answers are looked for.
    """

    objective: str
    ability: Literal["classifies", "tags", "answers", "compares"]
    pool: Pool
    labels: tuple[str, ...]
    outputs: int = Field(ge=0)
    width: int = Field(ge=1)
    max_length: int = Field(ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    unit: Literal["word", "character"] = "word"
    scheme: Literal["iob1", "iob2", "bioes"] | None = None
    tells: Tells = "label"
    texts: Literal[0, 1, 2] = 1
    threshold: float = Field(default=0.5, ge=0, le=1)
    scale: tuple[float, float] | None = None
    weights: tuple[float, ...] = ()
    form: Literal["own", "native"] = "own"
    spans: Spans = Spans()

    @model_validator(mode="after")
    def _scores_every_label(self) -> Head:
        if self.outputs != len(self.labels) and (self.outputs, len(self.labels)) != (1, 2):
            raise ValueError(f"{self.outputs} outputs cannot tell {len(self.labels)} labels apart")
        if not self.labels and self.ability != "compares":
            raise ValueError("a head needs labels to tell")
        if len(self.labels) < 2 and self.tells == "label" and self.ability != "compares":
            raise ValueError(f"{self.labels[0]} cannot be told apart: a head needs at least 2 labels")
        return self


@dataclass(frozen=True)
class Native:
    """How a family of models builds a head for an ability, and what its files call the parts.

    ::

        states ── pool ── [ dropout ── dense ── squash ] ── dropout ── output ── scores

    ``architecture`` is the class of ``transformers``. ``output`` and ``dense`` are parts of its files, None
    where it has no such layer; ``dense`` goes on from the part ``inherits`` of a body that was trained with
    one. ``early`` says that dropout falls before ``dense`` too. ``rate`` is the key of ``config.json`` for
    dropout. ``prefix`` is what names of the body's weights begin with in the body's own files and in those
    with this head. ``ignored`` are parts that such files may hold and the head does not use. A ``pool`` of
    None suits every head.
    """

    architecture: str
    pool: Pool | None
    output: str | None = "classifier"
    bias: bool = True
    dense: str | None = None
    squash: Literal["tanh", "relu"] = "tanh"
    inherits: str | None = None
    early: bool = False
    rate: str | None = None
    prefix: tuple[str, str] = ("", "")
    ignored: tuple[str, ...] = ()

    def fits(self, head: Head) -> bool:
        """Whether a head can be built so."""
        return self.pool in (None, head.pool) and head.outputs == len(head.labels)


class Headed(nn.Module):
    """A body, and a few layers from its hidden states to scores of labels.

    ::

        body ── hidden states ── pool ── dropout ── classifier ── scores of labels

    ``native`` says what stands there in the body's own family. The parts of the body that score words
    (``scoring`` of its class) are taken off it: nothing would train them.
    """

    def __init__(self, body: nn.Module, head: Head, native: Native | None = None) -> None:
        super().__init__()
        for part in getattr(body, "scoring", ()):
            if isinstance(getattr(body, part, None), nn.Module):
                delattr(body, part)
        self.body, self.head, self.native = body, head, native
        self.config: Any = body.config
        self.abilities: tuple[str, ...] = (head.ability,)
        self.dropout = Dropout(head.dropout)
        if native is not None and native.dense is not None:
            self.dense = nn.Linear(head.width, head.width)
        if head.outputs:
            self.classifier = nn.Linear(head.width, head.outputs, bias=native is None or native.bias)
        for layer in (one for name, one in self.named_children() if name in LAYERS):
            nn.init.normal_(layer.weight, std=STD)  # type: ignore[arg-type]
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows *token width"]:
        """The vector of every text, or of every token where each is told, ready for ``scores``.

        Uses what the body uses of the batch: ``tokens``, and ``keep`` where rows are padded.
        """
        body: Any = self.body
        found: Tensor = body.hidden(batch)
        if self.head.pool != "each":
            # The vector itself is compared: its mean is not rounded once more.
            found = pooled(found if self.head.outputs else found.float(), self._kept(batch), self.head.pool)
        if self.native is not None and self.native.dense is not None:
            squash = torch.tanh if self.native.squash == "tanh" else torch.relu
            found = squash(self.dense(self.dropout(found) if self.native.early else found))
        return self.dropout(found)

    def _kept(self, batch: Mapping[str, Tensor]) -> Bool[Tensor, "rows token"] | None:
        """Which tokens are text. A family that tells a text by its last token takes no padding for one."""
        keep = batch.get("keep")
        if self.native is None or self.head.pool != "last":
            return keep
        real = batch["tokens"] != self.config.pad_id
        return real if keep is None else real & keep

    def scores(self, hidden: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows labels"]:
        """Scores of the labels before softmax, in float32; of one output for two labels they are 0 and s.

        Then softmax gives the second label σ(s), so that one formula serves both.
        """
        found: Tensor = self.classifier(hidden).float()
        single = self.head.outputs < len(self.head.labels)
        return torch.cat([torch.zeros_like(found), found], dim=-1) if single else found

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows *token labels"]:
        """The scores of every text, or of every token; of a model that compares the vector of every text."""
        hidden = self.hidden(batch)
        return self.scores(hidden) if self.head.outputs else hidden


LAYERS = ("dense", "classifier")
"""The layers of a head that have weights."""


def pooled(
    hidden: Float[Tensor, "rows token width"], keep: Bool[Tensor, "rows token"] | None, pool: Pool
) -> Float[Tensor, "rows width"]:
    """One vector a row: of its last or first real token, their mean, or the most that any has of each number.

    Padding may stand on either side.
    """
    if pool == "max":
        return (hidden if keep is None else hidden.masked_fill(~keep[:, :, None], -torch.inf)).amax(dim=1)
    if keep is None:
        return hidden.mean(dim=1) if pool == "mean" else hidden[:, 0 if pool == "first" else -1]
    if pool == "mean":
        return (hidden * keep[:, :, None]).sum(dim=1) / keep.sum(dim=1, keepdim=True)
    places = torch.arange(keep.shape[1], device=keep.device).expand(keep.shape)
    never = -1 if pool == "last" else keep.shape[1]
    chosen = torch.where(keep, places, never)
    place = chosen.amax(dim=1).clamp(min=0) if pool == "last" else chosen.amin(dim=1)
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


def choices(head: Head) -> int | None:
    """Among how many answers a guess would choose evenly; None where a number is told."""
    return {"label": len(head.labels), "labels": 2, "number": None}[head.tells]


def head_of(model: nn.Module) -> Head | None:
    """The head of a model, None where it has none."""
    return model.head if isinstance(model, Headed) else None


class HeadedNames(Names):
    """The names of a body's weights, and of those of the head: ``classifier``, or what its family says."""

    def __init__(self, body: Names, native: Native | None = None) -> None:
        super().__init__([])
        self.body = body
        said = Native("", None) if native is None else native
        self.prefix, self.ignored = said.prefix, tuple(f"{part}." for part in said.ignored)
        parts = zip(LAYERS, (said.dense, said.output), strict=True)
        self.parts = {f"{memory}.": f"{file}." for memory, file in parts if file is not None}

    def to_file(self, name: str) -> str | None:
        """The file's name: the body's own, or that of the head."""
        for memory, file in self.parts.items():
            if name.startswith(memory):
                return file + name.removeprefix(memory)
        held = self.body.to_file(name.removeprefix("body."))
        return None if held is None else self._moved(held, *self.prefix)

    def to_memory(self, name: str) -> tuple[str, ...] | None:
        """The names in memory, below ``body`` but for the head's."""
        for memory, file in self.parts.items():
            if name.startswith(file):
                return (memory + name.removeprefix(file),)
        if name.startswith(self.ignored):
            return ()
        held = self.body.to_memory(self._moved(name, *reversed(self.prefix)))
        return None if held is None else tuple(f"body.{one}" for one in held)

    def form(self, name: str) -> Form:
        """How the weight with this name in memory is shaped in a file."""
        return self.body.form(name.removeprefix("body."))

    @staticmethod
    def _moved(name: str, old: str, new: str) -> str:
        return new + name.removeprefix(old) if name.startswith(old) else name
