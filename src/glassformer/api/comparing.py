"""One task under several ways of adapting a model: what each trains, its minutes, and its score."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from glassformer.api.evaluation import evaluate
from glassformer.api.measured import tested
from glassformer.api.recipe import Recipe, find_recipe
from glassformer.api.shots import shots
from glassformer.api.shown import Report
from glassformer.api.training import train
from glassformer.base import files, report
from glassformer.base.config import DataPath, Settings, dump, load
from glassformer.base.errors import UserError
from glassformer.base.plugins import suggest
from glassformer.base.tree import read_file
from glassformer.hub.manifest import read_json

IN_CONTEXT = ("accuracy", "macro_f1")
"""The figures that learning in context has too."""


IN_CONTEXT_ROW = "in_context"
"""The name under which its rows are kept."""


class InContext(Settings):
    """The same task in context (``glassformer shots``): its file, how many examples, in how many orders.

    ``model`` is the folder that is asked; that of the recipe's ``init`` where it is not given.
    """

    task: DataPath
    k: tuple[int, ...] = Field((0, 8), min_length=1)
    orders: int = Field(5, ge=1)
    model: DataPath | None = None


class Comparison(Settings):
    """What is compared by one ``score``: a ``recipe`` under ``ways``, of which each lays settings over it."""

    recipe: DataPath
    ways: dict[str, dict[str, Any] | None] = Field(min_length=1)
    score: str = "accuracy"
    in_context: InContext | None = None

    @field_validator("ways")
    @classmethod
    def _named(cls, ways: dict[str, Any]) -> dict[str, Any]:
        for name in ways:
            if not name.replace("-", "_").isidentifier():
                raise ValueError(
                    f"{name!r} is to be the name of a folder; write it with letters, digits, - and _"
                )
        if IN_CONTEXT_ROW in ways:
            raise ValueError(f"{IN_CONTEXT_ROW!r} is what is told by the key of that name; take another")
        return ways


@dataclass(frozen=True, slots=True)
class Row:
    """One way: the ``trained`` of all ``parameters``, the minutes, the score and its 95 % interval."""

    way: str
    trained: int
    parameters: int | None
    minutes: float
    score: float
    low: float | None
    high: float | None

    def cells(self) -> tuple[object, ...]:
        """For a table."""
        share = None if not self.parameters else 100 * self.trained / self.parameters
        between = "" if self.low is None or self.high is None else f"{self.low:.4f} to {self.high:.4f}"
        shown = "" if share is None else f"{share:.3g}"
        return (self.way, f"{self.trained:,}", shown, f"{self.minutes:.1f}", f"{self.score:.4f}", between)


@dataclass(frozen=True)
class Compared:
    """All ways of a comparison, and the folder that they lie in."""

    score: str
    rows: tuple[Row, ...]
    folder: Path

    @property
    def headers(self) -> tuple[str, ...]:
        """What stands over the columns."""
        return ("way", "trained", "% of all", "minutes", self.score, "95 %")

    def lines(self) -> Iterator[str]:
        """A table for a terminal."""
        yield report.table(self.headers, [row.cells() for row in self.rows])
        yield f"\n{self.folder / 'compare.md'} and .json say the same"

    def markdown(self) -> str:
        """A table for a document."""
        lines = [self.headers, tuple("---" for _ in self.headers), *(row.cells() for row in self.rows)]
        return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)

    def as_json(self) -> dict[str, Any]:
        """All of it for machines."""
        return {"score": self.score, "ways": [asdict(row) for row in self.rows], "output": str(self.folder)}


def compare(path: str | Path, overrides: Sequence[str] = (), *, output: str | Path | None = None) -> Compared:
    """Runs every way of the comparison at ``path`` into a folder of its own below ``output``, and tells them.

    ``overrides`` are laid over the recipe of every way. A way that is finished is not run again, and one that
    was stopped goes on. Beside the folders of the ways lie their recipes, and ``compare.md`` and
    ``compare.json``. Raises UserError for settings that do not fit, before anything is run, and for a folder
    that was made with others.
    """
    place = find_recipe(path)
    asked = load(Comparison, place)
    recipes = recipes_of(asked, place, overrides)
    folder = Path(output) if output is not None else Path("runs") / Path(path).stem
    rows: list[Row] = []
    for number, (way, recipe) in enumerate(recipes.items(), start=1):
        report.say(f"{way} ({number} of {len(recipes)})")
        rows += _once(folder, way, dump(recipe), partial(_trained, folder, way, recipe, asked.score))
    if asked.in_context is not None:
        rows += _in_context(folder, asked, next(iter(recipes.values())))
    found = Compared(asked.score, tuple(rows), folder)
    files.write_text(folder / "compare.md", found.markdown())
    files.write_text(
        folder / "compare.json", json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n"
    )
    return found


def recipes_of(asked: Comparison, place: Path, overrides: Sequence[str]) -> dict[str, Recipe]:
    """The recipe of every way, all read before any is run. Raises UserError."""
    base, written = find_recipe(asked.recipe), read_file(place)
    found = {way: load(Recipe, base, overrides, over=written.below(("ways", way))) for way in asked.ways}
    if asked.in_context is not None:
        if asked.score not in IN_CONTEXT:
            raise UserError(f"{place}: in context there is {' and '.join(IN_CONTEXT)}, and no {asked.score}")
        if asked.in_context.model is None and next(iter(found.values())).init is None:
            raise UserError(f"{place}: in_context names no model, and the recipe has no init to take it from")
    return found


def _once(folder: Path, way: str, recipe: str, run: Callable[[], list[Row]]) -> list[Row]:
    """The rows of a way: those that were written when it was finished, or of a run now."""
    kept, key = folder / f"{way}.json", hashlib.sha256(recipe.encode()).hexdigest()
    if kept.is_file():
        told = read_json(kept)
        if told.get("key") != key:
            raise UserError(
                f"{kept}: {way} was run with other settings; remove it with its folder, or choose another"
            )
        report.say(f"{way} is finished")
        return [Row(**row) for row in told["rows"]]
    recorded = folder / f"{way}.yaml"
    if recorded.is_file() and recorded.read_text("utf-8") != recipe:
        raise UserError(
            f"{recorded}: {way} was begun with other settings; remove it with its folder, or choose another"
        )
    files.write_text(recorded, recipe)
    rows = run()
    told = {"key": key, "rows": [asdict(row) for row in rows]}
    files.write_text(kept, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    return rows


def _trained(folder: Path, way: str, recipe: Recipe, score: str) -> list[Row]:
    place = folder / way
    figures = train(folder / f"{way}.yaml", output=place, resume=place.exists())
    data: Any = recipe.data
    told: Any = evaluate(place, [source.path for source in data.sources(tested(data, place).split)])
    found: dict[str, Any] = told.as_json()
    if not isinstance(found.get(score), int | float):
        known = ", ".join(name for name, value in found.items() if isinstance(value, float))
        raise UserError(f"{way} has no figure {score!r}; it has {known}{suggest(score, found)}")
    low, high = found.get("intervals", {}).get(score, (None, None))
    size = figures["parameters"]
    learned, minutes = figures.get("trained_parameters", size), figures["seconds"] / 60
    return [Row(way, learned, size, minutes, found[score], low, high)]


def _in_context(folder: Path, asked: Comparison, recipe: Recipe) -> list[Row]:
    """A row for each number of examples."""
    settings = asked.in_context
    assert settings is not None
    model = settings.model or recipe.init
    assert model is not None
    report.say("in context")

    def run() -> list[Row]:
        found = shots(model, settings.task, k=settings.k, orders=settings.orders, control=False)
        return _shown(found, asked.score)

    return _once(folder, IN_CONTEXT_ROW, dump(settings) + f"# model: {model}\n", run)


def _shown(found: Report, score: str) -> list[Row]:
    rows = []
    for level in found.levels:
        low, high = level.intervals(found.questions)[score]
        mean, minutes = level.mean(score), sum(run.seconds for run in level.runs) / 60
        assert mean is not None
        rows.append(Row(f"in context, k={level.k}", 0, None, minutes, mean, low, high))
    return rows
