"""The recipes of the package are found in a checkout and in a wheel, shown with their opening, and copied."""

from pathlib import Path

import pytest

from glassformer.api import recipes
from glassformer.base.errors import RunError, UserError

SMALL = "# A small one.\n#   Expect: 30 BLEU\nmodel: {name: transformer}\n# not the opening\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with three recipes, two of them with the same last part."""
    root = tmp_path / "glassformer" / "recipes"
    for name in ("translation/small", "translation/large", "other/large"):
        path = root / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(recipes.resources, "files", lambda _: root.parent)
    return root


def test_the_recipes_of_this_checkout_are_found_and_begin_with_what_they_are_for():
    found = recipes.ls()
    assert "translation/demo" in [recipe.name for recipe in found]
    for recipe in found:
        assert recipe.about, recipe.name
        assert recipe.path.read_text(encoding="utf-8") == recipes.show(recipe.name)


def test_a_wheel_has_its_recipes_inside(shelf):
    assert recipes.folder() == shelf
    assert [recipe.name for recipe in recipes.ls()] == [
        "other/large",
        "translation/large",
        "translation/small",
    ]
    assert recipes.find("small").about == ("A small one.", "Expect: 30 BLEU")
    assert recipes.find("small").as_json()["name"] == "translation/small"


def test_an_installation_without_recipes_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes.resources, "files", lambda _: tmp_path / "src" / "glassformer")
    with pytest.raises(UserError, match="not in this installation"):
        recipes.ls()


@pytest.mark.parametrize(
    "name",
    ["small", "translation/small", "translation/small.yaml", "recipes/translation/small.yaml", "./small"],
)
def test_a_recipe_may_be_named_in_any_way_people_do(shelf, name):
    assert recipes.find(name).path == shelf / "translation" / "small.yaml"


def test_an_unknown_name_gets_a_suggestion_and_an_ambiguous_one_a_choice(shelf):
    with pytest.raises(UserError, match="did you mean 'translation/small'"):
        recipes.find("translation/smal")
    with pytest.raises(UserError, match="did you mean 'small'"):
        recipes.find("smal")
    with pytest.raises(UserError, match="known are other/large, translation/large, translation/small"):
        recipes.find("zebra")
    with pytest.raises(UserError, match="say other/large or translation/large"):
        recipes.find("large")


def test_a_copy_goes_to_a_file_or_into_a_folder_and_replaces_nothing(shelf, tmp_path):
    assert recipes.copy("small", tmp_path) == tmp_path / "small.yaml"
    mine = tmp_path / "deep" / "mine.yaml"
    assert recipes.copy("small", mine) == mine
    assert mine.read_text(encoding="utf-8") == SMALL
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"mine\.yaml: is there already and is not overwritten"):
        recipes.copy("small", mine)
    assert mine.read_text(encoding="utf-8") == "mine"
    with pytest.raises(RunError, match="cannot write"):
        recipes.copy("small", mine / "below.yaml")


def test_a_file_that_is_named_with_its_ending_is_not_looked_for_elsewhere(shelf):
    with pytest.raises(UserError, match=r"no recipe of the package is called 'small\.yaml'"):
        recipes.find("small.yaml")
