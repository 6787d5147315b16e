"""Scoring a model on a test set, alone or against another system."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glassformer.api.loading import load
from glassformer.api.losses import Losses, losses
from glassformer.api.opened import choose
from glassformer.api.translator import Translator
from glassformer.base import files, report
from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Example, Features
from glassformer.data.filter import Dropped
from glassformer.data.sources import read
from glassformer.decode.settings import Decoding
from glassformer.evaluate.bleu import PAPER
from glassformer.evaluate.evaluator import Report
from glassformer.evaluate.evaluator import evaluate as score
from glassformer.evaluate.perplexity import Perplexity, measure
from glassformer.objectives import translation as objective_of

Chosen = Decoding | Mapping[str, Any] | None

ROWS = 32  # sentences at a time when measuring the loss


def evaluate(
    folder: str | Path, data: str | Sequence[str], *, device: str = "auto", **options: Any
) -> Report | Losses:
    """Scores of the model in ``folder`` on ``data``, computed on ``device``, which ``load`` explains.

    Of a model that translates what ``score_translations`` gives, whose options these are; of any other its
    loss and what follows from it: perplexity, bits per byte, accuracy. Raises UserError.
    """
    opened = load(folder, device=device)
    paths = [data] if isinstance(data, str) else list(data)
    if isinstance(opened, Translator):
        return score_translations(opened, paths, **options)
    if given := _given(options):
        able = " and ".join(opened.model.abilities)
        raise UserError(f"{folder}: this model {able}; {given[0]} is for models that translate")
    return losses(opened, paths)


def _given(options: Mapping[str, Any]) -> list[str]:
    """The names of those options that say something, each setting of decoding by its own."""
    named: dict[str, Any] = dict(options)
    if isinstance(settings := named.get("settings"), Mapping):
        del named["settings"]
        named |= settings
    return [name for name, value in named.items() if value is not None and value is not False]


def score_translations(
    translator: Translator,
    data: Sequence[str],
    *,
    settings: Chosen = None,
    source: str | None = None,
    target: str | None = None,
    compare: str | None = None,
    language: str | None = None,
    paper: bool = False,
    output: str | Path | None = None,
    limit: int | None = None,
) -> Report:
    """BLEU, chrF++, TER, loss and a table by length of the translations of the pairs in ``data``.

    ``settings`` are all of decoding, or a mapping that replaces some of what each model folder says.
    ``compare`` is another model folder, or a file with one translation a line, for the paired bootstrap.
    ``output`` receives the translations, one a line. Raises UserError.
    """
    pairs = read_pairs(data, source, target, limit)
    sources, references = [one for one, _ in pairs], [other for _, other in pairs]
    # First, so that what does not fit or is not installed is told before minutes of translating.
    if paper:
        PAPER.prepare(references[:1])
    baseline = None if compare is None else _baseline(compare, sources, settings, translator.device)
    texts, seconds = translate_all(translator, sources, settings)
    if output is not None:
        files.write_text(Path(output), "".join(text + "\n" for text in texts))
    return score(
        sources,
        references,
        texts,
        language=language,
        paper=paper,
        perplexity=perplexity(translator, pairs),
        baseline=baseline,
        seconds=seconds,
    )


def read_pairs(
    data: Sequence[str], source: str | None, target: str | None, limit: int | None
) -> list[tuple[str, str]]:
    """The pairs of all files, at most ``limit``; UserError when there is none."""
    dropped = Dropped()
    found = (example for path in data for example in read(path, source, target, dropped=dropped))
    pairs = [(example.fields["source"], example.fields["target"]) for example in islice(found, limit)]
    if dropped.total:
        report.say(dropped.sentence())
    if not pairs:
        raise UserError(f"{', '.join(data)}: there is no sentence pair to evaluate on")
    return pairs


def translate_all(
    translator: Translator, sources: Sequence[str], settings: Chosen
) -> tuple[list[str], float]:
    """All translations, with a progress bar, and the seconds they took; over-long sources are cut."""
    chosen = choose(translator.decoding, settings) if isinstance(settings, Mapping) else settings
    with report.progress(len(sources), "translating") as bar:
        began = time.monotonic()
        found = translator.translations(sources, chosen, window=4096, too_long="cut", on_progress=bar.advance)
        texts = [translation.text for translation in found]
    return texts, time.monotonic() - began


def perplexity(translator: Translator, pairs: Sequence[tuple[str, str]]) -> Perplexity | None:
    """How surprised the model is by the references, without label smoothing.

    Pairs that are longer than the model are left out; None when no other is there.
    """
    config: Any = translator.model.config
    objective = objective_of.Objective(
        objective_of.Config(label_smoothing=0.0), numbers=config, tokenizers=translator.tokenizers
    )
    examples = [Example({"source": one, "target": other}, "") for one, other in pairs]
    features = objective.encode(examples, translator.tokenizers)
    fitting = [row for row in features if row.size <= config.max_length]
    if not fitting:
        return None
    fitting.sort(key=lambda row: row.size)
    batches = _batches(objective, fitting)
    return measure(translator.model, objective, batches, device=torch.device(translator.device))


def _batches(objective: objective_of.Objective, features: Sequence[Features]) -> Iterator[Batch]:
    """All features in batches, with a bar that counts sentences."""
    rng = np.random.default_rng(0)
    with report.progress(len(features), "measuring the loss", brief=True) as bar:
        for at in range(0, len(features), ROWS):
            rows = features[at : at + ROWS]
            yield objective.collate(rows, rng)
            bar.advance(len(rows))


def _baseline(compare: str, sources: Sequence[str], settings: Chosen, device: str) -> list[str]:
    path = Path(compare)
    if path.is_dir():
        return translate_all(load(path, able="translates", device=device), sources, settings)[0]
    lines = [line for _, line in files.open_lines(compare)]
    if len(lines) != len(sources):
        raise UserError(
            f"{compare} has {len(lines)} lines but the test set has {len(sources)} sentences; "
            "give one translation a line, or a model folder"
        )
    return lines
