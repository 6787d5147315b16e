"""Every model with every objective it can learn: the same gradient however cut, and eight examples by heart.

Models and objectives are found by their files; ``lessons.py`` says for each objective how a run of a second
is asked for and what it must answer afterwards. An objective without a lesson fails.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.contracts.lessons import ALLOWED, LESSONS, given_to
from tests.contracts.small_runs import command
from torch import Tensor, nn

import glassformer as gf
from glassformer.api.preparing import Parts, prepare
from glassformer.api.recipe import read_recipe
from glassformer.base import plugins
from glassformer.train import parallel
from glassformer.train.compute import Gradients
from glassformer.train.optim import OptimConfig, Optimizer


def _parts(model: str, objective: str, folder: Path, *changes: str) -> Parts:
    recipe = LESSONS[objective].write(folder)
    parts = prepare(read_recipe(recipe, [given_to(model, recipe), f"objective.name={objective}", *changes]))
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in parts.model.parameters():
            weight.normal_(std=0.2)  # so that no gradient is too small to go wrong
    return parts


def _learn(
    parts: Parts, rows: list[list[int]], *, low: bool = False, compiled: bool = False
) -> dict[str, Tensor]:
    """The loss, its count, the summed gradient and the weights after one step; each list is a micro-batch."""
    model = parts.model.train()
    optimizer = Optimizer(model, OptimConfig(lr=1e-2, eps=1e-3), bfloat16=low)
    store = parts.train.stores[0]
    batches = [
        parts.objective.collate([store[row] for row in part], np.random.default_rng(0)) for part in rows
    ]
    with parallel.joined(torch.device("cpu")) as group:
        gradients = Gradients(model, parts.objective, optimizer, group, seed=1, compiled=compiled)
        gradients(batches, 1)
        assert (gradients.total is not gradients.eager) == compiled, "the compiler failed"
    gradient = optimizer.gradient.clone()
    loss, count = optimizer.tail[0].clone(), optimizer.tail[1].clone()
    optimizer.step(1e-2)
    weights = optimizer.master.clone()
    optimizer.release()
    return {"loss": loss, "count": count, "gradient": gradient, "weights": weights}


def test_every_objective_has_a_lesson_and_somebody_to_learn_it() -> None:
    assert [name for name in plugins.names("objectives") if name not in LESSONS] == []
    assert {objective for _, objective in ALLOWED} == set(plugins.names("objectives"))


@pytest.mark.parametrize("low", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("rows", [[[0, 1], [2, 3], [4, 5], [6, 7]], [[7], [1, 3, 5], [0, 2, 4, 6]]])
@pytest.mark.parametrize(("model", "objective"), ALLOWED)
def test_a_batch_of_eight_is_its_parts(
    model: str, objective: str, rows: list[list[int]], low: bool, tmp_path: Path
) -> None:
    fields = plugins.find("objectives", objective).Config.model_fields
    smooth = ["objective.label_smoothing=0.1"] if "label_smoothing" in fields else []
    torch.manual_seed(3)
    whole = _learn(_parts(model, objective, tmp_path, *smooth), [list(range(8))], low=low)
    torch.manual_seed(3)
    parts = _learn(_parts(model, objective, tmp_path, *smooth), rows, low=low)
    assert whole["count"] == parts["count"] > 0
    digits = LESSONS[objective].rounding if low else 1e-5
    for name in ("loss", "gradient", "weights"):
        scale = float(whole[name].abs().max())
        torch.testing.assert_close(parts[name], whole[name], rtol=0, atol=digits * scale)


@pytest.mark.parametrize(("model", "objective"), ALLOWED)
def test_bfloat16_learns_in_the_direction_of_float32(model: str, objective: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    exact = _learn(_parts(model, objective, tmp_path), [list(range(8))])
    torch.manual_seed(3)
    rounded = _learn(_parts(model, objective, tmp_path), [list(range(8))], low=True)
    torch.testing.assert_close(rounded["loss"], exact["loss"], rtol=0.02, atol=0)
    assert torch.cosine_similarity(rounded["gradient"], exact["gradient"], dim=0) > 0.995


@pytest.mark.slow
@pytest.mark.parametrize(("model", "objective"), ALLOWED)
def test_compiled_learns_what_eager_learns(model: str, objective: str, tmp_path: Path) -> None:
    # In a process of its own: the compiler cannot look through the shape checks of tests.
    asked = f"{model!r}, {objective!r}, {str(tmp_path)!r}"
    code = f"from tests.contracts import test_learning as here; here.compare({asked})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def compare(model: str, objective: str, folder: str) -> None:
    """Holds what is learned with the compiler to what is learned without."""
    found = []
    for compiled in (False, True):
        torch.manual_seed(3)
        parts = _parts(model, objective, Path(folder))
        found.append(_learn(parts, [[0, 1, 2], [3, 4, 5, 6, 7]], compiled=compiled))
    for name in ("loss", "gradient", "weights"):
        eager, other = (one[name] for one in found)
        torch.testing.assert_close(other, eager, rtol=0, atol=1e-5 * float(eager.abs().max()))


@pytest.mark.parametrize(("model", "objective"), ALLOWED)
def test_eight_examples_are_learned_by_heart(model: str, objective: str, tmp_path: Path) -> None:
    lesson = LESSONS[objective]
    recipe = lesson.write(tmp_path)
    settings = [given_to(model, recipe), f"objective.name={objective}"]
    figures = gf.train(recipe, settings, output=tmp_path / "run")
    assert figures["valid_loss"] < 0.15
    assert lesson.learned(tmp_path / "run")


@pytest.mark.parametrize(("model", "objective"), ALLOWED)
def test_a_model_without_the_ability_is_one_clear_sentence(
    model: str, objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body: type[nn.Module] = plugins.find("models", model).Model
    needs: Any = plugins.find("objectives", objective).Objective.needs
    monkeypatch.setattr(body, "abilities", ("sings",))
    recipe = LESSONS[objective].write(tmp_path)
    told = command("train", recipe, "-o", tmp_path / "run", given_to(model, recipe))
    assert told.sentence(2) == f"{objective} needs a model that {' or '.join(needs)}; {model} sings"
    assert not (tmp_path / "run").exists()
