"""Questions with a question word: who, what, where, when, why, how, what kind and what time."""

from collections.abc import Callable

from glassformer.data.samples.activity import (
    BEING_BUSY,
    MEETING,
    TAKING,
    intransitive,
    somewhere,
    transitive,
)
from glassformer.data.samples.clause import Clause, Phrase, Subject, doing, hidden, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import CASUAL, FORMAL
from glassformer.data.samples.lexicon_places import PEOPLE, PLACES
from glassformer.data.samples.nominal import (
    THE,
    TOPIC,
    noun_phrase,
    person_subject,
    possessor,
    time_word,
    to_place,
    with_particle,
)
from glassformer.data.samples.part import Part, part
from glassformer.data.samples.sentences_daily import NEARBY, Maker
from glassformer.data.samples.sentences_place import HANDY
from glassformer.data.samples.setting import ONLY_PAST, level, sentence

KINDS_OF_THING = (
    ("음식을", "food", ("먹", "만들", "시키")),
    ("책을", "book", ("읽", "사", "빌리")),
    ("영화를", "movie", ("보",)),
    ("음악을", "music", ("듣",)),
    ("노래를", "song", ("부르", "듣")),
    ("운동을", "sport", ()),
    ("과일을", "fruit", ("먹", "사")),
)


def _asker(dice: Dice, style: str) -> Subject:
    """You, or somebody else one asks about."""
    if dice.chance(55):
        return hidden("you")
    return person_subject(dice.pick(PEOPLE), style, TOPIC)


def _asked(dice: Dice, subject: Subject, phrase: Phrase, style: str) -> Part:
    """The question in the past, the future or, with 싶다, about a wish."""
    if phrase.stem.text in ONLY_PAST:
        tense, mood = "past", ""
    else:
        tense, mood = dice.weighted(((("past", ""), 50), (("future", ""), 35), (("present", "want"), 15)))
    if mood and subject.person == "3s":
        mood = "want-other"
    if phrase.asked != "time" and dice.chance(45) and not mood:
        phrase = phrase.plus(time=time_word(dice, tense, "far" in phrase.marks))
    return sentence(
        render(
            Clause(subject, phrase, style, tense, mood, form="question", time_first=phrase.asked != "time")
        ),
        "?",
    )


def what(dice: Dice) -> Part:
    """어제 뭐 먹었어? What did you eat yesterday?"""
    style = level(dice)
    habits = dice.pick([h for h in TAKING if len(h.nouns) > 3 and h.verb.english != "wear"])
    korean = dice.pick({CASUAL: ("뭐", "뭘"), FORMAL: ("무엇을",)}.get(style, ("뭐", "뭘", "무엇을")))
    phrase = doing(habits.verb, object=part(korean, "what"))
    if habits.places and dice.chance(40):
        phrase = somewhere(dice, habits, phrase, 100)
    return _asked(dice, _asker(dice, style), _asking(phrase, "object"), style)


def _asking(phrase: Phrase, slot: str) -> Phrase:
    return Phrase(
        phrase.stem,
        phrase.english,
        phrase.slots,
        phrase.noun,
        asked=slot,
        marks=phrase.marks,
        pairs=phrase.pairs,
    )


def who_subject(dice: Dice) -> Part:
    """누가 창문을 열었어요? Who opened a window?"""
    style = level(dice)
    phrase = dice.pick(MAKERS)(dice, style)
    return _asked(dice, Subject(part("누가", "who"), "3s", "they"), _asking(phrase, "subject"), style)


def _doing(dice: Dice, style: str) -> Phrase:
    return transitive(dice, style)


def _active(dice: Dice, _: str) -> Phrase:
    return intransitive(dice)


def _go(dice: Dice, _: str) -> Phrase:
    place = dice.pick(NEARBY)
    return Phrase(Stem("가"), "go", {"goal": to_place(place)}, pairs=(("goal", "가", place.korean),))


MAKERS: tuple[Maker, ...] = (_doing, _active, _go)


def who_object(dice: Dice) -> Part:
    """누구를 만났어요? Who did you meet?"""
    style = level(dice)
    habits = dice.pick(MEETING)
    phrase = doing(habits.verb, object=part("누구를", "who"))
    if habits.places and dice.chance(50):
        phrase = somewhere(dice, habits, phrase, 100)
    return _asked(dice, _asker(dice, style), _asking(phrase, "object"), style)


