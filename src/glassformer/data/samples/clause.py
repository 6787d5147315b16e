"""Clauses: a subject and a phrase become Korean and English at once, each in its own word order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.endings import final, predicate
from glassformer.data.samples.english import ARTICLES, PERSONS, VerbGroup, verb_group
from glassformer.data.samples.lexicon import Adjective, Verb
from glassformer.data.samples.part import Combination, Eojeol, Part, Word

# Where each piece of a clause stands. Korean opens with subject and time and closes with the predicate;
# English builds around its verb.
KOREAN_ORDER = (
    "frequency", "reason", "with", "place", "source", "means", "goal", "standard", "recipient", "object",
    "amount", "manner", "degree",
)  # fmt: skip
ENGLISH_ORDER = (
    "object", "amount", "recipient", "standard", "source", "goal", "manner", "with", "place", "means", "time",
)  # fmt: skip
ENGLISH_MOODS = {"want-other": "want", "cannot": "can", "never": "once", "underway": "ongoing"}
TENSED = (
    "지만",
    "으니까",
)  # the connectives that may follow a past stem; others take their time from the main clause
NEGATIVE_MOODS = ("cannot", "never")
OPENINGS = {
    "suggestion": ("Let's",),
    "proposal": ("Shall", "we"),
    "imperative": ("Please",),
    "request": ("Please",),
    "prohibition": ("Please", "don't"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Who or what a clause is about; ``part`` has no Korean when the subject is left out."""

    part: Part
    person: str  # 1s, 2, 3s, 1p or 3p
    pronoun: str  # how English speaks of it again: I, you, he, she, it, we, they
    honored: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """A predicate with its arguments and no subject; ``asked`` names the slot that holds a question word."""

    stem: Stem
    english: str
    slots: Mapping[str, Part] = field(default_factory=dict)
    noun: str = ""
    idiom: Part = field(
        default_factory=Part
    )  # Korean words that belong to the verb itself: 비가 오다 is one verb, rain
    asked: str = ""
    marks: tuple[str, ...] = ()
    pairs: tuple[Combination, ...] = ()

    def plus(self, **slots: Part) -> Phrase:
        """The phrase with more slots filled."""
        return replace(self, slots={**self.slots, **slots})


@dataclass(frozen=True, slots=True)
class Clause:
    """Everything that decides the words of one clause."""

    subject: Subject
    phrase: Phrase
    style: str
    tense: str = "present"
    mood: str = ""
    negation: str = ""
    form: str = "statement"
    shares: bool = False  # English leaves subject and auxiliary to the clause before: … and *watch* a movie
    time_first: bool = False  # 어제 저는 … instead of 저는 어제 …


def hidden(pronoun: str) -> Subject:
    """A subject that Korean leaves out."""
    return Subject(Part((), (Word(pronoun),)), PERSONS[pronoun], pronoun)


def doing(verb: Verb, **slots: Part) -> Phrase:
    """The phrase of a verb and its arguments."""
    return Phrase(verb.stem, verb.english, slots, verb.noun)


def being(adjective: Adjective, **slots: Part) -> Phrase:
    """The phrase of an adjective: 바쁘다, be busy."""
    return Phrase(adjective.stem, "be " + adjective.english, slots)


def render(clause: Clause, ending: str | None = None) -> Part:
    """The clause as a part, without final punctuation; ``ending`` replaces the sentence-final ending.

    With an ending of its own the clause is subordinate, so English keeps statement order.
    """
    phrase = clause.phrase
    spoken = predicate(
        phrase.stem,
        final(clause.form, clause.style, clause.tense) if ending is None else ending,
        noun=phrase.noun,
        mood=clause.mood,
        negation=clause.negation,
        tense=clause.tense if ending is None or ending in TENSED else "present",
        honored=clause.subject.honored,
    )
    idiom = phrase.idiom.korean
    roles = {**spoken.roles, "verb": (*idiom, *spoken.roles["verb"])}
    korean = (*_before_predicate(clause), *idiom, *spoken.eojeols)
    pairs = phrase.pairs + clause.subject.part.pairs
    pairs += tuple(pair for piece in phrase.slots.values() for pair in piece.pairs)
    if clause.form in OPENINGS and ending is None:
        return Part(korean, (*_opening(clause, roles), *_complement(phrase, roles)), pairs)
    return Part(korean, _english(clause, roles, ending is None), pairs)


