"""The head of a GGUF file: its keys and values, and where each tensor lies; no tensor is unpacked here."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAGIC = b"GGUF"
VERSIONS = (2, 3)
_ALIGNMENT = "general.alignment"

# The kinds of values, by number, and how each is packed.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies: its ``shape``, rows first, the number of how it is packed, and its place."""

    shape: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True)
class Header:
    """What stands before the tensors: ``metadata`` by key, and each tensor by its name."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def read_header(data: np.ndarray) -> Header:
    """The head of a file that is mapped as bytes.

    The package ``gguf`` reads it too, an array for each value, which would be most of the time that opening a
    small model takes (docs/using/checkpoints.md).

    Raises ValueError for what is cut short, of an unknown version, or no GGUF file.
    """
    cursor = _Cursor(data)
    if bytes(cursor.take(len(MAGIC))) != MAGIC:
        raise ValueError("it does not begin as a GGUF file does")
    version = cursor.number("I")
    if version not in VERSIONS:
        raise ValueError(f"its version is {version}; {VERSIONS[0]} and {VERSIONS[1]} are read here")
    tensors, values = cursor.number("Q"), cursor.number("Q")
    metadata = dict(cursor.pair() for _ in range(values))
    described = dict(cursor.tensor() for _ in range(tensors))
    begin = _aligned(cursor.at, metadata.get(_ALIGNMENT, 32))
    return Header(
        metadata,
        {name: Tensor(shape, kind, begin + offset) for name, (shape, kind, offset) in described.items()},
    )


def _aligned(at: int, step: Any) -> int:
    if not isinstance(step, int) or step < 1:
        raise ValueError(f"{_ALIGNMENT} is {step!r}")
    return -(-at // step) * step


class _Cursor:
    """A place in bytes that moves on as values are read."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.at = memoryview(data.data), 0

    def take(self, size: int) -> memoryview:
        end = self.at + size
        if end > len(self.data):
            raise ValueError("it ends too early")
        self.at, begin = end, self.at
        return self.data[begin:end]

    def number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0]

    def text(self) -> str:
        return str(self.take(self.number("Q")), "utf-8")

    def pair(self) -> tuple[str, Any]:
        return self.text(), self.value(self.number("I"))

    def value(self, kind: int) -> Any:
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind == _TEXT:
            return self.text()
        if kind == _LIST:
            return self.several(self.number("I"), self.number("Q"))
        raise ValueError(f"it holds a value of the unknown kind {kind}")

    def several(self, kind: int, count: int) -> list[Any]:
        if kind in _NUMBERS:
            form = np.dtype(f"<{_NUMBERS[kind]}")
            values: list[Any] = np.frombuffer(self.take(count * form.itemsize), form).tolist()
            return values
        # Each takes eight bytes at least, so that a broken count is not believed.
        if kind == _LIST or count * 8 > len(self.data) - self.at:
            raise ValueError("it ends too early, or holds lists of lists")
        return [self.value(kind) for _ in range(count)]

    def tensor(self) -> tuple[str, tuple[tuple[int, ...], int, int]]:
        name, axes = self.text(), self.number("I")
        shape = tuple(self.number("Q") for _ in range(min(axes, 8)))[::-1]
        if axes > 8 or math.prod(shape) > 2**62:
            raise ValueError(f"the shape of {name} cannot be")
        return name, (shape, self.number("I"), self.number("Q"))
