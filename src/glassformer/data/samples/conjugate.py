"""Conjugation by rule: a Korean stem and an ending become one word form, irregular classes included.

An ending is written as grammars write it and falls in one of four classes by its first letter:

* ``아…``  joins the infinitive (vowel harmony, contraction): ``아요``, ``아서``, ``아야``, ``았어``
* ``으…``  needs a linking vowel after a consonant: ``으면``, ``으세요``, ``으ㄹ``, ``으ㄴ``
* ``습…``  is the formal ending, 습니다 after a consonant and ㅂ니다 after a vowel
* others join the stem as it is: ``고``, ``지만``, ``는``, ``더라``
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from glassformer.data.samples.hangul import join, split, tail, with_tail

HARMONIC = "ㅏㅑㅗ"  # vowels followed by 아 instead of 어
# what an open last vowel becomes with 아/어: 보+아 → 봐; 가+아 stays 가
CONTRACTED = {"ㅗ": "ㅘ", "ㅜ": "ㅝ", "ㅣ": "ㅕ", "ㅚ": "ㅙ"} | dict(
    zip("ㅏㅓㅐㅔㅕ", "ㅏㅓㅐㅔㅕ", strict=True)
)
COPULA = {"아": ("야", "야"), "아요": ("에요", "예요"), "았": ("었", "였")}  # 책이에요, but 의자예요
ROUNDED = ("돕", "곱")  # the two ㅂ stems that keep harmony: 도와, but 가까워


@dataclass(frozen=True, slots=True)
class Stem:
    """A stem without 다 and its class: ``""`` regular, ``ㅂ ㄷ ㅅ ㅎ 르`` irregular, or one built here.

    ``past`` marks 았/었 stems (always followed by 어), ``honor`` marks 시 stems (시+어요 → 세요) and
    ``copula`` marks 이다 and 아니다. Stems in ㄹ, ㅡ and 하 are recognised by their spelling.
    """

    text: str
    kind: str = ""


@cache
def attach(stem: Stem, ending: str) -> str:
    """The stem with the ending: ``attach(Stem("춥", "ㅂ"), "아요")`` gives ``추워요``."""
    if ending[0] in "아았":
        return _infinitive_ending(stem, ending)
    if ending[0] == "으":
        return _linked_ending(stem, ending[1:])
    if ending[0] == "습":
        if tail(stem.text) in ("", "ㄹ"):
            return with_tail(stem.text, "ㅂ") + ending[1:]
        return stem.text + ending
    if tail(stem.text) == "ㄹ" and split(ending[0])[0] in "ㄴㅅ":
        return with_tail(stem.text, "") + ending
    return stem.text + ending


@cache
def past(stem: Stem) -> Stem:
    """The past stem: 먹 → 먹었, 가 → 갔, 하 → 했; applied twice it gives the remote past 갔었."""
    return Stem(attach(stem, "았"), "past")


@cache
def honor(stem: Stem) -> Stem:
    """The stem that raises its subject: 가 → 가시, 읽 → 읽으시, 살 → 사시."""
    return Stem(attach(stem, "으시"), "honor")


def infinitive(stem: Stem) -> str:
    """The form that 아/어 endings build on: 먹어, 가, 와, 마셔, 해, 추워, 들어, 빨라, 지어, 써."""
    return attach(stem, "아")


def _infinitive_ending(stem: Stem, ending: str) -> str:
    if stem.kind == "copula" and ending in COPULA:
        apart, contracted = COPULA[ending]
        noun = stem.text[:-1]
        return noun + contracted if stem.text[-1] == "이" and not tail(noun) else stem.text + apart
    if stem.kind == "honor" and ending == "아요":
        return stem.text[:-1] + "세요"
    base = _infinitive(stem)
    return with_tail(base, "ㅆ") + ending[1:] if ending[0] == "았" else base + ending[1:]


def _infinitive(stem: Stem) -> str:
    text = stem.text
    head, (lead, vowel, last) = text[:-1], split(text[-1])
    if stem.kind in IRREGULAR:
        return IRREGULAR[stem.kind](text)
    if text.endswith("하"):
        return head + "해"
    if last:
        return text + _harmonic(text)
    if vowel == "ㅡ":
        return head + join(lead, "ㅏ" if head and _harmonic(head) == "아" else "ㅓ")
    if vowel in CONTRACTED:
        return head + join(lead, CONTRACTED[vowel])
    return text + "어"


def _harmonic(text: str) -> str:
    """아 after a bright last vowel, 어 after any other."""
    return "아" if split(text[-1])[1] in HARMONIC else "어"


def _without_h(text: str) -> str:
    lead, vowel, _ = split(text[-1])
    return text[:-1] + join(lead, {"ㅑ": "ㅒ", "ㅕ": "ㅖ"}.get(vowel, "ㅐ"))


IRREGULAR: dict[str, Callable[[str], str]] = {
    "past": lambda text: text + "어",
    "ㅂ": lambda text: with_tail(text, "") + ("와" if text in ROUNDED else "워"),
    "ㄷ": lambda text: with_tail(text, "ㄹ") + _harmonic(text),
    "ㅅ": lambda text: with_tail(text, "") + _harmonic(text),
    "르": lambda text: with_tail(text[:-1], "ㄹ") + ("라" if _harmonic(text[:-1]) == "아" else "러"),
    "ㅎ": _without_h,
}


def _linked_ending(stem: Stem, rest: str) -> str:
    """Attach ``(으)rest``; a ``rest`` that starts with a bare ㄴ, ㄹ or ㅂ closes the syllable before it."""
    base, closed = _linking_base(stem)
    bare = rest[0] in "ㄴㄹㅂ"
    if closed:
        base += "으"
    elif tail(base) == "ㄹ" and (bare or split(rest[0])[0] in "ㄴㅅ"):
        base = with_tail(base, "")
    return with_tail(base, rest[0]) + rest[1:] if bare else base + rest


def _linking_base(stem: Stem) -> tuple[str, bool]:
    """The stem before an 으 ending, and whether the 으 is heard."""
    text, last = stem.text, tail(stem.text)
    if stem.kind == "ㅂ":
        return with_tail(text, "") + "우", False
    if stem.kind == "ㄷ":
        return with_tail(text, "ㄹ"), True
    if stem.kind == "ㅅ":
        return with_tail(text, ""), True
    if stem.kind == "ㅎ":
        return with_tail(text, ""), False
    return text, last not in ("", "ㄹ")
