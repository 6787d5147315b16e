"""Short talk: reports of a visit, exclamations, greetings, answers, requests and suggestions."""

from collections.abc import Callable
from dataclasses import replace

from glassformer.data.samples.activity import FAR, intransitive, transitive
from glassformer.data.samples.clause import Clause, Phrase, being, hidden, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import CASUAL, FORMAL, POLITE
from glassformer.data.samples.english import plural
from glassformer.data.samples.hangul import particle
from glassformer.data.samples.lexicon import Noun, Place
from glassformer.data.samples.lexicon_places import PEOPLE, TIMES
from glassformer.data.samples.nominal import DEMONSTRATIVES, THE, noun_phrase, to_place, with_particle
from glassformer.data.samples.part import Part, part
from glassformer.data.samples.sentences_daily import Maker, moving
from glassformer.data.samples.sentences_place import STOCK, THERE, THERE_MANY
from glassformer.data.samples.sentences_quality import DESCRIBED, SITES
from glassformer.data.samples.setting import happening, level, placed, sentence

VISIT_TIMES = tuple(time for time in TIMES if time.tense == "past")
FAR_TIMES = tuple(
    time for time in TIMES if time.tense == "past-far" or time.korean in ("지난주에", "지난 주말에")
)
FELT = (
    "조용하",
    "시끄럽",
    "깨끗하",
    "더럽",
    "밝",
    "어둡",
    "아름답",
    "춥",
    "덥",
)  # what it can be like *there*
VISITED = tuple(
    (place, felt)
    for place, group in SITES
    if "go" in place.classes and (felt := tuple(a for a in group if a.stem.text in FELT))
)
AMOUNTS = ((Stem("많"), "be many"), (Stem("적"), "be few"), (Stem("없"), "be no"))


def visit(style: str, time: Part, place: Place, thing: Noun, amount: tuple[Stem, str]) -> Part:
    """어제 카페 갔었어. 거기 사람 많더라. Friends drop the particles; polite speech keeps them."""
    friends = style == CASUAL
    goal = to_place(place, "" if friends else "에")
    goal = Part(goal.korean, goal.english, (("goal", "가", place.korean),))
    went = Clause(hidden("I"), Phrase(Stem("가"), "go", {"time": time, "goal": goal}), style, "remote")
    many = thing.number != "mass"
    words = part(
        with_particle(thing.korean, "" if friends else "이/가"),
        plural(thing.english) if many else thing.english,
    )
    stem, english = amount if many or amount[1] == "be no" else (Stem("많"), "be a lot of")
    pair = ("in", place.korean, thing.korean)
    phrase = Phrase(stem, english, {"object": words, "place": part("거기", "there")}, pairs=(pair,))
    found = Clause(THERE_MANY if many else THERE, phrase, style, form="retrospective")
    return sentence(render(went)) + sentence(render(found))


def visit_report(dice: Dice) -> Part:
    """A visit and how many people or things were there."""
    style = dice.pick((CASUAL, CASUAL, POLITE))
    place, things = dice.pick(STOCK)
    time = dice.pick(VISIT_TIMES)
    return visit(
        style,
        part(time.korean, time.english),
        place,
        dice.pick(things),
        dice.weighted(((AMOUNTS[0], 60), (AMOUNTS[1], 20), (AMOUNTS[2], 20))),
    )


def visit_impression(dice: Dice) -> Part:
    """어제 그 식당 갔었어. 정말 시끄럽더라. What the place was like."""
    style = dice.pick((CASUAL, CASUAL, POLITE))
    place, adjectives = dice.pick(VISITED)
    times = FAR_TIMES if place.classes & FAR else VISIT_TIMES
    adjective, time = dice.pick(adjectives), dice.pick(times)
    goal = to_place(place, "" if style == CASUAL else "에")
    goal = Part(goal.korean, goal.english, (("goal", "가", place.korean),))
    slots = {"time": part(time.korean, time.english), "goal": goal}
    went = Clause(hidden("I"), Phrase(Stem("가"), "go", slots), style, "remote")
    phrase = being(
        adjective,
        place=part("거기", "there"),
        degree=part(*dice.pick((("정말", "really"), ("너무", "so"), ("아주", "very")))),
    )
    phrase = replace(phrase, pairs=(("site", adjective.stem.text, place.korean),))
    return sentence(render(went)) + sentence(
        render(Clause(hidden("it"), phrase, style, form="retrospective"))
    )


