"""What decoding remembers: the keys and values of tokens already read, owned by the caller and passed in."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROOM = 16  # the least number of keys for which a memory that has grown has room
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

    def move(self, rows: Sequence[tuple[int, int]]) -> None:
        """Copy rows over others, from the first of each pair to the second; no row is read and written."""
        ...

    def fork(self) -> Slot:
        """A second memory of the same, which goes on by itself."""
        ...


class Growing:
    """A memory that grows as needed: what is new is written behind what is held, into room kept free for it.

    There is room from the second reading on, as a source is read once. Where a gradient is wanted, and where
    tensors are shared with a fork, nothing is written into them.
    """

    def __init__(self) -> None:
        self._pair: tuple[Tensor, Tensor] | None = None
        self._length = 0
        self._own = False

    @property
    def length(self) -> int:
        """How many keys are held."""
        return self._length

    def held(self) -> tuple[Held, Held]:
        """The keys and values that are held."""
        if self._pair is None:
            raise IndexError("nothing has been read into this cache yet")
        return _front(self._pair[0], self._length), _front(self._pair[1], self._length)

    def extend(self, keys: Heads, values: Heads) -> tuple[Held, Held]:
        """Remember new keys and values and give all that are held."""
        start, self._length = self._length, self._length + keys.shape[2]
        if self._pair is None:
            # Every step to come reads them: in one piece they are read without being copied.
            self._pair = keys.contiguous(), values.contiguous()
        elif keys.requires_grad:
            old = _front(self._pair[0], start), _front(self._pair[1], start)
            self._pair = torch.cat([old[0], keys], dim=2), torch.cat([old[1], values], dim=2)
            self._own = False
        else:
            memory = self._room(self._pair, start)
            memory[0][:, :, start : self._length] = keys
            memory[1][:, :, start : self._length] = values
        return self.held()

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        if self._pair is not None:
            keys, values = self.held()
            self._pair = keys.index_select(0, rows), values.index_select(0, rows)
            self._own = False

    def move(self, rows: Sequence[tuple[int, int]]) -> None:
        """Copy rows over others, from the first of each pair to the second; no row is read and written."""
        if self._pair is not None:
            for memory in self._room(self._pair, self._length):
                move(_front(memory, self._length), rows)

    def fork(self) -> Growing:
        """A second memory of the same; what is held is shared until one of them grows."""
        self._own = False
        return copy(self)

    def _room(self, pair: tuple[Tensor, Tensor], held: int) -> tuple[Tensor, Tensor]:
        """Tensors of our own, in place of those there are where that is needed, with room for what is new."""
        free = pair[0].shape[2] >= self._length
        # A tensor of inference mode may be written to in that mode alone.
        writable = torch.is_inference_mode_enabled() or not pair[0].is_inference()
        if not (self._own and free and writable):
            room = self._length + max(ROOM, self._length // 4)
            pair = _copied(pair[0], held, room), _copied(pair[1], held, room)
            self._pair, self._own = pair, True
        return pair


def move(held: Tensor, rows: Sequence[tuple[int, int]]) -> None:
    """Copy rows over others in place (``Slot.move``)."""
    for source, target in rows:
        held[target] = held[source]


def _front(memory: Tensor, length: int) -> Tensor:
    return memory if memory.shape[2] == length else memory[:, :, :length]


def _copied(memory: Tensor, held: int, room: int) -> Tensor:
    """What is held, with room for more behind it."""
    made = memory.new_empty((*memory.shape[:2], room, memory.shape[3]))
    made[:, :, :held] = memory[:, :, :held]
    return made


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

    def move(self, rows: Sequence[tuple[int, int]]) -> None:
        """Copy rows over others, from the first of each pair to the second; no row is read and written."""
        for held in () if self._pair is None else self.held():
            move(held, rows)

    def fork(self) -> Fixed:
        """A second memory of the same, with tensors of its own."""
        twin = copy(self)
        twin._pair = None if self._pair is None else (self._pair[0].clone(), self._pair[1].clone())
        return twin
