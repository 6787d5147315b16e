"""Plug-ins are chosen by name in a recipe, and settings are written as they are read."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.base.schemas import Data, Garden, Optim, Recipe, Weighted

from glassformer.base.config import dump, load, schema_json


def test_a_choice_is_named_in_short_or_in_full(read, garden):
    rose, tulip = (
        read(text, schema=Garden).flower for text in ("flower: {name: rose, petals: 5}", "flower: tulip")
    )
    assert (type(rose).__module__, rose.petals) == ("garden.flowers.rose", 5)
    assert (type(tulip).__module__, tulip.height) == ("garden.flowers.tulip", 0.3)


def test_a_preset_lies_under_the_keys_given(read, garden):
    recipe = read("flower: {name: rose, preset: small, soil: {depth: 2}}", schema=Garden)
    assert recipe.flower.model_dump() == {"name": "rose", "petals": 3, "soil": {"depth": 2, "kind": "sand"}}
    assert "preset" not in dump(recipe)


def test_an_override_reaches_into_a_choice(read, garden):
    assert read("flower: tulip", "flower.height=2", schema=Garden).flower.height == 2
    assert read("flower: tulip", "second.height=2", schema=Garden).second.height == 2
    assert read("flower: {name: rose, petals: 1}", "flower=tulip", schema=Garden).flower.height == 0.3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("flower:\n  name: tulp", "recipe.yaml:2: flower.name: unknown flower 'tulp'; did you mean 'tulip'?"),
        ("flower: tulp", "recipe.yaml:1: flower: unknown flower 'tulp'; did you mean 'tulip'?"),
        (
            "flower:\n  petals: 3",
            "recipe.yaml:1: flower: expected the name of one of flowers: orchid, rose, tulip",
        ),
        ("flower: [rose]", "recipe.yaml:1: flower: expected a name or keys and values with a 'name'"),
        (
            "flower:\n  name: rose\n  petals: many",
            "recipe.yaml:3: flower.petals: expected a whole number, got 'many'",
        ),
        (
            "flower:\n  name: rose\n  petal: 3",
            "recipe.yaml:3: flower: unknown key 'petal'; did you mean 'petals'? (and 1 more)",
        ),
        (
            "flower:\n  name: rose\n  preset: smal",
            "recipe.yaml:3: flower.preset: unknown preset 'smal'; did you mean 'small'?",
        ),
        (
            "flower:\n  name: tulip\n  preset: small",
            "recipe.yaml:3: flower: unknown key 'preset'; known here are name, height",
        ),
        (
            "flower:\n  name: rose\n  preset: [1]",
            "recipe.yaml:3: flower.preset: unknown preset '[1]'; known are small",
        ),
        (
            "flower: orchid",
            "recipe.yaml:1: flower: 'orchid' needs the package 'glasshouse_x', which is not installed",
        ),
        ("second: tulip", "recipe.yaml: flower: is needed but missing"),
        (
            "flower: tulip\nsecond: {hight: 1}",
            "recipe.yaml:2: second: unknown key 'hight'; did you mean 'height'?",
        ),
    ],
)
def test_a_wrong_choice_is_told_where_it_stands(complaint, garden, text, sentence):
    assert complaint(text, schema=Garden) == sentence


def test_choices_made_in_python_belong_to_their_room(read, garden):
    flower = read("flower: tulip", schema=Garden).flower
    assert Garden(flower=flower).flower is flower
    with pytest.raises(ValidationError, match="expected settings of one of flowers, got Optim"):
        Garden(flower=Optim())


def test_choices_are_written_completely_and_read_back(read, garden, tmp_path):
    recipe = read("flower: {name: rose, petals: 5}\nsecond: tulip", schema=Garden)
    (tmp_path / "again.yaml").write_text(dump(recipe))
    again = load(Garden, tmp_path / "again.yaml", (), {})
    assert again == recipe
    assert type(again.flower) is type(recipe.flower)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    notes=st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
    lr=st.floats(min_value=1e-300, max_value=1e300),
    seed=st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1),
    train=st.lists(
        st.text(st.characters(exclude_categories=("Cs",)), max_size=8).map(lambda text: "/" + text)
    ),
)
def test_what_is_written_reads_back_equal(tmp_path, notes, lr, seed, train):
    recipe = Recipe(optim=Optim(lr=lr), seed=seed, data=Data(notes=notes, train=train))
    path = tmp_path / "recipe.yaml"
    path.write_bytes(dump(recipe).encode())
    again = load(Recipe, path, (), {})
    assert (again.optim, again.seed, again.data.notes) == (recipe.optim, recipe.seed, notes)
    assert len(again.data.train) == len(train)


@pytest.mark.parametrize(
    "notes",
    [
        "3",
        "3e-4",
        "null",
        "~",
        "",
        "yes",
        "true",
        "a: b",
        "# no",
        "- x",
        "'",
        '"',
        " x ",
        "1_000",
        "0x1F",
        "\n",
        "a\nb\n",
        "\t",
        "2024-01-01",
        "<<",
        "=",
        "한국어 😀",
        "x" * 300,
        "word " * 60,
        "!tag",
        "&a",
        "*a",
        "%x",
        "@x",
        "\x85",
        "\ufeff",
        "\u2028",
        "\x00",
        ".inf",
        "---",
        "...",
    ],
)
def test_odd_text_reads_back_equal(tmp_path, notes):
    recipe = Recipe(data=Data(notes=notes))
    path = tmp_path / "recipe.yaml"
    path.write_bytes(dump(recipe).encode())
    assert load(Recipe, path, (), {}) == recipe


def test_what_is_written_is_pleasant_to_read():
    recipe = Recipe(data=Data(train=["a b", Weighted(path="c", weight=2)], notes="yes"))
    assert dump(recipe).splitlines() == [
        "optim:",
        "  lr: 0.001",
        "  betas: [0.9, 0.98]",
        "  kind: adamw",
        "  warmup: 10",
        "  fused: false",
        "data:",
        "  train:",
        "  - a b",
        "  - path: c",
        "    weight: 2.0",
        "  notes: yes",
        "seed: 1",
    ]


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().seed = 3


def test_strictness_holds_in_python_too():
    for bad in (
        {"seed": "3"},
        {"seed": 3.0},
        {"seed": True},
        {"optim": {"fused": 1}},
        {"optim": {"lr": "1"}},
    ):
        with pytest.raises(ValidationError):
            Recipe.model_validate(bad)


def test_the_schema_for_editors_covers_every_choice(garden):
    (Path(__import__("garden.flowers", fromlist=["x"]).__file__).parent / "orchid.py").unlink()
    schema = json.loads(schema_json(Garden))
    options = schema["properties"]["flower"]["oneOf"]
    assert options[0] == {"enum": ["rose", "tulip"]}
    assert options[1]["properties"]["name"] == {"const": "rose"}
    assert options[1]["properties"]["preset"] == {"enum": ["small"]}
    assert options[2]["required"] == ["name"]
    assert options[2]["additionalProperties"] is False
