"""Heads on bodies: which objective asks for one, what it is made from, and the objective that knows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glassformer.api.recipe import Recipe
from glassformer.base import plugins, report
from glassformer.data.columns import shared_out
from glassformer.hub import folder as hub
from glassformer.hub import heads
from glassformer.nn.headed import LAYERS, Headed, bare, body_of, head_of, width_of
from glassformer.objectives.objective import Objective
from glassformer.text.chat import template_of
from glassformer.text.tokenizer import TokenizerPair


def learned(settings: Any) -> Any:
    """The class of the objective with these settings."""
    return plugins.find("objectives", settings.name).Objective


def brings_head(recipe: Recipe) -> bool:
    """Whether the objective brings a head, so that any body with a hidden state for each token will do."""
    return hasattr(learned(recipe.objective), "head")


def tells_numbers(settings: Any) -> bool:
    """Whether the answers of the objective with these settings are numbers, and no labels."""
    objective = learned(settings)
    if hasattr(objective, "tells"):
        return bool(objective.tells(settings) == "number")
    return getattr(objective, "judge", None) == "numbers"


def bodily(recipe: Recipe, config: Any) -> Any:
    """The configuration of the body: without the head it has for itself where the objective brings one."""
    return bare(config) if brings_head(recipe) else config


def facts_before_data(recipe: Recipe) -> Mapping[str, Any]:
    """What the data says of a head where one is asked for; two labels where there is no data to be asked."""
    if not brings_head(recipe):
        return {}
    data: Any = recipe.data
    there = all(Path(shared_out(source.path)[0]).exists() for source in data.sources("train"))
    found: dict[str, Any] = plugins.find("data", data.name).facts(data) if there else {}
    return found or {"labels": ("0", "1"), "counts": (1, 1), "called": "label", "texts": 2, "unit": "word"}


def with_head(
    recipe: Recipe, body: nn.Module, facts: Mapping[str, Any], started: hub.Loaded | None = None
) -> nn.Module:
    """The body under the head that the objective asks for, or the body itself where it asks for none.

    Where the folder to go on from has a head for the same labels, its weights are kept.
    """
    if not brings_head(recipe):
        return body
    asked: Any = body
    data: Any = recipe.data
    objective = learned(recipe.objective)
    head = objective.head(
        recipe.objective,
        facts=facts,
        ability=next(one for one in asked.abilities if one in objective.needs),
        width=width_of(body),
        max_length=min(data.max_length, asked.config.max_length),
    )
    torch.manual_seed(recipe.train.seed + 1)  # else it would be drawn as the body's first weights were
    # Taken now: what the head takes off the body may be what the head goes on from.
    parts = {} if started is None else dict(body_of(started.model).named_children())
    model = heads.put_on(body, head)
    if started is not None:
        _keep(model, started, parts)
    return model


def _keep(model: Headed, started: hub.Loaded, parts: Mapping[str, nn.Module]) -> None:
    """Take over the weights of a head with the same outputs, and a layer that the body was trained with."""
    before: Any = started.model
    if model.native is not None and model.native.inherits is not None:
        old = parts.get(model.native.inherits, getattr(before, "dense", None))
        if old is None:
            report.say(f"{started.folder} has no {model.native.inherits}, so that of the head begins anew")
        else:
            model.dense.load_state_dict(old.state_dict())
    if (head := head_of(before)) is None:
        return
    if all(getattr(head, field) == getattr(model.head, field) for field in ALIKE):
        for layer in (name for name in LAYERS if hasattr(model, name)):
            getattr(model, layer).load_state_dict(getattr(before, layer).state_dict())
    else:
        report.say(f"the labels are not those of {started.folder}, so the head begins anew")


ALIKE = ("ability", "labels", "outputs", "form", "tells")
"""What two heads have in common if one goes on from the other."""


def shared_state(one: nn.Module, other: nn.Module) -> dict[str, Tensor]:
    """The state of one body as far as another has places for it: under a head some are taken off."""
    places = other.state_dict()
    return {name: weight for name, weight in one.state_dict().items() if name in places}


def objective_for(
    settings: Any, model: nn.Module, tokenizers: TokenizerPair | None, **options: Any
) -> Objective:
    """The objective with these settings for a model; it is told the model's head where there is one."""
    if (head := head_of(model)) is not None:
        options["head"] = head
    objective: Objective = learned(settings)(settings, numbers=model.config, tokenizers=tokenizers, **options)
    return objective


def encoding(settings: Any, model: nn.Module, tokenizers: TokenizerPair | None) -> dict[str, Any]:
    """What the encoding of data depends on, in plain values: vocabulary, objective, labels, template."""
    shaping: tuple[str, ...] | None = getattr(learned(settings), "shaping", None)
    about = {
        "tokenizers": None if tokenizers is None else tokenizers.fingerprint,
        "objective": settings.model_dump(include=None if shaping is None else {"name", *shaping}),
    }
    if tokenizers is not None and hasattr(learned(settings), "tokenizers_for"):
        about["template"] = template_of(tokenizers.source).text
    head = head_of(model)
    return about if head is None else about | {"labels": head.labels, "max_length": head.max_length}
