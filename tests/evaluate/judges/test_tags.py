"""The judge of tags: words, entities, resamples of sentences, and the words it is most wrong about."""

from __future__ import annotations

import numpy as np
import pytest

from glassformer.data.example import Example
from glassformer.evaluate.judge import Asked
from glassformer.evaluate.judges.tags import Judge
from glassformer.evaluate.spans import entity_f1

LABELS = ("B-LOC", "B-PER", "I-PER", "O")
SENTENCES = [
    ("Kim sees Lee Park", "B-PER O B-PER I-PER", "B-PER O B-PER O"),
    ("in Seoul", "O B-LOC", "O B-LOC"),
    ("Park", "O", "B-PER"),
]


def judge(labels: tuple[str, ...] = LABELS, sentences: list[tuple[str, str, str]] = SENTENCES) -> Judge:
    examples, told = [], {}
    for row, (words, true, said) in enumerate(sentences):
        places = [f"x:{10 * row + word}" for word in range(len(words.split()))]
        fields = {"words": words.split(), "tags": true.split(), "places": places}
        examples.append(Example(fields, places[0]))
        numbers = {"true": true, "told": said}
        arrays = {key: np.array([labels.index(tag) for tag in tags.split()]) for key, tags in numbers.items()}
        share = np.full((len(arrays["told"]), len(labels)), 0.1)
        share[np.arange(len(share)), arrays["told"]] = 0.7 + 0.1 * row
        told[row] = {**arrays, "share": share}
    return Judge(told, Asked(labels, lambda: examples, lambda one: " ".join(one.fields["words"])))


def test_words_and_entities_are_counted() -> None:
    found = judge().figures()
    assert found["accuracy"] == pytest.approx(5 / 7)
    pairs = [(true.split(), told.split()) for _, true, told in SENTENCES]
    assert found["entity_f1"] == entity_f1(pairs) == pytest.approx(2 * 2 / (3 + 4))
    assert (found["entity_precision"], found["entity_recall"]) == pytest.approx((2 / 4, 2 / 3))
    assert found["entity_macro_f1"] == pytest.approx((1.0 + 2 * 1 / 5) / 2)
    assert set(found) == set(Judge.shown)


def test_a_resample_draws_sentences() -> None:
    rows = np.array([0, 0, 1])
    found = judge().figures(rows)
    again = judge(sentences=[SENTENCES[row] for row in rows]).figures()
    assert found == pytest.approx(again)


def test_tags_that_mark_nothing_have_no_entities() -> None:
    found = judge(("NOUN", "VERB"), [("Kim sees", "NOUN VERB", "NOUN NOUN")])
    assert set(found.figures()) == {"accuracy", "macro_f1"}
    assert [row[0] for row in found.tables()[0].rows] == ["NOUN", "VERB"]


def test_tables_are_of_kinds_and_the_worst_word_is_the_surest() -> None:
    found = judge()
    assert [row[0] for row in found.tables()[0].rows] == ["LOC", "PER"]
    assert found.tables()[1].rows[3] == ("O", 0, 1, 0, 2)
    wrong = found.wrong(9)
    assert wrong.rows == (
        ("x:20", "O", "B-PER", pytest.approx(0.9), "Park", "Park"),
        ("x:3", "I-PER", "O", pytest.approx(0.7), "Park", "Kim sees Lee Park"),
    )
    assert len(found.wrong(1).rows) == 1


def test_a_set_without_entities_is_told() -> None:
    found = judge(sentences=[("in Seoul", "O O", "O O")])
    assert found.figures()["entity_f1"] == 0.0
    assert found.notes()[-1] == "there is no entity in this set; F1 over entities says nothing of it"


def cut(sentences: list[tuple[str, str, str]], read: int, labels: tuple[str, ...] = LABELS) -> Judge:
    """The judge of a model that reads so many words of each sentence."""
    whole = judge(labels, sentences)
    told = {}
    for row, one in enumerate(zip(whole.true, whole.told, whole.share, strict=True)):
        true, said, share = (array[:read] for array in one)
        told[row] = {"true": true, "told": said, "share": share, "full": np.array([len(true) == read])}
    return Judge(told, whole.asked)


def test_words_that_were_not_read_count_as_outside_as_seqeval_would_count_them() -> None:
    seqeval = pytest.importorskip("seqeval.metrics")
    found = cut(SENTENCES, 2)
    true = [true.split() for _, true, _ in SENTENCES]
    told = [
        [*said.split()[:2], *["O"] * (len(tags) - 2)]
        for (_, _, said), tags in zip(SENTENCES, true, strict=True)
    ]
    figures = found.figures()
    assert figures["entity_f1"] == pytest.approx(seqeval.f1_score(true, told))
    assert figures["entity_recall"] == pytest.approx(seqeval.recall_score(true, told))
    assert figures["accuracy"] == pytest.approx(seqeval.accuracy_score(true, told))
    assert figures["entity_recall"] < judge().figures()["entity_recall"] + 1e-9
    assert figures["accuracy"] != cut(SENTENCES, 9).figures()["accuracy"]
    assert found.notes()[0] == (
        "2 of 7 words, in 1 of 3 texts, stand beyond what the model reads at once; they count as O"
    )
    assert found.wrong(9).rows[-1] == ("x:3", "I-PER", "O", 0.0, "Park", "Kim sees Lee Park")


def test_a_text_that_is_just_read_whole_has_lost_nothing() -> None:
    found = cut(SENTENCES, 4)
    assert found.figures() == judge().figures()
    assert not any("beyond" in note for note in found.notes())


def test_without_a_tag_for_outside_what_was_not_read_is_wrong() -> None:
    found = cut([("Kim sees Lee", "NOUN VERB NOUN", "NOUN VERB NOUN")], 2, ("NOUN", "VERB"))
    assert found.figures()["accuracy"] == pytest.approx(2 / 3)
    assert "in 1 of 1 texts" in found.notes()[0] and found.notes()[0].endswith("they count as wrong")
