"""Texts with blanks, or images, in; what the model sees in them out, ready to be printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import Any

from glassformer.api.completing import lines_of
from glassformer.api.filler import Filler
from glassformer.api.viewer import Viewer
from glassformer.decode.fill import Blank


@dataclass(frozen=True, slots=True)
class Filled:
    """A text and its blanks."""

    text: str
    blanks: tuple[Blank, ...]

    def as_json(self) -> dict[str, Any]:
        """``text`` and ``blanks``, of which each has ``start``, ``end`` and ``candidates``."""
        return {"text": self.text, "blanks": [_record(blank) for blank in self.blanks]}

    def lines(self) -> Iterator[str]:
        """The text, then each blank with its candidates, the likeliest first."""
        yield self.text
        for number, blank in enumerate(self.blanks, start=1):
            if len(self.blanks) > 1:
                yield f"  blank {number}"
            for one in blank.candidates:
                yield f"  {one.probability:.4f}  {one.text}"


@dataclass(frozen=True, slots=True)
class Labelled:
    """An image and its likeliest labels."""

    image: str
    labels: tuple[tuple[str, float], ...]

    def as_json(self) -> dict[str, Any]:
        """``image`` and ``labels``, of which each has ``label`` and ``probability``."""
        found = [{"label": label, "probability": share} for label, share in self.labels]
        return {"image": self.image, "labels": found}

    def lines(self) -> Iterator[str]:
        """The image, then its labels, the likeliest first."""
        yield self.image
        for label, share in self.labels:
            yield f"  {share:.4f}  {label}"


def predictions(
    model: Filler | Viewer, source: str | Sequence[str] = "-", top_k: int = 5
) -> Iterator[Filled | Labelled]:
    """What is predicted for each line of a file (``-``: stdin), or each of a list: texts, or paths of images.

    In order and in constant memory; a blank line of text has no blanks. Raises what the models' own
    ``predictions`` raise.
    """
    lines, again = tee(lines_of(source))
    if isinstance(model, Viewer):
        paths, again = tee(line for line in again if line.strip())
        for path, labels in zip(paths, model.predictions(again, top_k), strict=True):
            yield Labelled(path, tuple(labels))
        return
    for text, blanks in zip(lines, model.predictions(again, top_k), strict=True):
        yield Filled(text, tuple(blanks))


def _record(blank: Blank) -> dict[str, Any]:
    candidates = [
        {"text": one.text, "token": one.token, "probability": one.probability} for one in blank.candidates
    ]
    return {"start": blank.start, "end": blank.end, "candidates": candidates}
