"""How well questions are answered: exact match and F1, as the scripts of SQuAD and KorQuAD compute them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

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


def figures(
    replies: Sequence[Reply], style: Style = "squad", threshold: float | None = None
) -> dict[str, float]:
    """``exact_match`` and ``f1`` of all questions, from 0 to 100; more where some are unanswerable.

    These are the official scripts' figures: that of SQuAD 1.1 where every question has an answer, that of
    SQuAD 2.0 where some have none. Then both are given for the questions of either kind too (``answerable_``
    …, ``unanswerable_``…), and what they would be with the best ``…_threshold`` for this set (``best_``…).
    What scores higher than ``threshold`` as having no answer is not answered; None answers everything.
    """
    impossible = np.array([not reply.right for reply in replies], dtype=bool)
    kept = [one.told if threshold is None else one.kept(threshold) for one in replies]
    silence = bool(impossible.any())
    told = [best_of(one.right, said, style, silence=silence) for one, said in zip(replies, kept, strict=True)]
    table = np.array(told, dtype=float).reshape(-1, 2) * 100
    found = _means(table, "")
    if silence:
        found |= _means(table[~impossible], "answerable_") | _means(table[impossible], "unanswerable_")
    if silence and all(reply.null is not None for reply in replies):
        found |= _at_best(replies, style)
    return found


def _means(table: Float[np.ndarray, "question 2"], what: str) -> dict[str, float]:
    if not len(table):
        return {}
    return {f"{what}exact_match": float(table[:, 0].mean()), f"{what}f1": float(table[:, 1].mean())}


def _at_best(replies: Sequence[Reply], style: Style) -> dict[str, float]:
    found: dict[str, float] = {}
    for column, name in enumerate(("exact_match", "f1")):
        score, threshold = best_threshold(replies, style, column)
        found |= {f"best_{name}": score, f"best_{name}_threshold": threshold}
    return found


def best_threshold(replies: Sequence[Reply], style: Style = "squad", column: int = 1) -> tuple[float, float]:
    """The highest exact match (``column`` 0) or F1 (1) that any threshold gives, and the lowest such one.

    Going up through the questions by their score of no answer, one more is answered at each: that of an
    answerable one is won, the 1 for not answering an unanswerable one is lost. A threshold below all scores
    answers none.
    """
    nulls = np.array([0.0 if one.null is None else one.null for one in replies])
    order = np.argsort(nulls, kind="stable")
    won = np.array([_won(replies[at], style, column) for at in order], dtype=float)
    unanswerable = sum(not one.right for one in replies)
    totals = unanswerable + np.concatenate([[0.0], np.cumsum(won)])
    # Questions of one score are answered all or none.
    ends = np.concatenate([[True], nulls[order][1:] != nulls[order][:-1], [True]])
    at = int(np.argmax(np.where(ends, totals, -np.inf)))
    threshold = nulls[order[at - 1]] if at else nulls.min() - 1
    return 100 * float(totals[at]) / len(replies), float(threshold)


def _won(reply: Reply, style: Style, column: int) -> float:
    if not reply.right:
        return -float(bool(reply.told))
    return best_of(reply.right, reply.told, style, silence=True)[column]


def style_of(answers: Iterable[str]) -> Style:
    """By which rules answers are compared when nobody says: KorQuAD's where most letters are Hangul.

    >>> style_of(["대한민국", "BTS"])
    'korquad'
    """
    text = "".join(answers)
    return "korquad" if 2 * len(_HANGUL.findall(text)) > len(_LETTER.findall(text)) else "squad"
