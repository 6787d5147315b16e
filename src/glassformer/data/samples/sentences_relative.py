"""Sentences about things that a clause describes: 내가 어제 산 책, the book I bought yesterday."""

from collections.abc import Callable
from dataclasses import replace

from glassformer.data.samples.activity import (
    TAKING,
    qualities_of,
)
from glassformer.data.samples.clause import Clause, Subject, being, doing, hidden, render
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.lexicon import Adjective, Noun
from glassformer.data.samples.linking import KNOWN
from glassformer.data.samples.nominal import (
    ACCUSATIVE,
    NOMINATIVE,
    TOPIC,
    day_word,
    noun_phrase,
    person_subject,
    speaker,
)
from glassformer.data.samples.part import Part
from glassformer.data.samples.sentences_quality import degree
from glassformer.data.samples.setting import level, sentence


def thing_done(dice: Dice, style: str) -> tuple[Noun, Part]:
    """내가 어제 산 책: a noun and the clause that says which one, with the noun's place left open."""
    habits = dice.pick(MAKERS)
    noun = dice.pick([n for n in habits.nouns if n.number in ("one", "many") and qualities_of(n)])
    subject = (
        person_subject(dice.pick(KNOWN), style, NOMINATIVE) if dice.chance(50) else speaker(style, NOMINATIVE)
    )
    phrase = doing(habits.verb)
    if dice.chance(60):
        phrase = phrase.plus(time=day_word(dice, "past"))
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


def _telling(noun: Noun, verb: str) -> tuple[Adjective, ...]:
    """What one says of a thing after what was done to it; home cooking has a taste, not a price."""
    fitting = qualities_of(noun)
    if verb not in ("만들", "굽"):
        return fitting
    return tuple(a for a in fitting if a.stem.text in ("맛있", "달", "짜", "맵", "뜨겁")) or fitting


def relative_quality(dice: Dice) -> Part:
    """내가 어제 산 책은 재미있어요. The book I bought yesterday is interesting."""
    style = level(dice)
    noun, clause = thing_done(dice, style)
    head = noun_phrase(noun, dice.pick((TOPIC, TOPIC, NOMINATIVE)), article_kind="the")
    adjective = dice.pick(_telling(noun, clause.pairs[0][1]))
    whole = Part(clause.korean + head.part.korean, head.part.english + clause.english, clause.pairs)
    subject = Subject(whole, head.person, "it")
    phrase = replace(
        being(adjective, **degree(dice, adjective)), pairs=(("quality", adjective.stem.text, noun.korean),)
    )
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
    named = clause.english[0].text != "I" and dice.chance(50)  # I do not name myself twice
    subject = speaker(style, TOPIC) if named else hidden("I")
    return sentence(render(Clause(subject, doing(verb, object=thing), style, tense)))


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("relative quality", 4, relative_quality),
    ("relative object", 2, relative_object),
)
