"""A pass is judged with the examples behind its rows, in training and after, by one look at the data."""

import json

import pytest
from heads import REVIEWS, trained, write_recipe

import glassformer as gf
from glassformer.api.judging import has_judge, judge_for, judging
from glassformer.api.preparing import prepare
from glassformer.api.recipe import read_recipe
from glassformer.nn.headed import Headed
from glassformer.train.parallel import Group
from glassformer.train.validate import Validation


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("labels"))


def test_rows_are_those_of_the_file_however_they_were_batched(tmp_path):
    recipe = read_recipe(write_recipe(tmp_path), ["data.tokens_per_batch=8"])
    parts = prepare(recipe)
    assert has_judge(parts.objective)
    told = {}
    for batch in parts.valid.once():
        _, rows = parts.objective.told(parts.model.eval(), batch)
        told.update(zip(batch.rows, rows, strict=True))
    assert sorted(told) == list(range(len(REVIEWS)))
    judge = judge_for(parts.objective, recipe.data, "valid", told)
    labels = parts.objective.labels
    assert [labels[number] for number in judge.true] == [label for _, label in REVIEWS]
    texts = {row[0]: row[-1] for row in judge.wrong(9).rows}
    lines = {f"{tmp_path / 'reviews.tsv'}:{place}": text for place, (text, _) in enumerate(REVIEWS, start=2)}
    assert texts.items() <= lines.items()


def test_training_is_told_the_same_figures_in_the_pass_of_the_loss(tmp_path, monkeypatch):
    parts = prepare(read_recipe(write_recipe(tmp_path)))
    judge = judging(parts.objective, parts.recipe.data, "valid")
    looks = []
    forward = Headed.forward
    monkeypatch.setattr(Headed, "forward", lambda self, batch: looks.append(1) or forward(self, batch))
    validation = Validation(parts.objective, parts.valid, None, judge)
    found = validation.figures(parts.model, Group(), next(parts.model.parameters()).device)
    assert len(looks) == len(list(parts.valid.once()))
    assert {"loss", "nll", "accuracy", "macro_f1", "matthews", "brier"} <= found.keys()


def test_a_run_can_choose_its_best_by_a_figure_of_its_judge(tmp_path):
    options = ["train.best=macro_f1", "train.evaluate_every=10", "train.steps=20"]
    found = gf.train(write_recipe(tmp_path), options, output=tmp_path / "run")
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    ]
    told = {line["step"]: line["macro_f1"] for line in lines if line["kind"] == "valid"}
    assert told[found["best_step"]] == max(told.values())


def test_a_report_is_kept_in_the_folder(run):
    data = str(run.parent / "reviews.tsv")
    found = gf.evaluate(run, data)
    place = run / "evaluation" / "reviews"
    assert sorted(path.name for path in place.iterdir()) == [
        "confusion.tsv",
        "figures.json",
        "labels.tsv",
        "wrong.tsv",
    ]
    kept = json.loads((place / "figures.json").read_text("utf-8"))
    assert kept["accuracy"] == found.figures["accuracy"] == 1.0
    assert kept["data"] == ["reviews.tsv"]
    told = found.as_json()
    assert told["intervals"]["accuracy"] == [1.0, 1.0]
    assert {row["label"] for row in told["labels"]} == {"bad", "good"}
    assert "macro F1: 1.0000  (95 %: 1.0000 to 1.0000)" in str(found)
    assert gf.load(run).predict("정말 좋다")[0][0][0] == "good"


def test_mistakes_are_told_with_the_line_they_stand_in(run, tmp_path):
    (tmp_path / "turned.tsv").write_text("text\tlabel\n정말 좋다\tbad\n별로\tbad\n", "utf-8")
    found = gf.evaluate(run, str(tmp_path / "turned.tsv")).as_json()
    (one,) = found["wrong"]
    assert (one["where"], one["true"], one["told"]) == (f"{tmp_path / 'turned.tsv'}:2", "bad", "good")
    assert one["text"] == "정말 좋다"
    assert found["notes"] == [
        "all answers of this set are 'bad'; macro F1 and Matthews say little of such a set"
    ]
    assert found["matthews"] is None or found["matthews"] != found["matthews"]
