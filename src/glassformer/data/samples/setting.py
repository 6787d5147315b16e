"""When and in what mood something is said: tense, time words, mood and negation that suit each other."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from glassformer.data.samples.clause import Clause, Phrase, Subject
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import CASUAL, FORMAL, POLITE
from glassformer.data.samples.nominal import frequency, time_word
from glassformer.data.samples.part import Part, Word, part

ONLY_PAST = ("잃어버리",)
MOMENTARY = (
    "출발하",
    "일어나",
    "앉",
    "끝내",
    "버리",
    "받",
    "돌려주",
    "초대하",
    "도착하",
    "돌아오",
    "닫",
    "열",
    "켜",
    "끄",
    "가",
    "오",
)
LASTING = ("배우", "키우", "심")
SPONTANEOUS = ("울", "웃", "앉")
UNWILLED = ("울", "웃", "받", "앉", "출발하", "살", "기다리", "버리", "일어나", "도착하")
LEVELS = ((CASUAL, 36), (POLITE, 40), (FORMAL, 24))


@dataclass(frozen=True, slots=True)
class Setting:
    """Tense, mood and negation with the time words that go with them."""

    tense: str
    mood: str = ""
    negation: str = ""
    time: Part | None = None
    frequency: Part | None = None


def level(dice: Dice) -> str:
    """A speech level."""
    return dice.weighted(LEVELS)


Chance = Callable[[Dice, bool, bool], Setting]


def happening(dice: Dice, subject: Subject, phrase: Phrase, asking: bool = False) -> Setting:
    """A setting for something somebody does."""
    stem = phrase.stem.text
    far = stem in LASTING or "far" in phrase.marks
    if stem in ONLY_PAST:
        return _past(dice, refusing=False, far=False)
    options: list[tuple[Chance, int]] = [(_past, 34)]
    if stem not in SPONTANEOUS:
        options.append((_future, 20))
    if stem not in SPONTANEOUS and "rare" not in phrase.marks:
        options.append((_habit, 18))
    if stem not in MOMENTARY:
        options.append((_now, 10))
    if stem not in UNWILLED:
        options += [
            (_want, 11),
            (_able, 9),
            (_once, 6 if stem == "가" or stem not in (*MOMENTARY, "찾", "기다리") else 0),
        ]
    if not asking and stem not in UNWILLED:
        options.append((_must, 9))
    chosen = dice.weighted(options)
    setting = chosen(dice, not asking, far)
    if setting.mood == "want" and subject.person in ("3s", "3p"):
        return Setting(setting.tense, "want-other", setting.negation, setting.time)
    return setting


def _past(dice: Dice, refusing: bool, far: bool) -> Setting:
    negation = dice.pick(("안", "지 않", "못")) if refusing and dice.chance(22) else ""
    return Setting("past", "", negation, time_word(dice, "past", far) if dice.chance(65) else None)


def _future(dice: Dice, refusing: bool, far: bool) -> Setting:
    negation = dice.pick(("안", "지 않")) if refusing and dice.chance(12) else ""
    return Setting("future", "", negation, time_word(dice, "future", far) if dice.chance(70) else None)


def _habit(dice: Dice, refusing: bool, far: bool) -> Setting:
    if refusing and not far and dice.chance(20):
        return Setting("present", "", dice.pick(("안", "지 않")), None, part("자주", "often"))
    if not far and dice.chance(55):
        return Setting("present", "", "", None, frequency(dice))
    return Setting("present", "", "", time_word(dice, "habit", far))


def _now(dice: Dice, _refusing: bool, _far: bool) -> Setting:
    if dice.chance(20):
        return Setting("past", "ongoing")
    return Setting("present", "ongoing", "", part("지금", "now") if dice.chance(60) else None)


def _want(dice: Dice, refusing: bool, far: bool) -> Setting:
    tense = "past" if dice.chance(15) else "present"
    negation = "지 않" if refusing and dice.chance(22) else ""
    return Setting(
        tense,
        "want",
        negation,
        time_word(dice, "future", far) if tense == "present" and dice.chance(40) else None,
    )


def _able(dice: Dice, refusing: bool, far: bool) -> Setting:
    mood = "cannot" if refusing and dice.chance(35) else "can"
    tense = "past" if dice.chance(15) else "present"
    return Setting(
        tense, mood, "", time_word(dice, "future", far) if tense == "present" and dice.chance(35) else None
    )


def _must(dice: Dice, _refusing: bool, far: bool) -> Setting:
    if dice.chance(20):
        return Setting("past", "must", "", time_word(dice, "past", far) if dice.chance(50) else None)
    return Setting("present", "must", "", time_word(dice, "future", far) if dice.chance(60) else None)


def _once(dice: Dice, refusing: bool, _far: bool) -> Setting:
    return Setting("present", "never" if refusing and dice.chance(40) else "once")


def placed(clause: Clause, setting: Setting) -> Clause:
    """The clause put into its setting."""
    extra = {k: v for k, v in (("time", setting.time), ("frequency", setting.frequency)) if v is not None}
    return replace(
        clause,
        phrase=clause.phrase.plus(**extra),
        tense=setting.tense,
        mood=setting.mood,
        negation=setting.negation,
    )


def sentence(whole: Part, mark: str = ".") -> Part:
    """The finished sentence: whose relatives are meant, capital letter and closing mark."""
    owner = "your" if mark == "?" else "my"
    english = tuple(Word(owner, word.of) if word.text == "one's" else word for word in whole.english)
    return Part(whole.korean, english, whole.pairs).capitalized().punctuated(mark)
