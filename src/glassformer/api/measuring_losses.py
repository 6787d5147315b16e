"""How models that do not translate are measured: by the loss on the test set and what follows from it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from glassformer.api.judging import judging as judging_of
from glassformer.api.losses import SHOWN, figures
from glassformer.api.measured import Measured, tested
from glassformer.api.preparing import Parts
from glassformer.hub import folder as hub
from glassformer.train.validate import Judging


def watching(parts: Parts) -> None:  # noqa: ARG001 - the validation loss says it all
    """Nothing beside the validation loss."""
    return


def judging(parts: Parts) -> Judging | None:
    """The figures of what is told of the validation set; None where answers are not judged one by one."""
    return judging_of(parts.objective, parts.recipe.data, "valid")


def decoding(parts: Parts) -> dict[str, Any]:  # noqa: ARG001 - as any library decodes
    """Nothing."""
    return {}


def unmeasured() -> dict[str, None]:
    """None."""
    return {}


def measure(parts: Parts, folder: Path) -> Measured | None:
    """The mean of the loss and of its parts over every answer of the set; None where there is no set."""
    if parts.test is None:
        return None
    data: Any = parts.recipe.data
    place = tested(data, folder)
    model = hub.load(folder).model.to(next(parts.model.parameters()).device)
    found, judge = figures(model, parts.objective, data, place.split, parts.test)
    names = {**(judge.shown if judge is not None else {}), **SHOWN}
    real = {name: shown for name, shown in names.items() if math.isfinite(found.get(name, math.nan))}
    scores = tuple(place.score(shown, found[name]) for name, shown in real.items())
    return Measured(place.split, found, scores)
