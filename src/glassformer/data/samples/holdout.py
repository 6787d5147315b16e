"""Which word combinations are never trained on: a stable hash gives each combination to one split."""

from collections import Counter

from glassformer.data.samples.activity import BEING_BUSY, TAKING
from glassformer.data.samples.dice import stable_hash
from glassformer.data.samples.part import Combination

SPLITS = ("train", "valid", "test")
RELATIONS = ("object", "at", "goal", "adjective", "quality", "site", "in", "compare", "like", "nature")
PERCENT = 4  # of the combinations go to valid, and as many to test
ENOUGH = 3  # combinations a word needs before one of them may be held out
CHOSEN = {("goal", "가", "카페"): "test"}  # so that the demonstration's first sentence is new to the model


def _degrees() -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """How many partners each governor and each dependent has, for the relations the lexicon lists."""
    governors: Counter[tuple[str, str]] = Counter()
    dependents: Counter[tuple[str, str]] = Counter()
    known = {("object", h.verb.stem.text, n.korean) for h in TAKING for n in h.nouns}
    known |= {("at", h.verb.stem.text, p.korean) for h in (*TAKING, *BEING_BUSY) for p in h.places}
    for relation, governor, dependent in known:
        governors[relation, governor] += 1
        dependents[relation, dependent] += 1
    return governors, dependents


GOVERNORS, DEPENDENTS = _degrees()


def split_of(combination: Combination) -> str:
    """The split a combination belongs to; words with few partners stay in training."""
    if combination in CHOSEN:
        return CHOSEN[combination]
    relation, governor, dependent = combination
    if relation not in RELATIONS:
        return "train"
    rare = min(GOVERNORS.get((relation, governor), ENOUGH), DEPENDENTS.get((relation, dependent), ENOUGH))
    number = stable_hash(*combination) % 100
    if rare < ENOUGH or number >= 2 * PERCENT:
        return "train"
    return "valid" if number < PERCENT else "test"


def split_of_all(combinations: tuple[Combination, ...]) -> str | None:
    """The split of a sentence: train if nothing in it is held out, none if it mixes valid and test."""
    found = {split_of(combination) for combination in combinations} - {"train"}
    if len(found) > 1:
        return None
    return found.pop() if found else "train"
