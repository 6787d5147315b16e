"""Recipes are read with their overrides, and every mistake is one sentence that says where."""

import pytest
from tests.base.schemas import Data, Optim, Recipe, Weighted

from glassformer.base.config import load, written_at
from glassformer.base.errors import UserError
from glassformer.base.tree import read_file


def test_later_sources_win(read):
    recipe = read(
        "optim: {lr: 3e-4, warmup: 5}\n",
        "optim.warmup=7",
        GLASSFORMER_OPTIM__WARMUP="6",
        GLASSFORMER_OPTIM__KIND="sgd",
    )
    assert recipe.optim == Optim(lr=3e-4, warmup=7, kind="sgd")


def test_without_a_recipe_defaults_stand():
    assert load(Recipe, None, ["seed=3"], {}) == Recipe(seed=3)


def test_yaml_is_version_1_2(read):
    assert read("optim: {lr: 3e-4}").optim.lr == 3e-4
    assert read("data: {notes: no}").data.notes == "no"
    assert read("data: {notes: 2024-01-01}").data.notes == "2024-01-01"
    assert read("seed: 0o17").seed == 15
    assert read("optim: {lr: 1}").optim.lr == 1.0
    assert read("optim: {betas: [0.5, 1]}").optim.betas == (0.5, 1.0)


def test_variables_that_are_no_recipe_keys_are_left_alone(read):
    environ = {
        "GLASSFORMER_DATA": "/x",
        "GLASSFORMER_CACHE": "/y",
        "GLASSFORMER_X__Y": "1",
        "GLASSFORMER_SEED": "9",
    }
    assert read("seed: 2", **environ) == Recipe(seed=2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "seed: 1\nlerning_rate: 2",
            "recipe.yaml:2: unknown key 'lerning_rate'; known here are optim, data, seed",
        ),
        (
            "optim:\n  lr: 1\n  warmpu: 2",
            "recipe.yaml:3: optim: unknown key 'warmpu'; did you mean 'warmup'?",
        ),
        ("optim:\n  lr: fast", "recipe.yaml:2: optim.lr: expected a number, got 'fast'"),
        ("optim:\n  lr: '3'", "recipe.yaml:2: optim.lr: expected a number, got '3'"),
        ("optim:\n  lr: true", "recipe.yaml:2: optim.lr: expected a number, got true"),
        ("optim:\n  lr: .nan", "recipe.yaml:2: optim.lr: expected a finite number, got nan"),
        ("optim:\n  lr: -.inf", "recipe.yaml:2: optim.lr: expected a finite number, got -inf"),
        ("optim:\n  lr: -1", "recipe.yaml:2: optim.lr: the learning rate must be above zero"),
        ("seed: 3.0", "recipe.yaml:1: seed: expected a whole number, got 3.0"),
        ("seed:", "recipe.yaml:1: seed: expected a whole number, got nothing"),
        ("optim:\n  warmup: -1", "recipe.yaml:2: optim.warmup: must be at least 0, got -1"),
        ("optim:\n  fused: yes", "recipe.yaml:2: optim.fused: expected true or false, got 'yes'"),
        (
            "optim:\n  kind: adam",
            "recipe.yaml:2: optim.kind: expected one of 'adamw', 'sgd', got 'adam'; did you mean 'adamw'?",
        ),
        ("optim:\n  betas:\n  - 1\n  - x", "recipe.yaml:4: optim.betas.1: expected a number, got 'x'"),
        ("optim: 3", "recipe.yaml:1: optim: expected keys and values, got 3"),
        ("data:\n  train: 3", "recipe.yaml:2: data.train: expected text or a list, got 3"),
        (
            "data:\n  train:\n  - {path: x, wieght: 3}",
            "recipe.yaml:3: data.train.0: unknown key 'wieght'; did you mean 'weight'?",
        ),
        ("data:\n  train:\n  - {weight: 3}", "recipe.yaml:3: data.train.0.path: is needed but missing"),
        ("seed: x\noptim: {lr: y}", "recipe.yaml:2: optim.lr: expected a number, got 'y' (and 1 more)"),
    ],
)
def test_a_wrong_value_is_told_in_one_sentence(complaint, text, sentence):
    assert complaint(text) == sentence


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "recipe.yaml: the recipe is empty"),
        ("# only a comment\n", "recipe.yaml: the recipe is empty"),
        ("- a\n- b\n", "recipe.yaml:1: a recipe holds keys and values, but this file holds a list"),
        ("word", "recipe.yaml:1: a recipe holds keys and values, but this file holds a single value"),
        ("seed: 1\nseed: 2", "recipe.yaml:2: key 'seed' appears twice; first at recipe.yaml:1"),
        ("seed: [1", "recipe.yaml:"),
        ("optim: {kind: |\n  a\n  b}", "recipe.yaml:"),
        ("seed: 1\n---\nseed: 2", "recipe.yaml:2: not valid YAML"),
        ("a: b: c", "recipe.yaml:1: not valid YAML"),
        ("a: 1\nseed: \x01", "recipe.yaml:2: not valid YAML: a control character"),
        ("seed: " + "[" * 3000, "recipe.yaml: nested too deeply"),
        ("seed: " + "[" * 60 + "]" * 60, "recipe.yaml:1: nested too deeply"),
        ("seed: &a [*a]", "recipe.yaml:1: nested too deeply"),
        ("seed: " + "9" * 5000, "recipe.yaml:1: the number 9999"),
        ("seed: 9223372036854775808", "recipe.yaml:1: the number 9223372036854775808 is too large"),
        ("optim: {lr: 1e999}", "recipe.yaml:1: the number 1e999 is too large"),
        ("seed: !!python/object:os.system x", "recipe.yaml:1: the tag"),
        ("x: &x {a: 1}\noptim:\n  <<: *x", "recipe.yaml:3: merge keys"),
        ("? [a, b]\n: 1", "recipe.yaml:1: a key is a name"),
        ("seed: *nothing", "recipe.yaml:1: not valid YAML"),
        ("data: {notes: " + "x" * (1 << 20) + "}", "recipe.yaml: is larger than a recipe can be"),
    ],
)
def test_a_file_that_is_no_recipe_is_told_with_its_line(complaint, text, start):
    assert complaint(text).startswith(start)


