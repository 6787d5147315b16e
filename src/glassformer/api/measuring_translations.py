"""How translations are measured: some decoded during training, the whole test set at the end."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from torch import nn

from glassformer.api.evaluation import perplexity, translate_all
from glassformer.api.measured import Measured, tested
from glassformer.api.opened import generation_of
from glassformer.api.preparing import Parts
from glassformer.api.translator import Translator
from glassformer.base import report
from glassformer.data.pairs import Config, texts
from glassformer.decode.settings import Decoding
from glassformer.evaluate.bleu import bleu, chrf
from glassformer.evaluate.evaluator import evaluate as score
from glassformer.hub import folder as hub
from glassformer.text.tokenizer import TokenizerPair
from glassformer.train.validate import Judging, Measure
from glassformer.train.watch import same_answers

GREEDY = Decoding(num_beams=1)


def watching(parts: Parts) -> Measure | None:
    """BLEU and chrF++ of some greedily decoded validation sentences, where there are any."""
    found = _Watching(parts)
    return found if found.chosen else None


def judging(parts: Parts) -> Judging | None:  # noqa: ARG001 - translations are scored, not judged by rows
    """Nothing."""
    return None


class _Watching:
    """BLEU and chrF++ of the first validation sentences; says once that all translations are alike."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.chosen = list(islice(texts(_data(parts), "valid"), parts.recipe.evaluation.sentences))
        self.calls = 0
        self.warned = False

    def __call__(self, model: nn.Module) -> Mapping[str, float]:
        sources, references = ([pair[side] for pair in self.chosen] for side in (0, 1))
        found = _translator(self.parts, model).translations(sources, GREEDY, window=4096, too_long="cut")
        answers = [translation.text for translation in found]
        self._warn(answers)
        return {"bleu": bleu(answers, references).value, "chrf": chrf(answers, references).value}

    def _warn(self, answers: list[str]) -> None:
        """Before training all are alike, as it should be."""
        trouble = same_answers(answers) if self.calls > 0 and not self.warned else None
        self.calls += 1
        if trouble:
            self.warned = True
            report.warn(trouble)


def decoding(parts: Parts) -> dict[str, Any]:
    """How translations are decoded, as the recipe says."""
    return generation_of(parts.recipe.evaluation.decoding, ("translates",))


def unmeasured() -> dict[str, None]:
    """BLEU and chrF++."""
    return dict.fromkeys(("bleu", "chrf"))


def measure(parts: Parts, folder: Path) -> Measured | None:
    """Decodes the whole test set with the best weights; None where there is no pair."""
    place = tested(_data(parts), folder)
    pairs = list(texts(_data(parts), place.split))
    if not pairs:
        return None
    best = hub.load(folder)
    translator = _translator(parts, best.model.to(next(parts.model.parameters()).device))
    sources = [one for one, _ in pairs]
    answers, seconds = translate_all(translator, sources, None)
    found = score(
        sources,
        [other for _, other in pairs],
        answers,
        perplexity=perplexity(translator, pairs),
        edit_rate=False,
        seconds=seconds,
    )
    scores = (
        place.score("BLEU", found.bleu.value, found.bleu.signature),
        place.score("chrF++", found.chrf.value, found.chrf.signature),
    )
    figures = {
        "bleu": found.bleu.value,
        "chrf": found.chrf.value,
        "signature": found.bleu.signature,
        "sentences": found.sentences,
    }
    return Measured(place.split, figures, scores)


def _data(parts: Parts) -> Config:
    data: Config = parts.recipe.data  # type: ignore[assignment]
    return data


def _translator(parts: Parts, model: nn.Module) -> Translator:
    device = next(model.parameters()).device.type
    tokenizers: TokenizerPair = parts.tokenizers  # type: ignore[assignment]
    return Translator(model, tokenizers, parts.recipe.evaluation.decoding, device, Path())
