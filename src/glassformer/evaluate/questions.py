"""How well questions are answered: exact match and F1, as the scripts of SQuAD and KorQuAD compute them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

Style = Literal["squad", "korquad"]
"""Whose rules: F1 of words (Rajpurkar et al. 2016), or of characters (Lim et al. 2019) as suits Korean."""

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_QUOTES = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Reply:
    """A question with its right answers, of which an unanswerable one has none, and what was ``told``.

    ``told`` is the best text of the context even where the model would rather say that there is no answer;
    ``null`` is how much higher it scores that (above a threshold: no answer), None for a model that always
    answers.
    """

    right: tuple[str, ...]
    told: str
    null: float | None = None

    def kept(self, threshold: float) -> str:
        """What is said in the end: nothing where the score of no answer is above the threshold."""
        return "" if self.null is not None and self.null > threshold else self.told


def plain_english(text: str) -> str:
    """Lower case without punctuation and articles, one space between words.

    >>> plain_english("The  Cat's, an OWL")
    'cats owl'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def plain_korean(text: str) -> str:
    """Brackets and quotation marks part words, other punctuation goes; lower case, one space between words.

    >>> plain_korean("《서울》(Seoul)은, 수도")
    '서울 seoul 은 수도'
    """
    return " ".join(text.translate(_QUOTES).lower().translate(_PUNCTUATION).split())


_PLAIN: dict[Style, Callable[[str], str]] = {"squad": plain_english, "korquad": plain_korean}


def exact(right: str, told: str, style: Style = "squad") -> float:
    """1 where both are the same once normalized, else 0."""
    plain = _PLAIN[style]
    return float(plain(right) == plain(told))


def overlap(right: str, told: str, style: Style = "squad") -> float:
    """F1 of the words (of the characters in KorQuAD) that both have, as often as both have them.

        F1 = 2·common / (words of one + words of the other)

    >>> overlap("the Eiffel tower", "tower of Eiffel")
    0.8
    """
    one, other = _units(right, style), _units(told, style)
    common = (Counter(one) & Counter(other)).total()
    return 2 * common / (len(one) + len(other)) if common else 0.0


def _units(text: str, style: Style) -> Sequence[str]:
    words = _PLAIN[style](text).split()
    return words if style == "squad" else "".join(words)


def best_of(
    right: Sequence[str], told: str, style: Style = "squad", *, silence: bool = False
) -> tuple[float, float]:
    """Exact match and F1 with that right answer which suits each best.

    With ``silence``, where no answer can be right too, answers of nothing but articles and punctuation are
    none, and where there are none the right answer is the empty text, whose F1 with itself is 1
    (Rajpurkar et al. 2018).
    """
    if silence:
        right = [one for one in right if _units(one, style)]
        if not right:
            return exact("", told, style), float(not _units(told, style))
    return max(exact(one, told, style) for one in right), max(overlap(one, told, style) for one in right)


@dataclass(frozen=True, eq=False)
class Marks:
    """Exact match and F1 of every question, from 0 to 100: as answered in the end, and if always answered.

    ``impossible`` are those without an answer, ``nulls`` the scores of having none, NaN where a model always
    answers; ``spoke`` says whether any text was told.
    """

    kept: Float[np.ndarray, "question 2"]
    always: Float[np.ndarray, "question 2"]
    impossible: Bool[np.ndarray, " question"]
    nulls: Float[np.ndarray, " question"]
    spoke: Bool[np.ndarray, " question"]

    def means(self, rows: Int[np.ndarray, " drawn"] | None = None) -> dict[str, float]:
        """The figures of all questions or of those drawn; see ``figures``."""
        drawn = slice(None) if rows is None else rows
        kept, impossible = self.kept[drawn], self.impossible[drawn]
        groups = {"": np.ones_like(impossible)}
        if self.impossible.any():
            groups |= {"answerable_": ~impossible, "unanswerable_": impossible}
        return {
            f"{group}{name}": float(kept[which, column].mean())
            for group, which in groups.items()
            if which.any()
            for column, name in enumerate(NAMES)
        }

    def best(self, column: int = 1) -> tuple[float, float]:
        """The highest exact match (``column`` 0) or F1 (1) of any threshold, and the lowest such threshold.

        Going up through the questions by their score of no answer, one more is answered at each: what an
        answerable one gives is won, the 100 for silence at an unanswerable one is lost. A threshold below all
        scores answers none.
        """
        order = np.argsort(self.nulls, kind="stable")
        nulls = self.nulls[order]
        won = np.where(self.impossible, -100.0 * self.spoke, self.always[:, column])[order]
        totals = 100.0 * self.impossible.sum() + np.concatenate([[0.0], np.cumsum(won)])
        # Questions of one score are answered all or none.
        whole = np.concatenate([[True], nulls[1:] != nulls[:-1], [True]])
        at = int(np.argmax(np.where(whole, totals, -np.inf)))
        threshold = nulls[at - 1] if at else nulls[0] - 1
        return float(totals[at]) / len(order), float(threshold)


NAMES = ("exact_match", "f1")


def marks(replies: Sequence[Reply], style: Style = "squad", threshold: float | None = None) -> Marks:
    """Every question by itself; those whose score of no answer is above ``threshold`` are not answered."""
    impossible = np.array([not reply.right for reply in replies], dtype=bool)
    silence = bool(impossible.any())
    table = np.zeros((2, len(replies), 2))
    for place, one in enumerate(replies):
        told = one.told if threshold is None else one.kept(threshold)
        for half, said in enumerate((told, one.told)):
            table[half, place] = best_of(one.right, said, style, silence=silence)
    nulls = np.array([np.nan if one.null is None else one.null for one in replies], dtype=float)
    spoke = np.array([bool(one.told) for one in replies], dtype=bool)
    return Marks(100 * table[0], 100 * table[1], impossible, nulls, spoke)


def figures(
    replies: Sequence[Reply], style: Style = "squad", threshold: float | None = None
) -> dict[str, float]:
    """``exact_match`` and ``f1`` of all questions, from 0 to 100; more where some are unanswerable.

    These are the official scripts' figures: that of SQuAD 1.1 where every question has an answer, that of
    SQuAD 2.0 where some have none. Then both are given for the questions of either kind too (``answerable_``
    …, ``unanswerable_``…), and what they would be with the best ``…_threshold`` for this set (``best_``…).
    What scores higher than ``threshold`` as having no answer is not answered; None answers everything.
    """
    return all_of(marks(replies, style, threshold))


def all_of(one: Marks) -> dict[str, float]:
    """The means of all questions, and what the best thresholds give where there is a choice."""
    found = one.means()
    if one.impossible.any() and not np.isnan(one.nulls).any():
        for column, name in enumerate(NAMES):
            score, threshold = one.best(column)
            found |= {f"best_{name}": score, f"best_{name}_threshold": threshold}
    return found


def style_of(answers: Iterable[str]) -> Style:
    """By which rules answers are compared when nobody says: KorQuAD's where most letters are Hangul.

    >>> style_of(["대한민국", "BTS"])
    'korquad'
    """
    text = "".join(answers)
    return "korquad" if 2 * len(_HANGUL.findall(text)) > len(_LETTER.findall(text)) else "squad"
