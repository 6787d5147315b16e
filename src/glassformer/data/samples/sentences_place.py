"""Sentences about what is where: 공원에 사람이 많아요, 책이 책상 위에 있어요."""

from collections.abc import Callable

from glassformer.data.samples.clause import Clause, Phrase, Subject, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.english import plural
from glassformer.data.samples.lexicon import Noun, Place, of_class
from glassformer.data.samples.lexicon_nouns import LIVING, NOUNS, THINGS
from glassformer.data.samples.lexicon_places import PLACES
from glassformer.data.samples.nominal import (
    NOMINATIVE,
    THE,
    TOPIC,
    counted,
    noun_phrase,
    possessor,
    time_word,
    with_particle,
)
from glassformer.data.samples.part import Part, Word, part
from glassformer.data.samples.setting import level, sentence

THERE = Subject(Part((), (Word("there"),)), "3s", "it")
THERE_MANY = Subject(Part((), (Word("there"),)), "3p", "they")
POSITIONS = (
    ("위에", "on", ("책상", "의자", "침대")),
    ("밑에", "under", ("책상", "의자", "침대")),
    ("옆에", "next|1 to", ("책상", "의자", "침대", "창문", "문", "컴퓨터", "텔레비전", "거울")),
    ("앞에", "in|1 front|1 of", ("책상", "창문", "문", "텔레비전", "거울")),
    ("안에", "in", ("가방", "상자")),
)
UNWIELDY = frozenset(("furniture", "ride", "drive", "clothes", "outfit", "shoes", "power", "pretty"))
HANDY = tuple(
    noun
    for noun in of_class(THINGS, frozenset(("find", "reading", "goods", "lend")))
    if "find" in noun.classes or not noun.classes & UNWIELDY
)
INSIDE = tuple(
    place for place in PLACES if "go" in place.classes and not place.classes & {"city", "country", "home"}
)
CROWD = tuple(n for n in LIVING if "human" in n.classes)
GATHERING = {  # who is found only at certain kinds of places
    "손님": frozenset(("shop", "market", "clothes", "eat", "cafe", "books", "snack")),
    "관광객": frozenset(("view", "market", "outdoors", "clothes", "play", "rest")),
    "외국인": frozenset(("view", "market", "outdoors", "clothes", "play", "rest", "meet", "study")),
}
SOLD = {
    "market": "fruit clothes",
    "clothes": "clothes shoes headwear",
    "books": "reading",
    "bakery": "bakery",
    "flowers": "plant",
}
HAVE, LACK, MANY, FEW = Stem("있"), Stem("없"), Stem("많"), Stem("적")


def present_at(place: Place) -> tuple[Noun, ...]:
    """What one can find at a place."""
    wanted = {word for kind, things in SOLD.items() if kind in place.classes for word in things.split()}
    goods = of_class(THINGS, frozenset(wanted))
    beasts = tuple(n for n in LIVING if "animal" in n.classes) if "animals" in place.classes else ()
    crowd = tuple(n for n in CROWD if place.classes & GATHERING.get(n.korean, place.classes))
    return crowd + goods + beasts


STOCK = tuple((place, present_at(place)) for place in INSIDE)


def tensed(dice: Dice) -> str:
    """Present or past."""
    return dice.weighted((("present", 60), ("past", 40)))


def there_is(dice: Dice) -> Part:
    """공원에 사람이 많아요. There are many people at the park."""
    style, asking = level(dice), dice.chance(25)
    place, things = dice.pick(STOCK)
    noun = dice.pick(things)
    tense = tensed(dice)
    where = part(with_particle(place.korean, "에"), f"{place.preposition} {place.english}")
    where = Part(where.korean, where.english, (("in", place.korean, noun.korean),))
    if noun.counter and ":" not in noun.counter and not asking and dice.chance(35):
        count = 1 + dice.below(6)
        phrase = Phrase(HAVE, "be", {"object": counted(noun, count, NOMINATIVE), "place": where})
        many = count > 1
    else:
        phrase, many = _amount(dice, noun, where, asking)
    if tense == "past" and dice.chance(60):
        phrase = phrase.plus(time=time_word(dice, "past"))
    clause = Clause(
        THERE_MANY if many else THERE, phrase, style, tense, form="question" if asking else "statement"
    )
    return sentence(render(clause), "?" if asking else ".")


def _amount(dice: Dice, noun: Noun, where: Part, asking: bool) -> tuple[Phrase, bool]:
    """Many, few, some or none of a thing, and whether English says it in the plural."""
    mass = noun.number == "mass"
    words = part(with_particle(noun.korean, NOMINATIVE), noun.english if mass else plural(noun.english))
    kind = dice.weighted((("many", 45), ("no", 30), ("few", 0 if mass else 25))) if not asking else "many"
    stem, english = {
        "many": (MANY, "be a lot of" if mass else "be many"),
        "no": (LACK, "be no"),
        "few": (FEW, "be few"),
    }[kind]
    return Phrase(stem, english, {"object": words, "place": where}), not mass


def located(dice: Dice) -> Part:
    """책이 책상 위에 있어요. The book is on the desk."""
    style, asking = level(dice), dice.chance(30)
    noun = dice.pick(HANDY)
    owner = possessor(dice, style, noun) if dice.chance(35) else None
    thing = noun_phrase(noun, dice.pick((TOPIC, NOMINATIVE)), article_kind=THE, determiner=owner)
    phrase = Phrase(HAVE, "be", {"place": position(dice, noun)})
    clause = Clause(thing.subject(), phrase, style, tensed(dice), form="question" if asking else "statement")
    return sentence(render(clause), "?" if asking else ".")


def on_it(dice: Dice) -> Part:
    """책상 위에 책이 세 권 있어요. There are three books on the desk."""
    style, asking = level(dice), dice.chance(25)
    noun = dice.pick(HANDY)
    where = position(dice, noun)
    if noun.counter and ":" not in noun.counter and dice.chance(50) and not asking:
        count = 1 + dice.below(6)
        thing, many = counted(noun, count, NOMINATIVE), count > 1
    else:
        phrase = noun_phrase(noun, NOMINATIVE)
        thing, many = phrase.part, phrase.many
    clause = Clause(
        THERE_MANY if many else THERE,
        Phrase(HAVE, "be", {"object": thing, "place": where}),
        style,
        tensed(dice),
        form="question" if asking else "statement",
    )
    return sentence(render(clause), "?" if asking else ".")


def position(dice: Dice, noun: Noun) -> Part:
    """책상 위에, on the desk."""
    korean, english, grounds = dice.pick(POSITIONS)
    ground = dice.pick([word for word in grounds if word != noun.korean])
    name = next(n.english for n in NOUNS if n.korean == ground)
    marks = " ".join(f"{w}|1" if "|" not in w else w for w in english.split())
    return part(f"{ground} {korean}", f"{marks} the {name}|0", ((korean, ground, noun.korean),))


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("existence", 7, there_is),
    ("on it", 3, on_it),
    ("location", 4, located),
)
