"""How well a model foretells a set: loss and accuracy per answer, perplexity, bits per byte."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from glassformer.api.heading import learned, objective_for
from glassformer.api.judging import has_judge, judge_for
from glassformer.api.measured import named
from glassformer.api.opened import Opened
from glassformer.api.recipe import read_recipe
from glassformer.api.streaming import stores_of, stream_of
from glassformer.base import plugins, report
from glassformer.base.errors import RunError, UserError
from glassformer.data.example import Batch
from glassformer.data.sources import Split
from glassformer.data.stream import Stream
from glassformer.evaluate.judge import Judge
from glassformer.evaluate.judgement import Judgement, judgement
from glassformer.hub import folder as hub
from glassformer.nn.headed import head_of
from glassformer.objectives.objective import Objective, Told
from glassformer.train import parallel
from glassformer.train.validate import mean_loss

SHOWN = {
    "accuracy": "accuracy",
    "perplexity": "perplexity per token",
    "bits_per_byte": "bits per byte",
    "nll": "loss (nats per answer)",
}
"""The figures that people are told beside those of a judge, and what they are called."""

EVALUATION = "evaluation"
LONGEST = 80
"""The folder that reports are kept in, and letters of a name in it."""

TOKENS = 4096  # in a batch, when nothing has to be remembered for gradients


@dataclass(frozen=True)
class Losses:
    """Figures of one set by name, and the seconds they took; where answers are judged, the judgement too."""

    figures: Mapping[str, float]
    seconds: float
    judgement: Judgement | None = None

    def as_json(self) -> dict[str, Any]:
        """The figures for machines, and what the judgement has beside them."""
        beside = {} if self.judgement is None else self.judgement.as_json()
        return {**self.figures, "seconds": round(self.seconds, 2), **beside}

    def __str__(self) -> str:
        """A line for each figure, after all that the judgement says."""
        judged = self.judgement
        names = SHOWN.keys() & self.figures.keys() - (judged.figures.keys() if judged else set())
        told = [f"{shown}: {self.figures[key]:.4f}" for key, shown in SHOWN.items() if key in names]
        last = "\n".join([*told, f"{self.seconds:.1f} seconds"])
        return last if judged is None else "\n\n".join([*judged.paragraphs(), last])


def figures(
    model: nn.Module, objective: Objective, data: Any, split: Split, stream: Stream
) -> tuple[dict[str, float], Judge | None]:
    """The means over every answer of a split, of text also perplexity and bits per byte, and the judge.

    The model looks at the data once. The judge's own figures are among them. Bits per byte are given where
    every token but the first is foretold once, from what stands before it.
    """
    device = next(model.parameters()).device
    abilities: Any = model.abilities
    told: dict[int, Told] | None = {} if has_judge(objective) else None
    found = mean_loss(model, objective, _shown(stream, "measuring"), parallel.Group(), device, told=told)
    judge = None if told is None else judge_for(objective, data, split, told)
    if judge is not None:
        found |= judge.figures()
    if objective.reads == "text" and objective.answers is not None:
        found["perplexity"] = math.exp(min(found["nll"], 700.0))
    if objective.reads == "text" and "generates" in abilities:
        kind, stores = plugins.find("data", data.name), list[Any](stream.stores)
        size = sum(len(text.encode()) for texts in kind.texts(data, split) for text in texts)
        if size:  # a prepared store has no text any more
            tokens = sum(store.tokens("tokens") for store in stores)
            found["bits_per_byte"] = found["nll"] * tokens / math.log(2) / size
    return found, judge


def _shown(stream: Stream, what: str) -> Iterator[Batch]:
    """Every batch once, with a bar that counts examples."""
    with report.progress(sum(map(len, stream.stores)), what, brief=True) as bar:
        yield from stream.once(bar.advance)


def losses(opened: Opened, paths: Sequence[str]) -> Losses:
    """The figures of an opened model on the data at ``paths``, by the objective and settings of its recipe.

    A folder without a recipe is measured by what its model is for. Raises UserError for unusable data and for
    images of other classes than the model's.
    """
    began = time.monotonic()
    model = opened.model
    config: Any = model.config
    tokenizers = opened.tokenizers if hasattr(config, "vocab_size") else None
    settings, data = _asked(opened, paths)
    kind = plugins.find("data", data.name)
    objective: Any = objective_for(settings, model, tokenizers)
    if hasattr(objective, "count"):
        objective.count(model)
    # A head says itself where a label is not among its own; not every label need be in a test set.
    known = None if head_of(model) is not None else kind.facts(data).get("labels")
    if known is not None and tuple(known) != tuple(config.labels):
        shown = " ".join(known), " ".join(config.labels)
        raise UserError(f"{', '.join(paths)}: the classes are {shown[0]}, but the model knows {shown[1]}")
    stores = stores_of(data, "valid", settings, objective, model=model, tokenizers=tokenizers)
    stream = stream_of(data, objective, stores)
    with torch.inference_mode():
        found, judge = figures(model, objective, data, "valid", stream)
    judged = None if judge is None else judgement(judge)
    seconds = time.monotonic() - began
    if judged is not None:
        _keep(judged, opened, paths)
    return Losses(found, seconds, judged)


def _keep(judged: Judgement, opened: Opened, paths: Sequence[str]) -> None:
    """Write what was found into the model's folder, named after the data; one that refuses is no matter."""
    stems = (re.sub(r"[^\w-]+", "-", Path(path).name.split(".")[0]).strip("-") for path in paths)
    place = opened.folder / EVALUATION / ("+".join(filter(None, stems))[:LONGEST] or "data")
    try:
        judged.write(place, {"data": [named(path) for path in paths]})
    except (RunError, OSError) as error:
        report.warn(f"the report could not be kept: {error}")
    else:
        report.say(f"tables and mistakes are in {place}")


def _fits(settings: Any, model: Any) -> bool:
    """Whether a model can be measured by this objective: one for its head, or for what it is able to."""
    head = head_of(model)
    return head.objective == settings.name if head else bool({*learned(settings).needs} & {*model.abilities})


def _asked(opened: Opened, paths: Sequence[str]) -> tuple[Any, Any]:
    """The objective and the data: the recipe's with other paths, or those of the model's ability."""
    model: Any = opened.model
    path = opened.folder / hub.RECIPE
    sets: dict[str, Any] = {"train": list(paths), "valid": list(paths), "test": None}
    if path.is_file():
        recipe: Any = read_recipe(path)
        if _fits(recipe.objective, model):
            given = recipe.data.model_dump() | sets
            return recipe.objective, type(recipe.data).model_validate(given)
    objective = plugins.find("objectives", opened.objective)
    kind = plugins.find("data", objective.Objective.reads)
    if kind.__name__.endswith(".text"):
        block = getattr(model.config, "max_length", TOKENS)
        sets |= {"block": block, "batch_size": max(1, TOKENS // block)}
    return objective.Config(), kind.Config.model_validate(sets)
