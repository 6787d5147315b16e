"""What a finished run came to, and on which set: its figures, and the same as scores for the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassformer.data.generated import is_generated
from glassformer.data.sources import Source, Split, files_of
from glassformer.hub import card as cards


@dataclass(frozen=True)
class Measured:
    """Figures of the best model on the test set, or on the validation set where there is no test set."""

    split: Split
    figures: Mapping[str, Any]
    scores: tuple[cards.Score, ...]


@dataclass(frozen=True)
class Tested:
    """The set that a finished run is measured on, what its files are called, and the ``command`` to do so."""

    split: Split
    names: str
    command: str

    def score(self, name: str, value: float, signature: str = "") -> cards.Score:
        """A figure of this set for the model card."""
        return cards.Score(name, value, self.names, signature, self.command)


def tested(data: Any, folder: Path) -> Tested:
    """The test set of a recipe's data, or its validation set where there is no test set."""
    split: Split = "test" if data.sources("test") else "valid"
    sources = data.sources(split)
    return Tested(split, ", ".join(named(source.path) for source in sources), command(folder, sources))


def named(path: str) -> str:
    """A path as others know it, without the folders of this machine."""
    return path if is_generated(path) else "+".join(Path(part).name for part in files_of(path))


def command(folder: Path, sources: Sequence[Source]) -> str:
    """What to type to get the scores again."""
    return " ".join(
        [f"glassformer evaluate {folder.name}", *(f"--data {named(one.path)}" for one in sources)]
    )
