"""Every model file with ``names`` exchanges its weights with disk and, where it can, with ``transformers``.

A model is found by its file in ``models/``; ``cases/`` holds its configurations and ``golden/`` its names.
After a change of names that is meant, write the golden lists anew with

    GOLDEN=write python -m pytest tests/contracts/test_models_files.py -k golden
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.contracts.case import Case, Oracle
from tests.contracts.cases import CASES, ORACLES
from tests.models.drawn import drawn
from torch import Tensor, nn

from glassformer.base import plugins
from glassformer.hub.folder import load, save
from glassformer.hub.huggingface import weights_of

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

GOLDEN = Path(__file__).parent / "golden"
CLOSE = {"rtol": 0.0, "atol": 1e-5}
MODELS = [name for name in plugins.names("models") if hasattr(plugins.find("models", name), "names")]
ALL = [pytest.param(name, case, id=f"{name}-{case.id}") for name in MODELS for case in CASES.get(name, [])]
FOREIGN = [each for each in ALL if each.values[1].foreign]
OWN = [each for each in ALL if not each.values[1].foreign]
THEIRS = [
    pytest.param(oracle, settings, id=f"{name}-{oracle.model}-{kind}")
    for name in MODELS
    for oracle in ORACLES.get(name, [])
    for kind, settings in oracle.settings.items()
]


def _ours(name: str, case: Case) -> Any:
    module = plugins.find("models", name)
    return drawn(module.Model(module.Config(**case.settings)))


def _oracle(name: str, model: Any) -> Oracle:
    """The oracle that the model's own ``config.json`` names."""
    (wanted,) = plugins.find("models", name).write(model.config)["architectures"]
    return next(oracle for oracle in ORACLES[name] if oracle.model == wanted)


def _theirs(oracle: Oracle, settings: Any) -> Any:
    config = getattr(transformers, oracle.config)(**settings)
    model = drawn(getattr(transformers, oracle.model)(config))
    for key, buffer in model.named_buffers():
        if key == "final_logits_bias":  # the one weight that transformers keeps as a buffer
            buffer.normal_()
    return model


@contextmanager
def _silence() -> Iterator[None]:
    """Fails when ``transformers`` has anything to complain about."""
    said: list[str] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("transformers")
    logger.addHandler(listener)
    yield
    logger.removeHandler(listener)
    assert said == []


def _open_there(oracle: Oracle, folder: Path) -> Any:
    with _silence():
        model, told = getattr(transformers, oracle.model).from_pretrained(folder, output_loading_info=True)
    assert not any(told.values()), told
    return model.eval()


def _same(one: nn.Module, other: nn.Module) -> None:
    ours, theirs = one.state_dict(), other.state_dict()
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def _scores(ask: Any, model: Any) -> Tensor:
    with torch.no_grad():
        return ask(model)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_with_names_has_cases(name: str) -> None:
    assert CASES.get(name), f"add tests/contracts/cases/{name}.py with configurations of {name}"
    types = plugins.find("models", name).MODEL_TYPES
    others = [plugins.find("models", other).MODEL_TYPES for other in MODELS if other != name]
    assert not set(types) & {kind for kinds in others for kind in kinds}


@pytest.mark.parametrize(("name", "case"), ALL)
def test_a_model_comes_back_from_disk_bit_for_bit(name: str, case: Case, tmp_path: Path) -> None:
    model = _ours(name, case)
    save(tmp_path / "model", model, None)
    loaded = load(tmp_path / "model", verify=True)
    write = plugins.find("models", name).write
    assert write(loaded.config) == write(model.config)
    _same(model, loaded.model)
    for buffers in zip(model.buffers(), loaded.model.buffers(), strict=True):
        assert torch.equal(*buffers)


@pytest.mark.parametrize(("name", "case"), ALL)
def test_every_name_has_a_place_in_the_file_and_comes_back(name: str, case: Case) -> None:
    model = _ours(name, case)
    names = plugins.find("models", name).names(model.config)
    for place, weight in model.named_parameters(remove_duplicate=False):
        assert place in names.to_memory(names.to_file(place))
        form = names.form(place)
        assert torch.equal(form.to_memory(form.to_file(weight)), weight)
    assert names.to_memory("a_part_of_another_model.weight") is None


@pytest.mark.parametrize("name", MODELS)
def test_names_in_files_equal_the_golden_list(name: str) -> None:
    lines = []
    for case in CASES[name]:
        model = _ours(name, case)
        weights = weights_of(model, plugins.find("models", name).names(model.config))
        lines += [
            f"[{case.id}]",
            *sorted(f"{key} {list(weight.shape)}" for key, weight in weights.items()),
            "",
        ]
    text = "\n".join(lines)
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text, "utf-8")
    assert golden.read_text("utf-8") == text


@pytest.mark.parametrize(("name", "case"), FOREIGN)
def test_what_is_saved_here_opens_in_transformers_and_scores_the_same(
    name: str, case: Case, tmp_path: Path
) -> None:
    model = _ours(name, case)
    oracle = _oracle(name, model)
    save(tmp_path / "model", model, None)
    there = _open_there(oracle, tmp_path / "model")
    torch.testing.assert_close(_scores(oracle.ours, model), _scores(oracle.theirs, there), **CLOSE)


@pytest.mark.parametrize(("name", "case"), FOREIGN)
def test_a_model_survives_being_saved_again_by_transformers(name: str, case: Case, tmp_path: Path) -> None:
    model = _ours(name, case)
    save(tmp_path / "ours", model, None)
    _open_there(_oracle(name, model), tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    loaded = load(tmp_path / "theirs")
    write = plugins.find("models", name).write
    assert write(loaded.config) == write(model.config)
    _same(model, loaded.model)


@pytest.mark.parametrize(("name", "case"), OWN)
def test_an_architecture_that_transformers_lacks_is_refused_there(
    name: str, case: Case, tmp_path: Path
) -> None:
    model = _ours(name, case)
    save(tmp_path / "model", model, None)
    kind = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))["model_type"]
    assert kind.startswith("glassformer")
    with pytest.raises(ValueError, match=kind):
        transformers.AutoConfig.from_pretrained(tmp_path / "model")
    assert "`transformers` has no such architecture" in (tmp_path / "model" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("form", ["safetensors", "sharded", "pickle", "old-pickle", "half"])
@pytest.mark.parametrize(("oracle", "settings"), THEIRS)
def test_what_transformers_saved_opens_here_and_scores_the_same(
    oracle: Oracle, settings: Any, form: str, tmp_path: Path
) -> None:
    model = _theirs(oracle, settings)
    if form == "half":
        model = model.half().float()
    model.save_pretrained(tmp_path, max_shard_size="8KB" if form == "sharded" else "5GB")
    if form in ("pickle", "old-pickle", "half"):
        # As published before safetensors: every tied copy and the computed positions are in the file.
        (tmp_path / "model.safetensors").unlink()
        weights = model.half().state_dict() if form == "half" else model.state_dict()
        new = form != "old-pickle"
        torch.save(weights, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=new)
        model = model.float()
    assert (form == "sharded") == (tmp_path / "model.safetensors.index.json").exists()
    here = load(tmp_path)
    close = {"rtol": 0.0, "atol": 2e-3} if form == "half" else CLOSE
    torch.testing.assert_close(_scores(oracle.ours, here.model), _scores(oracle.theirs, model), **close)
