"""The two names of a weight: what a module calls it and what a file calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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

    The longest pattern that matches the beginning of a name decides, and the rest of the name is kept. Of
    several names in files for one part, the first is written and all are read.

    ``forms`` lists the weights, by their pattern in memory, whose shape differs too. ``fused`` lists tensors
    of a file that hold several weights one after another (along their first axis, before the form of the
    first is applied): the parts in memory, the part in the file. ``ignored`` lists what files may hold that
    carries nothing.

    >>> names = Names([("encoder.*.mlp.up", "model.encoder.layers.*.fc1")])
    >>> names.to_file("encoder.3.mlp.up.weight")
    'model.encoder.layers.3.fc1.weight'
    >>> names.to_memory("model.encoder.layers.3.fc1.bias")
    ('encoder.3.mlp.up.bias',)
    """

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]],
        forms: Mapping[str, Form] | None = None,
        *,
        fused: Iterable[tuple[Sequence[str], str]] = (),
        ignored: Iterable[str] = (),
    ) -> None:
        self._forms = [(pattern.split("."), form) for pattern, form in (forms or {}).items()]
        self._ignored = [pattern.split(".") for pattern in ignored]
        joined = [([part.split(".") for part in parts], file.split(".")) for parts, file in fused]
        table = [([memory.split(".")], file.split(".")) for memory, file in pairs] + joined
        self._out = _longest_first((memory, [file]) for parts, file in table for memory in parts)
        self._in = _longest_first((file, parts) for parts, file in table)

    def to_file(self, name: str) -> str | None:
        """The file's name of a weight in memory, None when the file has no place for it."""
        found = _rename(name, self._out)
        return found[0] if found else None

    def to_memory(self, name: str) -> tuple[str, ...] | None:
        """The names in memory of the weights that a tensor of a file holds, one after another.

        Usually one; several where they are fused; none where it is ignored; None when the model has no place.
        """
        if any(_match(name.split("."), pattern) is not None for pattern in self._ignored):
            return ()
        return _rename(name, self._in)

    def form(self, name: str) -> Form:
        """How the weight with this name in memory is shaped in a file."""
        parts = name.split(".")
        return next((form for pattern, form in self._forms if _match(parts, pattern) is not None), SAME)


Table = list[tuple[list[str], list[list[str]]]]


def _longest_first(pairs: Iterable[tuple[list[str], list[list[str]]]]) -> Table:
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def _rename(name: str, table: Table) -> tuple[str, ...] | None:
    parts = name.split(".")
    for pattern, replacements in table:
        numbers = _match(parts, pattern)
        if numbers is not None:
            rest = parts[len(pattern) :]
            return tuple(".".join(_numbered(replacement, numbers) + rest) for replacement in replacements)
    return None


def _numbered(pattern: list[str], numbers: list[str]) -> list[str]:
    following = iter(numbers)
    return [next(following) if part == "*" else part for part in pattern]


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