def exclamation(dice: Dice) -> Part:
    """와, 정말 크네요! Wow, it is really big! 이 꽃 정말 예쁘다!"""
    style = dice.pick((CASUAL, POLITE))
    noun, adjectives = dice.pick(DESCRIBED)
    adjective = dice.pick(adjectives)
    phrase = being(adjective, degree=part(*dice.pick((("정말", "really"), ("너무", "so"), ("아주", "very")))))
    if dice.chance(40):
        subject = hidden("it")
    else:
        korean = dice.pick(("이", "그", "저"))
        determiner = (korean, *DEMONSTRATIVES[korean])
        subject = noun_phrase(
            noun, "" if style == CASUAL else "이/가", determiner=determiner, article_kind=THE
        ).subject()
        phrase = replace(phrase, pairs=(("quality", adjective.stem.text, noun.korean),))
    whole = render(Clause(subject, phrase, style, form="exclamation"))
    return sentence(part("와,", "wow,") + whole if dice.chance(40) else whole, "!")


# style, Korean, English with marks; {name} is a person, called with 아/야 among friends and with 씨 otherwise
GREETINGS = (
    (CASUAL, "안녕, {name}!", "hi,|0 {name}!"),
    (CASUAL, "고마워, {name}.", "thank|0 you,|0 {name}."),
    (CASUAL, "미안해, {name}.", "I am|0 sorry,|0 {name}."),
    (CASUAL, "잘 자, {name}.", "good|0 night,|1 {name}."),
    (CASUAL, "잘 가, {name}.", "goodbye,|0,1 {name}."),
    (CASUAL, "생일 축하해, {name}!", "happy|1 birthday,|0 {name}!"),
    (CASUAL, "괜찮아, {name}?", "are|0 you okay,|0 {name}?"),
    (CASUAL, "빨리 와, {name}!", "come|1 quickly,|0 {name}!"),
    (POLITE, "안녕하세요, {name}.", "hello,|0 {name}."),
    (POLITE, "고마워요, {name}.", "thank|0 you,|0 {name}."),
    (POLITE, "미안해요, {name}.", "I am|0 sorry,|0 {name}."),
    (POLITE, "생일 축하해요, {name}!", "happy|1 birthday,|0 {name}!"),
    (POLITE, "괜찮아요, {name}?", "are|0 you okay,|0 {name}?"),
    (POLITE, "어서 오세요, {name}.", "welcome,|0,1 {name}."),
    (FORMAL, "감사합니다, {name}.", "thank|0 you,|0 {name}."),
    (FORMAL, "죄송합니다, {name}.", "I am|0 sorry,|0 {name}."),
    (FORMAL, "반갑습니다, {name}.", "nice|0 to|0 meet|0 you,|0 {name}."),
)
FRIENDS = tuple(person for person in PEOPLE if person.manner == "name")


def greeting(dice: Dice) -> Part:
    """안녕, 지훈아! Hi, Jihun!"""
    style, korean, english = dice.pick(GREETINGS)
    person = dice.pick(FRIENDS)
    name = particle(person.korean, "아/야") if style == CASUAL else person.korean + " 씨"
    first = len(korean.split()) - 1
    where = ",".join(str(first + i) for i in range(len(name.split())))
    marked = " ".join(_named(word, person.english, where) for word in english.split())
    whole = part(korean.format(name=name), marked)
    return whole.capitalized()


def _named(word: str, name: str, where: str) -> str:
    return f"{word.format(name=name)}|{where}" if "{name}" in word else word


