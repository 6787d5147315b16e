"""From a recipe to the parts of a run: tokenizers, model, objective, streams. Nothing is trained here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from glassformer.api.recipe import Recipe
from glassformer.base import plugins, report
from glassformer.base.errors import UserError
from glassformer.data.prepare import SPLITS, Split, pairs, settled, stores
from glassformer.data.sources import DataConfig
from glassformer.data.store import Store
from glassformer.data.stream import Stream
from glassformer.hub import folder as hub
from glassformer.objectives.objective import Objective
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import train_pair
from glassformer.train import parallel
from glassformer.train.schedule import check as check_schedule

ABILITIES = {"translates": "start", "generates": "start", "encodes": "encode"}
DROPOUTS = ("dropout", "attention_dropout", "activation_dropout")


@dataclass(frozen=True)
class Parts:
    """What the trainer is given."""

    recipe: Recipe
    model: nn.Module
    tokenizers: TokenizerPair
    objective: Objective
    train: Stream
    valid: Stream | None
    fingerprints: dict[str, str]


def prepare(recipe: Recipe) -> Parts:
    """Reads the data, makes or loads the tokenizers and the model, and encodes everything once."""
    started = _started(recipe)
    recipe = recipe.model_copy(update={"data": settled(recipe.data)})
    if recipe.data.test is not None:
        # Hours later, at the end of the run, would be a bad moment to learn that it cannot be read.
        deque(_pairs(recipe.data, "test"), maxlen=0)
    if started is None:
        report.say("learning the vocabulary")
        tokenizers = train_pair(recipe.tokenizer, _pairs(recipe.data, "train"))
        model = _new_model(recipe, tokenizers)
    else:
        tokenizers = _taken(started)
        model = _continued(recipe, started)
    objective = _objective(recipe, model, tokenizers)
    encode = partial(objective.encode, tokenizers=tokenizers)
    settings = _settings(recipe, tokenizers)
    train = stores(recipe.data, "train", encode, settings)
    valid = stores(recipe.data, "valid", encode, settings)
    return Parts(
        recipe=recipe,
        model=model,
        tokenizers=tokenizers,
        objective=objective,
        train=_stream(recipe, objective, train, shuffle=True),
        valid=_stream(recipe, objective, valid, shuffle=False) if valid else None,
        fingerprints={store.folder.name: store.fingerprint for store, _ in (*train, *valid)},
    )


def _pairs(data: DataConfig, split: Split) -> Iterator[tuple[str, str]]:
    """The texts of a split; UserError when there is none."""
    found = False
    for pair in pairs(data, split):
        found = True
        yield pair
    if not found:
        names = ", ".join(source.path for source in data.sources(split))
        raise UserError(f"{names}: there is no usable sentence pair; a line needs a source and a target text")


def _started(recipe: Recipe) -> hub.Loaded | None:
    """The folder to go on from; UserError for settings that no data could make right."""
    started = None if recipe.init is None else hub.load(recipe.init)
    config: Any = recipe.model if started is None else started.config
    _check_length(recipe, config)
    _check_measured(recipe)
    check_schedule(recipe.schedule, recipe.train.steps)
    apart = not recipe.tokenizer.shared
    if started is None and apart and getattr(config, "share", None) == "all":
        raise UserError(
            "model.share: all needs one vocabulary for both languages; set tokenizer.shared=true "
            "or model.share=target"
        )
    piped = any(source.path == "-" for split in SPLITS for source in recipe.data.sources(split))
    if piped and parallel.group().size > 1:
        raise UserError("data: several processes cannot share standard input ('-'); use files")
    return started


def planned_model(recipe: Recipe) -> nn.Module:
    """The model that a recipe asks for before its data is read; UserError where it cannot be."""
    started = _started(recipe)
    return new_model(recipe, recipe.tokenizer.vocab_size) if started is None else started.model


def new_model(recipe: Recipe, vocab_size: int) -> nn.Module:
    """The model of a recipe before its data is read, for counting: as if the tokenizer met its target."""
    config: Any = recipe.model
    sizes = {"vocab_size": vocab_size, "target_vocab_size": vocab_size}
    with torch.device("meta"):
        model: nn.Module = plugins.find("models", config.name).Model(_sized(config, sizes))
    return model


def _new_model(recipe: Recipe, tokenizers: TokenizerPair) -> nn.Module:
    config: Any = recipe.model
    target = tokenizers.target
    update = {
        "vocab_size": tokenizers.source.vocab_size,
        "target_vocab_size": target.vocab_size,
        "pad_id": target.pad_id,
        "eos_id": target.eos_id,
        "start_id": target.bos_id,
    }
    torch.manual_seed(recipe.train.seed)
    model: nn.Module = plugins.find("models", config.name).Model(_sized(config, update))
    return model


def _sized(config: Any, update: dict[str, Any]) -> Any:
    """The configuration with the numbers that only the tokenizer knows, checked again as a whole."""
    return type(config).model_validate(config.model_dump() | update)


def _taken(started: hub.Loaded) -> TokenizerPair:
    if started.tokenizers is None:
        raise UserError(f"{started.folder}: the folder to go on from has no tokenizer")
    return started.tokenizers


def _continued(recipe: Recipe, started: hub.Loaded) -> nn.Module:
    """The loaded model, with the dropout that the recipe asks for: all else is the folder's."""
    asked = {
        name: getattr(recipe.model, name)
        for name in DROPOUTS
        if name in recipe.model.model_fields_set and hasattr(started.config, name)
    }
    report.say(f"going on from {started.folder}: its model and its vocabulary replace the recipe's")
    if not asked:
        return started.model
    config = started.config.model_copy(update=asked)
    model: nn.Module = plugins.find("models", config.name).Model(config)
    model.load_state_dict(started.model.state_dict())
    return model


def _objective(recipe: Recipe, model: nn.Module, tokenizers: TokenizerPair) -> Objective:
    kind: Any = recipe.objective
    config: Any = model.config
    module = plugins.find("objectives", kind.name)
    objective: Objective = module.Objective(kind, numbers=config, tokenizers=tokenizers)
    if not hasattr(model, ABILITIES[objective.needs]):
        raise UserError(f"{kind.name} needs a model that {objective.needs}; {config.name} does not")
    return objective


def _check_measured(recipe: Recipe) -> None:
    asked = recipe.train.early_stopping is not None or recipe.train.best != "loss"
    if asked and recipe.data.valid is None:
        raise UserError(
            "train.early_stopping and train.best choose by figures of a validation set; give data.valid"
        )


def _check_length(recipe: Recipe, config: Any) -> None:
    if recipe.data.max_length > config.max_length:
        raise UserError(
            f"data.max_length is {recipe.data.max_length} but the model reads at most "
            f"{config.max_length} tokens; lower data.max_length or raise model.max_length"
        )


def _settings(recipe: Recipe, tokenizers: TokenizerPair) -> dict[str, Any]:
    """What the encoded examples depend on besides the data."""
    return {"tokenizers": tokenizers.fingerprint, "objective": recipe.objective.model_dump()}


def _stream(
    recipe: Recipe, objective: Objective, stores: list[tuple[Store, float]], *, shuffle: bool
) -> Stream:
    place = parallel.group()
    return Stream(
        stores,
        tokens_per_batch=recipe.data.tokens_per_batch,
        collate=objective.collate,
        seed=recipe.train.seed,
        shuffle=shuffle,
        workers=recipe.data.workers,
        rank=place.rank,
        ranks=place.size,
    )
