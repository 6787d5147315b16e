"""Our scores are sacreBLEU's, to the last digit, and bad input is one sentence."""

import sys

import pytest
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER

from glassformer.base.errors import UserError
from glassformer.evaluate.bleu import PAPER, Scoring, bleu, character_bleu, chrf, moses, paired, ter

REFERENCES = [
    "The old bridge was closed, but nobody told the driver.",
    "She keeps three cats and a very patient dog.",
    "It's raining again in Busan.",
    "We will meet at seven o'clock.",
]
OTHERS = [
    "They shut the old bridge and no one told the driver.",
    "She has three cats and one very patient dog.",
    "It is raining in Busan again.",
    "Let us meet at seven.",
]
HYPOTHESES = [
    "The old bridge was closed but nobody had told the driver.",
    "She keeps three cats and a patient dog.",
    "it's raining in Busan again.",
    "We meet at seven o'clock.",
]
KOREAN = ["나는 어제 시장에서 사과를 샀다.", "그 다리는 오래되어 닫혔습니다."]
KOREAN_HYPOTHESES = ["나는 어제 시장에서 사과를 샀습니다.", "그 다리는 오래 되어 닫혔다."]


@pytest.mark.parametrize("references", [[REFERENCES], [REFERENCES, OTHERS]])
def test_bleu_chrf_and_ter_equal_sacrebleu(references: list[list[str]]) -> None:
    assert bleu(HYPOTHESES, references).value == sacrebleu.corpus_bleu(HYPOTHESES, references).score
    assert (
        chrf(HYPOTHESES, references).value
        == sacrebleu.corpus_chrf(HYPOTHESES, references, word_order=2).score
    )
    assert (
        chrf(HYPOTHESES, references, word_order=0).value
        == sacrebleu.corpus_chrf(HYPOTHESES, references).score
    )
    assert ter(HYPOTHESES, references).value == sacrebleu.corpus_ter(HYPOTHESES, references).score


def test_signatures_are_sacrebleus_own() -> None:
    for ours, metric in [
        (bleu(HYPOTHESES, REFERENCES), BLEU()),
        (chrf(HYPOTHESES, REFERENCES), CHRF(word_order=2)),
        (ter(HYPOTHESES, REFERENCES), TER()),
    ]:
        metric.corpus_score(HYPOTHESES, [REFERENCES])
        assert ours.signature == str(metric.get_signature())
        assert ours.signature in str(ours)


def test_one_flat_list_is_one_stream_of_references() -> None:
    assert bleu(HYPOTHESES, REFERENCES) == bleu(HYPOTHESES, [REFERENCES])


def test_a_second_reference_can_only_help_and_is_in_the_signature() -> None:
    both = bleu(HYPOTHESES, [REFERENCES, OTHERS])
    assert both.value >= bleu(HYPOTHESES, REFERENCES).value
    assert "nrefs:2" in both.signature


def test_character_bleu_for_korean_equals_sacrebleu_and_is_kinder_than_words() -> None:
    score = character_bleu(KOREAN_HYPOTHESES, KOREAN)
    assert score.value == sacrebleu.corpus_bleu(KOREAN_HYPOTHESES, [KOREAN], tokenize="char").score
    assert "tok:char" in score.signature
    assert score.value > bleu(KOREAN_HYPOTHESES, KOREAN).value


def test_lower_case_tokenised_bleu_ignores_case_and_says_so() -> None:
    pytest.importorskip("sacremoses")
    shouted = [line.upper() for line in HYPOTHESES]
    score = bleu(shouted, REFERENCES, PAPER)
    assert score.value == pytest.approx(bleu(HYPOTHESES, REFERENCES, PAPER).value)
    assert "case:lc" in score.signature
    assert "tok:moses-en" in score.signature
    assert "smooth:none" in score.signature


def test_moses_cuts_before_scoring() -> None:
    pytest.importorskip("sacremoses")
    cut = moses("en")
    assert cut("It's a cat, isn't it?") == "It 's a cat , isn 't it ?"
    hypotheses, references = [[cut(line) for line in lines] for lines in (HYPOTHESES, REFERENCES)]
    by_hand = bleu(hypotheses, references, Scoring(tokenize="none"))
    assert bleu(HYPOTHESES, REFERENCES, Scoring(tokenize="moses")).value == by_hand.value


def test_without_sacremoses_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    with pytest.raises(UserError, match="pip install sacremoses"):
        bleu(HYPOTHESES, REFERENCES, PAPER)


def test_a_tokeniser_whose_package_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mecab_ko", None)
    monkeypatch.delitem(sys.modules, "sacrebleu.tokenizers.tokenizer_ko_mecab", raising=False)
    with pytest.raises(UserError, match=r"sacrebleu\[ko\]"):
        bleu(KOREAN_HYPOTHESES, KOREAN, Scoring(tokenize="ko-mecab"))


def test_text_cut_at_spaces_is_taken_as_it_is() -> None:
    scoring = Scoring(tokenize="none", lowercase=True)
    expected = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES], tokenize="none", lowercase=True, force=True)
    assert bleu(HYPOTHESES, REFERENCES, scoring).value == expected.score


def test_perfect_translations_get_the_best_scores() -> None:
    assert bleu(REFERENCES, REFERENCES).value == pytest.approx(100.0)
    assert chrf(REFERENCES, REFERENCES).value == pytest.approx(100.0)
    assert ter(REFERENCES, REFERENCES).value == 0.0


def test_empty_translations_score_nought() -> None:
    blank = [""] * len(REFERENCES)
    assert bleu(blank, REFERENCES).value == 0.0
    assert chrf(blank, REFERENCES).value == 0.0
    assert ter(blank, REFERENCES).value == pytest.approx(100.0)


@pytest.mark.parametrize("score", [bleu, character_bleu, chrf, ter, paired])
def test_no_data_and_unequal_counts_are_one_clear_sentence(score: object) -> None:
    assert callable(score)
    with pytest.raises(UserError, match="no sentences"):
        score([], [])
    with pytest.raises(UserError, match="no sentences"):
        score([], [[], []])
    with pytest.raises(UserError, match="at least one list"):
        score(["a"], [])
    with pytest.raises(UserError, match="2 translations but 1 references"):
        score(["a", "b"], ["a"])
    with pytest.raises(UserError, match="but 3 references in list 2"):
        score(["a", "b"], [["a", "b"], ["a", "b", "c"]])
