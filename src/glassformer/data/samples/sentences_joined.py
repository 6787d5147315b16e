"""Sentences of more than one clause: sequence, reason, contrast, condition, purpose, and things described by a clause."""

from collections.abc import Callable
from dataclasses import replace

from glassformer.data.samples.activity import (
    BEING_BUSY,
    TAKING,
    Habits,
    intransitive,
    qualities_of,
    take,
    transitive,
)
from glassformer.data.samples.clause import Clause, Phrase, Subject, being, doing, hidden, purpose, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.english import forms
from glassformer.data.samples.lexicon import Noun, Place
from glassformer.data.samples.lexicon_adjectives import FEELINGS, STATES
from glassformer.data.samples.lexicon_places import PEOPLE, PLACE
from glassformer.data.samples.nominal import (
    ACCUSATIVE,
    NOMINATIVE,
    TOPIC,
    group,
    noun_phrase,
    person_subject,
    speaker,
    time_word,
    to_place,
)
from glassformer.data.samples.part import Part, Word, part
from glassformer.data.samples.sentences_daily import NEARBY
from glassformer.data.samples.sentences_scene import DESCRIBED, LIKED, degree, described, weather_clause
from glassformer.data.samples.setting import level, sentence

KNOWN = tuple(
    person for person in PEOPLE if person.form != "they"
)  # English can speak of them again as he or she
ERRANDS = tuple(
    (place, tuple(h for h in (*TAKING, *BEING_BUSY) if place in h.places))
    for place in NEARBY
    if place.korean != "집"
)
ERRANDS = tuple((place, habits) for place, habits in ERRANDS if habits)
# state: what one does because of it; 못 marks what one cannot do; a class or a place follows the colon
OUTCOMES = {
    "피곤하": ("자", "쉬", "가:집", "마시:커피", "못 운동하", "못 만나:친구"),
    "배고프": ("먹:meal", "먹:snack", "시키:meal", "만들:dish"),
    "목마르": ("마시:drink",),
    "아프": ("가:병원", "먹:약", "쉬", "못 가:학교", "못 가:회사", "못 일하"),
    "바쁘": ("못 먹:mealtime", "못 만나:친구", "못 운동하", "못 보:watching", "못 쉬", "못 가:바닷가"),
    "심심하": ("보:watching", "읽:reading", "만나:친구", "산책하", "가:영화관", "그리:animal", "가:놀이터"),
    "행복하": ("웃", "노래하", "춤추"),
    "기쁘": ("웃", "춤추", "노래하"),
    "슬프": ("울", "듣:음악", "가:바닷가"),
    "외롭": ("만나:친구", "울", "키우:pet"),
    "춥": ("마시:차", "마시:커피", "사:코트", "입:코트", "닫:창문", "가:집"),
    "덥": ("마시:물", "먹:아이스크림", "켜:에어컨", "열:창문", "수영하"),
    "무섭": ("울", "켜:불", "못 자", "가:집"),
    "졸리": ("자", "마시:커피", "못 공부하", "못 읽:책"),
}
REASONS = tuple((a, OUTCOMES[a.stem.text]) for a in STATES + FEELINGS if a.stem.text in OUTCOMES)


def done(dice: Dice, spec: str, style: str) -> Phrase:
    """The phrase an outcome names: ``먹:meal`` takes any meal, ``가:집`` goes home, ``자`` sleeps."""
    stem, _, thing = spec.partition(":")
    if stem == "가":
        place = PLACE[thing]
        goal = to_place(place)
        return Phrase(Stem("가"), "go", {"goal": Part(goal.korean, goal.english, (("goal", "가", thing),))})
    if thing == "친구":
        return Phrase(Stem("만나"), "meet", {"object": part("친구를", "~a friend")})
    for habits in (*TAKING, *BEING_BUSY):
        if habits.verb.stem.text == stem and (not thing or _fitting(habits, thing)):
            if not thing:
                return doing(habits.verb)
            return take(dice, habits, dice.pick(_fitting(habits, thing)), style, bare=True)
    raise LookupError(spec)


def _fitting(habits: Habits, thing: str) -> tuple[Noun, ...]:
    return tuple(noun for noun in habits.nouns if thing == noun.korean or thing in noun.classes)


