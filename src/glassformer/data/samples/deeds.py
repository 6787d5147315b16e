"""Things people do one after another: deeds of the same place, and errands to a place where they are done."""

from dataclasses import replace

from glassformer.data.samples.activity import BEING_BUSY, FAR, TAKING, Habits, take
from glassformer.data.samples.clause import Phrase, doing
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.lexicon import Place
from glassformer.data.samples.lexicon_places import PLACES
from glassformer.data.samples.nominal import at_place, to_place
from glassformer.data.samples.part import Part
from glassformer.data.samples.sentences_daily import NEARBY

# what is not done on purpose, or not in passing
UNPLANNED = (
    "잃어버리",
    "받",
    "키우",
    "울",
    "웃",
    "앉",
    "일어나",
    "출발하",
    "팔",
    "심",
    "배우",
    "짓",
    "자",
    "놀",
    "이야기하",
)
HABITS = tuple(
    h for h in (*TAKING, *BEING_BUSY) if h.verb.stem.text not in UNPLANNED and h.verb.english != "wear"
)


def _done_at(place: Place) -> tuple[Habits, ...]:
    return tuple(habits for habits in HABITS if place in habits.places)


AT_HOME = next(place for place in PLACES if place.korean == "집")
THEMES = tuple((place, _done_at(place)) for place in NEARBY if len(_done_at(place)) > 2)
ERRANDS = tuple(
    (place, done)
    for place in NEARBY
    if place != AT_HOME and (done := _done_at(place)) and {h.verb.english for h in done} != {"work"}
)
OUTINGS = tuple(errand for errand in ERRANDS if not errand[0].classes & FAR)


def _deed(dice: Dice, habits: Habits, style: str, bare: bool) -> Phrase:
    if habits.nouns:
        return take(dice, habits, dice.pick(habits.nouns), style, bare)
    return doing(habits.verb)


def two_deeds(dice: Dice, style: str) -> tuple[Phrase, Phrase]:
    """Two different deeds of one place, which the second may name."""
    place, choices = (AT_HOME, _done_at(AT_HOME)) if dice.chance(45) else dice.pick(THEMES)
    first, second = dice.pick(choices), dice.pick(choices)
    while first.verb.english == second.verb.english or first.verb.stem == second.verb.stem:
        second = dice.pick(choices)
    one, two = _deed(dice, first, style, dice.chance(70)), _deed(dice, second, style, dice.chance(70))
    if dice.chance(25):
        two = two.plus(place=at_place(place))
        two = replace(two, pairs=(("at", second.verb.stem.text, place.korean),))
    return one, two


def errand(dice: Dice, style: str, near: bool = False) -> tuple[Place, Phrase]:
    """A place and something one does there."""
    place, choices = dice.pick(OUTINGS if near else ERRANDS)
    habits = dice.pick(choices)
    phrase = _deed(dice, habits, style, dice.chance(50))
    return place, replace(phrase, pairs=(("at", habits.verb.stem.text, place.korean),))


def going(place: Place) -> Phrase:
    """Going to a place: 카페에 가다."""
    goal = to_place(place)
    return Phrase(
        Stem("가"), "go", {"goal": Part(goal.korean, goal.english, (("goal", "가", place.korean),))}
    )
