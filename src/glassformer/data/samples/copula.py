"""Sentences in which one thing is another: 이다 written onto its noun, and 아니다 standing apart from it."""

from glassformer.data.samples.clause import Clause, Phrase, Subject, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.hangul import particle
from glassformer.data.samples.part import Combination, Part, Word, part
from glassformer.data.samples.setting import sentence


def equated(
    subject: Subject,
    korean: str,
    english: str,
    style: str,
    *,
    form: str = "statement",
    tense: str = "present",
    pair: Combination | None = None,
    asked: bool = False,
) -> Part:
    """``subject`` is ``korean``: 저는 학생이에요, I am a student.

    ``english`` carries alignment marks counted from the start of ``korean``. When the complement is itself
    the question word (얼마예요?), ``asked`` puts it first in English.
    """
    *front, last = korean.split()
    be = render(Clause(subject, Phrase(Stem(last + "이", "copula"), "be"), style, tense, form=form))
    ended = be.korean[-1]
    complement = part(" ".join((*front, ended.text)), english)
    renewed = {id(ended): complement.korean[-1]}
    words = tuple(Word(w.text, tuple(renewed.get(id(e), e) for e in w.of)) for w in be.english)
    ordered = complement.english + words if asked else words + complement.english
    pairs = subject.part.pairs + (() if pair is None else (pair,))
    return sentence(
        Part(subject.part.korean + complement.korean, ordered, pairs), "?" if form == "question" else "."
    )


def denied(
    subject: Subject, korean: str, english: str, style: str, *, form: str, tense: str, pair: Combination
) -> Part:
    """``subject`` is not ``korean``: 저는 학생이 아니에요, I am not a student."""
    *front, last = korean.split()
    complement = part(" ".join((*front, particle(last, "이/가"))), english)
    phrase = Phrase(Stem("아니", "copula"), "be", {"object": complement}, pairs=(pair,))
    clause = Clause(subject, phrase, style, tense, negation="아니", form=form)
    return sentence(render(clause), "?" if form == "question" else ".")
