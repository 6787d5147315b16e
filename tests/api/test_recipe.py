"""A recipe is found wherever people look for it, and holds together before anything is read."""

from pathlib import Path

import pytest

from glassformer.api import recipes
from glassformer.api.recipe import Recipe, read_recipe
from glassformer.base.config import dump
from glassformer.base.errors import UserError

LEAST = "data: {train: a.tsv}\ntrain: {steps: 5}\n"


def _write(folder: Path, text: str = LEAST) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_least_that_can_be_asked_is_a_transformer_that_translates(tmp_path):
    recipe = read_recipe(_write(tmp_path))
    assert (recipe.model.name, recipe.objective.name, recipe.tokenizer.name) == (
        "transformer",
        "translation",
        "bpe",
    )
    assert recipe.data.sources("train")[0].path == str(tmp_path / "a.tsv")
    assert (recipe.data.valid, recipe.init) == (None, None)


def test_what_is_asked_on_the_command_line_wins_and_is_seen_from_there(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    recipe = read_recipe(
        _write(tmp_path), ["train.steps=9", "data.train=b.tsv", "init=old", "model.preset=tiny"]
    )
    assert recipe.train.steps == 9
    assert recipe.data.sources("train")[0].path == str(tmp_path / "elsewhere" / "b.tsv")
    assert recipe.init == str(tmp_path / "elsewhere" / "old")
    assert recipe.model.dim == 128


def test_a_resolved_recipe_is_read_back_as_it_was(tmp_path):
    first = read_recipe(
        _write(tmp_path), ["model={preset: small, dropout: 0.3}", "data.valid=[a.tsv, b.ko+b.en]"]
    )
    (tmp_path / "deep").mkdir()
    assert read_recipe(_write(tmp_path / "deep", dump(first))) == first


@pytest.mark.parametrize(
    "name",
    [
        "translation/demo",
        "translation/demo.yaml",
        "recipes/translation/demo.yaml",
        "recipes/translation/demo",
    ],
)
def test_a_recipe_of_the_package_is_known_by_its_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = read_recipe(name)
    assert recipe.data.sources("train")[0].path == str(recipes.folder() / "translation" / "train.tsv")


def test_a_file_of_ones_own_comes_before_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "translation").mkdir()
    (tmp_path / "translation" / "demo.yaml").write_text(LEAST, "utf-8")
    assert read_recipe("translation/demo.yaml").train.steps == 5


@pytest.mark.parametrize(("text", "says"), [("train: {steps: 5}\n", "data"), ("data: {train: a}\n", "train")])
def test_data_and_an_end_must_be_given(text, says, tmp_path):
    with pytest.raises(UserError, match=says):
        read_recipe(_write(tmp_path, text))


def test_a_recipe_never_changes(tmp_path):
    recipe = read_recipe(_write(tmp_path))
    with pytest.raises(ValueError, match="frozen"):
        recipe.init = "x"
    assert isinstance(recipe, Recipe)
