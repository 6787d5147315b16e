"""How clauses are linked: subjects taken up again, conjunctions, asides, phrases named by a code."""

from glassformer.data.samples.activity import (
    BEING_BUSY,
    TAKING,
    Habits,
    take,
)
from glassformer.data.samples.clause import Clause, Phrase, Subject, doing, hidden, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.lexicon import Noun
from glassformer.data.samples.lexicon_places import PEOPLE, PLACE
from glassformer.data.samples.nominal import (
    TOPIC,
    group,
    person_subject,
    speaker,
    to_place,
)
from glassformer.data.samples.part import Part, Word, part
from glassformer.data.samples.setting import level

KNOWN = tuple(
    person for person in PEOPLE if person.form != "they"
)  # English can speak of them again as he or she


def done(dice: Dice, spec: str, style: str) -> Phrase:
    """The phrase an outcome names: ``먹:meal`` takes any meal, ``가:집`` goes home, ``자`` sleeps."""
    stem, _, thing = spec.partition(":")
    if stem == "가":
        place = PLACE[thing]
        goal = to_place(place)
        return Phrase(Stem("가"), "go", {"goal": Part(goal.korean, goal.english, (("goal", "가", thing),))})
    if thing == "친구":
        return Phrase(Stem("만나"), "meet", {"object": part("친구를", "~a friend")})
    for habits in (*TAKING, *BEING_BUSY):
        if habits.verb.stem.text == stem and (not thing or _fitting(habits, thing)):
            if not thing:
                return doing(habits.verb)
            return take(dice, habits, dice.pick(_fitting(habits, thing)), style, bare=True)
    raise LookupError(spec)


def _fitting(habits: Habits, thing: str) -> tuple[Noun, ...]:
    return tuple(noun for noun in habits.nouns if thing == noun.korean or thing in noun.classes)


def _doer(dice: Dice, style: str) -> Subject:
    """A subject English can take up again with a pronoun."""
    kind = dice.weighted((("hidden", 45), ("self", 15), ("we", 8), ("other", 32)))
    if kind == "other":
        return person_subject(dice.pick(KNOWN), style, TOPIC)
    return {"hidden": hidden("I"), "self": speaker(style, TOPIC), "we": group(style)}[kind]


def again(subject: Subject) -> Subject:
    """The subject of the clause before, left out in Korean and a pronoun in English."""
    return Subject(Part((), (Word(subject.pronoun),)), subject.person, subject.pronoun, subject.honored)


def joined(first: Part, word: str, second: Part, comma: bool = True) -> Part:
    """Two clauses with an English conjunction between them, which the Korean ending of the first renders."""
    opened = first.closed_english(",") if comma else first
    return opened + Part((), tuple(Word(text, first.korean[-1:]) for text in word.split())) + second


def teller(dice: Dice) -> tuple[str, Subject]:
    """A speech level and a subject named as it asks."""
    style = level(dice)
    return style, _doer(dice, style)


def inserted(clause: Clause, aside: Part) -> Part:
    """A clause with an aside after its subject and time in Korean, and before its time in English."""
    whole = render(clause)
    time = clause.phrase.slots.get("time", Part())
    shown = len(clause.subject.part.korean) + len(time.korean)
    last = len(whole.english) - len(time.english)
    korean = (*whole.korean[:shown], *aside.korean, *whole.korean[shown:])
    return Part(
        korean, (*whole.english[:last], *aside.english, *whole.english[last:]), whole.pairs + aside.pairs
    )
