"""Skip-gram: every word tells the words around it."""

from __future__ import annotations

from typing import ClassVar, Literal

from glassformer.objectives import sampled
from glassformer.objectives.neighbours import Neighbours, WindowConfig


class Config(WindowConfig):
    """See ``WindowConfig``; an answer is a pair of a word and one in its window."""

    name: Literal["skip_gram"] = "skip_gram"


class Objective(Neighbours):
    """The summed loss of all pairs of a word and one of those in its window (Mikolov et al. 2013b, §2)."""

    form = staticmethod(sampled.skip_gram)
    skips: ClassVar[bool] = True
    noise: ClassVar[int] = 32
