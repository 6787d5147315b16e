"""Puts the scores of one test set together into a report for people and for machines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from glassformer.base.report import table
from glassformer.evaluate.bleu import (
    PAPER,
    References,
    Score,
    Scoring,
    bleu,
    character_bleu,
    chrf,
    paired,
    ter,
)
from glassformer.evaluate.compare import Difference, compare
from glassformer.evaluate.lengths import LengthRow, by_length
from glassformer.evaluate.perplexity import Perplexity

KOREAN_NOTE = (
    "The target is Korean: compare systems by chrF++ and BLEU over characters; word BLEU is harsh there, "
    "because one ending or one space that differs loses the whole word."
)
TOKENISED_NOTE = (
    "Most translations end in ' .', so they look tokenised; sacreBLEU expects ordinary text "
    "and scores tokenised text differently."
)


@dataclass(frozen=True)
class Report:
    """The scores of one system on one test set.

    ``seconds`` is the whole evaluation, translating included when its time was given. ``chrf`` is chrF++ and
    ``chrf_plain`` the older chrF without words; ``bleu_paper`` is lower-cased and tokenised (see
    ``bleu.PAPER``).
    """

    sentences: int
    seconds: float
    bleu: Score
    chrf: Score
    chrf_plain: Score
    ter: Score | None = None
    bleu_char: Score | None = None
    bleu_paper: Score | None = None
    perplexity: Perplexity | None = None
    lengths: tuple[LengthRow, ...] = ()
    comparison: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, Score]:
        """Every score that was made, under its key in the JSON."""
        names = ("bleu", "bleu_char", "bleu_paper", "chrf", "chrf_plain", "ter")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def as_json(self) -> dict[str, Any]:
        """The report for machines: each score under its name and its signature under ``NAME_signature``.

        BLEU's signature is ``signature``. ``chrf`` is chrF++, as ``chrf_signature`` says by ``nw:2``. What
        was not measured has no key, except ``ter``, which is then None.
        """
        figures: dict[str, Any] = {"sentences": self.sentences, "seconds": self.seconds, "ter": None}
        for name, score in self.scores.items():
            figures[name] = score.value
            figures["signature" if name == "bleu" else f"{name}_signature"] = score.signature
        figures["bleu_detail"] = self.bleu.detail
        if self.perplexity:
            figures |= self.perplexity.as_json()
        if self.lengths:
            figures["lengths"] = [row.as_json() for row in self.lengths]
        if self.comparison:
            figures["comparison"] = [asdict(difference) for difference in self.comparison]
        if self.notes:
            figures["notes"] = list(self.notes)
        return figures

    def __str__(self) -> str:
        """The report for a terminal: tables of scores and of lengths, then the comparison and the notes."""
        parts = [self._scores_table()]
        if self.perplexity:
            parts.append(_loss_line(self.perplexity))
        if self.lengths:
            parts.append(_lengths_table(self.lengths))
        if self.comparison:
            parts.append("\n".join(["Against the other system:", *map(str, self.comparison)]))
        parts += self.notes
        parts.append(f"{self.sentences} sentences in {self.seconds:.1f} s")
        return "\n\n".join(parts)

    def _scores_table(self) -> str:
        # Signatures are too long to stand beside the figures on a terminal of 80 columns.
        values = [[score.name, f"{score.value:.2f}", score.detail] for score in self.scores.values()]
        signatures = [[score.name, score.signature] for score in self.scores.values()]
        return table(["score", "value", ""], values) + "\n\n" + table(["score", "signature"], signatures)


def evaluate(
    sources: Sequence[str],
    references: References,
    hypotheses: Sequence[str],
    *,
    language: str | None = None,
    scoring: Scoring | None = None,
    edit_rate: bool = True,
    paper: bool = False,
    perplexity: Perplexity | None = None,
    baseline: Sequence[str] | None = None,
    samples: int = 1000,
    seed: int = 12345,
    seconds: float = 0.0,
) -> Report:
    """Every score of a test set.

    ``references`` is one list, or a list of lists where sentences have several. ``language`` is the target's
    code; left out, Korean is recognised by its script. ``edit_rate`` False leaves out TER, the slow one.
    ``paper`` adds lower-cased tokenised BLEU. ``baseline`` is another system's translations to compare with,
    ``seconds`` the time that translating took. With empty ``sources`` there is no table by length. Raises
    UserError for an empty test set and for lists of unequal length.
    """
    started = time.monotonic()
    streams = paired(hypotheses, references)
    korean = language == "ko" if language else _is_korean(streams[0])
    compared = (
        compare(hypotheses, baseline, streams, samples=samples, seed=seed, scoring=scoring)
        if baseline
        else ()
    )
    return Report(
        sentences=len(hypotheses),
        bleu=bleu(hypotheses, streams, scoring),
        chrf=chrf(hypotheses, streams),
        chrf_plain=chrf(hypotheses, streams, word_order=0),
        ter=ter(hypotheses, streams) if edit_rate else None,
        bleu_char=character_bleu(hypotheses, streams) if korean else None,
        bleu_paper=_paper(hypotheses, streams, language) if paper else None,
        perplexity=perplexity,
        lengths=tuple(by_length(sources, hypotheses, streams, scoring=scoring)) if sources else (),
        comparison=compared,
        notes=_notes(hypotheses, korean, scoring or Scoring()),
        seconds=seconds + time.monotonic() - started,
    )


def _paper(hypotheses: Sequence[str], references: References, language: str | None) -> Score:
    scoring = Scoring(PAPER.lowercase, PAPER.tokenize, PAPER.smoothing, language or PAPER.language)
    score = bleu(hypotheses, references, scoring)
    return Score("BLEU (lower-cased, tokenised)", score.value, score.signature, score.detail)


def _is_korean(lines: Sequence[str]) -> bool:
    """Whether three letters in ten are Hangul; names in Latin script are common in Korean text."""
    letters = [character for line in lines for character in line if character.isalpha()]
    return bool(letters) and 10 * sum("가" <= letter <= "힣" for letter in letters) >= 3 * len(letters)


def _notes(hypotheses: Sequence[str], korean: bool, scoring: Scoring) -> tuple[str, ...]:
    tokenised = scoring.tokenize not in ("none", "char") and 2 * sum(
        line.endswith(" .") for line in hypotheses
    ) > len(hypotheses)
    return (*([KOREAN_NOTE] if korean else []), *([TOKENISED_NOTE] if tokenised else []))


def _loss_line(figures: Perplexity) -> str:
    bits = figures.bits_per_character
    end = "" if bits is None else f", {bits:.3f} bits per character"
    return f"loss {figures.loss:.4f} nats per token, perplexity {figures.perplexity:.2f}{end}"


def _lengths_table(rows: Sequence[LengthRow]) -> str:
    headers = ["source words", "sentences", "BLEU", "chrF++", "length ratio"]
    cells = [
        [r.name, str(r.sentences), f"{r.bleu:.2f}", f"{r.chrf:.2f}", f"{r.length_ratio:.3f}"] for r in rows
    ]
    return table(headers, cells)
