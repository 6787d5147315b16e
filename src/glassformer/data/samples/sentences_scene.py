"""Sentences about how things are: existence, location, qualities, comparison, weather, identity, belonging, taste."""

from collections.abc import Callable
from dataclasses import replace

from glassformer.data.samples.activity import OBJECT_NOUNS, qualities_of
from glassformer.data.samples.clause import Clause, Phrase, Subject, being, hidden, render
from glassformer.data.samples.conjugate import Stem
from glassformer.data.samples.copula import denied, equated
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.endings import FORMAL
from glassformer.data.samples.english import ARTICLES, article, comparative, plural
from glassformer.data.samples.lexicon import Adjective, Noun, Place, of_class, rows
from glassformer.data.samples.lexicon import stem as read_stem
from glassformer.data.samples.lexicon_adjectives import (
    COMPARISON_TABLE,
    FEELINGS,
    PERSON_QUALITIES,
    PLACE_QUALITIES,
    QUALITIES,
    STATES,
    WEATHER_TABLE,
)
from glassformer.data.samples.lexicon_nouns import LIVING, NOUNS, PROFESSIONS, THINGS
from glassformer.data.samples.lexicon_places import PEOPLE, PLACES
from glassformer.data.samples.nominal import (
    ACCUSATIVE,
    DEMONSTRATIVES,
    GENERIC,
    NOMINATIVE,
    THE,
    TOPIC,
    anyone,
    at_place,
    called,
    counted,
    demonstrative,
    noun_phrase,
    person_subject,
    possessor,
    time_word,
    with_particle,
)
from glassformer.data.samples.part import Combination, Part, Word, part
from glassformer.data.samples.setting import level, sentence

THERE = Subject(Part((), (Word("there"),)), "3s", "it")
THERE_MANY = Subject(Part((), (Word("there"),)), "3p", "they")
POSITIONS = (
    ("위에", "on", ("책상", "의자", "침대")),
    ("밑에", "under", ("책상", "의자", "침대")),
    ("옆에", "next|1 to", ("책상", "의자", "침대", "창문", "문", "컴퓨터", "텔레비전", "거울")),
    ("앞에", "in|1 front|1 of", ("책상", "창문", "문", "텔레비전", "거울")),
    ("안에", "in", ("가방", "상자")),
)
UNWIELDY = frozenset(("furniture", "ride", "drive", "clothes", "outfit", "shoes", "power", "pretty"))
HANDY = tuple(
    noun
    for noun in of_class(THINGS, frozenset(("find", "reading", "goods", "lend")))
    if "find" in noun.classes or not noun.classes & UNWIELDY
)
INSIDE = tuple(
    place for place in PLACES if "go" in place.classes and not place.classes & {"city", "country", "home"}
)
CROWD = tuple(n for n in LIVING if "human" in n.classes)
SOLD = {
    "market": "fruit clothes",
    "clothes": "clothes shoes headwear",
    "books": "reading",
    "bakery": "bakery",
    "flowers": "plant",
}
DEGREES = (("아주", "very"), ("정말", "really"), ("너무", "so"), ("조금", "a little"))
HAVE, LACK, MANY, FEW = Stem("있"), Stem("없"), Stem("많"), Stem("적")


def present_at(place: Place) -> tuple[Noun, ...]:
    """What one can find at a place."""
    wanted = {word for kind, things in SOLD.items() if kind in place.classes for word in things.split()}
    goods = of_class(THINGS, frozenset(wanted))
    beasts = tuple(n for n in LIVING if "animal" in n.classes) if "animals" in place.classes else ()
    return CROWD + goods + beasts


STOCK = tuple((place, present_at(place)) for place in INSIDE)


def _tensed(dice: Dice) -> str:
    return dice.weighted((("present", 60), ("past", 40)))


def there_is(dice: Dice) -> Part:
    """공원에 사람이 많아요. There are many people at the park."""
    style, asking = level(dice), dice.chance(25)
    place, things = dice.pick(STOCK)
    noun = dice.pick(things)
    tense = _tensed(dice)
    where = part(with_particle(place.korean, "에"), f"{place.preposition} {place.english}")
    where = Part(where.korean, where.english, (("in", place.korean, noun.korean),))
    if noun.counter and ":" not in noun.counter and not asking and dice.chance(35):
        count = 1 + dice.below(6)
        phrase = Phrase(HAVE, "be", {"object": counted(noun, count, NOMINATIVE), "place": where})
        many = count > 1
    else:
        phrase, many = _amount(dice, noun, where, asking)
    if tense == "past" and dice.chance(60):
        phrase = phrase.plus(time=time_word(dice, "past"))
    clause = Clause(
        THERE_MANY if many else THERE, phrase, style, tense, form="question" if asking else "statement"
    )
    return sentence(render(clause), "?" if asking else ".")