def _doer(dice: Dice, style: str) -> Subject:
    """A subject English can take up again with a pronoun."""
    kind = dice.weighted((("hidden", 45), ("self", 15), ("we", 8), ("other", 32)))
    if kind == "other":
        return person_subject(dice.pick(KNOWN), style, TOPIC)
    return {"hidden": hidden("I"), "self": speaker(style, TOPIC), "we": group(style)}[kind]


def again(subject: Subject) -> Subject:
    """The subject of the clause before, left out in Korean and a pronoun in English."""
    return Subject(Part((), (Word(subject.pronoun),)), subject.person, subject.pronoun, subject.honored)


def joined(first: Part, word: str, second: Part, comma: bool = True) -> Part:
    """Two clauses with an English conjunction between them, which the Korean ending of the first renders."""
    opened = first.closed_english(",") if comma else first
    return opened + Part((), tuple(Word(text, first.korean[-1:]) for text in word.split())) + second


def reason(dice: Dice) -> Part:
    """피곤해서 집에 갔어요. I was tired, so I went home."""
    style, subject = _with_style(dice)
    adjective, outcomes = dice.pick(REASONS)
    while (subject.person == "3s" and adjective in FEELINGS) or (
        subject.honored and adjective.stem.text in RAISED
    ):
        adjective, outcomes = dice.pick(REASONS)
    negation, _, spec = dice.pick(outcomes).rpartition(" ")
    tense = "past" if negation else dice.weighted((("past", 70), ("want", 30)))
    first = being(adjective)
    when = "past" if tense == "past" else "present"
    if dice.chance(40):
        first = first.plus(time=time_word(dice, "past") if when == "past" else part("지금", "now"))
    cause = render(Clause(subject, first, style, when), "아서")
    effect = Clause(again(subject), done(dice, spec, style), style, when, negation=negation)
    if tense == "want":
        effect = replace(effect, mood="want-other" if subject.person == "3s" else "want")
    return sentence(joined(cause, "so", render(effect)))


RAISED = ("아프", "배고프", "목마르")


def _with_style(dice: Dice) -> tuple[str, Subject]:
    style = level(dice)
    return style, _doer(dice, style)


def errand(dice: Dice) -> Part:
    """카페에 가서 커피를 마셨어요. I went to the café and drank coffee."""
    style, subject = _with_style(dice)
    place, phrase = _errand(dice, style)
    tense = dice.pick(("past", "past", "future"))
    first = _going(place)
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


def _errand(dice: Dice, style: str) -> tuple[Place, Phrase]:
    place, choices = dice.pick(ERRANDS)
    habits = dice.pick(choices)
    while habits.verb.stem.text in ("잃어버리", "팔", "키우"):
        place, choices = dice.pick(ERRANDS)
        habits = dice.pick(choices)
    if habits.nouns:
        phrase = take(dice, habits, dice.pick(habits.nouns), style)
    else:
        phrase = doing(habits.verb)
    return place, replace(phrase, pairs=(("at", habits.verb.stem.text, place.korean),))


def _going(place: Place) -> Phrase:
    goal = to_place(place)
    return Phrase(
        Stem("가"), "go", {"goal": Part(goal.korean, goal.english, (("goal", "가", place.korean),))}
    )


def going_for(dice: Dice) -> Part:
    """책을 사러 서점에 갔어요. I went to the bookstore to buy a book."""
    style, subject = _with_style(dice)
    place, phrase = _errand(dice, style)
    aim = purpose(phrase, dice.pick(("으러", "으려고")))
    tense = dice.pick(("past", "past", "future"))
    main = _going(place)
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
    style, subject = _with_style(dice)
    tense = dice.pick(("past", "past", "future"))
    first, second = _deed(dice, style), _deed(dice, style)
    while second.stem == first.stem:
        second = _deed(dice, style)
    if dice.chance(60):
        first = first.plus(time=time_word(dice, tense))
    one = render(Clause(subject, first, style, tense), "고")
    two = Clause(
        Subject(Part(), subject.person, subject.pronoun, subject.honored), second, style, tense, shares=True
    )
    return sentence(joined(one, "and", render(two), comma=False))


UNPLANNED = ("잃어버리", "받", "키우", "입", "신", "울", "웃", "앉", "일어나", "출발하", "팔", "심", "배우")


def _deed(dice: Dice, style: str) -> Phrase:
    phrase = dice.pick((_doing_something, _doing_something, _keeping_busy))(dice, style)
    while phrase.stem.text in UNPLANNED or phrase.english == "wear":
        phrase = _doing_something(dice, style)
    return phrase


