"""The file of a task to be done in context: its data, its words and its limits, read and checked."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from glassformer.adapt import in_context
from glassformer.adapt.in_context import Case
from glassformer.api.recipe import find_recipe
from glassformer.base.config import DataPath, Settings, load, written_at
from glassformer.base.errors import UserError
from glassformer.base.plugins import suggest
from glassformer.base.report import warn
from glassformer.data.columns import columns, part_of, rows, shared_out
from glassformer.data.sources import Source, Sources


class TaskData(Settings):
    """Files with named columns: examples are drawn from ``train`` and asked of ``test``.

    A path is a TSV or CSV file whose first line names its columns, or JSON lines, perhaps a share of it, such
    as ``reviews.tsv[:90%]``. ``label`` is the name of the column with the answers.
    """

    train: Sources
    test: Sources
    label: str = Field("label", min_length=1)


class Limits(Settings):
    """How much is read: ``test`` questions drawn at random, so many ``characters`` of a field, and so on.

    ``max_new_tokens`` bounds what is written where a task has no labels. 0 is no bound on the others.
    """

    test: int = Field(1000, ge=0)
    characters: int = Field(0, ge=0)
    max_new_tokens: int = Field(32, ge=1)


class Task(in_context.Config):
    """A task: its data, how it is put into words (``adapt.in_context``), and limits.

    ``vectors`` is the folder of an encoder by whose vectors the nearest examples are found, in the place of
    the letters that they have in common.
    """

    data: TaskData
    limits: Limits = Limits()
    vectors: DataPath | None = None


@dataclass(frozen=True)
class Opened:
    """A task with its examples: those to show and those to ask."""

    name: str
    settings: Task
    shown: tuple[Case, ...]
    asked: tuple[Case, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have words."""
        return tuple(self.settings.labels)

    @property
    def majority(self) -> float:
        """The share of the questions that have the commonest answer: what needs no model."""
        answers = [one.label for one in self.asked]
        return max(map(answers.count, set(answers))) / len(answers)


def open_task(path: str | Path, overrides: Sequence[str] = (), seed: int = 1) -> Opened:
    """Reads the file of a task, or the package's own of that name, with ``a.b=c`` laid over it, and its data.

    Raises UserError with file and line for what does not fit together.
    """
    place = find_recipe(path)
    settings = load(Task, place, overrides)

    def written(*keys: str) -> str:
        return written_at(Task, place, keys, overrides)

    for source in (*settings.data.train, *settings.data.test):
        _check_fields(settings, source, written("template"))
    shown = tuple(_cases(settings, settings.data.train))
    asked = tuple(_cases(settings, settings.data.test))
    for cases, sources in ((shown, settings.data.train), (asked, settings.data.test)):
        if not cases:
            raise UserError(f"{', '.join(one.path for one in sources)}: there is no example here")
    if settings.labels:
        _check_labels(settings, [*shown, *asked], written("labels"))
    return Opened(Path(path).stem, settings, shown, _some(asked, settings.limits.test, seed))


def _check_fields(settings: Task, source: Source, where: str) -> None:
    name = shared_out(source.path)[0]
    known = columns(name)
    for field in settings.prompting.template.fields:
        if field not in known:
            others = [one for one in known if one != settings.data.label]
            raise UserError(
                f"{where}: the template names {{{field}}}, but {name} has {', '.join(known)}"
                f"{suggest(field, others)}"
            )


def _cases(settings: Task, sources: Sequence[Source]) -> Iterator[Case]:
    """The examples of some files; those without any text are left out."""
    fields, most = settings.prompting.template.fields, settings.limits.characters
    for source in sources:
        name, share = shared_out(source.path)
        found = (rows(name, tuple(dict.fromkeys((*fields, settings.data.label)))) for _ in range(2))
        for where, cells in part_of(next(found), next(found), share):
            label = cells[settings.data.label].strip()
            if not label:
                raise UserError(
                    f"{where}: the label is empty; every example needs one under {settings.data.label!r}"
                )
            texts = {field: cells[field].strip()[: most or None] for field in fields}
            if any(texts.values()):
                yield Case(texts, label, where)


def _check_labels(settings: Task, cases: Sequence[Case], where: str) -> None:
    known = settings.labels
    for case in cases:
        if case.label not in known:
            raise UserError(
                f"{where}: the label {case.label!r} of {case.where} has no words; give it some under labels"
                f"{suggest(case.label, known)}"
            )
    there = {case.label for case in cases}
    for label in known:
        if label not in there:
            warn(f"{where}: no example has the label {label!r}{suggest(label, there - {*known} or there)}")


def _some(cases: tuple[Case, ...], most: int, seed: int) -> tuple[Case, ...]:
    """So many of them at random, in the order of the data; all with 0."""
    if not most or len(cases) <= most:
        return cases
    places = sorted(random.Random(f"test {seed}").sample(range(len(cases)), most))
    return tuple(cases[place] for place in places)