def _before_predicate(clause: Clause) -> tuple[Eojeol, ...]:
    order = (("time", "subject") if clause.time_first else ("subject", "time")) + KOREAN_ORDER
    slots = {**clause.phrase.slots, "subject": clause.subject.part}
    return tuple(eojeol for slot in order if slot in slots for eojeol in slots[slot].korean)


Roles = Mapping[str, tuple[Eojeol, ...]]


def _words(pairs: tuple[tuple[str, str], ...], roles: Roles) -> tuple[Word, ...]:
    return tuple(Word(text, roles.get(role, ())) for text, role in pairs)


def _english(clause: Clause, roles: Roles, independent: bool) -> tuple[Word, ...]:
    phrase, asking = clause.phrase, clause.form == "question" and independent
    if clause.shares:
        return (*_shared(clause, roles), *_complement(phrase, roles))
    inverted = asking and phrase.asked != "subject"
    group = _group(clause, inverted)
    operator, subject = _words(group.operator, roles), clause.subject.part.english
    question = phrase.slots[phrase.asked].english if phrase.asked in phrase.slots else ()
    opening = (*question, *operator, *subject) if inverted else (*subject, *operator)
    return (*opening, *_slot(phrase, "frequency"), *_words(group.rest, roles), *_complement(phrase, roles))


def _shared(clause: Clause, roles: Roles) -> tuple[Word, ...]:
    if clause.tense == "future":
        return (Word(clause.phrase.english.split()[0], roles["verb"]),)
    return _words(_group(clause, False).rest, roles)


def _group(clause: Clause, inverted: bool) -> VerbGroup:
    tense = {"remote": "past", "will": "future"}.get(clause.tense, clause.tense)
    if clause.form == "retrospective":
        tense = "past"
    mood = clause.mood
    negative = clause.negation != "" or mood in NEGATIVE_MOODS
    if clause.negation == "못":
        mood = "can"
    head = clause.phrase.english.split()[0]
    mood = ENGLISH_MOODS.get(mood, mood)
    return verb_group(head, clause.subject.person, tense, mood, negative=negative, inverted=inverted)


def _opening(clause: Clause, roles: Roles) -> tuple[Word, ...]:
    words = OPENINGS[clause.form]
    if clause.style == "casual" and clause.form == "prohibition":
        words = words[1:]
    head = clause.phrase.english.split()[0]
    last = roles["tense"]
    return (*(Word(word, last) for word in words), Word(head, roles["verb"]))


def _complement(phrase: Phrase, roles: Roles) -> tuple[Word, ...]:
    """Everything after the first word of the English verb; degree words stand before a complement of *be*."""
    tail = phrase.english.split()[1:]
    words = tuple(Word(word, () if word in ARTICLES else roles["verb"]) for word in tail)
    rest = (word for slot in ENGLISH_ORDER for word in _slot(phrase, slot))
    return (*_slot(phrase, "degree"), *words, *rest)


def _slot(phrase: Phrase, slot: str) -> tuple[Word, ...]:
    return phrase.slots[slot].english if slot in phrase.slots and slot != phrase.asked else ()


def purpose(phrase: Phrase, ending: str) -> Part:
    """책을 사려고, to buy a book: a clause whose subject is that of the main one."""
    whole = render(Clause(Subject(Part(), "3p", "they"), phrase, "polite", "future", shares=True), ending)
    return Part(whole.korean, (Word("to", whole.korean[-1:]), *whole.english), whole.pairs)
