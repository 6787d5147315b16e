"""Sentences with numbers: clock times, dates, prices, ages, shopping, and questions that ask for them."""

from collections.abc import Callable

from glassformer.data.samples.clause import Clause, Phrase, Subject, hidden, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.copula import equated
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.english import NUMBERS, plural
from glassformer.data.samples.lexicon import Noun, of_class
from glassformer.data.samples.lexicon_nouns import THINGS
from glassformer.data.samples.lexicon_places import DAYS, PEOPLE, PLACES
from glassformer.data.samples.nominal import (
    ACCUSATIVE,
    NOMINATIVE,
    THE,
    TOPIC,
    at_place,
    clock,
    counted,
    demonstrative,
    noun_phrase,
    person_subject,
    time_word,
    with_particle,
)
from glassformer.data.samples.part import Part, Word, part
from glassformer.data.samples.setting import level, sentence

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
EVENTS = (
    ("시험", "~the exam"),
    ("회의", "~the meeting"),
    ("수업", "~the class"),
    ("파티", "~the party"),
    ("결혼식", "~the wedding"),
    ("공연", "~the show"),
    ("콘서트", "~the concert"),
    ("졸업식", "~the graduation ceremony"),
)
PRICED = tuple(
    noun for noun in of_class(THINGS, frozenset(("price", "ticket"))) if noun.number in ("one", "many")
)
TENS = {20: "스물", 30: "서른", 40: "마흔", 50: "쉰", 60: "예순", 70: "일흔"}
ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")


def time_now(dice: Dice) -> Part:
    """지금 오후 세 시 반이에요. It is half past three in the afternoon now."""
    style = level(dice)
    korean, english = clock(dice, "", night=True)
    whole = equated(hidden("it"), korean, english, style)
    if dice.chance(50):
        now = part("지금", "now")
        last = whole.english[-1]
        words = (*whole.english[:-1], Word(last.text.rstrip("."), last.of), Word("now.", now.korean))
        return Part(now.korean + whole.korean, words)
    return whole


def event_time(dice: Dice) -> Part:
    """회의는 3월 5일이에요. The meeting is on March 5. 수업은 세 시에 시작해요. It starts at three."""
    style = level(dice)
    event, english = dice.pick(EVENTS)
    subject = Subject(part(with_particle(event, dice.pick((TOPIC, NOMINATIVE))), english), "3s", "it")
    if dice.chance(40):
        stem, verb = dice.pick(((Stem("시작하"), "start"), (Stem("끝나"), "end")))
        text, words = clock(dice, "에")
        time = part(text, f"at|{len(text.split()) - 1} {words}")
        tense = dice.pick(("present", "past", "future"))
        return sentence(render(Clause(subject, Phrase(stem, verb, {"time": time}), style, tense)))
    tense = dice.pick(("present", "past"))
    if dice.chance(40):
        day = dice.pick(tuple(DAYS))
        return equated(subject, day, f"on|0 {DAYS[day]}|0", style, tense=tense)
    month, date = 1 + dice.below(12), 1 + dice.below(28)
    return equated(subject, f"{month}월 {date}일", f"on|1 {MONTHS[month - 1]}|0 {date}|1", style, tense=tense)


def birthday(dice: Dice) -> Part:
    """제 생일은 3월 5일이에요. My birthday is March 5."""
    style = level(dice)
    month, date = 1 + dice.below(12), 1 + dice.below(28)
    if dice.chance(40):
        who = part("내 생일은" if style == "casual" else "제 생일은", "my|0 birthday|1")
    else:
        person = dice.pick([p for p in PEOPLE if p.manner != "name"])
        owner = " ".join(w if w == "~the" else f"{w}|0" for w in (person.english + "'s").split())
        who = part(f"{person.korean} 생일은", f"{owner} birthday|1")
    subject = Subject(who, "3s", "it")
    return equated(subject, f"{month}월 {date}일", f"{MONTHS[month - 1]}|0 {date}|1", style)


def price(dice: Dice) -> Part:
    """이 가방은 5만 원이에요. This bag is 50,000 won."""
    style = level(dice)
    noun = dice.pick(PRICED)
    thing = noun_phrase(noun, TOPIC, determiner=demonstrative(dice), article_kind=THE).subject()
    subject = thing if dice.chance(75) else hidden("it")
    thousands = 1 + dice.below(9)
    if dice.chance(50):
        korean, english = f"{thousands}만 원", f"{thousands}0,000|0 won|1"
    elif dice.chance(50):
        korean, english = f"{thousands}천 원", f"{thousands},000|0 won|1"
    else:
        tens = 1 + dice.below(9)
        korean, english = f"{tens}만 {thousands}천 원", f"{tens}{thousands},000|0,1 won|2"
    return equated(subject, korean, english, style, tense=dice.weighted((("present", 80), ("past", 20))))


def age(dice: Dice) -> Part:
    """저는 스물다섯 살이에요. I am twenty-five years old."""
    style = level(dice)
    person = dice.pick([p for p in PEOPLE if p.manner != "honored"])
    number = (
        20 + dice.below(40) if person.manner != "kin" or "동생" not in person.korean else 10 + dice.below(10)
    )
    pair = dice.pick((TOPIC, NOMINATIVE))
    subject = person_subject(person, style, pair) if dice.chance(60) else hidden("I")
    if subject.pronoun == "I" and dice.chance(70):
        subject = Subject(part("나는" if style == "casual" else "저는", "I"), "1s", "I")
    korean = native(number)
    return equated(subject, f"{korean} 살", f"{english_number(number)}|0 years|1 old|1", style)


