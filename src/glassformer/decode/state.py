"""What decoding knows of a model: a state that takes tokens and gives scores, and rows that can be picked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int
from torch import Tensor


@runtime_checkable
class State(Protocol):
    """A batch of sequences being written, one row each; it keeps its own cache and position."""

    def step(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append one token to every row and give the scores (before softmax, float32) of what may follow."""
        ...

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order; a row may appear several times (beams) or not at all (finished)."""
        ...


@runtime_checkable
class Translates(Protocol):
    """The ability to begin a translation of a batch of padded sources."""

    def start(self, source: Int[Tensor, "rows source"], keep: Bool[Tensor, "rows source"]) -> State:
        """Read the sources (``keep`` is False on padding) and stand ready for the first target token."""
        ...


@runtime_checkable
class Generates(Protocol):
    """The ability to go on with a batch of prompts."""

    def start(
        self,
        tokens: Int[Tensor, "rows prompt"],
        keep: Bool[Tensor, "rows prompt"] | None,
        *,
        fixed: int | None = None,
    ) -> State:
        """Read the prompts, padded on the left (``keep`` is False there), and stand ready for the next token.

        There may be nothing to read. ``fixed`` is how many tokens a memory of fixed size can hold; without it
        the memory grows.
        """
        ...


@runtime_checkable
class Forks(State, Protocol):
    """A state that reads several tokens at once and can go on in several ways from one place."""

    def take(
        self, tokens: Int[Tensor, "rows width"], keep: Bool[Tensor, "rows width"] | None = None
    ) -> Float[Tensor, "rows width dim"]:
        """Append tokens, but for the padding where ``keep`` is False, and give their hidden states."""
        ...

    def fork(self) -> Forks:
        """A second batch of the same texts, which goes on by itself."""
        ...


@runtime_checkable
class Rests(Protocol):
    """A torch module, in so far as its dropout can be switched off."""

    training: bool

    def train(self, mode: bool = True) -> object:
        """Switch dropout on or off."""
        ...


@contextmanager
def resting(model: Rests) -> Iterator[None]:
    """Without dropout inside, as it was afterwards."""
    before = model.training
    model.train(False)
    try:
        yield
    finally:
        model.train(before)


@runtime_checkable
class Ids(Protocol):
    """The special ids of a model's configuration."""

    @property
    def pad_id(self) -> int:
        """Fills up short rows."""
        ...

    @property
    def start_id(self) -> int:
        """Is read before the first target token."""
        ...

    @property
    def eos_id(self) -> int:
        """Ends every source and target."""
        ...


@runtime_checkable
class Numbers(Ids, Protocol):
    """What is needed of a model's configuration: its special ids and how long a text may be."""

    @property
    def max_length(self) -> int:
        """The most tokens a text (end token included) may have."""
        ...
