"""Pairs: what two texts are to each other, read together in one row: entailment, paraphrase, likeness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from glassformer.base.errors import UserError
from glassformer.nn.headed import Head, Tells
from glassformer.objectives.texts import TextConfig, Texts


class Config(TextConfig):
    """``tells`` a label, such as entailment or contradiction, or a number: how alike the texts are.

    The rest is said by ``TextConfig``.
    """

    name: Literal["pair"] = "pair"
    tells: Literal["label", "number"] = "label"


class Objective(Texts):
    """The loss of a classification, or of a regression, of two texts in one row (Devlin et al. 2019, §4.1).

    Every token of one text sees those of the other, in a body that generates only those of the second those
    of the first. For one vector of each text by itself see ``similarity``.
    """

    shaping: tuple[str, ...] = ("tells",)

    @classmethod
    def tells(cls, config: Any) -> Tells:
        """What the configuration says."""
        found: Tells = config.tells
        return found

    @classmethod
    def head(
        cls, config: Any, *, facts: Mapping[str, Any], ability: str, width: int, max_length: int
    ) -> Head:
        """That of other texts; UserError for data with one text in a row."""
        check_two(config.name, facts)
        return super().head(config, facts=facts, ability=ability, width=width, max_length=max_length)


def check_two(name: str, facts: Mapping[str, Any]) -> None:
    """Refuse data with one text in a row for the objective of that name."""
    if facts["texts"] != 2:
        raise UserError(f"{name} learns from two texts in a row; name the column of the second as data.pair")
