"""Sentences about who somebody is, what they own and like, and where they live."""

from collections.abc import Callable
from dataclasses import replace

from glassformer.data.samples.activity import TAKING
from glassformer.data.samples.clause import Clause, Phrase, Subject, doing, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.copula import denied, equated
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import CASUAL
from glassformer.data.samples.english import ARTICLES, article, plural
from glassformer.data.samples.lexicon import Noun, of_class
from glassformer.data.samples.lexicon_nouns import LIVING, PROFESSIONS, THINGS
from glassformer.data.samples.lexicon_places import PEOPLE, PLACES
from glassformer.data.samples.nominal import (
    ACCUSATIVE,
    DEMONSTRATIVES,
    GENERIC,
    NOMINATIVE,
    TOPIC,
    anyone,
    at_place,
    called,
    counted,
    noun_phrase,
    possessor,
    time_word,
    with_particle,
)
from glassformer.data.samples.part import Combination, Part, Word, part
from glassformer.data.samples.setting import ONLY_PAST, level, sentence


def identity(dice: Dice) -> Part:
    """저는 학생이에요. I am a student."""
    style, asking = level(dice), dice.chance(30)
    subject = anyone(dice, style, asking)
    while (not subject.part.korean and not asking) or subject.person == "1p" or subject.honored:
        subject = anyone(dice, style, asking)
    job = dice.pick(PROFESSIONS)
    marked = " ".join(w if w in ARTICLES else f"{w}|0" for w in article(job.english).split())
    return _equated(
        dice, subject, job.korean, marked, style, asking=asking, pair=("is", "person", job.korean)
    )


def belonging(dice: Dice) -> Part:
    """이것은 제 가방이에요. This is my bag."""
    style, asking = level(dice), dice.chance(30)
    noun = dice.pick(OWNABLE)
    word = dice.pick(("이것", "그것", "저것"))
    near, far = DEMONSTRATIVES[word[0]]
    many = noun.number == "many"
    subject = Subject(part(with_particle(word, TOPIC), far if many else near), "3p" if many else "3s", "it")
    owner, english = whose(dice, style, noun)
    name = plural(noun.english) if many else noun.english
    number = len(owner.split())
    marks = " ".join(f"{w}|{number}" for w in name.split())
    pair = ("own", owner, noun.korean)
    return _equated(
        dice, subject, f"{owner} {noun.korean}", f"{english} {marks}", style, asking=asking, pair=pair
    )


def whose(dice: Dice, style: str, noun: Noun) -> tuple[str, str]:
    """An owner before a noun, with marked English: 제, my; 민수 씨의, Minsu's."""
    if dice.chance(45):
        korean, english, _ = possessor(dice, style, noun)
        return korean, english + "|0"
    person = dice.pick(PEOPLE)
    korean = called(person, style) + "의"
    last = len(korean.split()) - 1
    links = ",".join(str(i) for i in range(last + 1))
    words = (person.english + "'s").split()
    return korean, " ".join(w if w == "~the" else f"{w}|{links}" for w in words)


OWNABLE = tuple(
    n for n in of_class(THINGS, frozenset(("goods", "find", "machine"))) if n.number in ("one", "many")
)


def _equated(
    dice: Dice, subject: Subject, korean: str, english: str, style: str, *, asking: bool, pair: Combination
) -> Part:
    """A is B, or is not, now or in the past."""
    tense = dice.weighted((("present", 85), ("past", 15)))
    form = "question" if asking else "statement"
    if dice.chance(25):
        return denied(subject, korean, english, style, form=form, tense=tense, pair=pair)
    return equated(subject, korean, english, style, form=form, tense=tense, pair=pair)


def liking(dice: Dice) -> Part:
    """저는 사과를 좋아해요. I like apples."""
    style, asking = level(dice), dice.chance(30)
    subject = anyone(dice, style, asking)
    stem, english = dice.weighted(((("좋아하", "like"), 70), (("싫어하", "dislike"), 30)))
    noun = dice.pick(LIKED)
    thing = noun_phrase(noun, ACCUSATIVE, article_kind=GENERIC).part
    slots = {"object": Part(thing.korean, thing.english, ((english, "", noun.korean),))}
    negation = dice.pick(("안", "지 않")) if stem == "좋아하" and dice.chance(20) else ""
    if not negation and not asking and dice.chance(30):
        slots["frequency"] = part("정말", "really")
    clause = Clause(
        subject,
        Phrase(Stem(stem), english, slots),
        style,
        negation=negation,
        form="question" if asking else "statement",
    )
    return sentence(render(clause), "?" if asking else ".")


