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
from glassformer.nn.headed import Headed, bare, head_of, width_of
from glassformer.objectives.objective import Objective
from glassformer.text.tokenizer import TokenizerPair


def learned(settings: Any) -> Any:
    """The class of the objective with these settings."""
    return plugins.find("objectives", settings.name).Objective


def brings_head(recipe: Recipe) -> bool:
    """Whether the objective brings a head, so that any body with a hidden state for each token will do."""
    return hasattr(learned(recipe.objective), "head")


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
    return found or {"labels": ("0", "1"), "unit": "word"}


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
    head = learned(recipe.objective).head(
        recipe.objective,
        facts=facts,
        ability=asked.abilities[0],
        width=width_of(body),
        max_length=min(data.max_length, asked.config.max_length),
    )
    torch.manual_seed(recipe.train.seed + 1)  # else it would be drawn as the body's first weights were
    model = Headed(body, head)
    if started is not None:
        _keep(model, started)
    return model


def _keep(model: Headed, started: hub.Loaded) -> None:
    """Take over the weights of a head with the same outputs."""
    before: Any = started.model
    if (head := head_of(before)) is None:
        return
    if (head.ability, head.labels, head.outputs) == (
        model.head.ability,
        model.head.labels,
        model.head.outputs,
    ):
        model.classifier.load_state_dict(before.classifier.state_dict())
    else:
        report.say(f"the labels are not those of {started.folder}, so the head begins anew")


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
    """What the encoding of data depends on, in plain values: the vocabulary, the objective, the labels."""
    shaping: tuple[str, ...] | None = getattr(learned(settings), "shaping", None)
    about = {
        "tokenizers": None if tokenizers is None else tokenizers.fingerprint,
        "objective": settings.model_dump(include=None if shaping is None else {"name", *shaping}),
    }
    head = head_of(model)
    return about if head is None else about | {"labels": head.labels, "max_length": head.max_length}
