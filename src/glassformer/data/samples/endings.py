"""How Korean sentences end: tense, mood, negation, honour and the three everyday speech levels."""

from dataclasses import dataclass
from functools import cache

from glassformer.data.samples.conjugate import Stem, attach, honor, past
from glassformer.data.samples.lexicon_verbs import HONORIFIC
from glassformer.data.samples.part import Eojeol

CASUAL, POLITE, FORMAL = "casual", "polite", "formal"

# (form, style): the ending after a present or past stem; what stands before a space is its own eojeol
FINALS = {
    ("statement", CASUAL): "아",
    ("statement", POLITE): "아요",
    ("statement", FORMAL): "습니다",
    ("question", CASUAL): "아",
    ("question", POLITE): "아요",
    ("question", FORMAL): "습니까",
    ("exclamation", CASUAL): "네",
    ("exclamation", POLITE): "네요",
    ("retrospective", CASUAL): "더라",
    ("retrospective", POLITE): "더라고요",
    ("suggestion", CASUAL): "자",
    ("suggestion", FORMAL): "으ㅂ시다",
    ("proposal", CASUAL): "으ㄹ까",
    ("proposal", POLITE): "으ㄹ까요",
    ("imperative", POLITE): "으세요",
    ("imperative", FORMAL): "으십시오",
    ("request", CASUAL): "아 줘",
    ("request", POLITE): "아 주세요",
    ("request", FORMAL): "아 주십시오",
    ("prohibition", CASUAL): "지 마",
    ("prohibition", POLITE): "지 마세요",
    ("prohibition", FORMAL): "지 마십시오",
}
FUTURE_FINALS = {
    ("statement", CASUAL): "으ㄹ 거야",
    ("statement", POLITE): "으ㄹ 거예요",
    ("statement", FORMAL): "으ㄹ 겁니다",
    ("question", CASUAL): "으ㄹ 거야",
    ("question", POLITE): "으ㄹ 거예요",
    ("question", FORMAL): "으ㄹ 겁니까",
}
MOODS = {
    "want": ("고", Stem("싶")),
    "ongoing": ("고", Stem("있")),
    "must": ("아야", Stem("하")),
    "can": ("으ㄹ 수", Stem("있")),
    "cannot": ("으ㄹ 수", Stem("없")),
    "once": ("으ㄴ 적이", Stem("있")),
    "never": ("으ㄴ 적이", Stem("없")),
    "want-other": ("고 싶어", Stem("하")),
}


@dataclass(frozen=True, slots=True)
class Predicate:
    """The eojeols of a predicate and which of them carry the verb, the mood, the negation and the tense."""

    eojeols: tuple[Eojeol, ...]
    roles: dict[str, tuple[Eojeol, ...]]


def predicate(
    stem: Stem,
    ending: str,
    *,
    noun: str = "",
    mood: str = "",
    negation: str = "",
    tense: str = "present",
    honored: bool = False,
) -> Predicate:
    """The Korean predicate, from stem to ``ending``.

    ``negation`` is ``안`` or ``못`` before the verb, ``지 않`` after it, or empty. ``tense`` is present,
    past, remote (갔었), will (겠) or future, whose -(으)ㄹ 거예요 is an ending that leaves the stem as it
    is. ``noun`` is the noun part of a 하다 verb, which a short negation leaves in front (공부 안 해요).
    """
    short = negation in ("안", "못")
    front = [noun] * (noun != "" and short) + [negation] * short
    if honored and stem.text in HONORIFIC:
        stem = Stem(HONORIFIC[stem.text], "honor")
    elif noun and short:
        stem = Stem("하")
    texts = _conjugated(stem, ending, mood, negated=negation == "지 않", tense=tense, honored=honored)
    eojeols = tuple(Eojeol(text) for text in (*front, *texts))
    main, last = len(front), eojeols[-1:]
    roles = {
        "verb": eojeols[: len(front) - 1] * short + (eojeols[main],),
        "mood": eojeols[main + 1 :] or last,
        "not": (eojeols[main - 1],) if short else last,
        "tense": last,
    }
    return Predicate(eojeols, roles)


@cache
def _conjugated(
    stem: Stem, ending: str, mood: str, *, negated: bool, tense: str, honored: bool
) -> tuple[str, ...]:
    """The eojeols from the verb on: each auxiliary closes one and opens the next with its own stem."""
    steps = [MOODS[mood]] if mood in MOODS else []  # *underway* is heard in English only
    steps += [("지", Stem("않"))] * negated
    done: list[str] = []
    for link, auxiliary in steps:
        done += attach(stem, link).split()
        stem = (
            Stem("계시", "honor") if honored and mood == "ongoing" and auxiliary.text == "있" else auxiliary
        )
    if honored and stem.kind != "honor":
        stem = honor(stem)
    if tense in ("past", "remote"):
        stem = past(stem) if tense == "past" else past(past(stem))
    if tense == "will":
        stem = Stem(stem.text + "겠")
    return (*done, *attach(stem, ending).split())


def final(form: str, style: str, tense: str) -> str:
    """The ending that closes a sentence of this form, speech level and tense."""
    return (FUTURE_FINALS if tense == "future" else FINALS)[form, style]
