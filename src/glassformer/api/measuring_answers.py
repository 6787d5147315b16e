"""How models that find answers are measured: as others are, once it is settled when they give none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from glassformer.api import measuring_losses
from glassformer.api.heading import objective_for
from glassformer.api.losses import figures
from glassformer.api.measured import Measured
from glassformer.api.measuring_losses import decoding, judging, unmeasured, watching
from glassformer.api.preparing import Parts
from glassformer.base import report
from glassformer.hub import folder as hub
from glassformer.hub import heads

__all__ = ["decoding", "judging", "measure", "unmeasured", "watching"]


def measure(parts: Parts, folder: Path) -> Measured | None:
    """Chooses the threshold on the validation set and keeps it in the folder, then measures with it.

    The threshold is that of the highest F1 there (Rajpurkar et al. 2018); a model that always answers has
    none, and without a validation set it stays 0.
    """
    opened: Any = hub.load(folder).model
    if opened.head.spans.threshold is not None and parts.valid is not None:
        _settle(parts, opened, folder)
        settled = hub.load(folder).model
        parts = replace(parts, objective=objective_for(parts.recipe.objective, settled, parts.tokenizers))
    return measuring_losses.measure(parts, folder)


def _settle(parts: Parts, model: Any, folder: Path) -> None:
    data: Any = parts.recipe.data
    stream = parts.valid if data.sources("test") else parts.test
    if stream is None:
        return
    placed = model.to(next(parts.model.parameters()).device)
    judge: Any = figures(placed, parts.objective, data, "valid", stream)[1]
    score, threshold = judge.marks.best()
    report.say(
        f"no answer is given where that scores more than {threshold:.4f} above the best: F1 {score:.2f} here"
    )
    for place in (folder, folder / "best"):
        if (place / hub.CONFIG).is_file():
            heads.settle(place, {"threshold": threshold})
