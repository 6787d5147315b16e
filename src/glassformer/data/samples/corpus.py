"""The parallel corpus: a stream of distinct aligned pairs, its splits, and the demonstration's sentences."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from glassformer.data.samples import (
    sentences_daily,
    sentences_numbers,
    sentences_person,
    sentences_place,
    sentences_quality,
    sentences_questions,
    sentences_reason,
    sentences_relative,
    sentences_sequence,
    sentences_talk,
)
from glassformer.data.samples.dice import Dice
from glassformer.data.samples.holdout import split_of_all
from glassformer.data.samples.lexicon_nouns import NOUN
from glassformer.data.samples.lexicon_places import PEOPLE, PLACE
from glassformer.data.samples.part import Part, links, part
from glassformer.data.samples.sentences_talk import AMOUNTS, visit

SECTIONS = (
    sentences_daily,
    sentences_place,
    sentences_quality,
    sentences_person,
    sentences_numbers,
    sentences_questions,
    sentences_talk,
    sentences_sequence,
    sentences_reason,
    sentences_relative,
)
KINDS = tuple(kind for section in SECTIONS for kind in section.KINDS)
TICKETS = tuple((name, make) for name, weight, make in KINDS for _ in range(weight))
DEMO_KINDS = ("transitive", "motion question", "purpose", "relative quality", "request", "sequence", "errand")
SHARE = 0.05  # of a held-out set at most is of one kind; long kinds hold most combinations and would crowd it
PATIENCE = 4  # how many times the sentences asked for are drawn before giving up


@dataclass(frozen=True, slots=True)
class AlignedPair:
    """A Korean sentence and its English, with (source word, target word) links.

    Words are what ``str.split`` gives, counted from 0.
    """

    source: str
    target: str
    alignment: tuple[tuple[int, int], ...]
    kind: str


def aligned(whole: Part, kind: str) -> AlignedPair:
    """The pair of a finished part."""
    source = " ".join(eojeol.text for eojeol in whole.korean)
    target = " ".join(word.text for word in whole.english)
    return AlignedPair(source, target, links(whole), kind)


def drafts(seed: int) -> Iterator[tuple[AlignedPair, str | None]]:
    """Every sentence as it comes, repeats included, with the split its combinations put it in."""
    dice = Dice(seed)
    while True:
        kind, make = dice.pick(TICKETS)
        whole = make(dice)
        pair = aligned(whole, kind)
        if _presentable(pair):
            yield pair, split_of_all(whole.pairs)


def _presentable(pair: AlignedPair) -> bool:
    """Whether a pair has 2 to 40 words on both sides and names nobody twice."""
    source, target = pair.source.split(), pair.target.split()
    if not (SHORTEST <= len(source) <= LONGEST and SHORTEST <= len(target) <= LONGEST):
        return False
    named = [word for word in target if word.strip(".,!?") in NAMES]
    return len(named) == len(set(named))


SHORTEST, LONGEST = 2, 40
NAMES = frozenset(person.english for person in PEOPLE if person.manner == "name")


def _distinct(seed: int) -> Iterator[tuple[AlignedPair, str | None]]:
    seen: set[str] = set()
    for pair, split in drafts(seed):
        if pair.source not in seen:
            seen.add(pair.source)
            yield pair, split


def generate(seed: int = 1) -> Iterator[AlignedPair]:
    """An endless stream of distinct pairs, the same for the same seed everywhere."""
    for pair, _ in _distinct(seed):
        yield pair


def words(text: str) -> list[str]:
    """The words of a sentence without their punctuation and capitals."""
    return [word.strip(".,!?").lower() for word in text.split()]


def splits(
    train: int = 50_000, valid: int = 1_000, test: int = 1_000, seed: int = 1
) -> dict[str, list[AlignedPair]]:
    """Training, validation and test pairs that share words but not combinations.

    A combination (a verb with its object, a place with what is there, an adjective with its noun …) that
    occurs in valid or test never occurs in train, while each of their words does; no kind of sentence makes
    up more than a twentieth of a held-out set. Raises ValueError when the training set is too small to
    contain the words of that many held-out sentences.
    """
    wanted = {"train": train, "valid": valid, "test": test}
    found: dict[str, list[AlignedPair]] = {name: [] for name in wanted}
    candidates: list[tuple[AlignedPair, str]] = []
    known: set[str] = set()
    kinds: Counter[tuple[str, str]] = Counter()
    for drawn, (pair, split) in enumerate(_distinct(seed)):
        if split == "train" and len(found["train"]) < train:
            found["train"].append(pair)
            known.update(words(pair.source), words(pair.target))
        elif split in ("valid", "test"):
            candidates.append((pair, split))
        if len(found["train"]) == train:
            for candidate, name in candidates:
                full = len(found[name]) == wanted[name] or kinds[name, candidate.kind] >= wanted[name] * SHARE
                if not full and known.issuperset(words(candidate.source) + words(candidate.target)):
                    found[name].append(candidate)
                    kinds[name, candidate.kind] += 1
            candidates.clear()
            if all(len(found[name]) == count for name, count in wanted.items()):
                return found
        if drawn > PATIENCE * (train + 20 * (valid + test) + 500):
            break
    short = ", ".join(f"{len(found[name])} of {count} {name}" for name, count in wanted.items())
    raise ValueError(f"found only {short} sentences whose words all train; ask for more training sentences")


def demo_sentences() -> list[AlignedPair]:
    """Held-out sentences of different kinds for the end of the demonstration, the visit to the café first."""
    time = part("어제", "yesterday")
    cafe = visit("casual", time, PLACE["카페"], NOUN["사람"], AMOUNTS[0])
    chosen = [aligned(cafe, "visit report")]
    wanted = list(DEMO_KINDS)
    for pair, split in _distinct(seed=7):
        if split == "test" and pair.kind in wanted and 4 <= len(pair.source.split()) <= 9:
            wanted.remove(pair.kind)
            chosen.append(pair)
            if not wanted:
                return chosen
    return chosen
