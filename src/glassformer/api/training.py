"""From a recipe to a trained model folder with its measured scores."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from glassformer.adapt.bending import trained
from glassformer.api.measured import Measured, named
from glassformer.api.measuring import measuring
from glassformer.api.preparing import Parts, planned_model, prepare
from glassformer.api.recipe import Recipe, read_recipe
from glassformer.api.settling import settle
from glassformer.base import machine, report
from glassformer.base.config import dump
from glassformer.hub import adapters
from glassformer.hub import card as cards
from glassformer.hub import folder as hub
from glassformer.hub.heads import described
from glassformer.hub.uses import USES
from glassformer.nn.adapter import adapter_of
from glassformer.nn.headed import choices, head_of
from glassformer.train import parallel, trainer
from glassformer.train.checkpoint import check_folder
from glassformer.train.pace import Paces, paces
from glassformer.train.watch import unigram_entropy


def train(
    recipe: str | Path,
    overrides: Sequence[str] = (),
    *,
    output: str | Path | None = None,
    resume: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Trains what the recipe says into the folder ``output`` and gives the run's figures.

    With ``dry_run`` nothing is written: the resolved recipe and the size of the model are given. Of several
    processes (torchrun) the first speaks and gives the figures; the others give nothing. Raises UserError
    (recipe, data), RunError (loss, disk) and Stopped (after saving).
    """
    first = parallel.group().first
    if not first:
        report.quiet()
    asked = read_recipe(recipe, overrides)
    if dry_run:
        return _plan(asked)
    folder = Path(output) if output is not None else Path("runs") / Path(recipe).stem
    check_folder(folder, resume=resume)
    _tell_changes(folder, asked)
    found = machine.look()
    machine.prepare(found)
    report.say(machine.sentence(found, machine.precision(asked.train.precision, found)))
    parts = prepare(asked)
    report.say(_described(parts))
    _tell_adapted(parts)
    outcome = _fit(parts, folder, resume=resume)
    if first:
        settle(parts, folder)
    return _figures(parts, outcome, _measured(parts, folder)) if first else {}


def _measured(parts: Parts, folder: Path) -> Measured | None:
    """What the best weights come to on the test set; the model card is told."""
    measured = measuring(parts).measure(parts, folder)
    if measured is not None:
        card = _card(parts, folder, measured)
        for place in (folder, folder / "best"):  # the same model; either may be the one that is copied away
            if place.exists():
                hub.write_card(place, card)
    return measured


def _tell_changes(folder: Path, recipe: Recipe) -> None:
    """Says which settings of a resumed run are new; those that make it another run are refused later."""
    written = folder / hub.RECIPE
    if not written.is_file():
        return
    before = written.read_text("utf-8", errors="replace").splitlines()
    marked = difflib.ndiff(before, dump(recipe).splitlines())
    changed = [line.removeprefix("+ ").strip() for line in marked if line.startswith("+ ")]
    if changed:
        report.warn(f"the run goes on with other settings than it began with: {', '.join(changed)}")


def _plan(recipe: Recipe) -> dict[str, Any]:
    model = planned_model(recipe)
    found = machine.look()
    return {
        "recipe": dump(recipe),
        "parameters": _size(model),
        "trained_parameters": trained(model),
        "precision": machine.precision(recipe.train.precision, found),
        "machine": machine.sentence(found, machine.precision(recipe.train.precision, found)),
    }


