"""What people do: verbs with objects, places and companions that make sense together."""

from dataclasses import dataclass, replace
from functools import cache

from glassformer.data.samples.clause import Phrase, doing
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import CASUAL
from glassformer.data.samples.lexicon import Adjective, Noun, Person, Place, Verb, of_class
from glassformer.data.samples.lexicon_adjectives import QUALITIES
from glassformer.data.samples.lexicon_nouns import LIVING, THINGS
from glassformer.data.samples.lexicon_places import PEOPLE, PLACES
from glassformer.data.samples.lexicon_verbs import INTRANSITIVE, SOCIAL, TRANSITIVE
from glassformer.data.samples.nominal import (
    ACCUSATIVE,
    at_place,
    called,
    counted,
    demonstrative,
    noun_phrase,
    possessor,
    somebody,
    with_particle,
)
from glassformer.data.samples.part import Part, part

OBJECT_NOUNS = THINGS + LIVING
COUNTABLE_VERBS = ("먹", "마시", "사", "읽", "팔", "시키", "주문하", "빌리", "굽", "고르", "키우", "그리")
PERSONAL_VERBS = ("잃어버리",)
OWNED = frozenset(
    ("find", "photo", "machine", "ride", "drive", "clothes", "shoes", "headwear", "diary", "homework")
)
PLAIN_CHANCE = 62
FAR = frozenset(("city", "country"))  # one is not there every Monday


@dataclass(frozen=True, slots=True)
class Habits:
    """A verb with all the nouns and places it goes with."""

    verb: Verb
    nouns: tuple[Noun, ...]
    places: tuple[Place, ...]


def _habits(verb: Verb) -> Habits:
    places = tuple(place for place in PLACES if place.classes & verb.places)
    return Habits(verb, of_class(OBJECT_NOUNS, verb.objects), places)


TAKING = tuple(_habits(verb) for verb in TRANSITIVE)
BEING_BUSY = tuple(_habits(verb) for verb in INTRANSITIVE)
MEETING = tuple(_habits(verb) for verb in SOCIAL)


@cache
def qualities_of(noun: Noun) -> tuple[Adjective, ...]:
    """The adjectives that can describe a noun."""
    return tuple(adjective for adjective in QUALITIES if adjective.classes & noun.classes)


def object_part(dice: Dice, verb: Verb, noun: Noun, style: str, pair: str = ACCUSATIVE) -> Part:
    """The object of a verb: bare most often, or with an adjective, a determiner, an owner or a number."""
    kind = "plain" if dice.chance(PLAIN_CHANCE) else dice.pick(("adjective", "this", "count", "my"))
    kind = "my" if verb.stem.text in PERSONAL_VERBS else kind
    if kind == "count" and noun.counter and verb.stem.text in COUNTABLE_VERBS and noun.number != "name":
        return counted(noun, 1 + dice.below(6), pair)
    if kind == "this" and noun.number in ("one", "many"):
        return noun_phrase(noun, pair, determiner=demonstrative(dice)).part
    if kind == "my" and noun.classes & OWNED:
        return noun_phrase(noun, pair, determiner=possessor(dice, style, noun)).part
    adjectives = qualities_of(noun)
    if kind == "adjective" and adjectives and noun.number != "the":
        return noun_phrase(noun, pair, adjective=dice.pick(adjectives)).part
    return noun_phrase(noun, pair).part


def take(dice: Dice, habits: Habits, noun: Noun, style: str, bare: bool = False) -> Phrase:
    """A transitive phrase: 책을 읽다, read a book."""
    if bare and habits.verb.stem.text not in PERSONAL_VERBS:
        thing = noun_phrase(noun, ACCUSATIVE).part
    else:
        thing = object_part(dice, habits.verb, noun, style)
    pair = ("object", habits.verb.stem.text, noun.korean)
    return doing(habits.verb, object=Part(thing.korean, thing.english, (*thing.pairs, pair)))


def somewhere(dice: Dice, habits: Habits, phrase: Phrase, percent: int) -> Phrase:
    """The phrase, in ``percent`` of cases at a place where such things are done."""
    if not habits.places or not dice.chance(percent):
        return phrase
    place = dice.pick(habits.places)
    where = at_place(place)
    pair = ("at", habits.verb.stem.text, place.korean)
    marks = ("far",) if place.classes & FAR else ()
    return replace(phrase.plus(place=Part(where.korean, where.english, (pair,))), marks=marks)


def transitive(dice: Dice, style: str, where: int = 30, bare: bool = False) -> Phrase:
    """Any transitive activity; verbs with many objects come up a little more often."""
    habits = dice.pick(TAKING)
    if len(habits.nouns) < 3 and dice.chance(50):
        habits = dice.pick(TAKING)
    return somewhere(dice, habits, take(dice, habits, dice.pick(habits.nouns), style, bare), where)


def intransitive(dice: Dice, where: int = 60) -> Phrase:
    """Any activity without an object."""
    habits = dice.pick(BEING_BUSY)
    return somewhere(dice, habits, doing(habits.verb), where)


def social(dice: Dice, style: str, where: int = 40) -> Phrase:
    """Something done to a person: 친구를 만나다, meet a friend."""
    habits = dice.pick(MEETING)
    phrase = doing(habits.verb, object=companion(dice, style, ACCUSATIVE, habits.verb.stem.text))
    return somewhere(dice, habits, phrase, where)


def companion(dice: Dice, style: str, pair: str, governor: str = "") -> Part:
    """A friend or a person one knows, with a particle."""
    if dice.chance(35):
        return part(with_particle("친구", pair), "~a friend")
    person: Person = dice.pick(PEOPLE)
    who = somebody(person, style, pair)
    return Part(who.korean, who.english, (("person", governor, person.korean),) if governor else ())


def together(dice: Dice, style: str) -> Part:
    """친구와 같이, with a friend; casual speech says 친구랑."""
    pair = "이랑/랑" if style == CASUAL else "과/와"
    who: tuple[str, str] = ("친구들", "one's friends") if dice.chance(30) else ("친구", "~a friend")
    if dice.chance(60):
        person: Person = dice.pick(PEOPLE)
        who = called(person, style), person.english
    words = with_particle(who[0], pair).split()
    last = len(words) - 1
    name = " ".join(
        w if w.startswith("~") else f"{w}|{','.join(map(str, range(last + 1)))}" for w in who[1].split()
    )
    return part(" ".join((*words, "같이")), f"with|{last},{last + 1} {name.replace('~a|', '~a ')}")
