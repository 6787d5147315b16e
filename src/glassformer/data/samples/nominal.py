"""Noun phrases in both languages: articles, determiners, adjectives, counters, people, places and times."""

from dataclasses import dataclass

from glassformer.data.samples.clause import Subject, hidden
from glassformer.data.samples.conjugate import attach
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import CASUAL, FORMAL
from glassformer.data.samples.english import NUMBERS, PERSONS, article, plural
from glassformer.data.samples.hangul import particle, tail
from glassformer.data.samples.lexicon import Adjective, Noun, Person, Place
from glassformer.data.samples.lexicon_places import DAYS, FREQUENCY, PEOPLE, TIMES
from glassformer.data.samples.part import Combination, Part, part

TOPIC, NOMINATIVE, ACCUSATIVE = "은/는", "이/가", "을/를"
BARE, THE, GENERIC = "bare", "the", "generic"
NATIVE = ["영", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한", "열두"]
DEMONSTRATIVES = {"이": ("this", "these"), "그": ("that", "those"), "저": ("that", "those")}


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A noun phrase and whether English treats it as plural."""

    part: Part
    many: bool

    @property
    def person(self) -> str:
        """The person a verb agrees with."""
        return "3p" if self.many else "3s"

    def subject(self) -> Subject:
        """The phrase as the subject of a clause."""
        return Subject(self.part, self.person, "they" if self.many else "it")


def with_particle(word: str, pair: str) -> str:
    """The word with a particle: a pair that follows its last sound, one fixed form, or none (``""``)."""
    return particle(word, pair) if "/" in pair else word + pair


def noun_phrase(
    noun: Noun,
    pair: str,
    *,
    article_kind: str = BARE,
    determiner: tuple[str, str, str] | None = None,
    adjective: Adjective | None = None,
    relation: str = "adjective",
) -> NounPhrase:
    """A noun with a particle; ``determiner`` (Korean, English singular, plural) takes the article's place."""
    many = noun.number == "many" or (article_kind == GENERIC and noun.number == "one")
    words = plural(noun.english) if many else noun.english
    before = [] if determiner is None else [determiner[0]]
    pairs: list[Combination] = []
    marks = [f"{word}|{len(before) + (adjective is not None)}" for word in words.split()]
    head = words
    if adjective is not None:
        marks.insert(0, f"{adjective.english}|{len(before)}")
        head = adjective.english
        pairs.append((relation, adjective.stem.text, noun.korean))
        before.append(adnominal(adjective))
    if determiner is not None:
        marks.insert(0, f"{determiner[2] if many else determiner[1]}|0")
    elif word := _article(noun, article_kind, many, head):
        marks.insert(0, word)
    korean = " ".join((*before, with_particle(noun.korean, pair)))
    return NounPhrase(part(korean, " ".join(marks), pairs), many)


def _article(noun: Noun, kind: str, many: bool, head: str) -> str:
    if noun.number == "the" or kind == THE:
        return "the"
    return article(head).split()[0] if kind == BARE and noun.number == "one" and not many else ""


def adnominal(adjective: Adjective) -> str:
    """The form that stands before a noun: 예쁜, 추운, 긴, but 재미있는 and 맛없는."""
    existential = adjective.stem.text.endswith(("있", "없"))
    return attach(adjective.stem, "는" if existential else "으ㄴ")


def demonstrative(dice: Dice) -> tuple[str, str, str]:
    """이, 그 or 저 with its English."""
    korean = dice.pick(("이", "이", "그", "저"))
    return korean, *DEMONSTRATIVES[korean]


SHARED = frozenset(("furniture", "ride", "drive", "pet", "power"))


def possessor(dice: Dice, style: str, noun: Noun) -> tuple[str, str, str]:
    """내 or 제 (my), and 우리 (our) for what a household shares."""
    shared = noun.classes & SHARED and dice.chance(50)
    korean, english = ("우리", "our") if shared else ("내" if style == CASUAL else "제", "my")
    return korean, english, english


def counted(noun: Noun, count: int, pair: str) -> Part:
    """A counted noun, the number last: 사과를 두 개, two apples; 차를 한 잔, one cup of tea."""
    counter, _, measure = noun.counter.partition(":")
    korean = f"{with_particle(noun.korean, pair)} {NATIVE[count]} {counter}"
    number = f"{NUMBERS[count]}|1"
    if measure:
        unit = measure if count == 1 else plural(measure)
        content = plural(noun.english) if noun.number == "many" else noun.english
        return part(korean, f"{number} {unit}|2 of|2 " + _marked(content, 0))
    return part(korean, f"{number} " + _marked(noun.english if count == 1 else plural(noun.english), 0))


def _marked(words: str, number: int) -> str:
    return " ".join(f"{word}|{number}" for word in words.split())


def called(person: Person, style: str) -> str:
    """How this speech level names somebody: 민수, 지훈이 among friends, 민수 씨 otherwise, 어머니."""
    if person.manner != "name":
        return person.korean
    if style == CASUAL:
        return person.korean + ("이" if tail(person.korean) else "")
    return person.korean + " 씨"


def somebody(person: Person, style: str, pair: str) -> Part:
    """A person with a particle: 민수 씨는, 할머니께서는 in formal speech."""
    name = called(person, style)
    korean = with_particle(name, pair)
    if person.manner == "honored" and style == FORMAL and pair in (TOPIC, NOMINATIVE):
        korean = name + ("께서는" if pair == TOPIC else "께서")
    number = "0,1" if " " in name else "0"
    return part(korean, " ".join(w if w == "~the" else f"{w}|{number}" for w in person.english.split()))


def person_subject(person: Person, style: str, pair: str) -> Subject:
    """A person as a subject, raised by 시 where Korean manners ask for it."""
    honored = person.manner == "honored"
    return Subject(somebody(person, style, pair), "3s", person.form, honored)


def speaker(style: str, pair: str) -> Subject:
    """나는, 내가, 저는, 제가: I."""
    if pair == NOMINATIVE:
        return Subject(part("내가" if style == CASUAL else "제가", "I"), "1s", "I")
    return Subject(part("나는" if style == CASUAL else "저는", "I"), "1s", "I")


def group(style: str) -> Subject:
    """우리는, 저희는: we."""
    return Subject(part("저희는" if style == FORMAL else "우리는", "we"), "1p", "we")


def anyone(dice: Dice, style: str, asking: bool = False) -> Subject:
    """A likely subject: nobody said (I, or you in a question), the speaker, we, or another person."""
    kind = dice.weighted((("hidden", 40), ("self", 0 if asking else 18), ("we", 8), ("other", 40)))
    if kind == "hidden":
        if asking and style == CASUAL and dice.chance(40):
            return Subject(part("너는", "you"), PERSONS["you"], "you")
        return hidden("you" if asking else "I")
    if kind == "self":
        return speaker(style, TOPIC)
    if kind == "we":
        return hidden("you") if asking else group(style)
    return person_subject(dice.pick(PEOPLE), style, dice.weighted(((TOPIC, 65), (NOMINATIVE, 35))))


def at_place(place: Place, pair: str = "에서") -> Part:
    """Where something happens (에서) or is (에): 학교에서, at school."""
    return part(with_particle(place.korean, pair), f"{place.preposition} {place.english}")


def to_place(place: Place, pair: str = "에") -> Part:
    """Where somebody goes: 집에, home; 카페에, to the café."""
    english = "home" if place.korean == "집" else f"to {place.english}"
    return part(with_particle(place.korean, pair), english)


def time_word(dice: Dice, tense: str, far: bool = False) -> Part:
    """A time expression that suits past, future, habit or now."""
    if far and (tense == "habit" or dice.chance(60)):
        word = dice.pick([word for word in TIMES if word.tense == tense + "-far"])
    elif tense != "now" and not far and dice.chance(28):
        return weekday(dice, tense) if tense == "habit" or dice.chance(50) else clock_time(dice)
    else:
        word = dice.pick(
            [word for word in TIMES if word.tense == tense or (word.tense == "any" and tense != "habit")]
        )
    return part(word.korean, word.english)


def day_word(dice: Dice, tense: str) -> Part:
    """A time expression no finer than part of a day."""
    return part(*dice.pick([(t.korean, t.english) for t in TIMES if t.tense in (tense, "any")]))


def weekday(dice: Dice, tense: str) -> Part:
    """월요일에, on Monday; 월요일마다, every Monday."""
    day = dice.pick(tuple(DAYS))
    return (
        part(day + "마다", f"every {DAYS[day]}") if tense == "habit" else part(day + "에", f"on {DAYS[day]}")
    )


HOURS = (
    ("아침", "in ~the morning", 7, 9),
    ("오전", "in ~the morning", 9, 11),
    ("오후", "in ~the afternoon", 1, 5),
    ("저녁", "in ~the evening", 6, 8),
)
NIGHT = ("밤", "at night", 9, 11)


def clock(dice: Dice, ending: str, night: bool = False) -> tuple[str, str]:
    """A clock time, in Korean with ``ending`` and in marked English: 세 시 반에, half past three."""
    half, english, first, last = dice.pick((*HOURS, NIGHT) if night else HOURS)
    hour = first + dice.below(last - first + 1)
    named = dice.chance(70)
    shift = 1 if named else 0
    korean, number = NATIVE[hour], NUMBERS[hour]
    if dice.chance(35):
        text = f"{korean} 시 반{ending}"
        words = f"half|{shift + 2} past|{shift + 2} {number}|{shift}"
    else:
        text = f"{korean} 시{ending}"
        words = f"{number}|{shift} o'clock|{shift + 1}"
    if named:
        return f"{half} {text}", words + " " + " ".join(
            w if w.startswith("~") else f"{w}|0" for w in english.split()
        )
    return text, words


def clock_time(dice: Dice) -> Part:
    """세 시에, at three o'clock."""
    korean, english = clock(dice, "에")
    return part(korean, f"at|{len(korean.split()) - 1} {english}")


def frequency(dice: Dice) -> Part:
    """자주, often."""
    korean = dice.pick(tuple(FREQUENCY))
    return part(korean, FREQUENCY[korean])