def test_aliases_that_multiply_are_refused(complaint):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases multiply" in complaint("\n".join(lines))


def test_one_alias_is_fine(read):
    assert read("seed: &n 7\noptim: {warmup: *n}").optim.warmup == 7
    assert read("seed: &n 7\noptim: {warmup: &n 8}\ndata: {notes: x}").optim.warmup == 8


def test_files_that_cannot_be_read(tmp_path):
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("seed: 1\nnotes: 한\n".encode("cp949"))
    for path, sentence in [
        (tmp_path / "none.yaml", "no such recipe file"),
        (tmp_path, "is a folder"),
        (latin, "latin.yaml:2: not valid UTF-8"),
        (tmp_path / "nul\0.yaml", "cannot be read"),
    ]:
        with pytest.raises(UserError, match=sentence):
            load(Recipe, path, (), {})


def test_a_byte_order_mark_is_no_part_of_the_first_key(read):
    assert read("\ufeffseed: 4").seed == 4


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("seed", "command line: 'seed': a setting is written key=value, for example train.steps=100"),
        ("=3", "command line: '=3': '' is not a key; keys are names joined by dots, as in train.steps"),
        (
            "a..b=3",
            "command line: 'a..b=3': 'a..b' is not a key; keys are names joined by dots, as in train.steps",
        ),
        ("optim.lr=fast", "command line: 'optim.lr=fast': expected a number, got 'fast'"),
        ("optim.warmpu=1", "command line: 'optim.warmpu=1': unknown key 'warmpu'; did you mean 'warmup'?"),
        ("optim.lr.x=1", "command line: 'optim.lr.x=1': 'optim.lr' is 1, which has no keys inside it"),
        (
            "optim.betas.5=1",
            "command line: 'optim.betas.5=1': 'optim.betas' is a list of 2; "
            "name an item by a number from 0 to 1",
        ),
        ("optim={lr: x}", "command line: 'optim={lr: x}': optim.lr: expected a number, got 'x'"),
        ("seed=[1", "command line: 'seed=[1': not valid YAML: expected ',' or ']', but got '<stream end>'"),
    ],
)
def test_a_wrong_override_is_quoted(complaint, override, sentence):
    assert complaint("optim: {lr: 1, betas: [0.1, 0.2]}", override) == sentence


def test_a_wrong_variable_is_quoted(complaint):
    sentence = "environment: 'GLASSFORMER_OPTIM__LR=fast': expected a number, got 'fast'"
    assert complaint("seed: 1", GLASSFORMER_OPTIM__LR="fast") == sentence


