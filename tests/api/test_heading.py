"""Heads asked for by recipes: before there is data, on a folder to go on from, and where none fits."""

from pathlib import Path

import pytest
import torch
from heads import trained, write_recipe
from tiny_family import write_bert

import glassformer as gf
from glassformer.api.heading import brings_head, facts_before_data
from glassformer.api.preparing import new_model, planned_model, prepare
from glassformer.api.recipe import read_recipe
from glassformer.base.errors import UserError
from glassformer.hub.folder import load
from glassformer.nn.headed import Headed


def test_a_head_is_counted_before_the_data_is_encoded(tmp_path):
    recipe = read_recipe(write_recipe(tmp_path))
    model = new_model(recipe, 50)
    assert isinstance(model, Headed)
    assert all(weight.is_meta for weight in model.parameters())
    assert model.head.labels == ("bad", "good")
    (tmp_path / "reviews.tsv").unlink()
    assert brings_head(recipe)
    assert facts_before_data(recipe)["labels"] == ("0", "1")
    assert new_model(recipe, 50).classifier.out_features == 2


def test_a_run_is_measured_by_labels_and_so_is_its_folder(tmp_path):
    found = gf.train(write_recipe(tmp_path), output=tmp_path / "run")
    assert (found["accuracy"], found["macro_f1"], found["measured_on"]) == (1.0, 1.0, "valid")
    again = gf.evaluate(tmp_path / "run", str(tmp_path / "reviews.tsv"))
    assert again.figures["nll"] == pytest.approx(found["nll"], rel=1e-5)
    assert "macro F1: 1.0000" in str(again)
    card = (tmp_path / "run" / "README.md").read_text("utf-8")
    assert "| macro F1 | 1.00 | reviews.tsv |" in card
    assert "glassformer predict" in card
    (tmp_path / "bad.tsv").write_text("text\tlabel\nx\tugly\n", "utf-8")
    with pytest.raises(
        UserError, match=r"bad\.tsv:2: the label 'ugly' is not among those of the training data"
    ):
        gf.evaluate(tmp_path / "run", str(tmp_path / "bad.tsv"))
    (tmp_path / "one.tsv").write_text("text\tlabel\n정말 좋다\tgood\n", "utf-8")
    assert gf.evaluate(tmp_path / "run", str(tmp_path / "one.tsv")).figures["accuracy"] == 1.0


def test_tags_are_measured_by_entities_too(tmp_path):
    run = trained(tmp_path, "tagging", "bert")
    found = gf.evaluate(run, str(tmp_path / "tags.conll"))
    assert found.figures["entity_f1"] == 1.0
    assert "entity F1: 1.0000" in str(found)


def test_a_folder_without_a_recipe_is_measured_by_its_head(tmp_path):
    run = trained(tmp_path)
    for folder in (run, run / "best", run / "last"):
        (folder / "recipe.yaml").unlink(missing_ok=True)
    assert gf.evaluate(run, str(tmp_path / "reviews.tsv")).figures["accuracy"] == 1.0


def test_an_encoder_that_fills_blanks_goes_on_as_a_classifier(tmp_path):
    filler = write_bert(tmp_path / "bert")
    recipe = read_recipe(write_recipe(tmp_path), [f"init={filler}", "model.name=bert"])
    parts = prepare(recipe)
    assert isinstance(parts.model, Headed)
    assert parts.ability == "classifies"
    assert parts.model.config.head == "none"
    before = load(filler).model
    assert torch.equal(parts.model.body.table.weight, before.table.weight)
    assert torch.equal(prepare(recipe).model.classifier.weight, parts.model.classifier.weight)
    assert planned_model(recipe).classifier.out_features == 2
    gf.train(
        tmp_path / "recipe.yaml",
        [f"init={filler}", "model.name=bert", "train.steps=2"],
        output=tmp_path / "run",
    )
    assert isinstance(gf.load(tmp_path / "run"), gf.Classifier)


def test_a_classifier_goes_on_with_its_head_and_other_labels_begin_anew(tmp_path, capsys):
    run = trained(tmp_path)
    before = load(run).model
    parts = prepare(read_recipe(tmp_path / "recipe.yaml", [f"init={run}", "model.dropout=0.3"]))
    assert torch.equal(parts.model.classifier.weight, before.classifier.weight)
    assert parts.model.config.dropout == 0.3
    table = (tmp_path / "reviews.tsv").read_text("utf-8").replace("good", "fine")
    (tmp_path / "reviews.tsv").write_text(table, "utf-8")
    parts = prepare(read_recipe(tmp_path / "recipe.yaml", [f"init={run}"]))
    assert parts.model.head.labels == ("bad", "fine")
    assert not torch.equal(parts.model.classifier.weight, before.classifier.weight)
    assert "the head begins anew" in capsys.readouterr().err


def test_a_classifier_is_no_language_model_to_go_on_from(tmp_path):
    run = trained(tmp_path)
    text = tmp_path / "text.txt"
    text.write_text("정말 좋다 " * 9, "utf-8")
    changes = [f"init={run}", "objective={name: causal_lm}", f"data={{name: text, train: {text}, block: 8}}"]
    with pytest.raises(UserError, match="causal_lm needs a model that generates; gpt classifies"):
        prepare(read_recipe(tmp_path / "recipe.yaml", changes))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["objective.class_weights={ugly: 2}"], "objective.class_weights: the label 'ugly' is not among"),
        (["data.text=review"], "reviews.tsv:1: no column 'review'"),
        (["data.max_length=99"], "data.max_length is 99 but the model reads at most 12"),
        (["model={name: vit}"], "classification needs a model that generates or encodes.*; vit sees"),
        (["objective.pool=middle"], "objective.pool"),
    ],
)
def test_what_does_not_fit_is_one_sentence(settings, said, tmp_path: Path):
    with pytest.raises(UserError, match=said):
        prepare(read_recipe(write_recipe(tmp_path), settings))