def _amount(dice: Dice, noun: Noun, where: Part, asking: bool) -> tuple[Phrase, bool]:
    """Many, few, some or none of a thing, and whether English says it in the plural."""
    mass = noun.number == "mass"
    words = part(with_particle(noun.korean, NOMINATIVE), noun.english if mass else plural(noun.english))
    kind = dice.weighted((("many", 45), ("no", 30), ("few", 0 if mass else 25))) if not asking else "many"
    stem, english = {
        "many": (MANY, "be ~a lot of" if mass else "be many"),
        "no": (LACK, "be no"),
        "few": (FEW, "be few"),
    }[kind]
    return Phrase(stem, english, {"object": words, "place": where}), not mass


def located(dice: Dice) -> Part:
    """책이 책상 위에 있어요. The book is on the desk."""
    style, asking = level(dice), dice.chance(30)
    noun = dice.pick(HANDY)
    owner = possessor(dice, style, noun) if dice.chance(35) else None
    thing = noun_phrase(noun, dice.pick((TOPIC, NOMINATIVE)), article_kind=THE, determiner=owner)
    phrase = Phrase(HAVE, "be", {"place": position(dice, noun)})
    clause = Clause(thing.subject(), phrase, style, _tensed(dice), form="question" if asking else "statement")
    return sentence(render(clause), "?" if asking else ".")


def on_it(dice: Dice) -> Part:
    """책상 위에 책이 세 권 있어요. There are three books on the desk."""
    style, asking = level(dice), dice.chance(25)
    noun = dice.pick(HANDY)
    where = position(dice, noun)
    if noun.counter and ":" not in noun.counter and dice.chance(50) and not asking:
        count = 1 + dice.below(6)
        thing, many = counted(noun, count, NOMINATIVE), count > 1
    else:
        phrase = noun_phrase(noun, NOMINATIVE)
        thing, many = phrase.part, phrase.many
    clause = Clause(
        THERE_MANY if many else THERE,
        Phrase(HAVE, "be", {"object": thing, "place": where}),
        style,
        _tensed(dice),
        form="question" if asking else "statement",
    )
    return sentence(render(clause), "?" if asking else ".")


def position(dice: Dice, noun: Noun) -> Part:
    """책상 위에, on the desk."""
    korean, english, grounds = dice.pick(POSITIONS)
    ground = dice.pick([word for word in grounds if word != noun.korean])
    name = next(n.english for n in NOUNS if n.korean == ground)
    marks = " ".join(f"{w}|1" if "|" not in w else w for w in english.split())
    return part(f"{ground} {korean}", f"{marks} the {name}|0", ((korean, ground, noun.korean),))


def degree(dice: Dice, percent: int = 35) -> dict[str, Part]:
    """The degree slot: 아주, 정말, 너무 or 조금, or nothing."""
    return {"degree": part(*dice.pick(DEGREES))} if dice.chance(percent) else {}


DESCRIBED = tuple((noun, qualities_of(noun)) for noun in OBJECT_NOUNS if qualities_of(noun))


def described(dice: Dice, noun: Noun, style: str) -> Subject:
    """A thing one speaks of: this, that, my or simply the; a subject of study needs none of these."""
    pair = dice.pick((TOPIC, TOPIC, NOMINATIVE))
    if noun.number == "mass" and noun.classes & {"study", "listening", "lesson"}:
        return noun_phrase(noun, pair, article_kind=GENERIC).subject()
    kind = dice.weighted((("this", 60), ("my", 15), ("the", 25)))
    owned = noun.classes & {"goods", "pet"}
    determiner = demonstrative(dice) if kind == "this" else None
    if kind == "my" and owned:
        determiner = possessor(dice, style, noun)
    return noun_phrase(noun, pair, determiner=determiner, article_kind=THE).subject()


