"""From a recipe to a trained model folder with its measured scores."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from glassformer.api.evaluation import perplexity, translate_all
from glassformer.api.loading import KNOWN, Translator
from glassformer.api.preparing import Parts, planned_model, prepare
from glassformer.api.recipe import Recipe, read_recipe
from glassformer.base import machine, plugins, report
from glassformer.base.config import dump
from glassformer.data.generated import is_generated
from glassformer.data.prepare import Split, pairs
from glassformer.data.sources import files_of
from glassformer.decode.settings import Decoding
from glassformer.evaluate.bleu import bleu, chrf
from glassformer.evaluate.evaluator import Report
from glassformer.evaluate.evaluator import evaluate as score
from glassformer.hub import card as cards
from glassformer.hub import folder as hub
from glassformer.train import parallel, trainer
from glassformer.train.checkpoint import check_folder
from glassformer.train.watch import same_answers, unigram_entropy

GREEDY = Decoding(num_beams=1)


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
    outcome = _fit(parts, folder, resume=resume)
    return _figures(parts, outcome, _measure(parts, folder)) if first else {}


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
        "precision": machine.precision(recipe.train.precision, found),
        "machine": machine.sentence(found, machine.precision(recipe.train.precision, found)),
    }


def _size(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _described(parts: Parts) -> str:
    config: Any = parts.model.config
    sizes = f"{parts.tokenizers.source.vocab_size:,}"
    if not parts.tokenizers.shared:
        sizes += f" + {parts.tokenizers.target.vocab_size:,}"
    return (
        f"{config.name} with {_size(parts.model):,} parameters, vocabulary {sizes}, "
        f"{parts.train.epoch_size():,} training examples an epoch"
    )


def _fit(parts: Parts, folder: Path, *, resume: bool) -> trainer.Outcome:
    recipe = parts.recipe
    config: Any = parts.model.config
    watching = _Watching(parts)
    counts = [store.counts("target", config.target_vocab_size) for store in parts.train.stores]
    return trainer.fit(
        parts.model,
        parts.objective,
        parts.train,
        trainer.Plan(recipe.optim, recipe.schedule, recipe.train),
        output=folder,
        save=lambda place: _save(parts, place),
        valid=parts.valid,
        evaluate=watching if watching.chosen else None,
        resume=resume,
        recipe=dump(recipe),
        key=_key(parts),
        vocab_size=config.target_vocab_size,
        unigram=unigram_entropy(np.sum(counts, axis=0).tolist()),
    )


def _key(parts: Parts) -> str:
    """What must be the same for a run to be resumed: the data as read, the vocabulary, the objective."""
    return f"{sorted(parts.fingerprints.items())} {parts.tokenizers.fingerprint} {parts.recipe.objective!r}"


def _save(parts: Parts, folder: Path, card: str | None = None) -> None:
    hub.write_folder(
        folder,
        parts.model,
        parts.tokenizers,
        card=card,
        recipe=dump(parts.recipe),
        generation=parts.recipe.evaluation.decoding.model_dump(include=set(KNOWN)),
        data=parts.fingerprints,
    )


class _Watching:
    """BLEU and chrF++ of some greedily decoded validation sentences, for the evaluations during training."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.chosen = list(islice(pairs(parts.recipe.data, "valid"), parts.recipe.evaluation.sentences))
        self.calls = 0
        self.warned = False

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        sources, references = ([pair[side] for pair in self.chosen] for side in (0, 1))
        found = _translator(self.parts, model).translations(sources, GREEDY, window=4096, too_long="cut")
        texts = [translation.text for translation in found]
        self._warn(texts)
        return {"bleu": bleu(texts, references).value, "chrf": chrf(texts, references).value}

    def _warn(self, texts: list[str]) -> None:
        """Says once that all translations are alike; before training that is as it should be."""
        trouble = same_answers(texts) if self.calls > 0 and not self.warned else None
        self.calls += 1
        if trouble:
            self.warned = True
            report.warn(trouble)


def _translator(parts: Parts, model: nn.Module) -> Translator:
    device = next(model.parameters()).device.type
    return Translator(model, parts.tokenizers, parts.recipe.evaluation.decoding, device, Path())


@dataclass(frozen=True)
class _Measured:
    """Scores of the best model on the test set, or on the validation set where there is no test set."""

    split: Split
    report: Report


def _measure(parts: Parts, folder: Path) -> _Measured | None:
    """Decodes the whole test set with the best weights and writes the scores into the model card."""
    split: Split = "test" if parts.recipe.data.sources("test") else "valid"
    tested = list(pairs(parts.recipe.data, split))
    if not tested:
        return None
    best = hub.load(folder)
    translator = _translator(parts, best.model.to(next(parts.model.parameters()).device))
    sources = [one for one, _ in tested]
    texts, seconds = translate_all(translator, sources, None)
    found = score(
        sources,
        [other for _, other in tested],
        texts,
        perplexity=perplexity(translator, tested),
        edit_rate=False,
        seconds=seconds,
    )
    card = _card(parts, folder, split, found)
    for place in (folder, folder / "best"):  # the same model; either may be the one that is copied away
        if place.exists():
            hub.write_card(place, card)
    return _Measured(split, found)


def _card(parts: Parts, folder: Path, split: Split, found: Report) -> str:
    recipe = parts.recipe
    paths = [_named(source.path) for source in recipe.data.sources(split)]
    names = ", ".join(paths)
    command = " ".join([f"glassformer evaluate {folder.name}", *(f"--data {path}" for path in paths)])
    languages = (recipe.data.source or "", recipe.data.target or "")
    data = [cards.Data(_named(source.path)) for source in recipe.data.sources("train")]
    scores = [
        cards.Score("BLEU", found.bleu.value, names, found.bleu.signature, command),
        cards.Score("chrF++", found.chrf.value, names, found.chrf.signature, command),
    ]
    module_config: Any = parts.model.config
    written = plugins.find("models", module_config.name).write(module_config)
    return cards.render(
        cards.Card(
            folder.name,
            _size(parts.model),
            languages=tuple(code for code in languages if code),
            scores=tuple(scores),
            data=tuple(data),
            architecture=cards.architecture_of(written),
        )
    )


def _named(path: str) -> str:
    """A path as others know it, without the folders of this machine."""
    return path if is_generated(path) else "+".join(Path(part).name for part in files_of(path))


def _figures(parts: Parts, outcome: trainer.Outcome, measured: _Measured | None) -> dict[str, Any]:
    figures = outcome.figures
    found: dict[str, Any] = {
        "steps": outcome.steps,
        "seconds": round(outcome.seconds, 2),
        "tokens_per_second": round(outcome.tokens_per_second, 1),
        "train_loss": outcome.train_loss,
        "valid_loss": figures.get("loss"),
        "bleu": figures.get("bleu"),
        "chrf": figures.get("chrf"),
        "parameters": _size(parts.model),
        "reason": outcome.reason,
        "best_step": outcome.best.step if outcome.best else None,
        "output": str(outcome.output),
    }
    if measured is not None:
        scores = measured.report
        found |= {
            "bleu": scores.bleu.value,
            "chrf": scores.chrf.value,
            "signature": scores.bleu.signature,
            "sentences": scores.sentences,
            "measured_on": measured.split,
        }
    return found
