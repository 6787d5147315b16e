"""How well a model does a task that it is only shown, by the number of examples; nothing is trained."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassformer.adapt import in_context
from glassformer.adapt.examples import Overlap, drawn, nearest, ordered, relabelled
from glassformer.adapt.in_context import Case, Table
from glassformer.api.asking import Advance, Blanking, Continuing, Prompt, asker
from glassformer.api.loading import load
from glassformer.api.opened import Opened
from glassformer.api.shown import Figures, Report, Run
from glassformer.api.task import Opened as OpenedTask
from glassformer.api.task import open_task
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.evaluate.classes import accuracy, confusion, macro_f1

SHOTS = (0, 1, 4, 8)
ORDERS = 5


def shots(
    model: str | Path | Opened,
    task: str | Path,
    overrides: Sequence[str] = (),
    *,
    k: Sequence[int] = SHOTS,
    orders: int = ORDERS,
    control: bool = True,
    seed: int = 1,
    device: str = "auto",
    dtype: Any = "auto",
) -> Report:
    """Asks a model the test questions of a task after it was shown k examples, for each k and some orders.

    ``model`` is a folder, or what ``load`` gave. ``control`` also shows the same examples with labels drawn
    at random (Min et al. 2022). Raises UserError for what does not fit: a template with an unknown field, a
    label without words, more examples than there are, a prompt longer than the model.
    """
    opened_task = open_task(task, overrides, seed)
    counts = _counts(k, opened_task, orders)
    session = _Session(_opened(model, device, dtype), opened_task, seed)
    plan = list(_plan(counts, orders, control=control and bool(opened_task.labels)))
    began = time.monotonic()
    with report.progress(len(plan) * len(opened_task.asked), "asking") as bar:
        runs = [session.run(one, bar.advance) for one in plan]
    runs.sort(key=lambda run: (run.k, run.control, run.order))
    return Report(
        opened_task.name,
        str(session.opened.folder),
        len(opened_task.asked),
        opened_task.majority,
        tuple(runs),
        time.monotonic() - began,
    )


def _opened(model: str | Path | Opened, device: str, dtype: Any) -> Opened:
    if isinstance(model, str | Path):
        found: Opened = load(model, able=("generates", "encodes"), device=device, dtype=dtype)
        return found
    return model


def _counts(k: Sequence[int], task: OpenedTask, orders: int) -> list[int]:
    """How many examples are shown, the most first: a prompt that is too long is found at once."""
    counts = sorted(set(k), reverse=True)
    if not counts or counts[-1] < 0 or orders < 1:
        raise UserError("k is a list of numbers from 0, and there is at least 1 order")
    if counts[0] > len(task.shown):
        raise UserError(
            f"k is {counts[0]}, but the training set has {report_count(len(task.shown))}; ask for fewer"
        )
    return counts


def report_count(number: int) -> str:
    """So many examples, in words."""
    return "1 example" if number == 1 else f"{number} examples"


@dataclass(frozen=True)
class _Step:
    k: int
    order: int
    control: bool


def _plan(counts: Sequence[int], orders: int, *, control: bool) -> Iterator[_Step]:
    """Each number of examples in each order, without examples once."""
    for k in counts:
        for order in range(orders if k else 1):
            for labels in (False, True) if control and k else (False,):
                yield _Step(k, order, labels)


class _Session:
    """A model and a task, and what is worked out once for all runs."""

    def __init__(self, opened: Opened, task: OpenedTask, seed: int) -> None:
        self.opened, self.task, self.seed = opened, task, seed
        self.asks: Continuing | Blanking = asker(opened, task.settings.prompting)
        if not task.labels and not hasattr(self.asks, "write"):
            raise UserError(
                f"{opened.folder}: the task {task.name} has no labels: answers are written, and this model "
                "writes none; give the labels words, or take a model that generates"
            )
        self._nearest: list[list[int]] | None = None

    def run(self, step: _Step, advance: Advance) -> Run:
        """The figures of one number of examples in one order."""
        began = time.monotonic()
        prompts = self._prompts(step)
        if self.task.labels:
            found = self._told(step, prompts, advance)
            again = _of_labels(found, self.task)
        else:
            assert isinstance(self.asks, Continuing)
            written = self.asks.write(prompts, self.task.settings.limits.max_new_tokens, advance)
            again = _of_texts(written, self.task)
        figures = again(np.arange(len(prompts)))
        return Run(step.k, step.order, step.control, figures, time.monotonic() - began, again)

    def _told(self, step: _Step, prompts: Sequence[Prompt], advance: Advance) -> list[int]:
        """The place of the label that is told for each question."""
        settings, template = self.task.settings, self.task.settings.prompting.template
        scores = self._scores(prompts, step, advance)
        if settings.calibration == "contextual":
            # What is shown is the same for all questions, or else each has its own.
            sets = list({id(shown): shown for shown, _ in prompts}.values())
            empty = [
                (shown, in_context.free(template, text)) for shown in sets for text in settings.content_free
            ]
            shape = (len(sets), len(settings.content_free), len(self.task.labels))
            scores = in_context.contextual(scores, self._scores(empty, step, None).reshape(shape))
        if settings.calibration == "domain":
            scores = in_context.domain(scores, self._premise())
        return scores.argmax(axis=1).tolist()

    def _scores(self, prompts: Sequence[Prompt], step: _Step, advance: Advance | None) -> Table:
        rows = self.asks.read(prompts)
        longest = max(map(self.asks.size, rows))
        if longest > self.asks.longest:
            raise UserError(self._too_long(step, longest))
        return in_context.table(self.asks.scores(rows, advance), self.task.settings.score)

    def _premise(self) -> Table:
        """The scores of the words after the question's own words alone."""
        settings = self.task.settings
        lead = settings.prompting.template.lead if settings.premise is None else settings.premise
        bare = replace(settings.prompting, template=in_context.premise(lead), instruction="")
        alone = asker(self.opened, bare)
        return in_context.table(alone.scores(alone.read([((), {})]), None), settings.score)

    def _prompts(self, step: _Step) -> list[Prompt]:
        if self.task.settings.choice == "nearest" and step.k:
            rows = self._neighbours()
            return [
                (self._shown(ordered(row[-step.k :], step.order), step), case.fields)
                for row, case in zip(rows, self.task.asked, strict=True)
            ]
        shown = self._shown(self._drawn(step), step)
        return [(shown, case.fields) for case in self.task.asked]

    def _drawn(self, step: _Step) -> list[int]:
        settings = self.task.settings
        seed = self.seed + (step.order if settings.vary == "examples" else 0)
        labels = [case.label for case in self.task.shown]
        return ordered(drawn(labels, step.k, seed, balanced=settings.choice == "balanced"), step.order)

    def _shown(self, places: Sequence[int], step: _Step) -> list[Case]:
        cases = [self.task.shown[place] for place in places]
        if not step.control:
            return cases
        labels = relabelled([case.label for case in cases], self.task.labels, self.seed + step.order)
        return [replace(case, label=label) for case, label in zip(cases, labels, strict=True)]

    def _neighbours(self) -> list[list[int]]:
        """For every question the examples nearest to it, the nearest last; never the question itself."""
        if self._nearest is None:
            pool, asked = (list(map(_text, cases)) for cases in (self.task.shown, self.task.asked))
            likeness = self._likeness(pool, asked)
            with report.progress(len(asked), "looking for the nearest", brief=True) as bar:
                self._nearest = []
                for place, text in enumerate(asked):
                    self._nearest.append(nearest(likeness(place, text), len(pool)).tolist())
                    bar.advance()
        return self._nearest

    def _likeness(self, pool: list[str], asked: list[str]) -> Callable[[int, str], np.ndarray]:
        folder = self.task.settings.vectors
        if folder is None:
            overlap = Overlap(pool)
            return lambda _, text: overlap(text)
        encoder = load(folder, able="encodes")
        ours, theirs = (
            encoder.embed(texts, normalize=True, too_long="cut").numpy() for texts in (pool, asked)
        )
        return lambda place, _: ours @ theirs[place]

    def _too_long(self, step: _Step, longest: int) -> str:
        """What is said of a prompt that does not fit, and how many examples would."""
        most = self.asks.longest
        for fewer in range(step.k - 1, -1, -1):
            rows = self.asks.read(self._prompts(replace(step, k=fewer, control=False)))
            if max(map(self.asks.size, rows)) <= most:
                shown = "no example fits" if not fewer else f"{report_count(fewer)} fit"
                advice = f"{shown}; ask for --k up to {fewer}, or shorten the texts with limits.characters"
                break
        else:
            advice = "not even a question alone fits; shorten the texts with limits.characters"
        said = f"with {report_count(step.k)} the longest prompt has {longest} tokens"
        return f"{said}, and the model reads {most}: {advice}"


def _text(case: Case) -> str:
    return " ".join(case.fields.values())


def _plain(text: str) -> str:
    """An answer without the white space that does not count."""
    return " ".join(text.split())


def _of_labels(told: Sequence[int], task: OpenedTask) -> Callable[[np.ndarray], Figures]:
    true = np.array([task.labels.index(one.label) for one in task.asked])
    other = np.array(told)

    def figures(rows: np.ndarray) -> Figures:
        found = confusion(true[rows], other[rows], len(task.labels))
        return Figures(accuracy(found), macro_f1(found))

    return figures


def _of_texts(written: Sequence[str], task: OpenedTask) -> Callable[[np.ndarray], Figures]:
    pairs = zip(written, task.asked, strict=True)
    right = np.array([_plain(one) == _plain(case.label) for one, case in pairs])
    return lambda rows: Figures(float(right[rows].mean()), None)