def test_overrides_reach_into_lists_and_replace_mappings(read):
    text = "optim: {lr: 1, betas: [0.1, 0.2]}"
    assert read(text, "optim.betas.1=0.3").optim.betas == (0.1, 0.3)
    assert read(text, "optim={warmup: 2}").optim == Optim(warmup=2)
    assert read("optim:", "optim.warmup=2").optim == Optim(warmup=2)
    assert read(text, "data.notes=a=b").data.notes == "a=b"


def test_paths_start_from_where_they_are_written(read, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert read("data: {train: sub/x.tsv}").data.train == str(tmp_path / "sub/x.tsv")
    assert read("data: {train: ../x.tsv}").data.train == str(tmp_path.parent / "x.tsv")
    assert read("seed: 1", "data.train=x.tsv").data.train == str(here / "x.tsv")
    assert read("data: {train: a.ko+a.en}").data.train == f"{tmp_path}/a.ko+{tmp_path}/a.en"
    assert read("data: {train: b/a.ko+a.en}").data.train == f"{tmp_path}/b/a.ko+{tmp_path}/b/a.en"
    assert read("data: {train: b/a.ko+c/a.en}").data.train == f"{tmp_path}/b/a.ko+{tmp_path}/c/a.en"
    assert read("data: {train: [x.tsv, {path: y.tsv, weight: 2}]}").data.train == [
        str(tmp_path / "x.tsv"),
        Weighted(path=str(tmp_path / "y.tsv"), weight=2),
    ]
    assert read("data: {train: " + "x" * 400 + "+y}").data.train.endswith("/y")
    assert read("data: {train: '-'}").data.train == "-"
    monkeypatch.setenv("HOME", "/h")
    assert read("data: {train: ~/x.tsv}").data.train == "/h/x.tsv"
    assert read("data: {train: ~x.tsv}").data.train == str(tmp_path / "~x.tsv")
    assert Data(train="x.tsv").train == "x.tsv"


def test_the_data_folder_comes_from_the_environment(read, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for spelling in ("$GLASSFORMER_DATA/a/x.tsv", "${GLASSFORMER_DATA}/a/x.tsv"):
        assert read(f"data: {{train: '{spelling}'}}", GLASSFORMER_DATA="/data").data.train == "/data/a/x.tsv"
    text = "data:\n  train: $GLASSFORMER_DATA/x.tsv"
    assert complaint(text).startswith(
        "recipe.yaml:2: data.train: the environment variable GLASSFORMER_DATA is not set"
    )
    below = tmp_path / "project" / "deeper"
    below.mkdir(parents=True)
    (tmp_path / "shared" / "data").mkdir(parents=True)
    monkeypatch.chdir(below)
    assert read(text).data.train == str(tmp_path / "shared/data/x.tsv")


def test_where_a_setting_was_written_is_known_afterwards(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("seed: 1\noptim:\n  lr: 1\n", encoding="utf-8")
    assert written_at(Recipe, path, ("optim", "lr"), (), {}) == f"{path}:3"
    assert written_at(Recipe, path, ("optim", "warmup"), (), {}) == f"{path}:2"
    assert written_at(Recipe, path, ("data",), (), {}) == str(path)
    assert written_at(Recipe, path, ("optim", "lr"), ["optim.lr=2"], {}) == "command line: 'optim.lr=2'"


def test_settings_are_laid_over_a_recipe_with_their_own_places(tmp_path):
    base, other = tmp_path / "base.yaml", tmp_path / "over" / "ways.yaml"
    other.parent.mkdir()
    base.write_text("seed: 1\noptim: {lr: 1, warmup: 3}\n", encoding="utf-8")
    other.write_text(
        "ways:\n  one: {optim: {lr: 2}, data: {train: x.tsv}}\n  two:\n  bad: {optim: {lrr: 2}}\n", "utf-8"
    )
    ways = read_file(other)
    one = load(Recipe, base, ["seed=7"], {}, over=ways.below(("ways", "one")))
    assert (one.optim.lr, one.optim.warmup, one.seed) == (2, 3, 7)
    assert one.data.train == str(other.parent / "x.tsv")
    assert load(Recipe, base, [], {}, over=ways.below(("ways", "two"))) == load(Recipe, base, [], {})
    with pytest.raises(UserError, match=r"ways\.yaml:4: optim: unknown key 'lrr'; did you mean 'lr'"):
        load(Recipe, base, [], {}, over=ways.below(("ways", "bad")))
