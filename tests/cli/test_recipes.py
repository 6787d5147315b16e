"""``glassformer recipes``: listed with their opening, shown, and copied without overwriting."""

import glassformer as gf


def test_the_list_has_each_recipe_and_what_it_is_for(ask):
    lines = ask("recipes", "ls").out.splitlines()
    names = [recipe["name"] for recipe in ask("recipes", "ls", "--json").result["recipes"]]
    assert "translation/demo" in names
    assert [line for line in lines if not line.startswith(" ")] == names
    assert lines[1].startswith("    ")


def test_what_is_shown_is_the_file(ask):
    assert ask("recipes", "show", "demo").out == gf.recipes.find("demo").path.read_text(encoding="utf-8")


def test_a_copy_is_written_once(ask, tmp_path):
    assert ask("recipes", "copy", "demo", tmp_path / "my.yaml").out == f"{tmp_path / 'my.yaml'}\n"
    again = ask("recipes", "copy", "demo", tmp_path / "my.yaml")
    assert again.code == 2 and "not overwritten" in again.err


def test_an_unknown_recipe_is_a_mistake(ask):
    ended = ask("recipes", "show", "translation/dmo")
    assert ended.code == 2 and "did you mean 'translation/demo'" in ended.err