def _size(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _described(parts: Parts) -> str:
    config: Any = parts.model.config
    sizes = ""
    if parts.tokenizers is not None:
        sizes = f"vocabulary {parts.tokenizers.source.vocab_size:,}"
        if not parts.tokenizers.shared:
            sizes += f" + {parts.tokenizers.target.vocab_size:,}"
        sizes += ", "
    return (
        f"{config.name} with {_size(parts.model):,} parameters, {sizes}"
        f"{parts.train.epoch_size():,} training examples an epoch"
    )


def _tell_adapted(parts: Parts) -> None:
    """Says how much learns, where that is not everything."""
    size, learns = _size(parts.model), trained(parts.model)
    if learns < size:
        share = f"{learns / size:.2%}"
        report.say(f"adapt: {_adapted(parts)}: {learns:,} of {size:,} parameters learn ({share})")


def _adapted(parts: Parts) -> str:
    settings: Any = parts.recipe.adapt
    return str(settings.name)


def _fit(parts: Parts, folder: Path, *, resume: bool) -> trainer.Outcome:
    recipe = parts.recipe
    size, unigram = _answers(parts)
    return trainer.fit(
        parts.model,
        parts.objective,
        parts.train,
        trainer.Plan(recipe.optim, recipe.schedule, recipe.train, _paces(parts)),
        output=folder,
        save=lambda place: _save(parts, place),
        valid=parts.valid,
        evaluate=measuring(parts).watching(parts),
        judge=measuring(parts).judging(parts),
        resume=resume,
        recipe=dump(recipe),
        key=_key(parts),
        vocab_size=size,
        unigram=unigram,
    )


def _paces(parts: Parts) -> Paces | None:
    """The pace of every layer, of a way to adapt that knows such a thing."""
    asked: Any = parts.recipe.adapt
    decay, every = getattr(asked, "layer_decay", 1.0), getattr(asked, "unfreeze_every", 0)
    return paces(parts.model, decay=decay, every=every) if decay < 1 or every else None


def _answers(parts: Parts) -> tuple[int | None, float | None]:
    """How many answers there are to choose from, and their entropy when guessed by frequency, in nats."""
    array, head = parts.objective.answers, head_of(parts.model)
    if head is not None and not hasattr(parts.objective, "labels"):
        return None, None  # places in a text, of which every row has its own number
    if array is None or parts.tokenizers is None:
        return getattr(parts.model.config, "classes", None) if head is None else choices(head), None
    config: Any = parts.model.config
    size: int = getattr(config, "target_vocab_size", config.vocab_size)
    stores: list[Any] = list(parts.train.stores)
    counts = [store.counts(array, size) for store in stores]
    return size, unigram_entropy(np.sum(counts, axis=0).tolist())


def _key(parts: Parts) -> str:
    """What must be the same for a run to be resumed: the data as read, the vocabulary, the objective."""
    vocabulary = None if parts.tokenizers is None else parts.tokenizers.fingerprint
    key = f"{sorted(parts.fingerprints.items())} {vocabulary} {parts.recipe.objective!r}"
    adapter = adapter_of(parts.model)
    # Of a base that stays as it is nothing is saved with the run, so it must be there unchanged.
    return key if adapter is None else f"{key} {adapter.fingerprint} {adapter.settings}"


def _save(parts: Parts, folder: Path, card: str | None = None) -> None:
    hub.write_folder(
        folder,
        parts.model,
        parts.tokenizers,
        card=card,
        recipe=dump(parts.recipe),
        generation=measuring(parts).decoding(parts),
        data=parts.fingerprints,
    )


def _figures(parts: Parts, outcome: trainer.Outcome, measured: Measured | None) -> dict[str, Any]:
    figures = outcome.figures
    found: dict[str, Any] = {
        "steps": outcome.steps,
        "seconds": round(outcome.seconds, 2),
        "tokens_per_second": round(outcome.tokens_per_second, 1),
        "train_loss": outcome.train_loss,
        "valid_loss": figures.get("loss"),
        **measuring(parts).unmeasured(),
        **{name: value for name, value in figures.items() if name not in ("loss", "nll")},
        "parameters": _size(parts.model),
        "trained_parameters": trained(parts.model),
        "reason": outcome.reason,
        "best_step": outcome.best.step if outcome.best else None,
        "output": str(outcome.output),
        "next": USES[parts.ability].command.format(folder=outcome.output),
    }
    if measured is not None:
        found |= {**measured.figures, "measured_on": measured.split}
    return found


def _card(parts: Parts, folder: Path, measured: Measured) -> str:
    data: Any = parts.recipe.data
    languages = (getattr(data, "source", None), getattr(data, "target", None))
    return cards.render(
        cards.Card(
            folder.name,
            _size(parts.model),
            languages=tuple(code for code in languages if code),
            scores=measured.scores,
            data=tuple(cards.Data(named(source.path)) for source in data.sources("train")),
            architecture=cards.architecture_of(described(parts.model)),
            ability=parts.ability,
            bent=adapters.told_of(folder / "best", parts.model),
        )
    )