def native(number: int) -> str:
    """A native Korean numeral before a counter, 10 to 79: 열두, 스무, 스물다섯."""
    if number == 20:
        return "스무"
    tens, ones = number // 10 * 10, number % 10
    return ("열" if tens == 10 else TENS[tens]) + ONES[ones]


def english_number(number: int) -> str:
    """An English numeral, 10 to 79."""
    if number < 20:
        return NUMBERS[number]
    tens = {2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy"}
    ones = number % 10
    return tens[number // 10] + (f"-{NUMBERS[ones]}" if ones else "")


COUNTED = tuple(noun for noun in THINGS if noun.counter and ":" not in noun.counter and noun.counter != "편")


def how_many(dice: Dice) -> Part:
    """사과를 몇 개 샀어요? How many apples did you buy?"""
    style = level(dice)
    noun: Noun = dice.pick(COUNTED)
    counter = noun.counter
    what = part(
        f"{with_particle(noun.korean, '을/를')} 몇 {counter}", "how|1 many|1 " + _links(plural(noun.english))
    )
    stem, english = dice.pick(((Stem("사"), "buy"), (Stem("고르", "르"), "choose"), (Stem("팔"), "sell")))
    tense = dice.pick(("past", "future"))
    phrase = Phrase(
        stem, english, {"object": what}, asked="object", pairs=(("object", stem.text, noun.korean),)
    )
    return sentence(render(Clause(hidden("you"), phrase, style, tense, form="question")), "?")


def how_many_there(dice: Dice) -> Part:
    """의자가 몇 개 있어요? How many chairs are there?"""
    style = level(dice)
    noun = dice.pick(COUNTED)
    what = part(
        f"{with_particle(noun.korean, '이/가')} 몇 {noun.counter}",
        "how|1 many|1 " + _links(plural(noun.english)),
    )
    there = Subject(Part((), (Word("there"),)), "3p", "they")
    phrase = Phrase(Stem("있"), "be", {"object": what}, asked="object")
    return sentence(
        render(Clause(there, phrase, style, dice.pick(("present", "past")), form="question")), "?"
    )


def _links(words: str) -> str:
    return " ".join(f"{word}|0" for word in words.split())


def asking_number(dice: Dice) -> Part:
    """지금 몇 시예요? What time is it now? 이 가방은 얼마예요? How much is this bag?"""
    style = level(dice)
    kind = dice.pick(("price", "price", "price", "when", "age"))
    if kind == "price":
        noun = dice.pick(PRICED)
        thing = noun_phrase(noun, TOPIC, determiner=demonstrative(dice), article_kind=THE).subject()
        return equated(thing, "얼마", "how|0 much|0", style, form="question", asked=True)
    if kind == "when":
        event, english = dice.pick(EVENTS)
        subject = Subject(part(with_particle(event, TOPIC), english), "3s", "it")
        if dice.chance(50):
            return equated(subject, "언제", "when|0", style, form="question", asked=True)
        return equated(subject, "몇 시", "what|1 time|1", style, form="question", asked=True)
    person = dice.pick([p for p in PEOPLE if p.manner != "honored"])
    return equated(
        person_subject(person, style, TOPIC), "몇 살", "how|0 old|1", style, form="question", asked=True
    )


LISTED = tuple(
    noun
    for noun in of_class(THINGS, frozenset(("fruit", "snack", "drink", "meal")))
    if noun.counter and noun.classes & {"shop", "bakery"}
)
STORES = tuple(place for place in PLACES if place.korean in ("시장", "마트", "편의점", "백화점"))


def shopping_list(dice: Dice) -> Part:
    """시장에서 사과 세 개, 바나나 두 개, 우유 한 병을 샀어요. I bought three apples, two bananas, and …"""
    style, subject = level(dice), dice.pick((hidden("I"), hidden("I"), None))
    subject = subject or person_subject(dice.pick(PEOPLE), style, TOPIC)
    count = dice.weighted(((2, 30), (3, 30), (4, 20), (5, 10), (7, 5), (9, 3), (11, 2), (12, 2)))
    nouns: list[Noun] = []
    while len(nouns) < count:
        noun = dice.pick(LISTED)
        if noun not in nouns:
            nouns.append(noun)
    things = Part()
    for number, noun in enumerate(nouns):
        last = number == count - 1
        item = quantity(noun, 1 + dice.below(9), ACCUSATIVE if last else "")
        if last:
            things += Part((), (Word("and"),)) + item
        elif count == 2:
            things += item.closed_korean(",")
        else:
            things += item.punctuated(",")
    tense = dice.pick(("past", "future"))
    slots = {"object": things, "place": at_place(dice.pick(STORES))}
    if dice.chance(50):
        slots["time"] = time_word(dice, tense)
    pairs = tuple(("object", "사", noun.korean) for noun in nouns)
    return sentence(render(Clause(subject, Phrase(Stem("사"), "buy", slots, pairs=pairs), style, tense)))


def quantity(noun: Noun, count: int, pair: str) -> Part:
    """사과 세 개를, three apples: the noun bare, the particle on the counter."""
    whole = counted(noun, count, "")
    counter = whole.korean[-1]
    counter.text = with_particle(counter.text, pair)
    return whole


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("clock", 2, time_now),
    ("event", 3, event_time),
    ("birthday", 2, birthday),
    ("price", 3, price),
    ("age", 2, age),
    ("shopping list", 3, shopping_list),
    ("how many", 2, how_many),
    ("how many there", 1, how_many_there),
    ("asking a number", 2, asking_number),
)
