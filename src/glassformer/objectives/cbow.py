"""The continuous bag of words: the mean of the words around a place tells the word that stands there."""

from __future__ import annotations

from typing import ClassVar, Literal

from glassformer.objectives import sampled
from glassformer.objectives.neighbours import Neighbours, WindowConfig


class Config(WindowConfig):
    """See ``WindowConfig``; an answer is a word that has others in its window."""

    name: Literal["cbow"] = "cbow"


class Objective(Neighbours):
    """The summed loss of all words that have others around them (Mikolov et al. 2013a, §3.1)."""

    form = staticmethod(sampled.cbow)
    skips: ClassVar[bool] = False
    noise: ClassVar[int] = 8
