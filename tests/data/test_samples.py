"""The generated corpus: one meaning per sentence, sound alignments, splits that share only words."""

import hashlib
from itertools import islice

import pytest

from glassformer.data.samples import AlignedPair, demo_sentences, generate, splits
from glassformer.data.samples.activity import TAKING
from glassformer.data.samples.conjugate import attach, past
from glassformer.data.samples.corpus import KINDS, drafts, words
from glassformer.data.samples.hangul import particle
from glassformer.data.samples.holdout import split_of, split_of_all
from glassformer.data.samples.lexicon import Verb
from glassformer.data.samples.lexicon_adjectives import (
    FEELINGS,
    PERSON_QUALITIES,
    PLACE_QUALITIES,
    QUALITIES,
    STATES,
)
from glassformer.data.samples.lexicon_adverbs import ADVERBS
from glassformer.data.samples.lexicon_nouns import NOUNS
from glassformer.data.samples.lexicon_places import DAYS, FREQUENCY, PEOPLE, PLACES, TIMES
from glassformer.data.samples.lexicon_verbs import INTRANSITIVE, SOCIAL, TRANSITIVE
from glassformer.data.samples.part import Combination

CAFE = "어제 카페 갔었어. 거기 사람 많더라."
MANY = 4_000


@pytest.fixture(scope="module")
def pairs() -> list[AlignedPair]:
    return list(islice(generate(seed=3), MANY))


@pytest.fixture(scope="module")
def parts() -> dict[str, list[AlignedPair]]:
    return splits(train=5_000, valid=30, test=30)


def test_the_lexicon_has_more_than_three_hundred_content_words() -> None:
    lemmas = {noun.korean for noun in NOUNS} | {place.korean for place in PLACES}
    lemmas |= {person.korean for person in PEOPLE} | {time.korean for time in TIMES} | {*DAYS, *FREQUENCY}
    lemmas |= {verb.stem.text + "다" for verb in (*TRANSITIVE, *INTRANSITIVE, *SOCIAL)}
    described = (*QUALITIES, *PLACE_QUALITIES, *STATES, *FEELINGS, *PERSON_QUALITIES)
    lemmas |= {adjective.stem.text + "다" for adjective in described} | {adverb[0] for adverb in ADVERBS}
    assert len(lemmas) > 300


def test_one_korean_sentence_has_one_english_sentence() -> None:
    meaning: dict[str, str] = {}
    for pair, _ in islice(drafts(seed=9), MANY):
        assert meaning.setdefault(pair.source, pair.target) == pair.target


def test_no_pair_comes_twice(pairs: list[AlignedPair]) -> None:
    assert len({pair.source for pair in pairs}) == len(pairs)


@pytest.mark.slow
def test_the_grammar_gives_far_more_than_fifty_thousand_pairs() -> None:
    found = list(islice(generate(seed=1), 120_000))
    assert max(len(pair.source.split()) for pair in found) == 40
    assert max(len(pair.target.split()) for pair in found) == 40
    assert len({(pair.source, pair.target) for pair in found}) == 120_000


def test_lengths_run_from_two_to_forty_words(pairs: list[AlignedPair]) -> None:
    source = [len(pair.source.split()) for pair in pairs]
    target = [len(pair.target.split()) for pair in pairs]
    assert min(source) == min(target) == 2
    assert max(source) <= 40
    assert 30 <= max(target) <= 40
    everyday = sum(4 <= length <= 12 for length in target)
    assert everyday > 0.8 * len(pairs)


def test_alignments_point_at_words_on_both_sides(pairs: list[AlignedPair]) -> None:
    for pair in pairs:
        source, target = len(pair.source.split()), len(pair.target.split())
        assert pair.alignment == tuple(sorted(set(pair.alignment)))
        assert all(0 <= i < source and 0 <= j < target for i, j in pair.alignment)
        assert pair.alignment


def test_most_korean_words_and_no_articles_are_aligned(pairs: list[AlignedPair]) -> None:
    linked = total = 0
    for pair in pairs:
        target = pair.target.lower().split()
        assert not [j for _, j in pair.alignment if target[j] == "the"]
        linked += len({i for i, _ in pair.alignment})
        total += len(pair.source.split())
    assert linked > 0.93 * total


def test_alignments_follow_the_words_known_by_construction(pairs: list[AlignedPair]) -> None:
    gold = {"어제": "yesterday", "친구를": "friend", "영화를": "movie", "비가": "rain", "지금": "now"}
    seen = set()
    for pair in pairs:
        source, target = pair.source.split(), [w.strip(".,!?") for w in pair.target.split()]
        for i, word in enumerate(source):
            if word in gold and gold[word] in target:
                seen.add(word)
                assert any(target[j] == gold[word] for k, j in pair.alignment if k == i), pair
    assert seen == set(gold)


def test_sentences_are_tidy(pairs: list[AlignedPair]) -> None:
    for pair in pairs:
        for text in (pair.source, pair.target):
            assert text == " ".join(text.split())
            assert text[-1] in ".?!"
            assert not {"~", "|", "_", "'s "} & set(text)
        assert pair.target[0].isupper()
        assert "one's" not in pair.target
        assert pair.source.isprintable()


