"""English inflection: verbs, nouns, adjectives, articles, number words, and the auxiliaries of a clause."""

from dataclasses import dataclass
from functools import cache

# base: third person, past, participle, -ing (only what the rules below would get wrong)
IRREGULAR_VERBS = {
    "be": ("is", "was", "been", "being"),
    "have": ("has", "had", "had", "having"),
    "do": ("does", "did", "done", "doing"),
    "go": ("goes", "went", "been", "going"),  # experience speaks of having been somewhere
    **{
        row.split()[0]: (row.split()[0] + "s", *row.split()[1:])
        for row in """
        eat ate eaten eating|drink drank drunk drinking|make made made making|read read read reading
        write wrote written writing|buy bought bought buying|sell sold sold selling|get got gotten getting
        sing sang sung singing|wear wore worn wearing|lose lost lost losing|choose chose chosen choosing
        take took taken taking|draw drew drawn drawing|send sent sent sending|ride rode ridden riding
        drive drove driven driving|throw threw thrown throwing|sleep slept slept sleeping
        run ran run running|swim swam swum swimming|sit sat sat sitting|leave left left leaving
        come came come coming|meet met met meeting|give gave given giving|think thought thought thinking
        know knew known knowing|say said said saying|see saw seen seeing
        show showed shown showing|lend lent lent lending
        teach taught taught teaching|build built built building|cost cost cost costing
        """.replace("\n", "|").split("|")
        if row.split()
    },
}
DOUBLING = {"shop", "get", "hug", "plan"}
IRREGULAR_PLURALS = {
    "person": "people",
    "child": "children",
    "man": "men",
    "woman": "women",
    "fish": "fish",
    "clothes": "clothes",
    "pants": "pants",
    "glasses": "glasses",
    "cold noodles": "cold noodles",
}
NUMBERS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
ARTICLES = ("a", "an", "the")
CONTRACTIONS = {
    word: word + "n't"
    for word in ["is", "are", "was", "were", "do", "does", "did", "could", "have", "has", "must", "should"]
} | {"can": "can't", "will": "won't", "am": "am not"}
PERSONS = {"I": "1s", "you": "2", "he": "3s", "she": "3s", "it": "3s", "we": "1p", "they": "3p"}


def plural(noun: str) -> str:
    """The plural of a noun or noun group: ``tomato`` gives tomatoes, ``comic book`` gives comic books."""
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if noun.endswith(("s", "x", "ch", "sh")) or noun in ("tomato", "potato", "sweet potato"):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def article(phrase: str) -> str:
    """The phrase after ``a`` or ``an``, chosen by its first sound."""
    return ("an " if phrase[0] in "aeiou" and not phrase.startswith("uni") else "a ") + phrase


@cache
def forms(base: str) -> tuple[str, str, str, str]:
    """Third person, past, participle and -ing of a verb."""
    if base in IRREGULAR_VERBS:
        third, past, participle, ing = IRREGULAR_VERBS[base]
        return third, past, participle, ing
    stem = base + base[-1] if base in DOUBLING else base
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies", base[:-1] + "ied", base[:-1] + "ied", base + "ing"
    third = base + ("es" if base.endswith(("s", "x", "ch", "sh")) else "s")
    if base.endswith("e"):
        return third, base + "d", base + "d", base[:-1] + "ing"
    return third, stem + "ed", stem + "ed", stem + "ing"


def comparative(adjective: str) -> str:
    """``bigger``, ``easier``, ``more famous``, ``better``."""
    special = {"good": "better", "bad": "worse", "far": "farther", "quiet": "quieter", "narrow": "narrower"}
    if adjective in special:
        return special[adjective]
    if adjective.endswith("y") and len(adjective) <= 6:
        return adjective[:-1] + "ier"
    if len(adjective) > 6 or adjective in ("famous", "boring", "salty"):
        return "more " + adjective
    if adjective in ("big", "hot"):
        return adjective + adjective[-1] + "er"
    return adjective + ("r" if adjective.endswith("e") else "er")


@dataclass(frozen=True, slots=True)
class VerbGroup:
    """The verb of a clause: the operator that inverts in questions, and what follows.

    Each word is paired with the part of the Korean predicate it renders: ``verb``, ``mood``, ``not``,
    ``tense`` (the last eojeol), or ``""`` for none.
    """

    operator: tuple[tuple[str, str], ...]
    rest: tuple[tuple[str, str], ...]


@cache
def verb_group(
    verb: str, person: str, tense: str, mood: str = "", *, negative: bool = False, inverted: bool = False
) -> VerbGroup:
    """The words of ``verb`` in a tense, a mood (want, can, must, ongoing, once) and a polarity.

    ``person`` is 1s, 2, 3s, 1p or 3p. ``inverted`` asks for an operator even where a statement has none.
    """
    head, *tail = verb.split()
    lead, role, after = _lead(head, tail, mood)
    if tense == "future":
        after = ((lead, role), *after)
        return VerbGroup(_operator("will", negative), after)
    if mood == "once" and inverted and not negative:
        after = (("ever", "mood"), *after)
    if mood == "once" and negative:
        negative, after = False, (("never", "not"), *after)
    if lead in ("be", "can") or mood == "once":
        word = _finite(lead, person, tense)
        return VerbGroup(_operator(word, negative), after)
    if negative or inverted:
        return VerbGroup(_operator(_finite("do", person, tense), negative), ((lead, role), *after))
    return VerbGroup((), ((_finite(lead, person, tense), role), *after))


def _lead(head: str, tail: list[str], mood: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """The verb that inflects, its role, and the words after it."""
    rest = tuple((word, "" if word in ARTICLES else "verb") for word in tail)
    _, _, participle, ing = forms(head)
    if mood == "want":
        return "want", "mood", (("to", "mood"), (head, "verb"), *rest)
    if mood == "must":
        return "have", "mood", (("to", "mood"), (head, "verb"), *rest)
    if mood == "can":
        return "can", "mood", ((head, "verb"), *rest)
    if mood == "ongoing":
        return "be", "mood", ((ing, "verb"), *rest)
    if mood == "once":
        return "have", "mood", ((participle, "verb"), *rest)
    return head, "verb", rest


def _finite(verb: str, person: str, tense: str) -> str:
    if verb == "be":
        if tense == "past":
            return "was" if person in ("1s", "3s") else "were"
        return {"1s": "am", "3s": "is"}.get(person, "are")
    if verb == "can":
        return "could" if tense == "past" else "can"
    third, past, _, _ = forms(verb)
    if tense == "past":
        return past
    return third if person == "3s" else verb


def _operator(word: str, negative: bool) -> tuple[tuple[str, str], ...]:
    if not negative:
        return ((word, "tense"),)
    first, *other = CONTRACTIONS[word].split()
    return ((first, "tense" if other else "not"), *((extra, "not") for extra in other))
