"""From a recipe, a folder or settings to a model without weights and the training it is meant for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch

from glassformer.api.memory import Batch
from glassformer.api.preparing import new_model, planned_model, sized
from glassformer.api.recipe import Recipe, read_recipe
from glassformer.base import config, plugins
from glassformer.base.config import Choice, Settings
from glassformer.base.errors import UserError
from glassformer.hub import folder as hub
from glassformer.hub import gguf, remote
from glassformer.train.optim import OptimConfig
from glassformer.train.settings import TrainConfig

LONGEST = 1024  # tokens of the one row that a model is measured with whose data is not known


class Training(Settings):
    """How a model would be trained where no recipe says it."""

    optim: OptimConfig = OptimConfig()
    train: TrainConfig = TrainConfig(steps=1)


class Bare(Training):
    """What settings alone can say: a model, and how it would be trained."""

    model: Annotated[Settings, Choice("models")]


@dataclass(frozen=True)
class Outline:
    """A model whose weights are shapes, its training, and in sentences what had to be assumed."""

    model: Any
    optim: OptimConfig
    train: TrainConfig
    batch: Batch
    assumed: tuple[str, ...] = ()


def outline(what: str | Path, settings: Sequence[str] = ()) -> Outline:
    """The outline of a recipe, a folder, a GGUF file, or a model that settings describe (``model=gpt``).

    ``settings`` are laid over the recipe, which may be the folder's. Raises UserError.
    """
    asked = str(what)
    there = os.path.isdir(asked) or gguf.is_file(Path(asked))  # noqa: PTH112 - never raises, whatever the name
    if there or remote.is_remote(asked):
        return _of_folder(hub.load(asked, device="meta"), settings)
    if "=" in asked and not os.path.exists(asked):  # noqa: PTH110 - the same
        return _of_settings([asked, *settings])
    return _of_recipe(read_recipe(asked, settings))


def _of_folder(loaded: hub.Loaded, settings: Sequence[str]) -> Outline:
    model: Any = loaded.model
    if loaded.recipe is None:
        given = config.load(Training, None, settings, {})
        return Outline(model, given.optim, given.train, _one_row(model.config))
    recipe = read_recipe(loaded.folder / hub.RECIPE, settings)
    return Outline(model, recipe.optim, recipe.train, _batch(recipe))


def _of_settings(settings: Sequence[str]) -> Outline:
    given: Any = config.load(Bare, None, [*settings, *_one_vocabulary(settings)], {})
    if getattr(given.model, "vocab_size", 1) == 0:
        raise UserError(
            "model.vocab_size is not known without a tokenizer; set it, as in model.vocab_size=32000"
        )
    with torch.device("meta"):
        model = plugins.find("models", given.model.name).Model(given.model)
    return Outline(model, given.optim, given.train, _one_row(given.model))


def _one_vocabulary(settings: Sequence[str]) -> list[str]:
    """The setting that both languages have one vocabulary, where a model has two and one size was given."""
    said = dict(one.partition("=")[::2] for one in settings)
    name = said.get("model.name", said.get("model", ""))
    size = said.get("model.vocab_size")
    two = (
        name in plugins.names("models")
        and "target_vocab_size" in plugins.find("models", name).Config.model_fields
    )
    return (
        [f"model.target_vocab_size={size}"] if two and size and "model.target_vocab_size" not in said else []
    )


def _of_recipe(recipe: Recipe) -> Outline:
    if recipe.init is not None:
        model = planned_model(recipe, device="meta")
        return Outline(model, recipe.optim, recipe.train, _batch(recipe))
    data: Any = recipe.data
    assumed = []
    try:
        facts = plugins.find("data", data.name).facts(data)
        recipe = recipe.model_copy(update={"model": sized(recipe.model, facts)})
    except UserError as error:
        assumed.append(
            f"sizes that only the data knows are the smallest there are, as it cannot be read: {error}"
        )
    size = recipe.tokenizer.vocab_size
    if hasattr(recipe.model, "vocab_size"):
        assumed.append(f"the vocabulary is as large as the recipe asks for, tokenizer.vocab_size: {size:,}")
    return Outline(new_model(recipe, size), recipe.optim, recipe.train, _batch(recipe), tuple(assumed))


def _batch(recipe: Recipe) -> Batch:
    """The largest batch that the recipe's data can give, all processes together."""
    data: Any = recipe.data
    length = getattr(data, "max_length", 1)
    return Batch(max(1, data.tokens_per_batch // length), length)


def _one_row(settings: Any) -> Batch:
    return Batch(1, min(LONGEST, getattr(settings, "max_length", LONGEST)))
