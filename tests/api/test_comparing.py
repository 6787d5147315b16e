"""Ways of adapting are run side by side, each once, and told in one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.api.heads import write_recipe
from tests.api.tiny_family import write_gpt

import glassformer as gf
from glassformer.api import comparing
from glassformer.api.comparing import Compared, Row, compare
from glassformer.base.errors import UserError

COMPARISON = """recipe: recipe.yaml
ways:
  full:
  probe: {adapt: probe, optim: {lr: 0.1}}
"""
IN_CONTEXT = "in_context: {task: task.yaml, k: [0, 2], orders: 2, model: gpt}\n"
TASK = """data: {train: reviews.tsv, test: reviews.tsv}
template: "{text} {label}"
labels: {good: yes, bad: no}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that begins with a trained body, a comparison, and what came of it."""
    folder = tmp_path_factory.mktemp("compare")
    recipe = write_recipe(folder)
    gf.train(recipe, ["train.steps=2"], output=folder / "first")
    recipe.write_text(recipe.read_text("utf-8") + "init: first\n", "utf-8")
    write_gpt(folder / "gpt", max_length=96)
    (folder / "task.yaml").write_text(TASK, "utf-8")
    (folder / "compare.yaml").write_text(COMPARISON + IN_CONTEXT, "utf-8")
    compare(folder / "compare.yaml", output=folder / "ways")
    return folder


def test_every_way_is_run_and_told(place: Path):
    told = json.loads((place / "ways" / "compare.json").read_text("utf-8"))
    full, probe, *shown = told["ways"]
    assert [row["way"] for row in told["ways"]] == ["full", "probe", "in context, k=0", "in context, k=2"]
    assert (full["score"], full["trained"]) == (1.0, full["parameters"])
    assert 0 < probe["trained"] < full["trained"] == probe["parameters"]
    assert all(row["trained"] == 0 and row["low"] <= row["score"] <= row["high"] for row in shown)
    again = gf.evaluate(place / "ways" / "probe", str(place / "reviews.tsv")).as_json()
    assert (probe["score"], [probe["low"], probe["high"]]) == (
        again["accuracy"],
        again["intervals"]["accuracy"],
    )
    recipe = (place / "ways" / "probe.yaml").read_text("utf-8")
    assert "lr: 0.1" in recipe
    assert f"init: {place / 'first'}" in recipe


def test_what_is_finished_is_not_run_again(place: Path, monkeypatch: pytest.MonkeyPatch):
    def never(*given: Any, **named: Any) -> Any:
        raise AssertionError("it was run again")

    before = (place / "ways" / "compare.md").read_text("utf-8")
    for name in ("train", "evaluate", "shots"):
        monkeypatch.setattr(comparing, name, never)
    found = compare(place / "compare.yaml", output=place / "ways")
    assert found.markdown() == before
    with pytest.raises(UserError, match=r"full\.json: full was run with other settings"):
        compare(place / "compare.yaml", ["optim.lr=0.5"], output=place / "ways")


def test_a_damaged_note_of_what_is_finished_is_told(place: Path):
    (place / "damaged").mkdir()
    (place / "damaged" / "full.json").write_text("{", "utf-8")
    with pytest.raises(UserError, match=r"full\.json: cannot be read as JSON"):
        compare(place / "compare.yaml", output=place / "damaged")


def test_what_was_stopped_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[bool] = []
    train = gf.train

    def stopping(*given: Any, resume: bool, **named: Any) -> Any:
        asked.append(resume)
        if len(asked) == 1:
            train(*given, **named)
            raise KeyboardInterrupt
        return train(*given, resume=resume, **named)

    monkeypatch.setattr(comparing, "train", stopping)
    (place / "one.yaml").write_text("recipe: recipe.yaml\nways: {full: {}}\n", "utf-8")
    with pytest.raises(KeyboardInterrupt):
        compare(place / "one.yaml", output=place / "stopped")
    with pytest.raises(UserError, match=r"full\.yaml: full was begun with other settings"):
        compare(place / "one.yaml", ["optim.lr=0.5"], output=place / "stopped")
    assert compare(place / "one.yaml", output=place / "stopped").rows[0].score == 1.0
    assert asked == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "recipe: recipe.yaml\nways: {full: {optim: {lrr: 1}}}\n",
            r"bad\.yaml:2: optim: unknown key 'lrr'; did you",
        ),
        ("recipe: recipe.yaml\nways: {a/b: {}}\n", "'a/b' is to be the name of a folder"),
        ("recipe: recipe.yaml\nways: {in_context: {}}\n", "'in_context' is what is told by the key"),
        ("recipe: recipe.yaml\nways: {}\n", "ways"),
        ("recipe: none.yaml\nways: {full: }\n", "no such recipe file"),
        (
            COMPARISON + IN_CONTEXT + "score: matthews\n",
            "in context there is accuracy and macro_f1, and no matthews",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_run(place: Path, text: str, said: str, monkeypatch: Any):
    monkeypatch.setattr(comparing, "train", None)
    (place / "bad.yaml").write_text(text, "utf-8")
    with pytest.raises(UserError, match=said):
        compare(place / "bad.yaml", output=place / "nowhere")
    assert not (place / "nowhere").exists()


def test_a_model_to_ask_is_needed(place: Path):
    text = (place / "recipe.yaml").read_text("utf-8").replace("init: first\n", "")
    (place / "new.yaml").write_text(text, "utf-8")
    said = "recipe: new.yaml\nways: {full: }\n" + IN_CONTEXT.replace(", model: gpt", "")
    (place / "bad.yaml").write_text(said, "utf-8")
    with pytest.raises(UserError, match="in_context names no model, and the recipe has no init"):
        compare(place / "bad.yaml", output=place / "nowhere")


def test_a_score_that_a_way_has_not_is_said(place: Path):
    (place / "bad.yaml").write_text("recipe: recipe.yaml\nways: {full: }\nscore: acuracy\n", "utf-8")
    with pytest.raises(UserError, match=r"full has no figure 'acuracy'; it has .*did you mean 'accuracy'"):
        compare(place / "bad.yaml", output=place / "other")


def test_a_table_has_shares_and_intervals_where_there_are_some():
    rows = (
        Row("lora", 1234, 100_000, 1.25, 0.876, 0.8, 0.9),
        Row("in context, k=0", 0, None, 0, 0.5, None, None),
    )
    found = Compared("accuracy", rows, Path("runs/x"))
    assert found.markdown() == (
        "| way | trained | % of all | minutes | accuracy | 95 % |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| lora | 1,234 | 1.23 | 1.2 | 0.8760 | 0.8000 to 0.9000 |\n"
        "| in context, k=0 | 0 |  | 0.0 | 0.5000 |  |\n"
    )
    assert "1,234" in next(found.lines())
