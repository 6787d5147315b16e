"""Sentences about what things, places, people and the weather are like, and how they compare."""

from collections.abc import Callable
from dataclasses import replace

from glassformer.data.samples.activity import OBJECT_NOUNS, qualities_of
from glassformer.data.samples.clause import Clause, Phrase, Subject, being, hidden, render
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import FORMAL
from glassformer.data.samples.english import comparative
from glassformer.data.samples.lexicon import Adjective, Noun, of_class, rows
from glassformer.data.samples.lexicon import stem as read_stem
from glassformer.data.samples.lexicon_adjectives import (
    COMPARISON_TABLE,
    FEELINGS,
    PERSON_QUALITIES,
    PLACE_QUALITIES,
    QUALITIES,
    STATES,
    WEATHER_TABLE,
)
from glassformer.data.samples.lexicon_places import PEOPLE, PLACES
from glassformer.data.samples.nominal import (
    DEMONSTRATIVES,
    GENERIC,
    NOMINATIVE,
    THE,
    TOPIC,
    anyone,
    day_word,
    demonstrative,
    noun_phrase,
    person_subject,
    possessor,
    time_word,
    with_particle,
)
from glassformer.data.samples.part import Combination, Part, Word, part
from glassformer.data.samples.sentences_place import tensed
from glassformer.data.samples.setting import level, sentence

DEGREES = (("아주", "very"), ("정말", "really"), ("너무", "so"), ("조금", "a little"))


# of what there can be a little
SLIGHTLY = [
    "expensive",
    "big",
    "small",
    "difficult",
    "heavy",
    "long",
    "short",
    "spicy",
    "salty",
    "sweet",
    "hot",
    "cold",
    "slow",
    "dirty",
    "dark",
    "noisy",
    "narrow",
    "far",
    "tired",
    "busy",
    "hungry",
    "thirsty",
    "bored",
    "sleepy",
    "sad",
    "lonely",
    "scared",
    "sick",
]
GRADUAL = frozenset(
    adjective.stem.text
    for adjective in (*QUALITIES, *PLACE_QUALITIES, *STATES, *FEELINGS)
    if adjective.english in SLIGHTLY
)


def degree(dice: Dice, adjective: Adjective, percent: int = 35) -> dict[str, Part]:
    """The degree slot: 아주, 정말, 너무 or 조금, or nothing."""
    if not dice.chance(percent) or "color" in adjective.classes:
        return {}
    choices = DEGREES if adjective.stem.text in GRADUAL else DEGREES[:3]
    return {"degree": part(*dice.pick(choices))}


DESCRIBED = tuple((noun, qualities_of(noun)) for noun in OBJECT_NOUNS if qualities_of(noun))


def described(dice: Dice, noun: Noun, style: str) -> Subject:
    """A thing one speaks of: this, that, my or simply the; a subject of study needs none of these."""
    pair = dice.pick((TOPIC, TOPIC, NOMINATIVE))
    if noun.number == "mass" and noun.classes & {"study", "listening", "lesson"}:
        return noun_phrase(noun, pair, article_kind=GENERIC).subject()
    kind = dice.weighted((("this", 60), ("my", 15), ("the", 25)))
    owned = noun.classes & {"goods", "pet"}
    determiner = demonstrative(dice) if kind == "this" else None
    if kind == "my" and owned:
        determiner = possessor(dice, style, noun)
    return noun_phrase(noun, pair, determiner=determiner, article_kind=THE).subject()


def quality(dice: Dice) -> Part:
    """이 책은 아주 재미있어요. This book is very interesting."""
    style, asking = level(dice), dice.chance(25)
    noun, adjectives = dice.pick(DESCRIBED)
    adjective = dice.pick(adjectives)
    subject = described(dice, noun, style)
    return _judged(
        dice, subject, adjective, style, asking=asking, pair=("quality", adjective.stem.text, noun.korean)
    )


def _judged(
    dice: Dice, subject: Subject, adjective: Adjective, style: str, *, asking: bool, pair: Combination
) -> Part:
    negation = dice.pick(("안", "지 않")) if dice.chance(18) else ""
    if len(adjective.stem.text) > 3 or adjective.stem.text.endswith(("있", "없")):
        negation = "지 않" if negation else ""
    phrase = being(adjective, **({} if negation or asking else degree(dice, adjective)))
    subject = Subject(
        Part(subject.part.korean, subject.part.english, (*subject.part.pairs, pair)),
        subject.person,
        subject.pronoun,
        subject.honored,
    )
    form = "question" if asking else "exclamation" if style != FORMAL and dice.chance(15) else "statement"
    tense = "present" if form == "exclamation" else dice.weighted((("present", 70), ("past", 30)))
    clause = Clause(subject, phrase, style, tense, negation=negation, form=form)
    mark = {"question": "?", "exclamation": "!"}.get(form, ".")
    return sentence(render(clause), mark)


SITES = tuple(
    (place, tuple(a for a in PLACE_QUALITIES if a.classes & place.classes))
    for place in PLACES
    if place.korean not in ("회사", "집", "학교", "대학교")
)


