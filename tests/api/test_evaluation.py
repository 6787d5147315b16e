"""Scoring a folder on a test set: figures that agree with each other, alone and against another system."""

import json
import math

import pytest
import torch
from tiny_folder import PAIRS, write_model

from glassformer.api.evaluation import evaluate, perplexity, read_pairs, translate_all
from glassformer.api.loading import load
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding

QUICK = Decoding(num_beams=1, max_new_tokens=6)


@pytest.fixture
def test_set(tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text("ko\ten\n" + "".join(f"{a}\t{b}\n" for a, b in PAIRS) + "\t\n", "utf-8")
    return str(path)


def test_pairs_come_from_all_files_in_order_and_blank_ones_are_told(test_set, tmp_path, capsys):
    (tmp_path / "more.jsonl").write_text(
        json.dumps({"translation": {"ko": "하나", "en": "one"}}) + "\n", "utf-8"
    )
    found = read_pairs([test_set, str(tmp_path / "more.jsonl")], "ko", "en", None)
    assert found == [*PAIRS, ("하나", "one")]
    assert "1 example was dropped" in capsys.readouterr().err
    assert read_pairs([test_set], "ko", "en", 2) == PAIRS[:2]
    assert read_pairs([test_set], "en", "ko", 1) == [PAIRS[0][::-1]]


def test_nothing_to_evaluate_on_is_a_mistake(tmp_path):
    (tmp_path / "blank.tsv").write_text("\n", "utf-8")
    with pytest.raises(UserError, match=r"blank\.tsv: there is no sentence pair to evaluate on"):
        read_pairs([str(tmp_path / "blank.tsv")], None, None, None)


def test_a_report_has_every_figure_and_the_translations_are_kept(model_folder, test_set, tmp_path):
    found = evaluate(model_folder, test_set, settings=QUICK, output=str(tmp_path / "out.txt")).as_json()
    assert {"bleu", "chrf", "ter", "signature", "sentences", "seconds"} <= found.keys()
    assert found["sentences"] == len(PAIRS)
    lines = (tmp_path / "out.txt").read_text("utf-8").splitlines()
    assert lines == load(model_folder).translate([one for one, _ in PAIRS], num_beams=1, max_new_tokens=6)


def test_perplexity_is_that_of_the_references_one_by_one(model_folder):
    model = load(model_folder)
    total = count = 0.0
    for one, other in PAIRS:
        source = torch.tensor([[*model.tokenizers.source.encode(one), 2]])
        target = model.tokenizers.target.encode(other)
        batch = {"source": source, "source_keep": source >= 0, "target": torch.tensor([[1, *target]])}
        with torch.no_grad():
            logp = torch.log_softmax(model.model(batch)[0], dim=-1)
        total -= float(logp[range(len(target) + 1), [*target, 2]].sum())
        count += len(target) + 1
    found = perplexity(model, PAIRS)
    assert found.perplexity == pytest.approx(math.exp(total / count), rel=1e-4)


def test_measuring_the_loss_of_a_translator_shows_how_far_it_is(model_folder, capsys, monkeypatch):
    monkeypatch.setattr(report, "SECONDS_BETWEEN_LINES", 0.0)
    perplexity(load(model_folder), PAIRS)
    assert f"measuring the loss {len(PAIRS)}/{len(PAIRS)}" in capsys.readouterr().err


def test_what_is_too_long_is_cut_for_translating_and_left_out_of_perplexity(model_folder, capsys):
    model = load(model_folder)
    long = ("나는 학교에 " * 30, "I go " * 30)
    texts, seconds = translate_all(model, [long[0], PAIRS[0][0]], QUICK)
    assert len(texts) == 2
    assert seconds > 0
    assert "line 1" in capsys.readouterr().err
    found = perplexity(model, [long, *PAIRS])
    assert found.loss == pytest.approx(perplexity(model, PAIRS).loss)
    assert perplexity(model, [long]) is None


def test_a_comparison_is_with_a_folder_or_a_file_of_translations(model_folder, test_set, tmp_path):
    other = write_model(tmp_path / "other", seed=8)
    assert evaluate(model_folder, [test_set], settings=QUICK, compare=str(other)).as_json()["comparison"]
    (tmp_path / "lines.txt").write_text("".join(f"{b}\n" for _, b in PAIRS), "utf-8")
    found = evaluate(model_folder, [test_set], settings=QUICK, compare=str(tmp_path / "lines.txt"))
    assert found.as_json()["comparison"]
    (tmp_path / "short.txt").write_text("one\n", "utf-8")
    with pytest.raises(UserError, match=r"short\.txt has 1 lines but the test set has 4"):
        evaluate(model_folder, [test_set], settings=QUICK, compare=str(tmp_path / "short.txt"))