def quality(dice: Dice) -> Part:
    """이 책은 아주 재미있어요. This book is very interesting."""
    style, asking = level(dice), dice.chance(25)
    noun, adjectives = dice.pick(DESCRIBED)
    adjective = dice.pick(adjectives)
    subject = described(dice, noun, style)
    return _judged(dice, subject, adjective, style, asking, ("quality", adjective.stem.text, noun.korean))


def _judged(
    dice: Dice, subject: Subject, adjective: Adjective, style: str, asking: bool, pair: Combination
) -> Part:
    negation = dice.pick(("안", "지 않")) if dice.chance(18) else ""
    if len(adjective.stem.text) > 3 or adjective.stem.text.endswith(("있", "없")):
        negation = "지 않" if negation else ""
    phrase = being(adjective, **({} if negation or asking else degree(dice)))
    subject = Subject(
        Part(subject.part.korean, subject.part.english, (*subject.part.pairs, pair)),
        subject.person,
        subject.pronoun,
        subject.honored,
    )
    form = "question" if asking else "exclamation" if style != FORMAL and dice.chance(15) else "statement"
    tense = "present" if form == "exclamation" else dice.weighted((("present", 70), ("past", 30)))
    clause = Clause(subject, phrase, style, tense, negation=negation, form=form)
    mark = {"question": "?", "exclamation": "!"}.get(form, ".")
    return sentence(render(clause), mark)


SITES = tuple(
    (place, tuple(a for a in PLACE_QUALITIES if a.classes & place.classes))
    for place in PLACES
    if place.korean not in ("회사", "집", "학교", "대학교")
)


def site(dice: Dice) -> Part:
    """그 카페는 조용해요. That café is quiet."""
    style, asking = level(dice), dice.chance(25)
    place, adjectives = dice.pick(SITES)
    adjective = dice.pick(adjectives)
    pair = dice.pick((TOPIC, NOMINATIVE))
    named = place.classes & {"city", "country"}
    pointing = not named and dice.chance(50)
    name = place.english.removeprefix("~the ")
    if pointing:
        korean = dice.pick(("이", "그", "저"))
        words = " ".join(f"{word}|1" for word in name.split())
        thing = part(
            f"{korean} {with_particle(place.korean, pair)}", f"{DEMONSTRATIVES[korean][0]}|0 {words}"
        )
    else:
        thing = part(with_particle(place.korean, pair), place.english)
    many = place.korean == "산" and not pointing
    subject = Subject(thing, "3p" if many else "3s", "it")
    return _judged(dice, subject, adjective, style, asking, ("site", adjective.stem.text, place.korean))


def person_state(dice: Dice) -> Part:
    """저는 오늘 너무 피곤해요. I am too tired today."""
    style, asking = level(dice), dice.chance(30)
    subject = anyone(dice, style, asking)
    own = subject.person in ("1s", "2", "1p")
    adjective = dice.pick(STATES + FEELINGS if own else STATES)
    if subject.honored and adjective.stem.text in ("아프", "배고프", "목마르"):
        adjective = STATES[0]
    tense = _tensed(dice)
    slots = {} if asking else degree(dice)
    if dice.chance(45):
        slots["time"] = part("요즘", "these days") if tense == "present" else time_word(dice, "past")
    clause = Clause(
        subject, being(adjective, **slots), style, tense, form="question" if asking else "statement"
    )
    return sentence(render(clause), "?" if asking else ".")


def person_quality(dice: Dice) -> Part:
    """수진 씨는 정말 친절해요. Sujin is really kind."""
    style, asking = level(dice), dice.chance(30)
    person, adjective = dice.pick(PEOPLE), dice.pick(PERSON_QUALITIES)
    subject = person_subject(person, style, dice.pick((TOPIC, NOMINATIVE)))
    return _judged(dice, subject, adjective, style, asking, ("nature", adjective.stem.text, person.korean))


def _compared(cells: list[str]) -> tuple[tuple[Adjective, tuple[Noun, ...]], ...]:
    things = tuple(n for n in of_class(OBJECT_NOUNS, frozenset((cells[0],))) if n.number != "the")
    return tuple((a, things) for a in QUALITIES if a.stem.text in cells[1].split())


COMPARED = tuple(entry for row in rows(COMPARISON_TABLE, _compared) for entry in row)


