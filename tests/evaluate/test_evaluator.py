"""The report: one set of figures, for machines and for people."""

import json
import subprocess
import sys

import pytest
import sacrebleu

from glassformer.base.errors import UserError
from glassformer.evaluate.evaluator import evaluate
from glassformer.evaluate.perplexity import Perplexity

SOURCES = ["나는 사과를 샀다", "다리가 닫혔다", "비가 온다"]
REFERENCES = [
    "I bought some apples at the market.",
    "The bridge is closed today.",
    "It is raining outside now.",
]
HYPOTHESES = ["I bought apples at the market.", "The bridge is closed.", "It is raining now."]


def test_the_json_has_sacrebleus_figures_and_signatures() -> None:
    figures = evaluate(SOURCES, REFERENCES, HYPOTHESES, seconds=2.0).as_json()
    assert figures["bleu"] == sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score
    assert figures["chrf"] == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES], word_order=2).score
    assert figures["chrf_plain"] == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert figures["ter"] == sacrebleu.corpus_ter(HYPOTHESES, [REFERENCES]).score
    assert figures["signature"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert "nw:2" in figures["chrf_signature"]
    assert figures["sentences"] == 3
    assert figures["seconds"] >= 2.0
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_a_korean_target_is_recognised_and_also_scored_by_characters() -> None:
    report = evaluate(REFERENCES, SOURCES, ["나는 사과를 샀어", "다리가 닫혔다", "비가온다"])
    assert report.as_json()["bleu_char"] > report.as_json()["bleu"]
    assert "Korean" in str(report)
    assert evaluate(SOURCES, REFERENCES, HYPOTHESES).bleu_char is None
    assert evaluate(SOURCES, REFERENCES, HYPOTHESES, language="ko").bleu_char is not None


def test_what_was_not_asked_for_is_not_in_the_report() -> None:
    figures = evaluate([], REFERENCES, HYPOTHESES, edit_rate=False).as_json()
    assert figures["ter"] is None
    assert not {"lengths", "comparison", "loss", "bleu_paper", "bleu_char", "notes"} & set(figures)


def test_the_terminal_report_shows_scores_signatures_lengths_loss_and_comparison() -> None:
    report = evaluate(
        SOURCES,
        [REFERENCES, HYPOTHESES],
        HYPOTHESES,
        perplexity=Perplexity(6.0, 3, 10),
        baseline=["no", "no", "no"],
        samples=20,
    )
    text = str(report)
    for part in ("BLEU", "chrF++", "TER", "nrefs:2", "0-5", "perplexity 7.39", "bits per character", "p = "):
        assert part in text
    assert "3 sentences" in text
    figures = report.as_json()
    assert [row["metric"] for row in figures["comparison"]] == ["BLEU", "chrF++"]
    assert figures["lengths"][0]["sentences"] == 3
    assert figures["loss"] == pytest.approx(2.0)


def test_paper_bleu_stands_beside_the_ordinary_one() -> None:
    pytest.importorskip("sacremoses")
    figures = evaluate(SOURCES, REFERENCES, HYPOTHESES, language="en", paper=True).as_json()
    assert "tok:moses-en" in figures["bleu_paper_signature"]
    assert "tok:13a" in figures["signature"]


def test_text_that_looks_tokenised_is_remarked_on() -> None:
    report = evaluate([], ["a b c ."] * 3, ["a b c ."] * 3)
    assert "look tokenised" in report.notes[0]


def test_empty_and_unequal_data_are_one_sentence() -> None:
    with pytest.raises(UserError, match="no sentences"):
        evaluate([], [], [])
    with pytest.raises(UserError, match="3 translations but 2 references"):
        evaluate(SOURCES, REFERENCES[:2], HYPOTHESES)
    with pytest.raises(UserError, match="2 source sentences but 3 translations"):
        evaluate(SOURCES[:2], REFERENCES, HYPOTHESES)
    with pytest.raises(UserError, match="the other 1"):
        evaluate(SOURCES, REFERENCES, HYPOTHESES, baseline=["one"])


def test_the_room_does_without_transformers() -> None:
    code = "import sys, glassformer.evaluate.evaluator; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
