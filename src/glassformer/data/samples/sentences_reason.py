"""Sentences that give reasons, contrasts and conditions, in one sentence or two."""

from collections.abc import Callable
from dataclasses import replace

from glassformer.data.samples.clause import Clause, Phrase, Subject, being, hidden, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.lexicon import Adjective, Noun
from glassformer.data.samples.lexicon_adjectives import FEELINGS, STATES
from glassformer.data.samples.linking import again, done, joined, teller
from glassformer.data.samples.nominal import (
    TOPIC,
    day_word,
    noun_phrase,
)
from glassformer.data.samples.part import Part, Word, part
from glassformer.data.samples.sentences_person import LIKED
from glassformer.data.samples.sentences_quality import DESCRIBED, degree, described, weather_clause
from glassformer.data.samples.setting import level, sentence

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


def _state(dice: Dice, subject: Subject) -> tuple[Adjective, tuple[str, ...]]:
    """A state that can be told of this person, and what may follow from it."""
    while True:
        adjective, outcomes = dice.pick(REASONS)
        felt = subject.person == "3s" and adjective in FEELINGS
        if not felt and not (subject.honored and adjective.stem.text in RAISED):
            return adjective, outcomes


def reason(dice: Dice) -> Part:
    """피곤해서 집에 갔어요. I was tired, so I went home."""
    style, subject = teller(dice)
    adjective, outcomes = _state(dice, subject)
    negation, _, spec = dice.pick(outcomes).rpartition(" ")
    tense = "past" if negation else dice.weighted((("past", 70), ("want", 30)))
    first = being(adjective)
    when = "past" if tense == "past" else "present"
    if dice.chance(40):
        first = first.plus(time=day_word(dice, "past") if when == "past" else part("지금", "now"))
    cause = render(Clause(subject, first, style, when), "아서")
    effect = Clause(again(subject), done(dice, spec, style), style, when, negation=negation)
    if tense == "want":
        effect = replace(effect, mood="want-other" if subject.person == "3s" else "want")
    return sentence(joined(cause, "so", render(effect)))


RAISED = ("아프", "배고프", "목마르")


def preference(dice: Dice) -> Part:
    """저는 사과는 좋아하지만 바나나는 싫어해요. I like apples, but I dislike bananas."""
    style, subject = teller(dice)
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


def _lower(clause: Part) -> Part:
    first = clause.english[0]
    return Part(clause.korean, (Word(first.text.lower(), first.of), *clause.english[1:]), clause.pairs)


def so_then(dice: Dice) -> Part:
    """어제 너무 피곤했어요. 그래서 집에서 쉬었어요. I was so tired yesterday. So I rested at home."""
    style, subject = teller(dice)
    adjective, outcomes = _state(dice, subject)
    negation, _, spec = dice.pick(outcomes).rpartition(" ")
    first = being(adjective, **degree(dice, adjective, 50))
    if dice.chance(60):
        first = first.plus(time=day_word(dice, "past"))
    cause = sentence(render(Clause(subject, first, style, "past")))
    effect = Clause(again(subject), done(dice, spec, style), style, "past", negation=negation)
    return cause + sentence(part("그래서", "so") + render(effect))


# what one can say against a thing: what nevertheless speaks for it
CONTRASTS = {
    "비싸": "예쁘 맛있 재미있 편하 따뜻하 신선하 좋 빠르",
    "어렵": "재미있 중요하",
    "무겁": "예쁘 좋 싸",
    "길": "재미있",
    "맵": "맛있",
    "짜": "맛있",
    "뜨겁": "맛있",
    "더럽": "예쁘 싸 편하",
    "느리": "싸 예쁘 귀엽",
    "재미없": "유명하 싸 중요하",
    "작": "예쁘 귀엽 좋",
}


def _sides(noun: Noun, adjectives: tuple[Adjective, ...]) -> list[tuple[Noun, Adjective, Adjective]]:
    pairs = [(bad, good) for bad in adjectives for good in adjectives]
    return [(noun, b, g) for b, g in pairs if g.stem.text in CONTRASTS.get(b.stem.text, "").split()]


TWO_SIDED = tuple(side for noun, adjectives in DESCRIBED for side in _sides(noun, adjectives))


def _two_sides(dice: Dice) -> tuple[Noun, Adjective, Adjective]:
    noun, bad, good = dice.pick(TWO_SIDED)
    return (noun, bad, good) if dice.chance(50) else (noun, good, bad)