def _doing_something(dice: Dice, style: str) -> Phrase:
    return transitive(dice, style, where=15, bare=dice.chance(70))


def _keeping_busy(dice: Dice, _: str) -> Phrase:
    return intransitive(dice, where=30)


def contrast(dice: Dice) -> Part:
    """이 가방은 비싸지만 예뻐요. This bag is expensive, but it is pretty."""
    style = level(dice)
    noun, adjectives = dice.pick([entry for entry in DESCRIBED if len(entry[1]) > 1])
    first, second = dice.pick(adjectives), dice.pick(adjectives)
    good, bad = first.english in BAD, second.english in BAD
    if first is second or good == bad or {first.stem.text, second.stem.text} in OPPOSITES:
        return contrast(dice)
    subject = described(dice, noun, style)
    one = render(Clause(subject, being(first), style), "지만")
    two = render(Clause(again(subject), being(second), style))
    pairs = tuple(("quality", a.stem.text, noun.korean) for a in (first, second))
    return sentence(joined(one, "but", two) + Part(pairs=pairs))


BAD = frozenset(
    ["small", "expensive", "salty", "cold", "boring", "difficult", "long", "heavy", "slow", "dirty", "spicy"]
)
OPPOSITES = (
    {"비싸", "싸"}, {"크", "작"}, {"재미있", "재미없"}, {"어렵", "쉽"}, {"길", "짧"}, {"무겁", "가볍"}, {"빠르", "느리"},
    {"깨끗하", "더럽"},
)  # fmt: skip


def preference(dice: Dice) -> Part:
    """저는 사과는 좋아하지만 바나나는 싫어해요. I like apples, but I dislike bananas."""
    style, subject = _with_style(dice)
    first, second = dice.pick(LIKED), dice.pick(LIKED)
    while first is second or not first.classes & second.classes:
        first, second = dice.pick(LIKED), dice.pick(LIKED)
    verbs = [(Stem("좋아하"), "like"), (Stem("싫어하"), "dislike")]
    if dice.chance(50):
        verbs.reverse()
    clauses = []
    for noun, (stem, english), who in zip((first, second), verbs, (subject, again(subject)), strict=True):
        thing = noun_phrase(noun, TOPIC, article_kind="generic").part
        clauses.append(
            Clause(who, Phrase(stem, english, {"object": thing}, pairs=((english, "", noun.korean),)), style)
        )
    return sentence(joined(render(clauses[0], "지만"), "but", render(clauses[1])))


def condition(dice: Dice) -> Part:
    """내일 비가 오면 집에서 쉴 거예요. If it rains tomorrow, I will rest at home."""
    style = level(dice)
    falling = dice.chance(50)
    if falling:
        clause = weather_clause(dice, style, "present", form="question")
        when = dice.pick(
            (
                ("내일", "tomorrow"),
                ("이번 주말에", "this|0 weekend|1"),
                ("모레", "~the day|0 after|0 tomorrow"),
            )
        )
        clause = replace(clause, mood="", form="statement", phrase=clause.phrase.plus(time=part(*when)))
        second = _deed(dice, style)
    else:
        topic = dice.pick((("시간이", "time"), ("돈이", "money")))
        clause = Clause(hidden("I"), Phrase(Stem("있"), "have", {"object": part(*topic)}), style)
        second = _deed(dice, style)
    opening = render(clause, "으면")
    effect = Clause(hidden("I"), second, style, "future")
    if dice.chance(40):
        effect = replace(effect, tense="present", mood="want")
    started = Part(opening.korean, (Word("if", opening.korean[-1:]), *opening.english), opening.pairs)
    return sentence(started.closed_english(",") + render(effect))


def since(dice: Dice) -> Part:
    """날씨가 좋으니까 같이 산책하자. The weather is nice, so let's take a walk together."""
    style = level(dice)
    clause = weather_clause(dice, style, "present", form="question")
    clause = replace(clause, form="statement")
    bad = clause.phrase.english in ("rain", "snow", "be cold", "be cloudy")
    phrase = done(dice, dice.pick(INDOORS if bad else OUTDOORS), style)
    if dice.chance(60):
        phrase = phrase.plus(**{"with": part("같이", "together")})
    if dice.chance(40):
        clause = replace(clause, phrase=clause.phrase.plus(time=part("오늘", "today")))
    form = "proposal" if style == "polite" else "suggestion"
    effect = render(Clause(hidden("we"), phrase, style, form=form))
    return sentence(
        joined(render(clause, "으니까"), "so", _lower(effect)), "?" if form == "proposal" else "."
    )


