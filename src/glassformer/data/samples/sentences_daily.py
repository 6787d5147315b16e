"""Everyday sentences: what people do, where they go, what they give; statements and yes/no questions."""

from collections.abc import Callable

from glassformer.data.samples.activity import FAR, intransitive, social, together, transitive
from glassformer.data.samples.clause import Clause, Phrase, Subject, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.lexicon import of_class
from glassformer.data.samples.lexicon_adverbs import adverbs_of
from glassformer.data.samples.lexicon_nouns import THINGS
from glassformer.data.samples.lexicon_places import PEOPLE, PLACES
from glassformer.data.samples.nominal import ACCUSATIVE, anyone, noun_phrase, somebody, to_place
from glassformer.data.samples.part import Part, Word, part
from glassformer.data.samples.setting import happening, level, placed, sentence

Maker = Callable[[Dice, str], Phrase]
GOALS = tuple(place for place in PLACES if "go" in place.classes)
NEARBY = tuple(place for place in GOALS if not place.classes & {"abroad", "country"})
MEANS = (
    ("버스로", "by bus"),
    ("지하철로", "by subway"),
    ("택시로", "by taxi"),
    ("기차로", "by train"),
    ("자전거로", "by bicycle"),
    ("버스를 타고", "by|1 bus|0"),
    ("택시를 타고", "by|1 taxi|0"),
    ("걸어서", "on foot"),
)
FLYING = (("비행기로", "by plane"), ("비행기를 타고", "by|1 plane|0"), ("배로", "by ship"))
GIFTS = of_class(THINGS, frozenset(("gift", "present", "ticket")))
LOANS = of_class(THINGS, frozenset(("lend", "borrow")))
TRANSFERS = ((Stem("주"), "give"), (Stem("보내"), "send"), (Stem("보여주"), "show"), (Stem("빌려주"), "lend"))
RAISED = {Stem("주"): Stem("드리"), Stem("보여주"): Stem("보여드리"), Stem("빌려주"): Stem("빌려드리")}


def said(dice: Dice, make: Maker, asking: bool) -> Part:
    """Any subject doing what ``make`` makes, in a setting that suits it."""
    style = level(dice)
    subject, phrase = anyone(dice, style, asking), make(dice, style)
    while not fitting(subject, phrase):
        phrase = make(dice, style)
    form = "question" if asking else "statement"
    clause = Clause(subject, phrase, style, form=form, time_first=dice.chance(30))
    return sentence(render(placed(clause, happening(dice, subject, phrase, asking))), "?" if asking else ".")


def fitting(subject: Subject, phrase: Phrase) -> bool:
    """Whether nobody comes to where they are not, and no relative is mentioned whose family is unclear."""
    if (
        subject.person == "1p"
        and "manner" in phrase.slots
        and phrase.slots["manner"].english[0].text == "alone"
    ):
        return False
    if subject.person in ("1s", "1p"):
        return phrase.stem.text != "오"
    others = (word.text for piece in phrase.slots.values() for word in piece.english)
    return subject.person == "2" or "one's" not in others


def with_adverb(dice: Dice, phrase: Phrase, percent: int = 30) -> Phrase:
    """The phrase, now and then with an adverb of manner."""
    choices = adverbs_of(phrase.stem.text)
    if not choices or not dice.chance(percent):
        return phrase
    korean, english = dice.pick(choices)
    return phrase.plus(manner=part(korean, english.replace("a lot", "a|0 lot|0")))


def _acting(dice: Dice, style: str) -> Phrase:
    return with_adverb(dice, transitive(dice, style))


def _being_active(dice: Dice, style: str) -> Phrase:
    phrase = intransitive(dice)
    if dice.chance(25) and phrase.stem.text not in ("일어나", "울", "출발하", "앉", "자"):
        return phrase.plus(**{"with": together(dice, style)})
    return with_adverb(dice, phrase, 45)


def moving(dice: Dice, style: str) -> Phrase:
    """Going to or coming to a place, with company or means of transport now and then."""
    stem, english = dice.weighted((((Stem("가"), "go"), 70), ((Stem("오"), "come"), 30)))
    place = dice.pick(GOALS)
    bare = style == "casual" and dice.chance(30)
    goal = to_place(place, "" if bare else "에")
    goal = Part(goal.korean, goal.english, (("goal", stem.text, place.korean),))
    marks = ("far",) if place.classes & FAR else ()
    phrase = Phrase(stem, english, {"goal": goal}, marks=marks)
    if dice.chance(20):
        return phrase.plus(**{"with": together(dice, style)})
    if dice.chance(25):
        far = place.classes & {"abroad"} or place.korean == "제주도"
        return phrase.plus(means=part(*dice.pick(FLYING if far else MEANS)))
    return with_adverb(dice, phrase, 20)


def _giving(dice: Dice, style: str) -> Phrase:
    stem, english = dice.pick(TRANSFERS)
    governor = stem.text
    gift, person = dice.pick(LOANS if english == "lend" else GIFTS), dice.pick(PEOPLE)
    if dice.chance(25):
        who = part("친구에게", "~a friend")
    elif person.manner == "honored":
        stem, who = RAISED.get(stem, stem), somebody(person, style, "께")
    else:
        who = somebody(person, style, "에게")
    recipient = Part(who.korean, (Word("to", who.korean[-1:]), *who.english))
    thing = noun_phrase(gift, ACCUSATIVE).part
    pair = ("object", governor, gift.korean)
    return Phrase(
        stem,
        english,
        {"recipient": recipient, "object": Part(thing.korean, thing.english, (pair,))},
        marks=("rare",),
    )


def _kind(make: Maker, asking: bool) -> Callable[[Dice], Part]:
    return lambda dice: said(dice, make, asking)


KINDS = (
    ("transitive", 14, _kind(_acting, False)),
    ("transitive question", 6, _kind(_acting, True)),
    ("intransitive", 6, _kind(_being_active, False)),
    ("intransitive question", 3, _kind(_being_active, True)),
    ("motion", 8, _kind(moving, False)),
    ("motion question", 4, _kind(moving, True)),
    ("meeting", 3, _kind(social, False)),
    ("meeting question", 2, _kind(social, True)),
    ("giving", 4, _kind(_giving, False)),
)