def test_every_kind_of_sentence_occurs(pairs: list[AlignedPair]) -> None:
    assert {pair.kind for pair in pairs} == {name for name, _, _ in KINDS}


def test_all_three_speech_levels_and_both_questions_occur(pairs: list[AlignedPair]) -> None:
    text = "\n".join(pair.source for pair in pairs)
    for ending in ("니다.", "니까?", "요.", "요?", "어.", "야.", "더라.", "자.", "까요?", "세요.", "네!"):
        assert ending + "\n" in text


@pytest.mark.parametrize(
    "wrong", ["을를", "은는", "갔아", "춥어", "듣어", "하어", "teached", "buyed", " a a", "a apple"]
)
def test_no_malformed_words_occur(pairs: list[AlignedPair], wrong: str) -> None:
    assert not [pair for pair in pairs if wrong in pair.source or wrong in pair.target.lower()]


def test_splits_have_the_sizes_asked_for(parts: dict[str, list[AlignedPair]]) -> None:
    assert {name: len(part) for name, part in parts.items()} == {"train": 5_000, "valid": 30, "test": 30}


def test_no_sentence_is_in_two_splits(parts: dict[str, list[AlignedPair]]) -> None:
    sources = [pair.source for part in parts.values() for pair in part]
    assert len(sources) == len(set(sources))


def test_every_held_out_word_occurs_in_training(parts: dict[str, list[AlignedPair]]) -> None:
    known = {word for pair in parts["train"] for word in words(pair.source) + words(pair.target)}
    for name in ("valid", "test"):
        for pair in parts[name]:
            assert known.issuperset(words(pair.source) + words(pair.target))


def test_a_sentence_always_belongs_to_the_same_split() -> None:
    from_where: dict[str, str | None] = {}
    for pair, split in islice(drafts(seed=4), MANY):
        assert from_where.setdefault(pair.source, split) == split
    assert set(from_where.values()) >= {"train", "valid", "test"}
    assert split_of_all((("object", "먹", "사과"), ("goal", "가", "카페"))) != "train"


def _follows(verb: Verb, eojeols: list[str]) -> bool:
    """Whether a form of the verb comes next, after a number with its counter or a short negation."""
    rest = [word for word in eojeols if word not in ("안", "못")]
    rest = rest[2:] if rest and rest[0] in NUMERALS else rest
    stem = verb.stem
    heads = (stem.text, attach(stem, "아"), past(stem).text, attach(stem, "으ㄹ"), attach(stem, "으ㄴ"))
    return bool(rest) and rest[0].startswith(heads)


NUMERALS = ["한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "몇"]


def test_held_out_verbs_and_objects_never_meet_in_training(parts: dict[str, list[AlignedPair]]) -> None:
    held = [
        (h.verb, n.korean) for h in TAKING for n in h.nouns if _held(("object", h.verb.stem.text, n.korean))
    ]
    assert len(held) > 20
    lines = [[word.strip(".,!?") for word in pair.source.split()] for pair in parts["train"]]
    for verb, noun in held:
        form = particle(noun, "을/를")
        for line in lines:
            assert form not in line or not _follows(verb, line[line.index(form) + 1 :]), line
    bought = {noun for verb, noun in held if verb.stem.text == "사"}
    lists = [line for pair, line in zip(parts["train"], lines, strict=True) if pair.kind == "shopping list"]
    assert lists
    assert not [line for line in lists if bought & set(line)]


def _held(combination: Combination) -> bool:
    return split_of(combination) != "train"


def test_going_to_the_cafe_never_trains(parts: dict[str, list[AlignedPair]]) -> None:
    assert split_of(("goal", "가", "카페")) == "test"
    for pair in parts["train"]:
        assert "to the café" not in pair.target or "go" not in pair.target.replace("went", "go")


def test_the_sentence_of_the_demonstration_is_in_the_language() -> None:
    first = demo_sentences()[0]
    assert first.source == CAFE
    assert first.target == "I went to the café yesterday. There were many people there."
    assert first.alignment == ((0, 5), (1, 2), (1, 4), (2, 1), (3, 10), (4, 9), (5, 7), (5, 8))


@pytest.mark.slow
def test_the_sentences_of_the_demonstration_are_new_but_their_words_are_not() -> None:
    parts = splits(train=30_000, valid=1, test=1)
    trained = {pair.source for pair in parts["train"]}
    known = {word for pair in parts["train"] for word in words(pair.source) + words(pair.target)}
    chosen = demo_sentences()
    assert len(chosen) == 8
    for pair in chosen:
        assert pair.source not in trained
        assert known.issuperset(words(pair.source) + words(pair.target)), pair


FINGERPRINT = "115d3afdd42bf2e5"  # of a thousand pairs; changes with the grammar, never with the machine


def test_the_same_seed_gives_the_same_corpus_everywhere() -> None:
    first, again = list(islice(generate(5), 500)), list(islice(generate(5), 500))
    assert first == again
    assert first != list(islice(generate(6), 500))
    text = "\n".join(f"{p.source}\t{p.target}\t{p.alignment}" for p in islice(generate(1), 1_000))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == FINGERPRINT


def test_asking_for_too_much_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="ask for more training sentences"):
        splits(train=5, valid=5, test=5)
