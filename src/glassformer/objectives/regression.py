"""Regression: a number that belongs to a text, or to two texts together."""

from __future__ import annotations

from typing import Any, Literal

from glassformer.nn.headed import Tells
from glassformer.objectives.texts import TextConfig, Texts


class Config(TextConfig):
    """See ``TextConfig``; smoothing and weights of labels change nothing, since there are no labels."""

    name: Literal["regression"] = "regression"


class Objective(Texts):
    """The summed squared error of the number of every text, in the scale of the data."""

    @classmethod
    def tells(cls, config: Any) -> Tells:  # noqa: ARG003 - others ask their configuration
        """A number."""
        return "number"
