"""What a run is measured by: figures between two steps, and what its best model comes to at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glassformer.api import measuring_translations
from glassformer.api.losses import SHOWN, figures
from glassformer.api.measured import Measured, command, named
from glassformer.api.opened import generation_of
from glassformer.api.preparing import Parts
from glassformer.data.sources import Split
from glassformer.hub import card as cards
from glassformer.hub import folder as hub
from glassformer.train.validate import Measure

TRANSLATES = "translates"


def watching(parts: Parts) -> Measure | None:
    """What is measured beside the validation loss while training, where there is anything."""
    translates = parts.ability == TRANSLATES
    return measuring_translations.watching(parts) if translates else None


def decoding(parts: Parts) -> dict[str, Any]:
    """What the model folder says about decoding: how translations are decoded, nothing for other models."""
    if parts.ability != TRANSLATES:
        return {}
    return generation_of(parts.recipe.evaluation.decoding, (TRANSLATES,))


def unmeasured(parts: Parts) -> dict[str, None]:
    """The figures that every run of this objective tells, before anything was measured."""
    return dict.fromkeys(("bleu", "chrf")) if parts.ability == TRANSLATES else {}


def measure(parts: Parts, folder: Path) -> Measured | None:
    """The best model on the test set, or on the validation set; None where the recipe has neither."""
    if parts.ability == TRANSLATES:
        return measuring_translations.measure(parts, folder)
    return _losses(parts, folder)


def _losses(parts: Parts, folder: Path) -> Measured | None:
    """The mean of the loss and of its parts over every answer of the set."""
    data: Any = parts.recipe.data
    split: Split = "test" if data.sources("test") else "valid"
    if parts.test is None:
        return None
    model = hub.load(folder).model.to(next(parts.model.parameters()).device)
    found = figures(model, parts.objective, data, split, parts.test)
    sources = data.sources(split)
    names, typed = ", ".join(named(source.path) for source in sources), command(folder, sources)
    scores = tuple(
        cards.Score(shown, found[name], names, "", typed) for name, shown in SHOWN.items() if name in found
    )
    return Measured(split, found, scores)
