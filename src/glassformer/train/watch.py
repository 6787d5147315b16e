"""Signs of trouble in a run, each as one sentence: what is seen and what to try; it prints nothing itself."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median

HISTORY = 200  # steps that "for long" looks back
SETTLED = 300  # steps after which a model must know more than how frequent words are
EXPLODED = 20  # steps in a row far above everything before


class Watch:
    """Hears every loss and gradient norm and answers with the sentences that are new; each is said once."""

    def __init__(self, vocab_size: int | None = None, unigram: float | None = None) -> None:
        self.vocab_size = vocab_size
        self.unigram = unigram
        self._losses: deque[float] = deque(maxlen=2 * HISTORY)
        self._first: float | None = None
        self._high = 0
        self._still = 0
        self._valid: list[tuple[float, float]] = []
        self._said: set[str] = set()

    def step(self, step: int, loss: float, norm: float) -> list[str]:
        """What one training step shows."""
        self._still = self._still + 1 if norm == 0 else 0
        found = {"first": first_loss(loss, self.vocab_size) if step == 1 else None}
        if self._still == 3:
            found["still"] = no_gradient(step)
        self._losses.append(loss)
        if step % HISTORY == 0:
            found["rising"] = rising(self._losses)
        return self._new(found)

    def evaluated(self, step: int, train_loss: float, valid_loss: float) -> list[str]:
        """What one evaluation shows beside the loss on the training data since the last.

        The validation loss should be free of label smoothing, which adds to what guessing by frequency costs.
        """
        self._valid.append((train_loss, valid_loss))
        counting = no_better_than_counting(step, valid_loss, self.unigram)
        return self._new({"overfitting": overfitting(self._valid), "counting": counting})

    def trouble(self, step: int, loss: float, norm: float) -> str | None:
        """Why the run cannot go on, or None: NaN, infinity, or a loss that stays far above all before."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            numbers = f"loss {loss:.4g}, gradient norm {norm:.4g}"
            return f"the loss is no longer a finite number at step {step} ({numbers}); {ADVICE}"
        self._first = loss if self._first is None else self._first
        if loss <= 1.5 * self._first:
            self._high = 0
            return None
        usual = median(self._losses) if self._losses else loss
        self._high = self._high + 1 if loss > 3 * usual else 0
        if self._high < EXPLODED:
            return None
        return f"the loss has exploded: {loss:.4g} at step {step}, usual was {usual:.4g}; {ADVICE}"

    def _new(self, found: Mapping[str, str | None]) -> list[str]:
        fresh = {kind: sentence for kind, sentence in found.items() if sentence and kind not in self._said}
        self._said.update(fresh)
        return [sentence for sentence in fresh.values() if sentence]


ADVICE = (
    "try a smaller optim.lr, a longer schedule.warmup, optim.clip of 1 or train.precision float32; "
    "what was saved before is untouched"
)


def first_loss(loss: float, vocab_size: int | None) -> str | None:
    """A model that knows nothing should guess evenly, with loss ln V. Far above that, it starts out wrong."""
    if not vocab_size or loss <= 1.5 * math.log(vocab_size):
        return None
    return (
        f"the first loss is {loss:.2f}, far above the {math.log(vocab_size):.2f} of an even guess "
        f"among {vocab_size}; the weights start too large or the tokenizer is not the model's"
    )


def no_better_than_counting(step: int, loss: float, unigram: float | None) -> str | None:
    """The unigram entropy is what one reaches by word frequencies alone, without reading anything."""
    if unigram is None or step < SETTLED or loss <= unigram:
        return None
    return (
        f"after {step} steps the validation loss is still above {unigram:.2f}, what word frequencies alone "
        f"would give; try a larger optim.lr or a shorter warmup, and check that source and target match"
    )


def no_gradient(step: int) -> str:
    """A gradient of exactly zero means that the loss does not depend on any weight."""
    return (
        f"the gradient is zero at step {step} and before; every label is ignored or every weight is frozen, "
        f"so nothing is learned"
    )


def rising(losses: Sequence[float]) -> str | None:
    """The median of the last 200 steps is a tenth above that of the 200 before."""
    if len(losses) < 2 * HISTORY:
        return None
    numbers = list(losses)
    before, now = median(numbers[:HISTORY]), median(numbers[HISTORY:])
    if now <= 1.1 * before:
        return None
    return (
        f"the training loss has been rising for {HISTORY} steps, from {before:.3f} to {now:.3f}; "
        f"try a smaller optim.lr or a longer schedule.warmup"
    )


def overfitting(evaluations: Sequence[tuple[float, float]], turns: int = 3) -> str | None:
    """Three evaluations in a row the validation loss rose while the training loss fell."""
    last = evaluations[-turns - 1 :]
    if len(last) <= turns:
        return None
    worse = all(after[1] > before[1] and after[0] < before[0] for before, after in pairwise(last))
    if not worse:
        return None
    return (
        f"the validation loss has risen {turns} evaluations in a row while the training loss fell: "
        f"the model learns by heart; best/ keeps the best one, and more data or more dropout would help"
    )


def same_answers(hypotheses: Sequence[str], least: int = 4) -> str | None:
    """A model that has not yet learned to look at its source answers everything alike."""
    if len(hypotheses) < least or len(set(hypotheses)) > 1:
        return None
    return (
        f"all {len(hypotheses)} translations are the same ({hypotheses[0][:40]!r}); the model does not look "
        f"at its source yet; train longer, or check that source and target match"
    )


def unigram_entropy(counts: Iterable[int]) -> float:
    """Entropy of a distribution given by counts, in nats: the loss of the best guess that reads nothing."""
    numbers = [count for count in counts if count > 0]
    total = sum(numbers)
    return -sum(count / total * math.log(count / total) for count in numbers)
