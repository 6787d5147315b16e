"""Every shipped recipe can be read, makes a model, and opens with what a reader wants to know first."""

import re
from itertools import takewhile
from pathlib import Path

import pytest

from glassformer.api.preparing import new_model
from glassformer.api.recipe import read_recipe
from glassformer.api.recipes import folder
from glassformer.train.schedule import check

RECIPES = sorted(folder().rglob("*.yaml"))
NAMES = [path.relative_to(folder()).as_posix() for path in RECIPES]
HEADER = ("source", "expect", "machine", "minutes")


def test_there_are_recipes_for_the_first_steps():
    assert {"translation/demo.yaml", "translation/small.yaml"} <= set(NAMES)
    assert [path for path in folder().rglob("*") if path.is_file() and path not in RECIPES] == []


@pytest.mark.parametrize("path", RECIPES, ids=NAMES)
def test_a_recipe_is_read_and_makes_a_model(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))  # where the data is absent, its place is enough
    recipe = read_recipe(path)
    check(recipe.schedule, recipe.train.steps)
    if hasattr(recipe.model, "max_length"):
        assert recipe.data.max_length <= recipe.model.max_length
    model = new_model(recipe, recipe.tokenizer.vocab_size)
    assert all(weight.is_meta for weight in model.parameters())
    assert recipe.train.steps or recipe.train.epochs or recipe.train.time_limit


@pytest.mark.parametrize("path", RECIPES, ids=NAMES)
def test_a_recipe_opens_with_source_score_machine_and_minutes(path: Path):
    lines = path.read_text("utf-8").splitlines()
    header = "\n".join(takewhile(lambda line: line.startswith("#"), lines)).lower()
    assert [word for word in HEADER if not re.search(rf"\b{word}", header)] == []


@pytest.mark.parametrize("path", RECIPES, ids=NAMES)
def test_a_recipe_names_no_place_of_one_machine(path: Path):
    assert re.findall(r"[ :{\[]/\w+/", path.read_text("utf-8").split("model:", 1)[1]) == []
