"""What contracts feed models: for each ability a batch, the same otherwise padded, and a row of it alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Batch = dict[str, Tensor]

# Texts of one vocabulary of 31 words, of which 0 is padding.
SOURCE = torch.tensor([[5, 6, 7, 8, 9, 10, 2], [11, 12, 2, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0]])
KEEP = SOURCE != 0
TARGET = torch.tensor([[1, 20, 21, 22, 23], [1, 24, 25, 26, 27], [1, 28, 29, 30, 3]])
TOKENS = torch.tensor([[1, 6, 7, 8, 9, 10, 2], [1, 12, 13, 14, 0, 0, 0], [15, 0, 0, 0, 0, 0, 0]])


@dataclass(frozen=True)
class Inputs:
    """What models of one ability read. ``told`` leaves out what stands on padding: rows one after another.

    ``made`` asks the model's configuration for sizes; ``wider`` gives batches that say the same with more
    padding; ``alone`` gives a row of a batch without padding.
    """

    made: Callable[[Any], Batch]
    wider: Callable[[Batch], list[Batch]]
    alone: Callable[[Batch, int], Batch]
    told: Callable[[Tensor, Batch], Tensor]


def chosen(batch: Mapping[str, Tensor], rows: Tensor) -> Batch:
    """These rows of a batch, in this order."""
    return {key: value[rows] for key, value in batch.items()}


# --- source and target -------------------------------------------------------------------------------------


def _pairs(config: Any) -> Batch:
    return {"source": SOURCE, "source_keep": KEEP, "target": TARGET}


def _wider_pairs(batch: Batch) -> list[Batch]:
    source = functional.pad(batch["source"], (0, 5))
    return [batch | {"source": source, "source_keep": source != 0}]


def _pair_alone(batch: Batch, row: int) -> Batch:
    one = chosen(batch, torch.tensor([row]))
    length = int(one["source_keep"].sum())
    return one | {"source": one["source"][:, :length], "source_keep": one["source_keep"][:, :length]}


# --- running text ------------------------------------------------------------------------------------------


def to_the_right(tokens: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
    """The same rows with their padding on the left."""
    order = keep.int().argsort(dim=1, stable=True)
    return tokens.gather(1, order), keep.gather(1, order)


def _texts(config: Any) -> Batch:
    return {"tokens": TOKENS, "keep": TOKENS != 0}


def _wider_texts(batch: Batch) -> list[Batch]:
    tokens, keep = batch["tokens"], batch["keep"]
    left, kept = to_the_right(tokens, keep)
    wide, wide_keep = (functional.pad(one, (0, 3)) for one in (tokens, keep))
    far, far_keep = (functional.pad(one, (3, 0)) for one in (left, kept))
    return [
        {"tokens": wide, "keep": wide_keep},
        {"tokens": left, "keep": kept},
        {"tokens": far, "keep": far_keep},
        {"tokens": torch.where(far_keep, far, 17), "keep": far_keep},
    ]


def _text_alone(batch: Batch, row: int) -> Batch:
    return {"tokens": batch["tokens"][row : row + 1][:, batch["keep"][row]]}


def _on_words(scores: Tensor, batch: Batch) -> Tensor:
    return scores[batch["keep"]] if "keep" in batch else scores.flatten(0, 1)


# --- images ------------------------------------------------------------------------------------------------


def _images(config: Any) -> Batch:
    chance = torch.Generator().manual_seed(1)
    size = config.image_size
    return {"images": torch.randn(3, config.channels, size, size, generator=chance)}


INPUTS: Mapping[str, Inputs] = {
    "translates": Inputs(_pairs, _wider_pairs, _pair_alone, lambda scores, batch: scores.flatten(0, 1)),
    "generates": Inputs(_texts, _wider_texts, _text_alone, _on_words),
    "encodes": Inputs(_texts, _wider_texts, _text_alone, _on_words),
    "compares": Inputs(_texts, _wider_texts, _text_alone, _on_words),
    "embeds": Inputs(_texts, _wider_texts, _text_alone, _on_words),
    "contextualizes": Inputs(_texts, _wider_texts, _text_alone, _on_words),
    "sees": Inputs(
        _images,
        lambda batch: [],
        lambda batch, row: chosen(batch, torch.tensor([row])),
        lambda scores, batch: scores,
    ),
}
