"""Classification: which of a few labels a text has, or two texts together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from glassformer.base.errors import UserError
from glassformer.objectives.texts import TextConfig, Texts


class Config(TextConfig):
    """With two labels ``outputs: 1`` gives one score, whose sigmoid is the probability of the second label.

    The rest is said by ``TextConfig``.
    """

    name: Literal["classification"] = "classification"
    outputs: Literal[1] | None = None


class Objective(Texts):
    """The summed cross-entropy of the label of every text (Devlin et al. 2019, §4.1)."""

    @classmethod
    def outputs(cls, config: Any, labels: Sequence[str]) -> int:
        """One for each label, or one for two; UserError where one cannot do."""
        if config.outputs == 1 and len(labels) != 2:
            raise UserError(
                f"objective.outputs: 1 tells two labels apart, and the data has {len(labels)}; leave it out"
            )
        return config.outputs or len(labels)