def where(dice: Dice) -> Part:
    """어디에서 책을 샀어요? Where did you buy a book? 어디 가? Where are you going?"""
    style = level(dice)
    korean = "어디" if style == CASUAL and dice.chance(50) else "어디에"
    if dice.chance(35):
        verb, english = dice.pick(((Stem("가"), "go"), (Stem("살"), "live")))
        slot = "goal" if english == "go" else "place"
        phrase = Phrase(verb, english, {slot: part(korean, "where")})
        return _asked(dice, _asker(dice, style), _asking(phrase, slot), style)
    habits = dice.pick([h for h in (*TAKING, *BEING_BUSY) if h.places])
    phrase = doing(habits.verb, place=part("어디에서", "where"))
    if habits.nouns:
        noun = dice.pick(habits.nouns)
        thing = noun_phrase(noun, "을/를").part
        pair = ("object", habits.verb.stem.text, noun.korean)
        phrase = phrase.plus(object=Part(thing.korean, thing.english, (pair,)))
    return _asked(dice, _asker(dice, style), _asking(phrase, "place"), style)


def where_is(dice: Dice) -> Part:
    """카페 어디 있어? Where is the café? 제 가방이 어디에 있어요? Where is my bag?"""
    style = level(dice)
    pair = "" if style == CASUAL and dice.chance(60) else dice.pick(("은/는", "이/가"))
    if dice.chance(50):
        place = dice.pick(
            [p for p in PLACES if p.english.startswith("~the") and p.korean not in ("산", "미국")]
        )
        subject = Subject(part(with_particle(place.korean, pair), place.english), "3s", "it")
    else:
        noun = dice.pick(HANDY)
        owner = possessor(dice, style, noun) if dice.chance(45) else None
        subject = noun_phrase(noun, pair, determiner=owner, article_kind=THE).subject()
    place_word = part("어디" if style == CASUAL and dice.chance(70) else "어디에", "where")
    phrase = Phrase(Stem("있"), "be", {"place": place_word}, asked="place")
    return sentence(render(Clause(subject, phrase, style, form="question")), "?")


def adverbial(word: str, english: str, slot: str) -> Callable[[Dice], Part]:
    """A question that puts one adverb in front: 언제, 왜, 몇 시에."""

    def make(dice: Dice) -> Part:
        style = level(dice)
        phrase = dice.pick(MAKERS)(dice, style)
        while phrase.stem.text in ("앉", "울", "웃"):
            phrase = intransitive(dice)
        phrase = _asking(phrase.plus(**{slot: part(word, english)}), slot)
        subject = _asker(dice, style)
        if slot == "reason" and dice.chance(35):
            clause = Clause(
                subject, phrase, style, "past", negation=dice.pick(("안", "지 않")), form="question"
            )
            return sentence(render(clause), "?")
        return _asked(dice, subject, phrase, style)

    return make


def how(dice: Dice) -> Part:
    """학교에 어떻게 가요? How do you go to school?"""
    style = level(dice)
    place = dice.pick(NEARBY)
    goal = to_place(place)
    pair = ("goal", "가", place.korean)
    phrase = Phrase(
        Stem("가"), "go", {"goal": goal, "manner": part("어떻게", "how")}, asked="manner", pairs=(pair,)
    )
    subject = _asker(dice, style)
    if dice.chance(50):
        return sentence(render(Clause(subject, phrase, style, form="question")), "?")
    return _asked(dice, subject, phrase, style)


def what_kind(dice: Dice) -> Part:
    """무슨 음식을 좋아해요? What food do you like?"""
    style = level(dice)
    noun, english, verbs = dice.pick(KINDS_OF_THING)
    thing = part(f"무슨 {noun}", f"what|0 {english}|1")
    subject = _asker(dice, style)
    if not verbs or dice.chance(50):
        stem, verb = dice.pick(((Stem("좋아하"), "like"), (Stem("싫어하"), "dislike")))
        phrase = Phrase(stem, verb, {"object": thing}, asked="object")
        return sentence(render(Clause(subject, phrase, style, form="question")), "?")
    habits = dice.pick([h for h in TAKING if h.verb.stem.text in verbs and h.verb.english not in ("take",)])
    return _asked(dice, subject, _asking(doing(habits.verb, object=thing), "object"), style)


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("what", 3, what),
    ("who", 2, who_subject),
    ("whom", 1, who_object),
    ("where", 3, where),
    ("where is", 2, where_is),
    ("when", 2, adverbial("언제", "when", "time")),
    ("what time", 1, adverbial("몇 시에", "what|0 time|1", "time")),
    ("why", 2, adverbial("왜", "why", "reason")),
    ("how", 1, how),
    ("what kind", 1, what_kind),
)
