"""Scores by the length of the source sentence: where a model breaks as sentences grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from glassformer.base.errors import UserError
from glassformer.evaluate.bleu import References, Scoring, chrf, paired

EDGES = (5, 10, 15, 20, 30, 40, 60)
"""The longest source of each bucket, in words between white space; what is longer is in the last bucket."""


@dataclass(frozen=True)
class LengthRow:
    """Scores of the sentences whose source has ``first`` to ``last`` words (``last`` None: no upper end).

    ``length_ratio`` is translation tokens over reference tokens, as BLEU counts them: below 1 is too short.
    """

    first: int
    last: int | None
    sentences: int
    bleu: float
    chrf: float
    length_ratio: float

    @property
    def name(self) -> str:
        """The bucket as a reader says it: ``6-10`` or ``61+``."""
        return f"{self.first}+" if self.last is None else f"{self.first}-{self.last}"

    def as_json(self) -> dict[str, Any]:
        """The row for machines."""
        return asdict(self)


def by_length(
    sources: Sequence[str],
    hypotheses: Sequence[str],
    references: References,
    *,
    edges: Sequence[int] = EDGES,
    scoring: Scoring | None = None,
) -> list[LengthRow]:
    """Corpus scores for each bucket of source length that has sentences, shortest first.

    Buckets of few sentences swing: read the count beside the score. Raises UserError for unequal counts.
    """
    if len(sources) != len(hypotheses):
        raise UserError(
            f"There are {len(sources)} source sentences but {len(hypotheses)} translations; "
            "line n of each must belong to the same sentence."
        )
    streams = paired(hypotheses, references)
    lengths = [len(source.split()) for source in sources]
    rows = []
    for first, last in zip([0, *(edge + 1 for edge in edges)], [*edges, None], strict=True):
        chosen = [i for i, n in enumerate(lengths) if n >= first and (last is None or n <= last)]
        if chosen:
            kept = [[stream[i] for i in chosen] for stream in streams]
            rows.append(_row(first, last, [hypotheses[i] for i in chosen], kept, scoring or Scoring()))
    return rows


def _row(
    first: int, last: int | None, hypotheses: list[str], references: list[list[str]], scoring: Scoring
) -> LengthRow:
    result = scoring.metric().corpus_score(
        scoring.prepare(hypotheses), [scoring.prepare(stream) for stream in references]
    )
    return LengthRow(
        first=first,
        last=last,
        sentences=len(hypotheses),
        bleu=float(result.score),
        chrf=chrf(hypotheses, references).value,
        length_ratio=float(result.ratio),
    )
