"""From a recipe to the parts of a run: tokenizers, model, objective, streams. Nothing is trained here."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from glassformer.adapt.bending import bend, keeps_base
from glassformer.adapt.bending import check as check_adapt
from glassformer.api.heading import (
    bodily,
    brings_head,
    facts_before_data,
    learned,
    objective_for,
    shared_state,
    with_head,
)
from glassformer.api.initial import begin_with, known_words
from glassformer.api.recipe import Recipe
from glassformer.api.streaming import stores_of, stream_of
from glassformer.base import plugins, report
from glassformer.base.errors import UserError
from glassformer.data.sources import SPLITS, settled
from glassformer.data.stream import Stream
from glassformer.hub import adapters
from glassformer.hub import folder as hub
from glassformer.nn.adapter import Adapter, adapter_of, note
from glassformer.nn.headed import body_of
from glassformer.objectives.objective import Objective
from glassformer.text.tokenizer import TokenizerPair, load_pair
from glassformer.text.train import train_pair
from glassformer.train import parallel
from glassformer.train.schedule import check as check_schedule

DROPOUTS = ("dropout", "attention_dropout", "activation_dropout")


@dataclass(frozen=True)
class Parts:
    """What the trainer is given. ``tokenizers`` is None where the model reads no text.

    ``test`` is the whole test set, or the validation set where the recipe has no other, for one process.
    """

    recipe: Recipe
    model: nn.Module
    tokenizers: TokenizerPair | None
    objective: Objective
    train: Stream
    valid: Stream | None
    test: Stream | None
    fingerprints: dict[str, str]

    @property
    def ability(self) -> str:
        """What the finished model can do before all else."""
        abilities: Any = self.model.abilities
        return str(abilities[0])


def prepare(recipe: Recipe) -> Parts:
    """Reads the data, makes or loads the tokenizers and the model, and encodes everything once."""
    started = _started(recipe)
    data: Any = recipe.data
    recipe = recipe.model_copy(update={"data": settled(data)})
    known = known_words(recipe)
    tokenizers = _fitted(recipe, _tokenizers(recipe, started))
    if tokenizers is not None:
        # Hours later, at the end of the run, would be a bad moment to learn that it cannot be read.
        deque(_kind(recipe).texts(recipe.data, "test"), maxlen=0)
    facts = _kind(recipe).facts(recipe.data)
    sizes = facts | _numbers(tokenizers)
    body = _new_model(recipe, sizes) if started is None else _continued(recipe, started)
    if known is not None:
        begin_with(known, body, tokenizers)
    torch.manual_seed(recipe.train.seed + 2)
    bend(recipe.adapt, body, tokenizers)
    if not brings_head(recipe):  # a head cuts its texts to the room that is left
        _check_length(recipe, body.config)
    model = with_head(recipe, body, facts, started)
    note(model, _adapter(recipe, started))
    objective = objective_for(recipe.objective, model, tokenizers, **_augmentation(recipe))
    streams, fingerprints = _streams(recipe, objective, model, tokenizers)
    _count(objective, model, streams["train"])
    return Parts(
        recipe=recipe,
        model=model,
        tokenizers=tokenizers,
        objective=objective,
        train=streams["train"],
        valid=streams.get("valid"),
        test=streams.get("test"),
        fingerprints=fingerprints,
    )


def planned_model(recipe: Recipe, device: str = "cpu") -> nn.Module:
    """The model that a recipe asks for before its data is read; UserError where it cannot be.

    On the device ``meta`` it is made of shapes alone, and no weight of ``init`` is read.
    """
    with torch.device(device):
        started = _started(recipe, device)
        if started is None:
            return new_model(recipe, recipe.tokenizer.vocab_size)
        body = body_of(started.model)
        bend(recipe.adapt, body, started.tokenizers)
        return with_head(recipe, body, facts_before_data(recipe), started)


def new_model(recipe: Recipe, vocab_size: int) -> nn.Module:
    """The model of a recipe before its data is read, for counting: as if the tokenizer met its target.

    A head has as many outputs as the data has labels, or two where no data is there to be asked.
    """
    sizes = {"vocab_size": vocab_size, "target_vocab_size": vocab_size}
    with torch.device("meta"):
        model: nn.Module = _model(recipe.model).Model(bodily(recipe, sized(recipe.model, sizes)))
        return with_head(recipe, model, facts_before_data(recipe))


def _name(settings: Any) -> str:
    name: str = settings.name
    return name


def _model(config: Any) -> Any:
    return plugins.find("models", _name(config))


def _kind(recipe: Recipe) -> Any:
    """The file of ``data`` that knows this kind: ``pairs``, ``text`` or ``images``."""
    return plugins.find("data", _name(recipe.data))


# --- what no data could make right -------------------------------------------------------------------------


def _started(recipe: Recipe, device: str = "cpu") -> hub.Loaded | None:
    """The folder to go on from; UserError for settings that do not fit each other."""
    started = None if recipe.init is None else hub.load(recipe.init, device=device)
    config: Any = recipe.model if started is None else started.config
    able: Any = _model(config).Model if started is None or brings_head(recipe) else started.model
    _check_fit(recipe, config, able.abilities)
    _check_length(recipe, config)
    _check_measured(recipe)
    check_adapt(recipe.adapt, started=started is not None, headed=brings_head(recipe))
    check_schedule(recipe.schedule, recipe.train.steps)
    if started is not None:
        started = _whole(recipe, started)
    apart = not recipe.tokenizer.shared
    if started is None and apart and getattr(config, "share", None) == "all":
        raise UserError(
            "model.share: all needs one vocabulary for both languages; set tokenizer.shared=true "
            "or model.share=target"
        )
    data: Any = recipe.data
    piped = any(source.path == "-" for split in SPLITS for source in data.sources(split))
    if piped and parallel.group().size > 1:
        raise UserError("data: several processes cannot share standard input ('-'); use files")
    return started


def _whole(recipe: Recipe, started: hub.Loaded) -> hub.Loaded:
    """The folder to go on from as a whole model: an adapter in it is folded in where all is to learn."""
    if adapter_of(started.model) is None:
        return started
    if keeps_base(recipe.adapt):
        raise UserError(
            f"{started.folder}: holds an adapter, and another is not put upon it; make a whole model of it "
            f"first: glassformer convert {started.folder} NEW_FOLDER"
        )
    return replace(started, model=adapters.whole(started.model))


def _check_fit(recipe: Recipe, config: Any, abilities: tuple[str, ...]) -> None:
    """An objective needs a model with one of its abilities, and data of a kind."""
    objective = learned(recipe.objective)
    asked, given = _name(recipe.objective), _name(recipe.data)
    if not set(objective.needs) & set(abilities):
        raise UserError(
            f"{asked} needs a model that {' or '.join(objective.needs)}; "
            f"{config.name} {' and '.join(abilities)}"
        )
    if objective.reads != given:
        raise UserError(f"{asked} learns from data of the kind {objective.reads}, not {given}; set data.name")


def _check_measured(recipe: Recipe) -> None:
    data: Any = recipe.data
    asked = recipe.train.early_stopping is not None or recipe.train.best != "loss"
    if asked and data.valid is None:
        raise UserError(
            "train.early_stopping and train.best choose by figures of a validation set; give data.valid"
        )


def _check_length(recipe: Recipe, config: Any) -> None:
    longest: int | None = getattr(recipe.data, "max_length", None)
    most: int | None = getattr(config, "max_length", None)
    if longest is not None and most is not None and longest > most:
        key = "max_length" if "max_length" in type(recipe.data).model_fields else "block"
        raise UserError(
            f"data.{key} is {longest} but the model reads at most {most} tokens; lower data.{key} "
            "or raise model.max_length"
        )


# --- tokenizers and model ----------------------------------------------------------------------------------


def _tokenizers(recipe: Recipe, started: hub.Loaded | None) -> TokenizerPair | None:
    """Those of the folder to go on from, or new ones; None for a model without a vocabulary."""
    if started is not None:
        if started.tokenizers is None and hasattr(started.config, "vocab_size"):
            raise UserError(f"{started.folder}: the folder to go on from has no tokenizer")
        return started.tokenizers
    if not hasattr(recipe.model, "vocab_size"):
        return None
    folder = _kind(recipe).tokenizer_folder(recipe.data)
    if folder is not None:
        report.say(f"the vocabulary is that of {folder.parent}")
        return load_pair(folder)
    report.say("learning the vocabulary")
    texts = _kind(recipe).texts(recipe.data, "train")
    return train_pair(recipe.tokenizer, texts, learned(recipe.objective).frame)


def _fitted(recipe: Recipe, tokenizers: TokenizerPair | None) -> TokenizerPair | None:
    """The tokenizers with what the objective asks of them beside their vocabulary, such as a template."""
    asked = getattr(learned(recipe.objective), "tokenizers_for", None)
    return tokenizers if asked is None or tokenizers is None else asked(tokenizers)


def _new_model(recipe: Recipe, sizes: dict[str, Any]) -> nn.Module:
    if learned(recipe.objective).frame == "none":
        # Running text begins where another ends, whatever its tokenizer calls the beginning.
        sizes["start_id"] = sizes.get("eos_id")
    torch.manual_seed(recipe.train.seed)
    model: nn.Module = _model(recipe.model).Model(bodily(recipe, sized(recipe.model, sizes)))
    return model


def _numbers(tokenizers: TokenizerPair | None) -> dict[str, Any]:
    """What a tokenizer tells a model's configuration."""
    if tokenizers is None:
        return {}
    target = tokenizers.target
    return {
        "vocab_size": tokenizers.source.vocab_size,
        "target_vocab_size": target.vocab_size,
        "pad_id": target.pad_id,
        "eos_id": target.eos_id,
        "start_id": target.bos_id,
        "mask_id": target.mask_id,
        "unk_id": target.unk_id,
    }


