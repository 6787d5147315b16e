"""Encoded data for a model: the stores of a split as an objective asks for them, and batches out of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import nn

from glassformer.api.heading import encoding
from glassformer.base import plugins
from glassformer.data.sources import Split
from glassformer.data.stream import Stream
from glassformer.objectives.objective import Objective
from glassformer.text.tokenizer import TokenizerPair
from glassformer.train import parallel

Weighed = Sequence[tuple[Any, float]]
"""Encoded sources and the weight of each."""


def stores_of(
    data: Any,
    split: Split,
    settings: Any,
    objective: Objective,
    *,
    model: nn.Module,
    tokenizers: TokenizerPair | None,
) -> Weighed:
    """The encoded sources of a split; ``settings`` are those of the objective, which encodes.

    Raises UserError for data that cannot be used.
    """
    encode = partial(objective.encode, tokenizers=tokenizers)  # type: ignore[arg-type]
    about = encoding(settings, model, tokenizers)
    found: Weighed = plugins.find("data", data.name).stores(data, split, encode, about)
    return [(store.fixed(), weight) for store, weight in found] if hasattr(objective, "fixed") else found


def stream_of(
    data: Any,
    objective: Objective,
    stores: Weighed,
    *,
    seed: int = 0,
    place: parallel.Group | None = None,
    training: bool = False,
) -> Stream:
    """Batches of the stores, as large as ``data`` asks for; shuffled, and augmented, only for training.

    ``place`` is that of this process among all that share them: of one alone where nothing is said.
    """
    place = place or parallel.Group()
    collate = getattr(objective, "collate_training", objective.collate) if training else objective.collate
    return Stream(
        stores,
        tokens_per_batch=data.tokens_per_batch,
        collate=collate,
        seed=seed,
        shuffle=training,
        workers=data.workers,
        rank=place.rank,
        ranks=place.size,
    )