INDOORS = (
    "쉬",
    "가:집",
    "보:watching",
    "마시:차",
    "마시:커피",
    "가:카페",
    "가:영화관",
    "만들:dish",
    "가:도서관",
    "가:박물관",
)
OUTDOORS = (
    "산책하",
    "가:공원",
    "가:바닷가",
    "가:동물원",
    "찍:사진",
    "수영하",
    "등산하",
    "가:놀이공원",
    "먹:아이스크림",
    "타:자전거",
)


def _lower(clause: Part) -> Part:
    first = clause.english[0]
    return Part(clause.korean, (Word(first.text.lower(), first.of), *clause.english[1:]), clause.pairs)


def while_doing(dice: Dice) -> Part:
    """음악을 들으면서 공부했어요. I studied while listening to music."""
    style, subject = _with_style(dice)
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


def inserted(clause: Clause, aside: Part) -> Part:
    """A clause with an aside after its subject and time in Korean, and before its time in English."""
    whole = render(clause)
    time = clause.phrase.slots.get("time", Part())
    shown = len(clause.subject.part.korean) + len(time.korean)
    last = len(whole.english) - len(time.english)
    korean = (*whole.korean[:shown], *aside.korean, *whole.korean[shown:])
    return Part(
        korean, (*whole.english[:last], *aside.english, *whole.english[last:]), whole.pairs + aside.pairs
    )


def before_after(dice: Dice) -> Part:
    """자기 전에 책을 읽었어요. I read a book before I slept."""
    style, subject = _with_style(dice)
    tense = dice.pick(("past", "past", "future"))
    inner, main = _deed(dice, style), _deed(dice, style)
    while main.stem == inner.stem:
        main = _deed(dice, style)
    ending, korean, word = dice.pick((("기", "전에", "before"), ("으ㄴ", "후에", "after")))
    inside = render(Clause(again(subject), inner, style, tense if tense == "past" else "present"), ending)
    noun = part(korean, word)
    aside = Part(inside.korean + noun.korean, noun.english + inside.english, inside.pairs)
    if dice.chance(40):
        main = main.plus(time=time_word(dice, tense))
    whole = inserted(Clause(subject, main, style, tense), aside)
    return sentence(whole)


def thing_done(dice: Dice, style: str) -> tuple[Noun, Part]:
    """내가 어제 산 책: a noun and the clause that says which one, with the noun's place left open."""
    habits = dice.pick(MAKERS)
    noun = dice.pick([n for n in habits.nouns if n.number in ("one", "many") and qualities_of(n)])
    subject = (
        person_subject(dice.pick(KNOWN), style, NOMINATIVE) if dice.chance(50) else speaker(style, NOMINATIVE)
    )
    phrase = doing(habits.verb)
    if dice.chance(60):
        phrase = phrase.plus(time=time_word(dice, "past"))
    clause = render(Clause(subject, phrase, style, "past"), "으ㄴ")
    return noun, Part(clause.korean, clause.english, (("object", habits.verb.stem.text, noun.korean),))


MAKERS = tuple(
    habits
    for habits in TAKING
    if habits.verb.stem.text
    in ("사", "만들", "읽", "빌리", "고르", "찍", "보내", "받", "그리", "찾", "굽", "보", "심")
    and habits.verb.english != "look for"
    and any(noun.number in ("one", "many") and qualities_of(noun) for noun in habits.nouns)
)


def relative_quality(dice: Dice) -> Part:
    """내가 어제 산 책은 재미있어요. The book I bought yesterday is interesting."""
    style = level(dice)
    noun, clause = thing_done(dice, style)
    head = noun_phrase(noun, dice.pick((TOPIC, TOPIC, NOMINATIVE)), article_kind="the")
    adjective = dice.pick(qualities_of(noun))
    whole = Part(clause.korean + head.part.korean, head.part.english + clause.english, clause.pairs)
    subject = Subject(whole, head.person, "it")
    phrase = replace(being(adjective, **degree(dice)), pairs=(("quality", adjective.stem.text, noun.korean),))
    tense = dice.weighted((("present", 70), ("past", 30)))
    return sentence(render(Clause(subject, phrase, style, tense)))


