"""The table by source length: every sentence once, each row the score of its own sentences."""

import pytest
import sacrebleu

from glassformer.base.errors import UserError
from glassformer.evaluate.lengths import by_length

SOURCES = ["a b c", "a b c d e f", "", " ".join("abcdefgh"), " ".join(["w"] * 70)]
REFERENCES = [
    "one small red house here",
    "two big green boats sail away",
    "nothing",
    "three birds sing in the tree",
    "go " * 9 + "on",
]
HYPOTHESES = [
    "one small red house there",
    "two big green boats sail",
    "nothing",
    "three birds sing in a tree",
    "go on",
]


def test_every_sentence_is_in_exactly_one_row() -> None:
    rows = by_length(SOURCES, HYPOTHESES, REFERENCES)
    assert [(row.name, row.sentences) for row in rows] == [("0-5", 2), ("6-10", 2), ("61+", 1)]


def test_a_row_scores_its_own_sentences_only() -> None:
    row = by_length(SOURCES, HYPOTHESES, REFERENCES)[1]
    hypotheses, references = [HYPOTHESES[1], HYPOTHESES[3]], [REFERENCES[1], REFERENCES[3]]
    assert row.bleu == sacrebleu.corpus_bleu(hypotheses, [references]).score
    assert row.chrf == sacrebleu.corpus_chrf(hypotheses, [references], word_order=2).score
    assert row.length_ratio == pytest.approx(11 / 12)


def test_a_translation_that_stops_early_shows_in_the_ratio() -> None:
    assert by_length(SOURCES, HYPOTHESES, REFERENCES)[-1].length_ratio == pytest.approx(0.2)


def test_edges_can_be_chosen_and_several_references_given() -> None:
    rows = by_length(SOURCES, HYPOTHESES, [REFERENCES, HYPOTHESES], edges=(10,))
    assert [row.name for row in rows] == ["0-10", "11+"]
    assert rows[0].bleu == pytest.approx(100.0)


def test_unequal_counts_are_refused() -> None:
    with pytest.raises(UserError, match="4 source sentences but 5 translations"):
        by_length(SOURCES[1:], HYPOTHESES, REFERENCES)
