"""Whether one system is better than another on the same sentences: paired bootstrap resampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sacrebleu.metrics import CHRF

from glassformer.base.errors import UserError
from glassformer.evaluate.bleu import References, Scoring, paired
from glassformer.evaluate.bootstrap import SAMPLES, SEED, draws, interval


@dataclass(frozen=True)
class Difference:
    """How far a system lies above a baseline in one metric, and how sure that is.

    ``delta`` is system minus baseline; ``low`` and ``high`` are the 2.5th and 97.5th percentile of it over
    the resamples; ``wins`` is the share of resamples in which the system scored higher (Koehn 2004).
    ``p_value`` is the one sacreBLEU prints for ``--paired-bs``, so that the two can be compared; only for
    systems that score alike on every resample it is 1 here, where sacreBLEU's formula gives its smallest
    value.
    """

    metric: str
    baseline: float
    system: float
    delta: float
    low: float
    high: float
    p_value: float
    wins: float
    samples: int
    seed: int
    signature: str

    @property
    def significant(self) -> bool:
        """Whether p < 0.05, the customary line."""
        return self.p_value < 0.05

    def __str__(self) -> str:
        return (
            f"{self.metric} {self.baseline:.2f} → {self.system:.2f} ({self.delta:+.2f}, "
            f"95 % interval {self.low:+.2f} to {self.high:+.2f}, p = {self.p_value:.4f})"
        )


def compare(
    system: Sequence[str],
    baseline: Sequence[str],
    references: References,
    *,
    samples: int = SAMPLES,
    seed: int = SEED,
    scoring: Scoring | None = None,
) -> tuple[Difference, Difference]:
    """BLEU and chrF++ of ``system`` against ``baseline`` by paired bootstrap resampling (Koehn 2004).

    Sentences are drawn with replacement, the same draw for both systems, ``samples`` times. Raises UserError
    for empty data, unequal counts and fewer than two resamples.
    """
    if samples < 2:
        raise UserError(f"A comparison needs at least 2 resamples, not {samples}; 1000 is customary.")
    if len(system) != len(baseline):
        raise UserError(
            "The two systems cannot be compared: "
            f"one has {len(system)} translations, the other {len(baseline)}."
        )
    checked = paired(system, references)
    scoring = scoring or Scoring()
    bleu = scoring.metric()
    chrf = CHRF(word_order=2)
    rows = {
        "BLEU": (bleu, _rows(bleu, *(scoring.prepare(lines) for lines in (system, baseline, *checked)))),
        "chrF++": (chrf, _rows(chrf, list(system), list(baseline), *checked)),
    }
    signatures = {"BLEU": scoring.signature(bleu), "chrF++": str(chrf.get_signature())}
    found = [
        _difference(
            name, metric, both, f"{signatures[name]}|bs:{samples}|seed:{seed}", samples=samples, seed=seed
        )
        for name, (metric, both) in rows.items()
    ]
    return found[0], found[1]


def _rows(metric: Any, system: list[str], baseline: list[str], *references: list[str]) -> np.ndarray:
    """Each sentence's sufficient statistics for both systems, [2, sentences, counts].

    sacreBLEU has no public name for them; tests/evaluate/test_compare.py would notice if they changed.
    """
    streams = list(references)
    both = [metric._extract_corpus_statistics(lines, streams) for lines in (system, baseline)]
    return np.asarray(both, dtype=np.float64)


def _score(metric: Any, statistics: np.ndarray) -> float:
    return float(metric._compute_score_from_stats(statistics.tolist()).score)


def _resampled(metric: Any, rows: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """System minus baseline for every resample, [samples]."""
    sentences = rows.shape[1]
    deltas: list[float] = []
    for drawn in draws(sentences, samples, seed):
        # How often each sentence was drawn, times its statistics: the sums without copying the rows.
        times = np.stack([np.bincount(draw, minlength=sentences) for draw in drawn]).astype(np.float64)
        system, baseline = times @ rows[0], times @ rows[1]
        deltas += [_score(metric, a) - _score(metric, b) for a, b in zip(system, baseline, strict=True)]
    return np.asarray(deltas)


def _difference(
    name: str, metric: Any, rows: np.ndarray, signature: str, *, samples: int, seed: int
) -> Difference:
    system, baseline = (_score(metric, one.sum(0)) for one in rows)
    deltas = _resampled(metric, rows, samples, seed)
    low, high = interval(deltas)
    return Difference(
        metric=name,
        baseline=baseline,
        system=system,
        delta=system - baseline,
        low=low,
        high=high,
        p_value=_p_value(deltas, system - baseline),
        wins=float((deltas > 0).mean()),
        samples=samples,
        seed=seed,
        signature=signature,
    )


def _p_value(deltas: np.ndarray, delta: float) -> float:
    """The share of resamples whose distance, less the mean distance, passes the real one (as sacreBLEU)."""
    distances = np.abs(deltas)
    if not distances.any():
        return 1.0
    beyond = int((distances - distances.mean() > abs(delta)).sum())
    return (beyond + 1) / (len(deltas) + 1)
