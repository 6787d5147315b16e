"""From what a model tells in a pass to its judge: which objectives have one, and the examples behind rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from glassformer.base import plugins
from glassformer.data.example import Example
from glassformer.data.sources import Split
from glassformer.evaluate.judge import Asked, Judge, judge_of
from glassformer.objectives.objective import Objective, Told
from glassformer.train.validate import Judging


def has_judge(objective: Objective) -> bool:
    """Whether what an objective's models tell can be judged row by row."""
    return hasattr(objective, "judge") and hasattr(objective, "told")


def judge_for(objective: Objective, data: Any, split: Split, told: Mapping[int, Told]) -> Judge:
    """The judge of what a model told of a split of the recipe's data."""
    asked = Asked(getattr(objective, "labels", ()), partial(_examples, data, split), partial(_text, data))
    return judge_of(objective, told, asked)


def judging(objective: Objective, data: Any, split: Split) -> Judging | None:
    """The figures of what is told of a split, by name, for training; None where nothing judges them."""
    if not has_judge(objective):
        return None
    return lambda told: judge_for(objective, data, split, told).figures()


def _examples(data: Any, split: Split) -> Iterator[Example]:
    """Every example of a split, in the order in which its rows are counted."""
    for source in data.sources(split):
        yield from data.read(source.path)


def _text(data: Any, example: Example) -> str:
    look: Any = plugins.find("data", data.name).look(data, example)
    return str(look.text)
