"""The three records that data passes through on its way to a model: Example, Features, Batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Example:
    """One record as it was read: named values (for translation ``source``, ``target``) and where it stands.

    ``where`` is ``file:line`` and is what every message about this example begins with.
    """

    fields: Mapping[str, Any]
    where: str


@dataclass(frozen=True, slots=True)
class Features:
    """The numbers of one example: named 1-D integer arrays (for translation ``source``, ``target``)."""

    arrays: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """Length of the longest array: what batches are bucketed and budgeted by."""
        return max((len(array) for array in self.arrays.values()), default=0)


@dataclass(frozen=True)
class Batch(Mapping[str, Tensor]):
    """Tensors by name, and ``count``, the number of answers the loss of this batch sums over.

    ``rows`` says which examples these are, counted over all stores of a stream, one for each row.
    """

    tensors: Mapping[str, Tensor]
    count: int
    rows: tuple[int, ...] = ()

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in self.tensors.items()}
        return replace(self, tensors=moved)
