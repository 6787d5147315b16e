"""From a recipe to a scored folder: what is given back, what is written, and what is refused first."""

import json
from pathlib import Path

import pytest
import torch
from tiny_folder import PAIRS

import glassformer as gf
from glassformer.base.errors import UserError
from glassformer.hub.folder import check

RECIPE = """\
model: {dim: 8, depth: 1, heads: 2, mlp_dim: 16, max_length: 32}
tokenizer: {name: word, vocab_size: 60, min_frequency: 1}
data: {train: train.tsv, source: ko, target: en, max_length: 32, workers: 0}
train: {steps: 3, evaluate_every: 2, save_every: 0, precision: float32}
evaluation: {sentences: 2, decoding: {num_beams: 3, length_penalty: 1.0}}
"""
FIGURES = {
    "steps", "seconds", "tokens_per_second", "train_loss", "valid_loss", "bleu", "chrf", "parameters",
    "trained_parameters", "reason", "best_step", "output", "next",
}  # fmt: skip


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    for name, pairs in (("train", PAIRS), ("valid", PAIRS[:3]), ("test", PAIRS[1:])):
        lines = ["ko\ten", *(f"{one}\t{other}" for one, other in pairs)]
        (tmp_path / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(RECIPE, "utf-8")
    return path


def _split(recipe: Path, *names: str) -> list[str]:
    return [f"data.{name}={recipe.parent / name}.tsv" for name in names]


def test_the_test_set_is_scored_with_the_best_model_and_told_in_the_card(recipe, tmp_path):
    found = gf.train(recipe, _split(recipe, "valid", "test"), output=tmp_path / "run")
    assert found.keys() == FIGURES | {"signature", "sentences", "measured_on"}
    assert (found["measured_on"], found["sentences"], found["steps"]) == ("test", 3, 3)
    again = gf.evaluate(tmp_path / "run", [str(tmp_path / "test.tsv")])
    assert (found["bleu"], found["chrf"]) == (again.bleu.value, again.chrf.value)
    card = (tmp_path / "run" / "README.md").read_text("utf-8")
    for part in (
        "test.tsv",
        "train.tsv",
        found["signature"].rpartition("|")[2],
        f"{found['bleu']:.1f}",
        "ko",
        "en",
    ):
        assert part in card
    check(tmp_path / "run" / "best", thorough=True)
    json.dumps(found)


def test_without_a_test_set_the_validation_set_is_scored(recipe, tmp_path):
    found = gf.train(recipe, _split(recipe, "valid"), output=tmp_path / "run")
    assert (found["measured_on"], found["sentences"]) == ("valid", 3)
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    ]
    valid = [line for line in lines if line["kind"] == "valid"]
    assert [line["step"] for line in valid] == [0, 2, 3]
    assert all({"loss", "nll", "bleu", "chrf"} <= line.keys() for line in valid)


def test_without_either_the_last_model_is_kept_unmeasured(recipe, tmp_path):
    found = gf.train(recipe, output=tmp_path / "run")
    assert found.keys() == FIGURES
    assert (found["bleu"], found["valid_loss"], found["best_step"]) == (None, None, None)
    assert gf.load(tmp_path / "run").translate(PAIRS[0][0])[0] is not None


def test_the_folder_decodes_as_the_recipe_says(recipe, tmp_path):
    gf.train(recipe, output=tmp_path / "run")
    decoding = gf.load(tmp_path / "run").decoding
    assert (decoding.num_beams, decoding.length_penalty, decoding.length_penalty_form) == (3, 1.0, "gnmt")


def test_a_dry_run_writes_nothing_and_shows_every_value(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    found = gf.train(recipe, ["model.dim=512", "tokenizer.vocab_size=1000"], dry_run=True)
    assert sorted(tmp_path.rglob("*")) == before
    assert found["parameters"] > 1000 * 512
    assert "warmup" in found["recipe"]
    (tmp_path / "again.yaml").write_text(found["recipe"], "utf-8")
    assert gf.train(tmp_path / "again.yaml", dry_run=True)["recipe"] == found["recipe"]


def test_the_folder_is_named_after_the_recipe_when_none_is_asked_for(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = gf.train(recipe)
    assert Path(found["output"]) == Path("runs") / "mine"
    assert (tmp_path / "runs" / "mine" / "model.safetensors").exists()


def test_a_folder_in_use_is_refused_before_the_data_is_read(recipe, tmp_path):
    (tmp_path / "run" / "last" / "train_state").mkdir(parents=True)
    with pytest.raises(UserError, match="already holds a run"):
        gf.train(recipe, ["data.train=nowhere.tsv"], output=tmp_path / "run")


def test_best_may_be_chosen_by_bleu_and_must_be_measured(recipe, tmp_path):
    found = gf.train(recipe, [*_split(recipe, "valid"), "train.best=chrf"], output=tmp_path / "run")
    assert found["best_step"] in (0, 2, 3)
    with pytest.raises(UserError, match="gives only loss, nll"):
        settings = [*_split(recipe, "valid"), "train.best=bleu", "evaluation.sentences=0"]
        gf.train(recipe, settings, output=tmp_path / "other")


def test_the_seed_alone_decides(recipe, tmp_path):
    gf.train(recipe, ["train.seed=4"], output=tmp_path / "one")
    torch.manual_seed(99)
    gf.train(recipe, ["train.seed=4"], output=tmp_path / "other")
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "other"))
    assert one == other


def test_a_run_that_goes_on_with_other_settings_says_which(recipe, tmp_path, capsys):
    gf.train(recipe, _split(recipe, "valid"), output=tmp_path / "run")
    capsys.readouterr()
    gf.train(recipe, _split(recipe, "valid"), output=tmp_path / "run", resume=True)
    assert "other settings" not in capsys.readouterr().err
    gf.train(recipe, [*_split(recipe, "valid"), "train.steps=4"], output=tmp_path / "run", resume=True)
    told = [line for line in capsys.readouterr().err.splitlines() if "other settings" in line]
    assert told == ["warning: the run goes on with other settings than it began with: steps: 4"]


def test_both_folders_of_the_best_model_tell_its_scores(recipe, tmp_path):
    gf.train(recipe, _split(recipe, "valid"), output=tmp_path / "run")
    cards = [(tmp_path / "run" / place / "README.md").read_text("utf-8") for place in (".", "best")]
    assert cards[0] == cards[1]
    assert "Not measured" not in cards[0]


def test_what_a_recipe_draws_its_folder_draws(recipe: Path, tmp_path: Path) -> None:
    drawn = ["evaluation.decoding={num_beams: 1, do_sample: true, top_p: 0.9, max_new_tokens: 7}"]
    gf.train(recipe, drawn, output=tmp_path / "run")
    decoding = gf.load(tmp_path / "run").decoding
    assert (decoding.num_beams, decoding.do_sample, decoding.top_p, decoding.max_new_tokens) == (
        1,
        True,
        0.9,
        7,
    )
