"""Sentences in which one thing follows another: errands, purposes, sequences, and whole days."""

from collections.abc import Callable

from glassformer.data.samples.clause import Clause, Subject, purpose, render
from glassformer.data.samples.deeds import errand, going, two_deeds
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.english import forms
from glassformer.data.samples.linking import again, done, inserted, joined, teller
from glassformer.data.samples.nominal import (
    time_word,
)
from glassformer.data.samples.part import Part, Word, part
from glassformer.data.samples.setting import sentence


def going_and_doing(dice: Dice) -> Part:
    """카페에 가서 커피를 마셨어요. I went to the café and drank coffee."""
    style, subject = teller(dice)
    place, phrase = errand(dice, style)
    tense = dice.pick(("past", "past", "future"))
    first = going(place)
    if dice.chance(55):
        first = first.plus(time=time_word(dice, tense))
    went = render(Clause(subject, first, style, tense, time_first=dice.chance(30)), "아서")
    did = render(
        Clause(
            Subject(Part(), subject.person, subject.pronoun, subject.honored),
            phrase,
            style,
            tense,
            shares=True,
        )
    )
    return sentence(joined(went, "and", did, comma=False))


def going_for(dice: Dice) -> Part:
    """책을 사러 서점에 갔어요. I went to the bookstore to buy a book."""
    style, subject = teller(dice)
    place, phrase = errand(dice, style)
    aim = purpose(phrase, dice.pick(("으러", "으려고")))
    tense = dice.pick(("past", "past", "future"))
    main = going(place)
    if dice.chance(45):
        main = main.plus(time=time_word(dice, tense))
    whole = render(Clause(subject, main, style, tense))
    shown, time = len(subject.part.korean), len(main.slots["time"].korean) if "time" in main.slots else 0
    korean = (*whole.korean[: shown + time], *aim.korean, *whole.korean[shown + time :])
    last = len(whole.english) - (len(main.slots["time"].english) if time else 0)
    english = (*whole.english[:last], *aim.english, *whole.english[last:])
    return sentence(Part(korean, english, whole.pairs + aim.pairs))


def sequence(dice: Dice) -> Part:
    """숙제를 끝내고 영화를 봤어요. I finished homework and watched a movie."""
    style, subject = teller(dice)
    tense = dice.pick(("past", "past", "future"))
    first, second = two_deeds(dice, style)
    if dice.chance(60):
        first = first.plus(time=time_word(dice, tense))
    one = render(Clause(subject, first, style, tense), "고")
    two = Clause(
        Subject(Part(), subject.person, subject.pronoun, subject.honored), second, style, tense, shares=True
    )
    return sentence(joined(one, "and", render(two), comma=False))


def while_doing(dice: Dice) -> Part:
    """음악을 들으면서 공부했어요. I studied while listening to music."""
    style, subject = teller(dice)
    tense = dice.pick(("past", "past", "future"))
    main = done(dice, dice.pick(AT_EASE), style)
    aside = purpose(done(dice, dice.pick(ASIDE), style), "으면서")
    head, ending = aside.english[1], aside.korean[-1]
    words = (Word("while", (ending,)), Word(forms(head.text)[3], head.of), *aside.english[2:])
    if dice.chance(50):
        main = main.plus(time=time_word(dice, tense))
    return sentence(inserted(Clause(subject, main, style, tense), Part(aside.korean, words, aside.pairs)))


AT_EASE = (
    "공부하",
    "운동하",
    "걷",
    "산책하",
    "요리하",
    "쉬",
    "먹:meal",
    "마시:drink",
    "닦:창문",
    "끝내:숙제",
)
ASIDE = ("듣:listening", "부르:song", "듣:radio")


def before_after(dice: Dice) -> Part:
    """자기 전에 책을 읽었어요. I read a book before I slept."""
    style, subject = teller(dice)
    tense = dice.pick(("past", "past", "future"))
    inner, main = two_deeds(dice, style)
    ending, korean, word = dice.pick((("기", "전에", "before"), ("으ㄴ", "후에", "after")))
    inside = render(Clause(again(subject), inner, style, tense if tense == "past" else "present"), ending)
    noun = part(korean, word)
    aside = Part(inside.korean + noun.korean, noun.english + inside.english, inside.pairs)
    if dice.chance(40):
        main = main.plus(time=time_word(dice, tense))
    whole = inserted(Clause(subject, main, style, tense), aside)
    return sentence(whole)


LINKS = (("그리고", "and"), ("그다음에", "then"), ("그 후에", "after|1 that,|0"))


def story(dice: Dice) -> Part:
    """A day in several sentences: 아침에 … 그다음에 … 그리고 … (up to forty words)."""
    style, subject = teller(dice)
    whole = sentence(_told(dice, style, subject, time_word(dice, "past")))
    for _ in range(1 + dice.below(4)):
        more = part(*dice.pick(LINKS)) + _told(dice, style, again(subject), None)
        if len(whole.english) + len(more.english) > LONGEST:
            break
        whole += sentence(more)
    return whole


LONGEST = 40


def _told(dice: Dice, style: str, subject: Subject, time: Part | None) -> Part:
    """One or two deeds of a day in one clause chain."""
    silent = Subject(Part(), subject.person, subject.pronoun, subject.honored)
    first, second = two_deeds(dice, style)
    if dice.chance(60):
        place, second = errand(dice, style, near=True)
        first = going(place)
    first = first if time is None else first.plus(time=time)
    if dice.chance(30):
        return render(Clause(subject, first, style, "past"))
    ending = "아서" if first.stem.text == "가" else "고"
    one, two = Clause(subject, first, style, "past"), Clause(silent, second, style, "past", shares=True)
    return joined(render(one, ending), "and", render(two), comma=False)


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("errand", 4, going_and_doing),
    ("purpose", 4, going_for),
    ("sequence", 5, sequence),
    ("while", 2, while_doing),
    ("before and after", 3, before_after),
    ("story", 8, story),
)