def site(dice: Dice) -> Part:
    """그 카페는 조용해요. That café is quiet."""
    style, asking = level(dice), dice.chance(25)
    place, adjectives = dice.pick(SITES)
    adjective = dice.pick(adjectives)
    pair = dice.pick((TOPIC, NOMINATIVE))
    named = place.classes & {"city", "country"}
    pointing = not named and dice.chance(50)
    name = place.english.removeprefix("~the ")
    if pointing:
        korean = dice.pick(("이", "그", "저"))
        words = " ".join(f"{word}|1" for word in name.split())
        thing = part(
            f"{korean} {with_particle(place.korean, pair)}", f"{DEMONSTRATIVES[korean][0]}|0 {words}"
        )
    else:
        thing = part(with_particle(place.korean, pair), place.english)
    many = place.korean == "산" and not pointing
    subject = Subject(thing, "3p" if many else "3s", "it")
    return _judged(
        dice, subject, adjective, style, asking=asking, pair=("site", adjective.stem.text, place.korean)
    )


def person_state(dice: Dice) -> Part:
    """저는 오늘 너무 피곤해요. I am too tired today."""
    style, asking = level(dice), dice.chance(30)
    subject = anyone(dice, style, asking)
    own = subject.person in ("1s", "2", "1p")
    adjective = dice.pick(STATES + FEELINGS if own else STATES)
    if subject.honored and adjective.stem.text in ("아프", "배고프", "목마르"):
        adjective = STATES[0]
    tense = tensed(dice)
    slots = {} if asking else degree(dice, adjective)
    if dice.chance(45):
        slots["time"] = part("요즘", "these days") if tense == "present" else day_word(dice, "past")
    clause = Clause(
        subject, being(adjective, **slots), style, tense, form="question" if asking else "statement"
    )
    return sentence(render(clause), "?" if asking else ".")


def person_quality(dice: Dice) -> Part:
    """수진 씨는 정말 친절해요. Sujin is really kind."""
    style, asking = level(dice), dice.chance(30)
    person, adjective = dice.pick(PEOPLE), dice.pick(PERSON_QUALITIES)
    subject = person_subject(person, style, dice.pick((TOPIC, NOMINATIVE)))
    return _judged(
        dice, subject, adjective, style, asking=asking, pair=("nature", adjective.stem.text, person.korean)
    )


GENERAL = ("옷", "과일", "야채", "선물")  # these contain what they would be compared with


def _compared(cells: list[str]) -> tuple[tuple[Adjective, tuple[Noun, ...]], ...]:
    things = tuple(
        n
        for n in of_class(OBJECT_NOUNS, frozenset((cells[0],)))
        if n.number != "the" and n.korean not in GENERAL
    )
    return tuple((a, things) for a in QUALITIES if a.stem.text in cells[1].split())


COMPARED = tuple(entry for row in rows(COMPARISON_TABLE, _compared) for entry in row)


def comparison(dice: Dice) -> Part:
    """사과가 바나나보다 더 비싸요. Apples are more expensive than bananas."""
    style, asking = level(dice), dice.chance(25)
    adjective, peers = dice.pick(COMPARED)
    first = dice.pick(peers)
    second = dice.pick([noun for noun in peers if noun is not first])
    pair = dice.pick((TOPIC, NOMINATIVE))
    thing = noun_phrase(first, pair, article_kind=GENERIC)
    other = noun_phrase(second, "보다", article_kind=GENERIC).part
    standard = Part(other.korean, (Word("than", other.korean[-1:]), *other.english))
    more = comparative(adjective.english)
    phrase = Phrase(adjective.stem, "be " + more, {"standard": standard, "degree": part("더")})
    if more.startswith("more "):
        phrase = Phrase(
            adjective.stem, "be " + adjective.english, {"standard": standard, "degree": part("더", "more")}
        )
    pairs = (("compare", adjective.stem.text, first.korean),)
    subject = Subject(Part(thing.part.korean, thing.part.english, pairs), thing.person, "it")
    clause = Clause(subject, phrase, style, form="question" if asking else "statement")
    return sentence(render(clause), "?" if asking else ".")


WEATHER = rows(WEATHER_TABLE, lambda cells: (cells[0], read_stem(cells[1]), cells[2]))


def weather_clause(dice: Dice, style: str, tense: str, form: str = "statement") -> Clause:
    """날씨가 춥다, 비가 오다: the weather of a time still to be named."""
    noun, stem, english = dice.pick(WEATHER)
    if noun == "날씨가":
        subject = Subject(part(noun, "the weather"), "3s", "it")
        graded = form == "statement" and tense != "future" and dice.chance(25)
        slots = {"degree": part(*dice.pick(DEGREES))} if graded else {}
        return Clause(subject, Phrase(stem, english, slots), style, tense, form=form, time_first=True)
    mood = "underway" if tense == "present" else ""
    return Clause(hidden("it"), Phrase(stem, english, idiom=part(noun)), style, tense, mood, form=form)


def weather(dice: Dice) -> Part:
    """내일 눈이 올 거예요. It will snow tomorrow."""
    style, asking = level(dice), dice.chance(25)
    tense = dice.pick(("present", "past", "future"))
    clause = weather_clause(dice, style, tense, "question" if asking else "statement")
    now = dice.pick((("오늘", "today"), ("지금", "now")))
    slots = {"time": part(*now) if tense == "present" else time_word(dice, tense)} if dice.chance(85) else {}
    if clause.phrase.idiom.korean and dice.chance(50):
        city = dice.pick(CITIES)
        slots["place"] = part(city.korean + "에", f"in {city.english}")
    return sentence(render(replace(clause, phrase=clause.phrase.plus(**slots))), "?" if asking else ".")


CITIES = tuple(place for place in PLACES if "city" in place.classes)


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("quality", 8, quality),
    ("site", 4, site),
    ("state", 5, person_state),
    ("character", 2, person_quality),
    ("comparison", 3, comparison),
    ("weather", 3, weather),
)
