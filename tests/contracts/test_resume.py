"""A run that is stopped and goes on ends with the same bytes as one that was never stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.contracts.lessons import ALLOWED, LESSONS, given_to
from tests.contracts.small_runs import command

import glassformer as gf
from glassformer.base import plugins

STEPS = 12
OTHERS = {
    model: objective
    for model, objective in reversed(ALLOWED)
    if model not in {lesson.model for lesson in LESSONS.values()}
}
"""The models that no lesson is written for, each with the first objective that it learns."""
FOLDERS = ("last", "best", ".")


def _weights(run: Path) -> list[bytes]:
    return [(run / folder / "model.safetensors").read_bytes() for folder in FOLDERS]


def _history(run: Path) -> list[dict[str, float]]:
    """What was measured at every step, without what a clock had to do with."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    kept = ("kind", "step", "loss", "nll", "accuracy", "tokens")
    return [{name: line.get(name) for name in kept} for line in lines]


def _same(one: Path, other: Path) -> None:
    assert _weights(one) == _weights(other)
    assert _history(one) == _history(other)
    state = "last/train_state/optimizer.safetensors"
    assert (one / state).read_bytes() == (other / state).read_bytes()


def _settings(objective: str, precision: str = "float32") -> list[str]:
    return [*LESSONS[objective].restless, f"train.steps={STEPS}", f"train.precision={precision}"]


@pytest.mark.parametrize(
    ("objective", "precision"), [*((name, "float32") for name in LESSONS), ("translation", "bfloat16")]
)
def test_stopped_by_a_signal_and_resumed_is_never_stopped(
    objective: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, settings = LESSONS[objective].write(tmp_path), _settings(objective, precision)
    gf.train(recipe, settings, output=tmp_path / "whole")
    learner = plugins.find("objectives", objective).Objective
    losses, loss = iter(range(1000)), learner.loss

    def stopping(self, model, batch):
        if model.training and next(losses) in (4, 13):  # within the third step, then within the seventh
            os.kill(os.getpid(), signal.SIGTERM)
        return loss(self, model, batch)

    monkeypatch.setattr(learner, "loss", stopping)
    for step, more in ((3, []), (7, ["--resume"])):
        told = command("train", recipe, *settings, "-o", tmp_path / "parts", *more)
        assert told.sentence(143) == f"stopped at step {step} and saved; go on with --resume"
    told = command("train", recipe, *settings, "-o", tmp_path / "parts", "--resume", "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out.splitlines()[-1])["steps"] == STEPS
    _same(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.parametrize("objective", LESSONS)
def test_two_runs_of_one_recipe_are_the_same_run(objective: str, tmp_path: Path) -> None:
    recipe, settings = LESSONS[objective].write(tmp_path), _settings(objective)
    for name, workers in (("one", 2), ("other", 0)):
        gf.train(recipe, [*settings, f"data.workers={workers}"], output=tmp_path / name)
    _same(tmp_path / "one", tmp_path / "other")


@pytest.mark.parametrize("model", OTHERS)
def test_every_other_model_goes_on_where_it_stopped(model: str, tmp_path: Path) -> None:
    recipe = LESSONS[OTHERS[model]].write(tmp_path)
    settings = [given_to(model, recipe), *_settings(OTHERS[model])]
    gf.train(recipe, settings, output=tmp_path / "whole")
    gf.train(recipe, [*settings, "train.steps=7"], output=tmp_path / "parts")
    gf.train(recipe, settings, output=tmp_path / "parts", resume=True)
    for file in ("model.safetensors", "train_state/optimizer.safetensors"):
        assert (tmp_path / "parts" / "last" / file).read_bytes() == (
            tmp_path / "whole" / "last" / file
        ).read_bytes()


@pytest.mark.parametrize("objective", LESSONS)
def test_a_finished_run_that_is_resumed_changes_nothing(objective: str, tmp_path: Path) -> None:
    recipe, settings = LESSONS[objective].write(tmp_path), _settings(objective)
    gf.train(recipe, settings, output=tmp_path / "run")
    before = _weights(tmp_path / "run")
    figures = gf.train(recipe, settings, output=tmp_path / "run", resume=True)
    assert figures["steps"] == STEPS
    assert _weights(tmp_path / "run") == before


@pytest.mark.slow
@pytest.mark.parametrize("objective", LESSONS)
def test_killed_at_random_moments_and_resumed_is_never_stopped(objective: str, tmp_path: Path) -> None:
    recipe = LESSONS[objective].write(tmp_path)
    settings = [*LESSONS[objective].restless, "train.steps=400", "train.save_every=5"]
    command_line = [sys.executable, "-m", "glassformer", "train", str(recipe), *settings, "--resume"]
    gf.train(recipe, settings, output=tmp_path / "whole")
    chance, killed = random.Random(7), 0
    for _ in range(6):
        told = (tmp_path / "killed.txt").open("w", encoding="utf-8")
        with told, subprocess.Popen([*command_line, "-o", str(tmp_path / "parts")], stderr=told) as process:
            end = time.monotonic() + 60
            while not (tmp_path / "parts" / "metrics.jsonl").exists() and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(3 * chance.random())
            killed += process.poll() is None
            process.kill()
        assert "Traceback" not in (tmp_path / "killed.txt").read_text("utf-8")
    assert killed > 3
    told = command("train", recipe, *settings, "-o", tmp_path / "parts", "--resume")
    assert told.code == 0, told.err
    _same(tmp_path / "parts", tmp_path / "whole")
