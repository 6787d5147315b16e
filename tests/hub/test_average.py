"""Averaging: the plain mean of the weights, of models that belong together, with their parents named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.hub.tiny_model import SIZES

from glassformer.base.errors import UserError
from glassformer.hub.average import average, last_steps
from glassformer.hub.folder import load, save
from glassformer.models.transformer import Config, Model
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair


def _pair(text: str = "나는 간다") -> TokenizerPair:
    return train_pair(TokenizerConfig(name="word", vocab_size=60, min_frequency=1), [(text, "I go")])


def _write(folder: Path, tokenizers: TokenizerPair | None = None, **settings: Any) -> Model:
    model = Model(Config(**(SIZES | settings)))
    save(folder, model, tokenizers, recipe="seed: 1\n", generation={"num_beams": 4}, data={"train": "abc"})
    return model


def test_the_average_is_the_mean_of_every_weight(tmp_path: Path) -> None:
    folders = [tmp_path / "run" / f"step-{step}" for step in (1, 2, 3)]
    models = [_write(folder, _pair()) for folder in folders]
    average(folders, tmp_path / "mean")
    loaded = load(tmp_path / "mean", verify=True)
    assert loaded.tokenizers is not None
    for name, weight in loaded.model.named_parameters():
        wanted = torch.stack([model.get_parameter(name).double() for model in models]).mean(0)
        assert torch.equal(weight, wanted.float())


def test_the_parents_are_named_and_what_they_share_is_kept(tmp_path: Path) -> None:
    folders = [tmp_path / "run" / f"step-{step}" for step in (1, 2)]
    for folder in folders:
        _write(folder)
    average(folders, tmp_path / "mean")
    loaded = load(tmp_path / "mean")
    assert (loaded.recipe, loaded.data, loaded.generation["num_beams"]) == ("seed: 1\n", {"train": "abc"}, 4)
    manifest = json.loads((tmp_path / "mean" / "manifest.json").read_text("utf-8"))
    assert manifest["parents"] == ["run/step-1", "run/step-2"]
    assert "It was made from: run/step-1, run/step-2." in (tmp_path / "mean" / "README.md").read_text("utf-8")


def test_the_parents_are_not_changed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _write(tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    average([str(tmp_path / "a"), tmp_path / "b"], str(tmp_path / "mean"))
    assert {path: path.read_bytes() for path in before} == before


def test_a_model_averaged_with_itself_is_itself(tmp_path: Path) -> None:
    model = _write(tmp_path / "a")
    average([tmp_path / "a"] * 3, tmp_path / "mean")
    for one, other in zip(model.parameters(), load(tmp_path / "mean").model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_models_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a", _pair())
    _write(tmp_path / "wider", _pair(), mlp_dim=16)
    _write(tmp_path / "other-words", _pair("다른 말이다"))
    with pytest.raises(UserError, match=r"a and .*wider differ in mlp_dim"):
        average([tmp_path / "a", tmp_path / "wider"], tmp_path / "mean")
    with pytest.raises(UserError, match=r"a and .*other-words have different tokenizers"):
        average([tmp_path / "a", tmp_path / "other-words"], tmp_path / "mean")
    with pytest.raises(UserError, match="at least two"):
        average([tmp_path / "a"], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_the_last_steps_of_a_run_are_chosen_by_number(tmp_path: Path) -> None:
    for name in ("step-000900", "step-001000", "step-10000", "best", "last"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    (tmp_path / "step-20000").mkdir()  # was never finished
    chosen = last_steps(tmp_path, 2)
    assert [path.name for path in chosen] == ["step-001000", "step-10000"]
    with pytest.raises(UserError, match="kept 3 checkpoints and 4 are needed; train with keep_last: 4"):
        last_steps(tmp_path, 4)
    assert len(last_steps(str(tmp_path))) == 3
    with pytest.raises(UserError, match="kept 0 checkpoints and 2 are needed"):
        last_steps(tmp_path / "best")
    with pytest.raises(UserError, match="there is no such folder"):
        last_steps(tmp_path / "nothing", 1)
