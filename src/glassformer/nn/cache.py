"""What decoding remembers: the keys and values of tokens already read, owned by the caller and passed in."""

from __future__ import annotations

from copy import copy
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

Heads = Float[Tensor, "batch kv_heads key head_dim"]
Held = Float[Tensor, "batch kv_heads held head_dim"]


@runtime_checkable
class Slot(Protocol):
    """The memory of one attention."""

    @property
    def length(self) -> int:
        """How many keys are held."""
        ...

    def held(self) -> tuple[Held, Held]:
        """The keys and values that are held."""
        ...

    def extend(self, keys: Heads, values: Heads) -> tuple[Held, Held]:
        """Remember new keys and values and give all that are held."""
        ...

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        ...

    def fork(self) -> Slot:
        """A second memory of the same, which goes on by itself."""
        ...


class Growing:
    """A memory that grows by joining tensors: nothing to size beforehand."""

    def __init__(self) -> None:
        self._pair: tuple[Tensor, Tensor] | None = None

    @property
    def length(self) -> int:
        """How many keys are held."""
        return 0 if self._pair is None else self._pair[0].shape[2]

    def held(self) -> tuple[Held, Held]:
        """The keys and values that are held."""
        if self._pair is None:
            raise IndexError("nothing has been read into this cache yet")
        return self._pair

    def extend(self, keys: Heads, values: Heads) -> tuple[Held, Held]:
        """Remember new keys and values and give all that are held."""
        if self._pair is not None:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(self._pair, (keys, values), strict=True))
        self._pair = keys, values
        return self._pair

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        if self._pair is not None:
            self._pair = self._pair[0].index_select(0, rows), self._pair[1].index_select(0, rows)

    def fork(self) -> Growing:
        """A second memory of the same; what is held is shared, for it is never written to."""
        return copy(self)


class Fixed:
    """A memory of fixed size, written in place: the same tensors at every step, as a compiler wants them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._length = 0
        self._pair: tuple[Tensor, Tensor] | None = None

    @property
    def length(self) -> int:
        """How many keys are held."""
        return self._length

    def held(self) -> tuple[Held, Held]:
        """The keys and values that are held."""
        if self._pair is None:
            raise IndexError("nothing has been read into this cache yet")
        return self._pair[0][:, :, : self._length], self._pair[1][:, :, : self._length]

    def extend(self, keys: Heads, values: Heads) -> tuple[Held, Held]:
        """Remember new keys and values and give all that are held; IndexError when they are too many."""
        start, end = self._length, self._length + keys.shape[2]
        if end > self.size:
            raise IndexError(f"the cache holds {self.size} positions and position {end} was asked for")
        if self._pair is None:
            shape = (*keys.shape[:2], self.size, keys.shape[3])
            self._pair = keys.new_zeros(shape), values.new_zeros(shape)
        for memory, new in zip(self._pair, (keys, values), strict=True):
            memory[:, :, start:end] = new
        self._length = end
        return self.held()

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        if self._pair is not None:
            self._pair = self._pair[0].index_select(0, rows), self._pair[1].index_select(0, rows)

    def fork(self) -> Fixed:
        """A second memory of the same, with tensors of its own."""
        twin = copy(self)
        twin._pair = None if self._pair is None else (self._pair[0].clone(), self._pair[1].clone())
        return twin