LIKED = of_class(
    THINGS + LIVING,
    frozenset(
        (
            "meal",
            "snack",
            "fruit",
            "drink",
            "reading",
            "watching",
            "listening",
            "study",
            "lesson",
            "pet",
            "zoo",
            "animal",
        )
    ),
)


def living(dice: Dice) -> Part:
    """민수 씨는 서울에 살아요. Minsu lives in Seoul."""
    style, asking = level(dice), dice.chance(35)
    subject = anyone(dice, style, asking)
    place = dice.pick([p for p in PLACES if "live" in p.classes])
    where = at_place(place, dice.pick(("에", "에서")))
    phrase = Phrase(
        Stem("살"), "live", {"place": Part(where.korean, where.english, (("live", "", place.korean),))}
    )
    if dice.chance(30):
        phrase, tense = (
            phrase.plus(time=part(*dice.pick((("작년에", "last year"), ("전에", "before"))))),
            "past",
        )
    else:
        tense = dice.pick(("present", "present", "past"))
    clause = Clause(subject, phrase, style, tense, form="question" if asking else "statement")
    return sentence(render(clause), "?" if asking else ".")


ABSTRACT = (
    ("시간이", "time"),
    ("돈이", "money"),
    ("약속이", "plans"),
    ("질문이", "~a question"),
    ("숙제가", "homework"),
)
POSSESSIONS = tuple(
    noun
    for noun in of_class(THINGS + LIVING, frozenset(("machine", "ride", "drive", "pet", "lend", "reading")))
    if noun.number == "one"
)


def having(dice: Dice) -> Part:
    """저는 고양이가 두 마리 있어요. I have two cats. 시간이 없어요. I don't have time."""
    style, asking = level(dice), dice.chance(30)
    subject, abstract = anyone(dice, style, asking), dice.chance(35)
    while subject.honored or not (
        _topical(subject) or (abstract and not subject.part.korean)
    ):  # 책이 있어요 alone says that there is one
        subject = anyone(dice, style, asking)
    lacking, tense = dice.chance(35), dice.weighted((("present", 80), ("past", 20)))
    thing = part(*dice.pick(ABSTRACT)) if abstract else _possession(dice, counting=not lacking and not asking)
    phrase = Phrase(Stem("없" if lacking else "있"), "have", {"object": thing})
    form = "question" if asking else "statement"
    clause = Clause(subject, phrase, style, tense, negation="없다" if lacking else "", form=form)
    return sentence(render(clause), "?" if asking else ".")


def _topical(subject: Subject) -> bool:
    """Whether the owner is named and topical: 책이 있어요 alone says only that there is a book."""
    return bool(subject.part.korean) and subject.part.korean[-1].text.endswith(("은", "는"))


def _possession(dice: Dice, counting: bool) -> Part:
    noun = dice.pick(POSSESSIONS)
    if noun.counter and counting and dice.chance(40):
        return counted(noun, 1 + dice.below(4), NOMINATIVE)
    return noun_phrase(noun, NOMINATIVE).part


def two_things(dice: Dice) -> Part:
    """사과와 바나나를 샀어요. I bought an apple and a banana. 커피나 차를 마실 거예요. … coffee or tea."""
    style = level(dice)
    habits = dice.pick([h for h in TAKING if len(h.nouns) > 3 and h.verb.english not in ("wear", "lose")])
    first, second = dice.pick(habits.nouns), dice.pick(habits.nouns)
    while first is second or not first.classes & second.classes & habits.verb.objects:
        first, second = dice.pick(habits.nouns), dice.pick(habits.nouns)
    choices = (
        (("과/와", "and"), ("이랑/랑", "and")) if style == CASUAL else (("과/와", "and"), ("하고", "and"))
    )
    pair, word = dice.pick((*choices, ("이나/나", "or")))
    one, two = noun_phrase(first, pair).part, noun_phrase(second, ACCUSATIVE).part
    tense = "past" if word == "and" or habits.verb.stem.text in ONLY_PAST else "future"
    time = {"time": time_word(dice, tense)} if dice.chance(45) else {}
    conjunction = Part((), (Word(word, one.korean[-1:]),))
    pairs = tuple(("object", habits.verb.stem.text, noun.korean) for noun in (first, second))
    phrase = doing(habits.verb, object=one + conjunction + two, **time)
    subject = anyone(dice, style)
    clause = Clause(subject, replace(phrase, pairs=pairs), style, tense)
    return sentence(render(clause))


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("identity", 2, identity),
    ("belonging", 3, belonging),
    ("liking", 4, liking),
    ("living", 2, living),
    ("having", 4, having),
    ("two things", 4, two_things),
)
