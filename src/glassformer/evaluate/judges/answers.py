"""Answers that are cut out of a text: exact match and F1 over questions, with those that have no answer."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from glassformer.data.example import Example
from glassformer.decode.spans import Found, read
from glassformer.evaluate.judge import Asked, Table
from glassformer.evaluate.questions import Reply, all_of, marks, style_of
from glassformer.objectives.objective import Told


class Judge:
    """Reads of each row what ``objectives.span`` tells: scores of windows, where tokens stand, the rules.

    Figures: exact match and F1 from 0 to 100 as the official scripts compute them (``evaluate.questions``):
    those of SQuAD, or of KorQuAD where most letters of the answers are Hangul. Where some questions have no
    answer, also those of either kind, and what the best threshold for this set would give. Resamples draw
    questions.
    """

    shown: Mapping[str, str] = {
        "f1": "F1 of answers (0 to 100)",
        "exact_match": "exact match (0 to 100)",
        "answerable_f1": "F1 where there is an answer",
        "answerable_exact_match": "exact match where there is an answer",
        "unanswerable_f1": "right to be silent (0 to 100)",
        "best_f1": "F1 with the best threshold here",
    }

    def __init__(self, told: Mapping[int, Told], asked: Asked) -> None:
        self.asked, self.rows = asked, list(told)
        found = {row: read(one) for row, one in told.items()}
        rules = {float(one["rules"][1]) for one in told.values()}
        self.threshold = next((threshold for threshold in rules if not math.isnan(threshold)), None)
        self.found = [found[row][0] for row in self.rows]
        self.replies = []
        for row, example in asked.chosen(self.rows):
            one, cut = found[row]
            self.replies.append(_reply(one, cut, example, choice=self.threshold is not None))
        self.style = style_of(answer for one in self.replies for answer in one.right)
        both = zip(self.replies, self.found, strict=True)
        self.told = ["" if said.silent else one.told for one, said in both]
        self.marks = marks(self.replies, self.style, self.threshold)

    def __len__(self) -> int:
        return len(self.rows)

    def figures(self, rows: Int[np.ndarray, " drawn"] | None = None) -> dict[str, float]:
        """All figures; of those drawn the means alone, since a threshold is chosen once."""
        return all_of(self.marks) if rows is None else self.marks.means(rows)

    def notes(self) -> list[str]:
        """By whose rules answers are compared, and whether a model is asked what it cannot say."""
        rules = {"squad": "the words of SQuAD", "korquad": "the characters of KorQuAD"}[self.style]
        found = [f"answers are compared by {rules}, {len(self):,} questions"]
        silenced = int(self.marks.impossible.sum())
        if silenced and np.isnan(self.marks.nulls).all():
            found.append(f"{silenced:,} questions have no answer, and this model always gives one")
        elif silenced:
            found.append(
                f"no answer is given where that scores more than {self.threshold:.4f} above the best; "
                f"F1 would be highest with {self.marks.best()[1]:.4f}"
            )
        return found

    def tables(self) -> list[Table]:
        """How well questions fare by how they begin."""
        kinds: dict[str, list[int]] = {}
        for place, (_, example) in enumerate(self.asked.chosen(self.rows)):
            kinds.setdefault(example.fields["question"].split()[0].lower(), []).append(place)
        often = sorted(kinds.items(), key=lambda item: -len(item[1]))[:FIRST_WORDS]
        rows = [
            (word, len(places), *(round(float(value), 2) for value in self.marks.kept[places].mean(axis=0)))
            for word, places in often
        ]
        return [
            Table(
                "first_words",
                "By the first word of the question",
                ("word", "count", "exact", "F1"),
                tuple(rows),
            )
        ]

    def wrong(self, most: int) -> Table:
        """The questions without any word of a right answer, the surest first."""
        sure = np.array([_surety(one) for one in self.found])
        mistaken = np.flatnonzero(self.marks.kept[:, 1] == 0)
        worst = mistaken[np.argsort(-sure[mistaken], kind="stable")][:most].tolist()
        texts = dict(self.asked.chosen(self.rows[place] for place in worst))
        cells = []
        for place in worst:
            example = texts[self.rows[place]]
            right = " / ".join(dict.fromkeys(self.replies[place].right))
            cells.append(
                (
                    example.where,
                    right,
                    self.told[place],
                    round(float(sure[place]), 4),
                    example.fields["question"],
                )
            )
        return Table(
            "wrong", "Most sure and wrong", ("where", "true", "told", "probability", "question"), tuple(cells)
        )


FIRST_WORDS = 12
"""How many kinds of questions are told apart."""


def _reply(one: Found, cut: list[tuple[int, int]], example: Example, *, choice: bool) -> Reply:
    text = example.fields["context"][slice(*cut[0])] if cut else ""
    right = tuple(answer for answer, _ in example.fields["answers"])
    return Reply(right, text, one.null if choice else None)


def _surety(one: Found) -> float:
    return one.silence if one.silent or not one.spans else one.spans[0].probability
