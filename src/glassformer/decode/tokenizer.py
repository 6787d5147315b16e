"""What decoding needs of a tokenizer: each method once, from what only reads to what fills in blanks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Reads(Protocol):
    """Text becomes ids."""

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, without special tokens."""
        ...


@runtime_checkable
class Speaks(Protocol):
    """Ids become text."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, special tokens left out."""
        ...


@runtime_checkable
class Writes(Reads, Speaks, Protocol):
    """Both ways."""


@runtime_checkable
class Tokenizer(Writes, Protocol):
    """Both ways, and what stands before a text."""

    @property
    def opening(self) -> tuple[int, ...]:
        """The ids that its template puts before a text."""
        ...


@runtime_checkable
class Masks(Tokenizer, Protocol):
    """A tokenizer of texts with blanks."""

    @property
    def mask_id(self) -> int | None:
        """The id that hides a piece, where there is one."""
        ...

    @property
    def closing(self) -> tuple[int, ...]:
        """The ids that its template puts after a text."""
        ...

    def encode_running(self, pieces: Sequence[tuple[str, bool]]) -> list[list[int]]:
        """The ids of pieces of documents; with each whether it begins one, else it goes on with the last."""
        ...

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each id's piece, for a reader."""
        ...

    def specials_ids(self) -> frozenset[int]:
        """All ids that stand for no text of their own."""
        ...


@runtime_checkable
class Tokenizers(Protocol):
    """The tokenizers of both sides of a translation."""

    @property
    def source(self) -> Reads:
        """Reads the lines."""
        ...

    @property
    def target(self) -> Writes:
        """Writes the translations."""
        ...
