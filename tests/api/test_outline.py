"""From what was asked to a model without weights and the training that it is meant for."""

import pytest
from tiny_family import write_gpt

from glassformer.api.memory import Batch
from glassformer.api.outline import LONGEST, outline
from glassformer.base.errors import UserError

RECIPE = """\
model: {name: gpt, dim: 16, depth: 2, heads: 2, max_length: 32}
tokenizer: {name: byte_bpe, vocab_size: 300}
objective: {name: causal_lm}
data: {name: text, train: none.txt, block: 32, batch_size: 8}
optim: {weight_decay: 0.5}
train: {steps: 5}
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE, "utf-8")
    return path


def test_a_recipe_gives_its_model_its_batch_and_its_training(recipe):
    found = outline(recipe, ["model.depth=3"])
    assert all(weight.is_meta for weight in found.model.parameters())
    assert (found.model.config.depth, found.model.config.vocab_size) == (3, 300)
    assert (found.batch, found.optim.weight_decay) == (Batch(8, 32), 0.5)
    assert "vocab_size: 300" in found.assumed[0]


def test_sizes_that_the_data_knows_are_asked_of_it():
    pytest.importorskip("sklearn")
    found = outline("image/digits")
    assert (found.model.config.classes, found.model.config.size) == (10, (8, 8))
    assert found.assumed == ()
    assert found.batch.length == 1


def test_data_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))
    found = outline("image/fashion")
    assert "cannot be read" in found.assumed[0]


def test_a_folder_has_the_training_of_its_recipe(tmp_path, recipe):
    with_recipe = outline(write_gpt(tmp_path / "a", recipe=RECIPE), ["data.batch_size=4"])
    assert with_recipe.model.config.vocab_size != 300  # the folder's own, and the recipe's only the training
    assert (with_recipe.optim.weight_decay, with_recipe.batch) == (0.5, Batch(4, 32))
    without = outline(write_gpt(tmp_path / "b"), ["optim.name=adam"])
    assert (without.optim.name, without.batch) == ("adam", Batch(1, 32))
    assert all(weight.is_meta for weight in without.model.parameters())


def test_a_run_that_goes_on_has_the_model_it_goes_on_from(tmp_path, recipe):
    folder = write_gpt(tmp_path / "a")
    found = outline(recipe, [f"init={folder}", "model.dim=64"])
    assert found.model.config.dim == 16
    assert found.assumed == ()


def test_a_run_that_puts_a_head_on_a_folder_has_the_head_and_no_scores_of_words(tmp_path):
    folder = write_gpt(tmp_path / "a")
    asked = ["objective.name=classification", "data.name=labelled", "data.max_length=16"]
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"init: {folder}\nobjective: {{name: classification}}\n"
        "data: {name: labelled, train: none.tsv, max_length: 16}\ntrain: {steps: 1}\n",
        "utf-8",
    )
    names = dict(outline(path, asked).model.named_parameters())
    assert names["classifier.weight"].shape == (2, 16)
    assert "body.output.weight" not in names


def test_settings_alone_describe_a_model():
    found = outline("model=transformer", ["model.vocab_size=100", "optim.lr=1", "model.dim=64"])
    assert (found.model.config.target_vocab_size, found.batch) == (100, Batch(1, 512))
    assert outline("model=gpt", ["model.vocab_size=9", "model.max_length=5000"]).batch.length == LONGEST


@pytest.mark.parametrize("settings", [["data.batch_size=4"], ["model.dim=8"]])
def test_a_folder_without_a_recipe_takes_no_settings_of_one(tmp_path, settings):
    with pytest.raises(UserError, match="unknown key"):
        outline(write_gpt(tmp_path / "a"), settings)
