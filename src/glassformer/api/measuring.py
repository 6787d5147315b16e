"""What a run is measured by: figures between two steps, and what its best model comes to at the end."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from glassformer.api import measuring_translations
from glassformer.api.measured import Measured, command, named
from glassformer.api.opened import KNOWN
from glassformer.api.preparing import Parts
from glassformer.base import plugins
from glassformer.data.sources import Split
from glassformer.hub import card as cards
from glassformer.hub import folder as hub
from glassformer.train import parallel
from glassformer.train.validate import Measure, mean_loss

TRANSLATES = "translates"

SHOWN = {
    "accuracy": "accuracy",
    "perplexity": "perplexity per token",
    "bits_per_byte": "bits per byte",
    "nll": "loss (nats per answer)",
}
"""The figures that a model card tells, and what they are called there."""


def watching(parts: Parts) -> Measure | None:
    """What is measured beside the validation loss while training, where there is anything."""
    translates = parts.objective.needs == TRANSLATES
    return measuring_translations.watching(parts) if translates else None


def decoding(parts: Parts) -> dict[str, Any]:
    """What the model folder says about decoding: how translations are decoded, nothing for other models."""
    if parts.objective.needs != TRANSLATES:
        return {}
    return parts.recipe.evaluation.decoding.model_dump(include=set(KNOWN))


def unmeasured(parts: Parts) -> dict[str, None]:
    """The figures that every run of this objective tells, before anything was measured."""
    return dict.fromkeys(("bleu", "chrf")) if parts.objective.needs == TRANSLATES else {}


def measure(parts: Parts, folder: Path) -> Measured | None:
    """The best model on the test set, or on the validation set; None where the recipe has neither."""
    if parts.objective.needs == TRANSLATES:
        return measuring_translations.measure(parts, folder)
    return _losses(parts, folder)


def _losses(parts: Parts, folder: Path) -> Measured | None:
    """The mean of the loss and of its parts over every answer of the set."""
    data: Any = parts.recipe.data
    split: Split = "test" if data.sources("test") else "valid"
    if parts.test is None:
        return None
    device = next(parts.model.parameters()).device
    model = hub.load(folder).model.to(device)
    found = mean_loss(model, parts.objective, parts.test.once(), parallel.Group(), device)
    figures = {**found, **_of_text(parts, split, found)}
    sources = data.sources(split)
    names = ", ".join(named(source.path) for source in sources)
    scores = tuple(
        cards.Score(shown, figures[name], names, "", command(folder, sources))
        for name, shown in SHOWN.items()
        if name in figures
    )
    return Measured(split, figures, scores)


def _of_text(parts: Parts, split: Split, found: dict[str, float]) -> dict[str, float]:
    """Perplexity, and bits per byte where every token of the text was foretold once."""
    if parts.tokenizers is None or "nll" not in found:
        return {}
    figures = {"perplexity": math.exp(min(found["nll"], 700.0))}
    if parts.objective.needs == "generates" and parts.test is not None:
        recipe = parts.recipe
        kind = plugins.find("data", recipe.data.name)  # type: ignore[attr-defined]
        size = sum(len(text.encode()) for texts in kind.texts(recipe.data, split) for text in texts)
        stores: list[Any] = list(parts.test.stores)
        tokens = sum(store.tokens("tokens") for store in stores)
        figures["bits_per_byte"] = found["nll"] * tokens / math.log(2) / size
    return figures