USES = {
    "사": ("읽", "먹", "입", "보내", "버리"),
    "만들": ("먹",),
    "읽": ("돌려주",),
    "빌리": ("읽", "돌려주"),
    "굽": ("먹",),
}


def relative_object(dice: Dice) -> Part:
    """누나가 만든 케이크를 먹었어요. I ate the cake my older sister made."""
    style = level(dice)
    noun, clause = thing_done(dice, style)
    made = clause.pairs[0][1]
    users = [h for h in TAKING if h.verb.stem.text in USES.get(made, ()) and noun in h.nouns]
    if not users:
        return relative_object(dice)
    verb = dice.pick(users).verb
    head = noun_phrase(noun, ACCUSATIVE, article_kind="the").part
    pairs = (*clause.pairs, ("object", verb.stem.text, noun.korean))
    thing = Part(clause.korean + head.korean, head.english + clause.english, pairs)
    tense = dice.pick(("past", "past", "future"))
    subject = hidden("I") if dice.chance(50) else speaker(style, TOPIC)
    return sentence(render(Clause(subject, doing(verb, object=thing), style, tense)))


def so_then(dice: Dice) -> Part:
    """어제 너무 피곤했어요. 그래서 집에서 쉬었어요. I was so tired yesterday. So I rested at home."""
    style, subject = _with_style(dice)
    adjective, outcomes = dice.pick(REASONS)
    while (subject.person == "3s" and adjective in FEELINGS) or (
        subject.honored and adjective.stem.text in RAISED
    ):
        adjective, outcomes = dice.pick(REASONS)
    negation, _, spec = dice.pick(outcomes).rpartition(" ")
    first = being(adjective, **degree(dice, 50))
    if dice.chance(60):
        first = first.plus(time=time_word(dice, "past"))
    cause = sentence(render(Clause(subject, first, style, "past")))
    effect = Clause(again(subject), done(dice, spec, style), style, "past", negation=negation)
    return cause + sentence(part("그래서", "so") + render(effect))


def but_then(dice: Dice) -> Part:
    """이 가방은 예뻐요. 하지만 너무 비싸요. This bag is pretty. But it is so expensive."""
    style = level(dice)
    noun, adjectives = dice.pick([entry for entry in DESCRIBED if len(entry[1]) > 1])
    first, second = dice.pick(adjectives), dice.pick(adjectives)
    if (first.english in BAD) == (second.english in BAD) or {first.stem.text, second.stem.text} in OPPOSITES:
        return but_then(dice)
    subject = described(dice, noun, style)
    pairs = tuple(("quality", a.stem.text, noun.korean) for a in (first, second))
    one = sentence(render(Clause(subject, being(first, **degree(dice)), style)))
    word = part(*dice.pick((("하지만", "but"), ("그런데", "but"), ("그렇지만", "however,"))))
    two = sentence(word + render(Clause(again(subject), being(second, **degree(dice)), style)))
    return one + two + Part(pairs=pairs)


LINKS = (("그리고", "and"), ("그다음에", "then"), ("그 후에", "after|1 that|0"))


def story(dice: Dice) -> Part:
    """A day in several sentences: 아침에 … 그다음에 … 그리고 … (up to forty words)."""
    style, subject = _with_style(dice)
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
    first, second = _deed(dice, style), _deed(dice, style)
    if dice.chance(50):
        place, second = _errand(dice, style)
        first = _going(place)
    first = first if time is None else first.plus(time=time)
    if dice.chance(30):
        return render(Clause(subject, first, style, "past"))
    ending = "아서" if first.stem.text == "가" else "고"
    one, two = Clause(subject, first, style, "past"), Clause(silent, second, style, "past", shares=True)
    return joined(render(one, ending), "and", render(two), comma=False)


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("reason", 5, reason),
    ("errand", 4, errand),
    ("purpose", 4, going_for),
    ("sequence", 5, sequence),
    ("contrast", 2, contrast),
    ("preference", 2, preference),
    ("condition", 3, condition),
    ("since", 2, since),
    ("while", 2, while_doing),
    ("before and after", 3, before_after),
    ("relative quality", 4, relative_quality),
    ("relative object", 2, relative_object),
    ("two sentences: so", 3, so_then),
    ("two sentences: but", 2, but_then),
    ("story", 4, story),
)
