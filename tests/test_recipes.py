"""Every shipped recipe can be read, makes a model, and opens with what a reader wants to know first."""

import re
from itertools import takewhile
from pathlib import Path

import pytest

from glassformer.api.comparing import Comparison, recipes_of
from glassformer.api.preparing import new_model
from glassformer.api.recipe import read_recipe
from glassformer.api.recipes import folder
from glassformer.api.task import Task
from glassformer.base.config import dump, load
from glassformer.train.schedule import check

FILES = sorted(folder().rglob("*.yaml"))
TASKS = [path for path in FILES if path.parent.name == "tasks"]
COMPARISONS = [path for path in FILES if path.stem.startswith("compare")]
RECIPES = [path for path in FILES if path not in (*TASKS, *COMPARISONS)]
NAMES = [path.relative_to(folder()).as_posix() for path in RECIPES]
ALL_NAMES = [path.relative_to(folder()).as_posix() for path in FILES]
HEADER = ("source", "expect", "machine", "minutes")


def test_there_are_recipes_for_the_first_steps():
    assert {"translation/demo.yaml", "translation/small.yaml"} <= set(NAMES)
    assert [path for path in folder().rglob("*") if path.is_file() and path not in FILES] == []


@pytest.mark.parametrize("path", RECIPES, ids=NAMES)
def test_a_recipe_is_read_and_makes_a_model(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))  # where the data is absent, its place is enough
    recipe = read_recipe(path)
    check(recipe.schedule, recipe.train.steps)
    if hasattr(recipe.model, "max_length"):
        assert getattr(recipe.data, "max_length", 0) <= recipe.model.max_length
    model = new_model(recipe, recipe.tokenizer.vocab_size)
    assert all(weight.is_meta for weight in model.parameters())
    assert recipe.train.steps or recipe.train.epochs or recipe.train.time_limit


@pytest.mark.parametrize("path", TASKS, ids=[path.stem for path in TASKS])
def test_a_task_is_read(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))
    task = load(Task, path)
    assert task.prompting.template.fields
    assert task.data.label not in task.prompting.template.fields


@pytest.mark.parametrize("path", COMPARISONS, ids=[path.stem for path in COMPARISONS])
def test_a_comparison_is_read_with_all_its_ways(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))
    asked = load(Comparison, path)
    ways = recipes_of(asked, path, ["init=somewhere"])
    assert len({dump(recipe) for recipe in ways.values()}) == len(ways)
    assert asked.in_context is None or Path(asked.in_context.task).is_file()


@pytest.mark.parametrize("path", FILES, ids=ALL_NAMES)
def test_a_recipe_opens_with_source_score_machine_and_minutes(path: Path):
    lines = path.read_text("utf-8").splitlines()
    header = "\n".join(takewhile(lambda line: line.startswith("#"), lines)).lower()
    assert [word for word in HEADER if not re.search(rf"\b{word}", header)] == []


@pytest.mark.parametrize("path", FILES, ids=ALL_NAMES)
def test_a_recipe_names_no_place_of_one_machine(path: Path):
    told = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert re.findall(r"[ :{\[]/\w+/", "\n".join(told)) == []