def sized(config: Any, numbers: Mapping[str, Any]) -> Any:
    """The configuration with those numbers it has a field for, checked again as a whole."""
    fields = type(config).model_fields
    known = {name: value for name, value in numbers.items() if name in fields}
    return type(config).model_validate(config.model_dump() | known)


def _continued(recipe: Recipe, started: hub.Loaded) -> nn.Module:
    """The loaded body, with the dropout that the recipe asks for: all else is the folder's."""
    asked = {
        name: getattr(recipe.model, name)
        for name in DROPOUTS
        if name in recipe.model.model_fields_set and hasattr(started.config, name)
    }
    report.say(f"going on from {started.folder}: its model and its vocabulary replace the recipe's")
    old = body_of(started.model)
    config = bodily(recipe, started.config.model_copy(update=asked))
    if config == started.config:
        return old
    model: nn.Module = _model(config).Model(config)
    model.load_state_dict(shared_state(old, model), strict=not brings_head(recipe))
    return model


def _augmentation(recipe: Recipe) -> dict[str, Any]:
    """What changes training data by chance, of a kind of data that knows such a thing."""
    kind = _kind(recipe)
    return {"augment": kind.augmentation(recipe.data)} if hasattr(kind, "augmentation") else {}


def _adapter(recipe: Recipe, started: hub.Loaded | None) -> Adapter | None:
    """What the folder of a bent model must say of its base; None for a model that is whole."""
    if started is None or not keeps_base(recipe.adapt):
        return None
    asked = str(recipe.init)
    base = asked if adapters.is_address(asked) else str(started.folder)
    found = adapters.fingerprint(started.folder)
    return Adapter(
        name=_name(recipe.adapt), base=base, fingerprint=found, settings=recipe.adapt.model_dump(mode="json")
    )