def contrast(dice: Dice) -> Part:
    """이 가방은 비싸지만 예뻐요. This bag is expensive, but it is pretty."""
    style = level(dice)
    noun, first, second = _two_sides(dice)
    subject = described(dice, noun, style)
    one = render(Clause(subject, being(first), style), "지만")
    two = render(Clause(again(subject), being(second), style))
    pairs = tuple(("quality", a.stem.text, noun.korean) for a in (first, second))
    return sentence(joined(one, "but", two) + Part(pairs=pairs))


def but_then(dice: Dice) -> Part:
    """이 가방은 예뻐요. 하지만 너무 비싸요. This bag is pretty. But it is so expensive."""
    style = level(dice)
    noun, first, second = _two_sides(dice)
    subject = described(dice, noun, style)
    pairs = tuple(("quality", a.stem.text, noun.korean) for a in (first, second))
    one = sentence(render(Clause(subject, being(first, **degree(dice, first)), style)))
    word = part(*dice.pick((("하지만", "but"), ("그런데", "but"), ("그렇지만", "however,"))))
    two = sentence(word + render(Clause(again(subject), being(second, **degree(dice, second)), style)))
    return one + two + Part(pairs=pairs)


# what suits the weather; the code before a colon is a verb, what follows names its object or place
OUTDOORS = (
    "산책하",
    "가:공원",
    "가:바닷가",
    "가:동물원",
    "찍:사진",
    "등산하",
    "가:놀이공원",
    "타:자전거",
    "달리",
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
HEAT = ("수영하", "먹:아이스크림", "가:수영장", "가:바닷가", "마시:콜라", "마시:주스", "켜:에어컨", "먹:수박")
SUITING = {
    "rain": INDOORS,
    "snow": INDOORS,
    "be cold": INDOORS,
    "be cloudy": INDOORS,
    "be hot": HEAT,
    "be nice": OUTDOORS,
    "be warm": OUTDOORS,
    "be cool": OUTDOORS,
    "be clear": OUTDOORS,
}
WITH_MONEY = (
    "사:goods",
    "사:clothes",
    "사:reading",
    "사:shoes",
    "시키:dish",
    "가:제주도",
    "가:파리",
    "가:미국",
    "가:일본",
)
WITH_TIME = (
    "보:watching",
    "읽:reading",
    "가:바닷가",
    "가:미술관",
    "만나:친구",
    "배우:lesson",
    "배우:instrument",
    "요리하",
    "운동하",
    "등산하",
)
PLANS = (("내일", "tomorrow"), ("이번 주말에", "this|0 weekend|1"), ("모레", "the day|0 after|0 tomorrow"))


def condition(dice: Dice) -> Part:
    """내일 비가 오면 집에서 쉴 거예요. If it rains tomorrow, I will rest at home."""
    style = level(dice)
    if dice.chance(50):
        clause = weather_clause(dice, style, "present", form="question")
        codes = SUITING[clause.phrase.english]
        clause = replace(clause, mood="", phrase=clause.phrase.plus(time=part(*dice.pick(PLANS))))
    else:
        korean, english, codes = dice.pick((("시간이", "time", WITH_TIME), ("돈이", "money", WITH_MONEY)))
        clause = Clause(hidden("I"), Phrase(Stem("있"), "have", {"object": part(korean, english)}), style)
    opening = render(clause, "으면")
    effect = Clause(hidden("I"), done(dice, dice.pick(codes), style), style, "future")
    if dice.chance(40):
        effect = replace(effect, tense="present", mood="want")
    started = Part(opening.korean, (Word("if", opening.korean[-1:]), *opening.english), opening.pairs)
    return sentence(started.closed_english(",") + render(effect))


def since(dice: Dice) -> Part:
    """날씨가 좋으니까 같이 산책하자. The weather is nice, so let's take a walk together."""
    style = level(dice)
    clause = weather_clause(dice, style, "present", form="question")
    phrase = done(dice, dice.pick(SUITING[clause.phrase.english]), style)
    if dice.chance(60):
        phrase = phrase.plus(**{"with": part("같이", "together")})
    if dice.chance(40):
        clause = replace(clause, phrase=clause.phrase.plus(time=part("오늘", "today")))
    form = "proposal" if style == "polite" else "suggestion"
    effect = render(Clause(hidden("we"), phrase, style, form=form))
    first, *rest = effect.english
    lowered = Part(effect.korean, (Word(first.text.lower(), first.of), *rest), effect.pairs)
    return sentence(joined(render(clause, "으니까"), "so", lowered), "?" if form == "proposal" else ".")


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("reason", 5, reason),
    ("contrast", 2, contrast),
    ("preference", 2, preference),
    ("condition", 3, condition),
    ("since", 2, since),
    ("two sentences: so", 3, so_then),
    ("two sentences: but", 2, but_then),
)