def comparison(dice: Dice) -> Part:
    """사과가 바나나보다 더 비싸요. Apples are more expensive than bananas."""
    style, asking = level(dice), dice.chance(25)
    adjective, peers = dice.pick(COMPARED)
    first = dice.pick(peers)
    second = dice.pick([noun for noun in peers if noun is not first])
    pair = dice.pick((TOPIC, NOMINATIVE))
    thing = noun_phrase(first, pair, article_kind=GENERIC)
    other = noun_phrase(second, "보다", article_kind=GENERIC).part
    standard = Part(other.korean, (Word("than", other.korean[-1:]), *other.english))
    more = comparative(adjective.english)
    phrase = Phrase(adjective.stem, "be " + more, {"standard": standard, "degree": part("더")})
    if more.startswith("more "):
        phrase = Phrase(
            adjective.stem, "be " + adjective.english, {"standard": standard, "degree": part("더", "more")}
        )
    pairs = (("compare", adjective.stem.text, first.korean),)
    subject = Subject(Part(thing.part.korean, thing.part.english, pairs), thing.person, "it")
    clause = Clause(subject, phrase, style, form="question" if asking else "statement")
    return sentence(render(clause), "?" if asking else ".")


WEATHER = rows(WEATHER_TABLE, lambda cells: (cells[0], read_stem(cells[1]), cells[2]))


def weather_clause(dice: Dice, style: str, tense: str, form: str = "statement") -> Clause:
    """날씨가 춥다, 비가 오다: the weather of a time still to be named."""
    noun, stem, english = dice.pick(WEATHER)
    if noun == "날씨가":
        subject = Subject(part(noun, "the weather"), "3s", "it")
        slots = degree(dice, 25) if form == "statement" and tense != "future" else {}
        return Clause(subject, Phrase(stem, english, slots), style, tense, form=form, time_first=True)
    mood = "underway" if tense == "present" else ""
    return Clause(hidden("it"), Phrase(stem, english, idiom=part(noun)), style, tense, mood, form=form)


def weather(dice: Dice) -> Part:
    """내일 눈이 올 거예요. It will snow tomorrow."""
    style, asking = level(dice), dice.chance(25)
    tense = dice.pick(("present", "past", "future"))
    clause = weather_clause(dice, style, tense, "question" if asking else "statement")
    now = dice.pick((("오늘", "today"), ("지금", "now")))
    slots = {"time": part(*now) if tense == "present" else time_word(dice, tense)} if dice.chance(85) else {}
    if clause.phrase.idiom.korean and dice.chance(50):
        city = dice.pick(CITIES)
        slots["place"] = part(city.korean + "에", f"in {city.english}")
    return sentence(render(replace(clause, phrase=clause.phrase.plus(**slots))), "?" if asking else ".")


CITIES = tuple(place for place in PLACES if "city" in place.classes)


def identity(dice: Dice) -> Part:
    """저는 학생이에요. I am a student."""
    style, asking = level(dice), dice.chance(30)
    subject = anyone(dice, style, asking)
    while (not subject.part.korean and not asking) or subject.person == "1p" or subject.honored:
        subject = anyone(dice, style, asking)
    job = dice.pick(PROFESSIONS)
    marked = " ".join(w if w in ARTICLES else f"{w}|0" for w in article(job.english).split())
    return _equated(dice, subject, job.korean, marked, style, asking, ("is", "person", job.korean))


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
    return _equated(dice, subject, f"{owner} {noun.korean}", f"{english} {marks}", style, asking, pair)


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
    dice: Dice, subject: Subject, korean: str, english: str, style: str, asking: bool, pair: Combination
) -> Part:
    """A is B, or is not, now or in the past."""
    tense = dice.weighted((("present", 85), ("past", 15)))
    form = "question" if asking else "statement"
    if dice.chance(25):
        return denied(subject, korean, english, style, form, tense, pair)
    return equated(subject, korean, english, style, form, tense, pair)


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


KINDS: tuple[tuple[str, int, Callable[[Dice], Part]], ...] = (
    ("existence", 7, there_is),
    ("on it", 3, on_it),
    ("location", 4, located),
    ("quality", 8, quality),
    ("site", 4, site),
    ("state", 5, person_state),
    ("character", 2, person_quality),
    ("comparison", 3, comparison),
    ("weather", 3, weather),
    ("identity", 2, identity),
    ("belonging", 3, belonging),
    ("liking", 4, liking),
    ("living", 2, living),
)
