"""The ladder: its rungs differ in the model alone, and its command measures each once, in a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from bench import ladder
from tests.contracts.small_runs import write_pairs

from glassformer.api.preparing import new_model
from glassformer.api.recipe import read_recipe
from glassformer.base.errors import RunError, Stopped
from glassformer.data.sources import SPLITS

ROW = {"parameters": 2_600_000, "seconds": 61.0, "tokens_per_second": 5000.0, "best_step": 7, "chrf": 41.0}
ROW |= {"signature": "nrefs:1", "machine": "a machine"}


def test_rungs_are_equally_large_and_differ_in_nothing_but_the_model() -> None:
    recipes = [read_recipe(f"translation/ladder/{name}") for name in ladder.RUNGS]
    assert set(ladder.RUNGS) <= set(ladder.known())
    rest = [recipe.model_copy(update={"model": None}) for recipe in recipes]
    assert rest[0] == rest[1] == rest[2]
    assert rest[0].train.time_limit is not None
    sizes = [sum(weight.numel() for weight in new_model(recipe, 3000).parameters()) for recipe in recipes]
    assert max(sizes) < 1.05 * min(sizes), sizes


def _measured(name: str, bleu: float) -> dict[str, Any]:
    lengths = [
        {"name": "0-3", "sentences": 2, "bleu": bleu + 1},
        {"name": "4+", "sentences": 1, "bleu": bleu - 1},
    ]
    return ROW | {"bleu": bleu, "lengths": lengths}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was trained, in order; nothing really is."""
    done: list[str] = []

    def measured(recipe: Path, settings: Any, row: Any, folder: Path, data: str) -> dict[str, Any]:
        done.append(f"{recipe.stem} {row['steps']} {folder.name.rsplit('-', 1)[0]}")
        return _measured(recipe.stem, 10.0 * len(done))

    monkeypatch.setattr(ladder, "fitting", lambda recipe, settings, minutes: int(100 * minutes))
    monkeypatch.setattr(ladder, "measured", measured)
    return done


def _climb(place: Path, *arguments: str) -> int:
    return ladder.main([*arguments, "--output", str(place), "--runs", str(place / "runs")])


def test_each_model_is_measured_once_and_stands_in_the_tables(told: list[str], tmp_path: Path) -> None:
    assert _climb(tmp_path, "--minutes", "2", "--models", "context", "attention") == 0
    assert told == ["context 200 generated-context", "attention 200 generated-attention"]
    assert _climb(tmp_path, "--minutes", "2") == 0
    assert told[2:] == ["transformer 200 generated-transformer"]
    text = (tmp_path / "ladder.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[2] == "| context | 2,600,000 | 200 | 1.0 | 5,000 | 10.0 | 41.0 |"
    assert lines[6:] == [
        "| --- | ---: | ---: |",
        "| sentences | 2 | 1 |",
        "| context | 11.0 | 9.0 |",
        "| attention | 21.0 | 19.0 |",
        "| transformer | 31.0 | 29.0 |",
    ]
    assert "2 minutes of training each on a machine" in text


def test_other_minutes_settings_or_the_word_again_measure_anew(told: list[str], tmp_path: Path) -> None:
    for more in (["--minutes", "1"], ["--minutes", "2"], ["--minutes", "2", "--set", "optim.lr=0.1"]):
        assert _climb(tmp_path, "--models", "context", *more) == 0
    assert _climb(tmp_path, "--models", "context", *more, "--again") == 0
    assert _climb(tmp_path, "--models", "context", *more) == 0
    assert [one.split()[1] for one in told] == ["100", "200", "200", "200"]


def test_a_model_that_is_stopped_goes_on_with_its_steps_in_its_folder(
    told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []

    def stopped(recipe: Path, settings: Any, row: Any, folder: Path, data: str) -> dict[str, Any]:
        folders.append((row["steps"], folder))
        if len(folders) == 1:
            raise Stopped("stopped at step 3", 2)
        return _measured(recipe.stem, 10.0)

    monkeypatch.setattr(ladder, "measured", stopped)
    assert _climb(tmp_path, "--minutes", "1", "--models", "context") == 130
    monkeypatch.setattr(ladder, "fitting", lambda *asked: pytest.fail("the steps are known"))
    assert _climb(tmp_path, "--minutes", "1", "--models", "context") == 0
    assert folders[0] == folders[1]


def test_a_model_that_fails_costs_no_other(
    told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = ladder.measured

    def failing(recipe: Path, *others: Any) -> dict[str, Any]:
        if recipe.stem == "context":
            raise RunError("the loss is not a number")
        return whole(recipe, *others)

    monkeypatch.setattr(ladder, "measured", failing)
    assert _climb(tmp_path, "--minutes", "1") == 1
    assert "context: the loss is not a number" in capsys.readouterr().err
    assert set(json.loads((tmp_path / "ladder.json").read_text("utf-8"))["generated"]) == set(ladder.RUNGS)
    assert "| context |" not in (tmp_path / "ladder.md").read_text("utf-8")


def test_what_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _climb(tmp_path, "--models", "stairs")
    assert "there is no recipe stairs; there are attention, context, transformer" in capsys.readouterr().err
    assert _climb(tmp_path, "--models", "context", "--set", "model.dims=3") == 2
    assert "did you mean 'dim'" in capsys.readouterr().err


def test_a_rung_is_trained_and_scored_by_length(tmp_path: Path) -> None:
    pairs = [("나는 잔다", "I sleep"), ("나는 오늘 집에 간다", "I go home today")] * 4
    path = write_pairs(tmp_path / "pairs.tsv", pairs)
    data = json.dumps({"train": str(path), "valid": str(path), "test": str(path), "max_length": 32})
    settings = [
        f"data={data}",
        "model.dim=16",
        "model.hidden_dim=16",
        "tokenizer.name=word",
        "model.max_length=32",
    ]
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    try:
        asked = ["--minutes", "0.002", "--models", "attention", "--set", *settings]
        assert _climb(tmp_path, *asked) == 0
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
    row = json.loads((tmp_path / "ladder.json").read_text("utf-8"))["generated"]["attention"]
    assert row["steps"] >= ladder.EVALUATIONS
    assert 0 <= row["bleu"] <= 100
    assert [(one["name"], one["sentences"]) for one in row["lengths"]] == [("0-3", 4), ("4-6", 4)]


def test_real_sentences_are_those_of_the_everyday_recipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))
    recipe = read_recipe("translation/ladder/context", ladder._data("koen"))
    assert recipe.data == read_recipe("translation/koen-everyday").data
    assert recipe.train.best == "bleu"
    assert recipe.tokenizer.vocab_size == 4000


def test_long_real_sentences_are_those_of_the_help_pages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLASSFORMER_DATA", str(tmp_path))
    data: Any = read_recipe("translation/ladder/context", ladder._data("help")).data
    folders = {Path(one.path).parent.name for split in SPLITS for one in data.sources(split)}
    assert folders == {"koen-libreoffice-help"}
    assert (data.source, data.target) == ("ko", "en")
