"""When a model gives no answer is settled on the validation set, and kept in the folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.contracts.asking import write_questions

import glassformer as gf
from glassformer.hub import folder as hub

ONE_STEP = ("train.steps=1", "model.depth=1")


def spans(folder: Path) -> dict[str, object]:
    return json.loads((folder / "config.json").read_text("utf-8"))["glassformer_head"]["spans"]


def test_the_threshold_is_the_best_of_the_validation_set_and_stands_in_every_copy(tmp_path: Path) -> None:
    recipe = write_questions(tmp_path)
    figures = gf.train(recipe, ONE_STEP, output=tmp_path / "run")
    threshold = spans(tmp_path / "run")["threshold"]
    assert threshold == pytest.approx(figures["best_f1_threshold"], abs=1e-4)
    # What a model that knows nothing can do: be silent always, or nearly so.
    assert figures["f1"] == pytest.approx(figures["best_f1"])
    if (tmp_path / "run" / "best").exists():
        assert spans(tmp_path / "run" / "best")["threshold"] == threshold
    hub.load(tmp_path / "run", verify=True)  # the manifest knows the new file


def test_a_model_that_always_answers_keeps_no_threshold(tmp_path: Path) -> None:
    recipe = write_questions(tmp_path)
    lines = (tmp_path / "questions.jsonl").read_text("utf-8").splitlines()
    kept = [line for line in lines if not json.loads(line)["is_impossible"]]
    (tmp_path / "questions.jsonl").write_text("\n".join(kept), "utf-8")
    figures = gf.train(recipe, ONE_STEP, output=tmp_path / "run")
    assert spans(tmp_path / "run")["threshold"] is None and "best_f1" not in figures
    assert gf.load(tmp_path / "run").predict("who runs", "the old cat")[0][0].text


def test_without_a_validation_set_it_stays_as_it_was(tmp_path: Path) -> None:
    recipe = write_questions(tmp_path)
    gf.train(recipe, [*ONE_STEP, "data.valid=null"], output=tmp_path / "run")
    assert spans(tmp_path / "run")["threshold"] == 0.0
