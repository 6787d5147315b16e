"""The two names of a weight: what a module calls it and what a file calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Form:
    """How a weight's shape differs between memory and file: two functions that undo each other."""

    to_file: Callable[[Tensor], Tensor]
    to_memory: Callable[[Tensor], Tensor]


SAME = Form(lambda tensor: tensor, lambda tensor: tensor)


class Names:
    """A table of renamings between parts in memory and parts in a file; ``*`` stands for a layer's number.

    ``forms`` lists the few weights, by their pattern in memory, whose shape differs too.

    The longest pattern that matches the beginning of a name decides, and the rest of the name is kept.

    >>> names = Names([("encoder.*.mlp.up", "model.encoder.layers.*.fc1")])
    >>> names.to_file("encoder.3.mlp.up.weight")
    'model.encoder.layers.3.fc1.weight'
    >>> names.to_memory("model.encoder.layers.3.fc1.bias")
    'encoder.3.mlp.up.bias'
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], forms: Mapping[str, Form] | None = None) -> None:
        self._forms = [(pattern.split("."), form) for pattern, form in (forms or {}).items()]
        table = [(memory.split("."), file.split(".")) for memory, file in pairs]
        self._out = sorted(table, key=lambda pair: -len(pair[0]))
        self._in = sorted(((file, memory) for memory, file in table), key=lambda pair: -len(pair[0]))

    def to_file(self, name: str) -> str | None:
        """The file's name of a weight in memory, None when the file has no place for it."""
        return _rename(name, self._out)

    def to_memory(self, name: str) -> str | None:
        """The memory's name of a weight in a file, None when the model has no place for it."""
        return _rename(name, self._in)

    def form(self, name: str) -> Form:
        """How the weight with this name in memory is shaped in a file."""
        parts = name.split(".")
        return next((form for pattern, form in self._forms if _match(parts, pattern) is not None), SAME)


def _rename(name: str, table: list[tuple[list[str], list[str]]]) -> str | None:
    parts = name.split(".")
    for pattern, replacement in table:
        numbers = _match(parts, pattern)
        if numbers is not None:
            following = iter(numbers)
            renamed = [next(following) if part == "*" else part for part in replacement]
            return ".".join(renamed + parts[len(pattern) :])
    return None


def _match(parts: list[str], pattern: list[str]) -> list[str] | None:
    if len(parts) < len(pattern):
        return None
    numbers = []
    for part, wanted in zip(parts, pattern, strict=False):
        if wanted == "*" and part.isdigit():
            numbers.append(part)
        elif wanted != part:
            return None
    return numbers
