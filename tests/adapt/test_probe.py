"""A probe learns its head and nothing else."""

from pathlib import Path

import pytest
import torch
from tests.contracts.lessons import LESSONS

import glassformer as gf
from glassformer.base.errors import UserError
from glassformer.hub import folder as hub


def test_only_the_head_learns(tmp_path: Path):
    recipe = LESSONS["classification"].write(tmp_path)
    gf.train(recipe, ["train.steps=2"], output=tmp_path / "base")
    settings = [f"init={tmp_path / 'base'}", "adapt=probe", "train.steps=3", "train.seed=3"]
    found = gf.train(recipe, settings, output=tmp_path / "run")
    before, after = (hub.load(tmp_path / name).model for name in ("base", "run"))
    old, new = dict(before.named_parameters()), dict(after.named_parameters())
    assert (tmp_path / "run" / "adapter_model.safetensors").stat().st_size < 1000
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert changed
    assert not any(name.startswith("body.") for name in changed)
    assert found["trained_parameters"] == sum(new[name].numel() for name in new if "body." not in name)
    assert found["trained_parameters"] < found["parameters"]


def test_without_a_head_there_is_nothing_to_learn(tmp_path: Path):
    recipe = LESSONS["causal_lm"].write(tmp_path)
    gf.train(recipe, ["train.steps=1"], output=tmp_path / "base")
    with pytest.raises(UserError, match="probe trains the head alone"):
        gf.train(recipe, [f"init={tmp_path / 'base'}", "adapt=probe"], output=tmp_path / "run")
