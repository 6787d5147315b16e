"""Multi-label classification: which of a few labels a text has, where it may have several or none."""

from __future__ import annotations

from typing import Any, Literal

from glassformer.nn.headed import Tells
from glassformer.objectives.texts import TextConfig, Texts


class Config(TextConfig):
    """See ``TextConfig``; an answer is a yes or a no to one label of one text."""

    name: Literal["multi_label"] = "multi_label"


class Objective(Texts):
    """The summed binary cross-entropy of every label of every text (``telling.Labels``).

    A label is told where its probability reaches a threshold. When training is done the one is taken that
    serves the validation set best (``api/settling``), and the model's head keeps it.
    """

    @classmethod
    def tells(cls, config: Any) -> Tells:  # noqa: ARG003 - others ask their configuration
        """Several labels."""
        return "labels"
