"""Texts or images in; what the model tells of them out, ready to be printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from glassformer.api.lines import lines_of


@runtime_checkable
class Answer(Protocol):
    """What is told of a text or an image."""

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        ...

    def lines(self) -> Iterator[str]:
        """The same for people."""
        ...


@runtime_checkable
class Predicts(Protocol):
    """An opened model that answers lines."""

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Answer]:
        """What is predicted for each line."""
        ...


@runtime_checkable
class Reads(Protocol):
    """An opened model that reads more than lines: what it is asked, it finds in a file itself."""

    def answers_to(self, source: str | Sequence[str], top_k: int) -> Iterator[Answer]:
        """What is predicted for each part of a file (``-``: stdin), or each text of a list."""
        ...


def predictions(model: Predicts, source: str | Sequence[str] = "-", top_k: int = 5) -> Iterator[Answer]:
    """What is predicted for each line of a file (``-``: stdin), or each of a list: texts, or paths of images.

    In order and in constant memory, but for a ``Contextualizer``, which compares all texts and so reads them
    first; a blank line of text has no blanks and no labels. Raises what the models' own methods raise.
    """
    if isinstance(model, Reads):
        return model.answers_to(source, top_k)
    return model.answers(lines_of(source), top_k)
