"""What every objective offers: the protocol between data, model and trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from glassformer.data.example import Batch, Example, Features
from glassformer.text.tokenizer import TokenizerPair


@dataclass(frozen=True)
class Loss:
    """A loss *summed* over ``batch.count`` answers; the trainer divides once. ``parts`` are sums to log."""

    total: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


Told = Mapping[str, np.ndarray]
"""What is true of one row and what the model tells of it, by the names that its judge reads."""


@runtime_checkable
class Objective(Protocol):
    """What is being learned. It never touches an optimiser, a device, a file or a logger.

    It is made as ``Objective(config, *, numbers, tokenizers)``: ``numbers`` is the model's configuration
    (``pad_id``, ``eos_id`` …), ``tokenizers`` those of the data, None for images.

    ``needs`` names the abilities of which the model must have one, such as ``"translates"`` or
    ``"generates"``. ``reads`` is the kind of data: ``"pairs"``, ``"text"``, ``"images"``, ``"labelled"`` or
    ``"tagged"``. ``frame`` is how a tokenizer that is learned for it closes a text: ``"end"`` (``$A </s>``),
    ``"both"`` (``<s> $A </s>``, with a ``<mask>``) or ``"none"``. ``answers`` is the array of the features
    whose tokens are the answers, None where answers are no tokens. An objective with ``head(config, *, facts,
    ability, width, max_length)`` stands on any body: what that gives (``nn.headed.Head``) is put on the body,
    and handed over as ``head`` when the objective is made. ``shaping`` may name those of its settings that
    change what ``encode`` gives; without it all do, and data is encoded anew for each. An objective whose
    training draws other batches than its evaluation has ``collate_training`` beside ``collate``. One that
    learns from every token of running text once an epoch has ``fixed``: its rows are not cropped at random.
    One that must know how often the training text has each token has ``count(model, counts)``; without
    counts it asks for those that the model keeps.

    One that asks more of the tokenizers than a vocabulary, such as a chat template, has
    ``tokenizers_for(pair)``, which gives them with it.

    One whose answers can be judged one by one has ``judge`` and ``told``. ``judge`` names the file of
    ``evaluate/judges`` that turns them into figures, tables and mistakes. ``told(model, batch)`` gives the
    loss and what is told of each row, out of one look of the model at the batch: a list as long as
    ``batch.rows``, of arrays by name. Each judge says in its docstring which arrays it reads; ``true`` is
    what holds, ``told`` what the model decides, ``share`` the probabilities it decides by. ``labels``, if the
    objective has it, are the names that numbers in these arrays stand for.
    """

    needs: tuple[str, ...]
    reads: str
    frame: str
    answers: str | None

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The numbers of each example, in order."""
        ...

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:
        """One padded batch; ``rng`` is the only chance, so that a batch is a function of its position."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss, differentiable."""
        ...

    def predict(self, model: nn.Module, batch: Batch) -> Any:
        """What the model answers for the batch under teacher forcing."""
        ...