ANSWERS = {
    (CASUAL, True): ("응,", "yes,"),
    (CASUAL, False): ("아니,", "no,"),
    (POLITE, True): ("네,", "yes,"),
    (POLITE, False): ("아니요,", "no,"),
    (FORMAL, True): ("네,", "yes,"),
    (FORMAL, False): ("아니요,", "no,"),
}


def answer(dice: Dice) -> Part:
    """네, 어제 영화를 봤어요. Yes, I watched a movie yesterday."""
    style = level(dice)
    make = dice.pick(SHARED)
    phrase, me = make(dice, style), hidden("I")
    while phrase.stem.text == "오":
        phrase = make(dice, style)
    clause = placed(Clause(me, phrase, style), happening(dice, me, phrase))
    positive = not clause.negation and clause.mood not in ("cannot", "never")
    return sentence(part(*ANSWERS[style, positive]) + render(clause))


def _doing(dice: Dice, style: str) -> Phrase:
    return transitive(dice, style)


def _active(dice: Dice, _: str) -> Phrase:
    return intransitive(dice)


SHARED: tuple[Maker, ...] = (_doing, _active, moving)
UNASKED = (
    "잃어버리",
    "받",
    "키우",
    "팔",
    "자",
    "울",
    "웃",
    "놀",
    "출발하",
    "먹",
    "마시",
    "배우",
    "입",
    "신",
    "일어나",
)

# what is not done for somebody else; 빌려 주세요 would even mean *lend me*
NO_FAVOR = ("빌리", "돌려주", "공부하", "외우", "연습하", "타", "보", "듣", "풀", "쓰", "심", "읽")


def _asked(dice: Dice, style: str, form: str) -> Phrase:
    unwanted = UNASKED + (NO_FAVOR if form == "request" else ())
    phrase = transitive(dice, style, where=15, bare=dice.chance(60))
    while phrase.stem.text in unwanted or phrase.english == "wear":
        phrase = transitive(dice, style, where=15, bare=dice.chance(60))
    return phrase


def request(dice: Dice) -> Part:
    """창문을 열어 주세요. Please open the window."""
    style = level(dice)
    form = dice.weighted((("request", 50), ("imperative", 0 if style == CASUAL else 30), ("prohibition", 25)))
    phrase = _asked(dice, style, form)
    if form != "prohibition" and dice.chance(25):
        phrase = phrase.plus(
            time=part(*dice.pick((("지금", "now"), ("내일", "tomorrow"), ("오늘", "today"))))
        )
    return sentence(render(Clause(hidden("you"), phrase, style, form=form)))


UNSHARED = ("잃어버리", "받", "키우", "팔", "자", "울", "웃", "오", "앉", "일어나", "버리", "돌려주", "보내")
PLANS = tuple(time for time in TIMES if time.tense == "future")
FAR_PLANS = tuple(time for time in TIMES if time.tense == "future-far")


def suggestion(dice: Dice) -> Part:
    """같이 영화를 볼까요? Shall we watch a movie together?"""
    style = level(dice)
    form = dice.pick(
        {CASUAL: ("suggestion", "proposal"), POLITE: ("proposal",), FORMAL: ("suggestion",)}[style]
    )
    phrase = dice.pick(SHARED)(dice, style)
    while phrase.stem.text in UNSHARED or phrase.english in ("wear", "take") or "with" in phrase.slots:
        phrase = dice.pick(SHARED)(dice, style)
    if dice.chance(60):
        phrase = phrase.plus(**{"with": part("같이", "together")})
    if dice.chance(50):
        chosen = dice.pick(FAR_PLANS if "far" in phrase.marks else PLANS)
        phrase = phrase.plus(time=part(chosen.korean, chosen.english))
    return sentence(
        render(Clause(hidden("we"), phrase, style, form=form)), "?" if form == "proposal" else "."
    )


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("visit report", 3, visit_report),
    ("visit impression", 2, visit_impression),
    ("exclamation", 3, exclamation),
    ("greeting", 1, greeting),
    ("answer", 3, answer),
    ("request", 4, request),
    ("suggestion", 4, suggestion),
)