# --- streams -----------------------------------------------------------------------------------------------


def _streams(
    recipe: Recipe, objective: Objective, model: nn.Module, tokenizers: TokenizerPair | None
) -> tuple[dict[str, Stream], dict[str, str]]:
    """A stream of each split that the recipe has, and the fingerprints of what they read."""
    streams: dict[str, Stream] = {}
    fingerprints: dict[str, str] = {}
    for split in SPLITS:
        stores = stores_of(
            recipe.data, split, recipe.objective, objective, model=model, tokenizers=tokenizers
        )
        batches = partial(stream_of, recipe.data, objective, stores, seed=recipe.train.seed)
        if stores and split != "test":
            streams[split] = batches(place=parallel.group(), training=split == "train")
            fingerprints |= {store.fingerprint[:32]: store.fingerprint for store, _ in stores}
        if stores and split != "train":
            streams["test"] = batches()
    return streams, fingerprints


def _count(objective: Any, model: nn.Module, stream: Stream) -> None:
    """Tells an objective that asks for it how often the training text has each token."""
    if hasattr(objective, "count"):
        stores: list[Any] = list(stream.stores)
        config: Any = model.config
        counts = [store.counts("tokens", config.vocab_size) for store in stores]
        shares = map(float, stream.weights)
        total = sum(share * count for share, count in zip(shares, counts, strict=True))
        objective.count(model, total)
