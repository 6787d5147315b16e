"""Whatever is wrong with a checkpoint of any model (found by their files), it is one clear sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.contracts.cases import CASES
from tests.contracts.refusals import refused
from tests.contracts.small_runs import command
from tests.contracts.test_models import made

from glassformer.base import plugins
from glassformer.hub.folder import save
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

NAMES = [name for name in plugins.names("models") if name in CASES]
WEIGHTS = "model.safetensors"


def _write(name: str, folder: Path, **options: Any) -> Path:
    """A folder as of Hugging Face: without our manifest, which would notice every change."""
    save(folder, made(name, CASES[name][0]), options.pop("tokenizers", None), **options)
    (folder / "manifest.json").unlink()
    return folder


def _config(**changes: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text("utf-8")) | changes
        (folder / "config.json").write_text(json.dumps(config), "utf-8")

    return spoil


def _weights(change: Callable[[dict[str, torch.Tensor], str], None]) -> Callable[[Path], None]:
    """Changes the weights, told the name of the largest of them."""

    def spoil(folder: Path) -> None:
        held = load_file(folder / WEIGHTS)
        change(held, max(held, key=lambda key: held[key].numel()))
        (folder / WEIGHTS).unlink()
        save_file(held, folder / WEIGHTS, metadata={"format": "pt"})

    return spoil


def _nan(held: dict[str, torch.Tensor], name: str) -> None:
    held[name].view(-1)[3] = torch.nan


def _other_shape(held: dict[str, torch.Tensor], name: str) -> None:
    held[name] = torch.cat([held[name], held[name][:1]])


def _cut(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) * 2 // 3])


def _cut_pickle(folder: Path) -> None:
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()
    content = (folder / "pytorch_model.bin").read_bytes()
    (folder / "pytorch_model.bin").write_bytes(content[: len(content) * 2 // 3])


def _no_pickle(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"a page that says 404")


@dataclass(frozen=True)
class Harm:
    """What is done to a folder, and what the sentence must say."""

    spoil: Callable[[Path], None]
    parts: tuple[str, ...]


HARMS = {
    "foreign model": Harm(_config(model_type="t5"), (r"config\.json", "t5", "known are")),
    "no model type": Harm(_config(model_type=None), (r"config\.json", "model_type")),
    "not a number": Harm(_weights(_nan), ("NaN",)),
    "other shape": Harm(_weights(_other_shape), (r"\d", "config|shape|size|knows|rows|has")),
    "missing": Harm(_weights(lambda held, name: held.__delitem__(name)), ("missing",)),
    "too many": Harm(_weights(lambda held, _: held.update(more=torch.zeros(3))), ("more",)),
    "cut": Harm(_cut, (r"model\.safetensors", "cut short|damaged")),
    "cut pickle": Harm(_cut_pickle, (r"pytorch_model\.bin", "cut short|damaged|not a|cannot be read")),
    "no pickle": Harm(_no_pickle, (r"pytorch_model\.bin", "cut short|damaged|not a|cannot be read|refused")),
}


def _told(folder: Path) -> str:
    said = command("convert", folder, folder.parent / "out").sentence(2)
    assert str(folder) in said
    assert not (folder.parent / "out").exists()
    return said


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_that_is_not_as_it_should_be(name: str, harm: str, tmp_path: Path) -> None:
    folder = _write(name, tmp_path / "model")
    HARMS[harm].spoil(folder)
    refused(_told(folder), *HARMS[harm].parts)


@pytest.mark.parametrize("name", NAMES)
def test_a_shard_that_is_missing_is_named(name: str, tmp_path: Path) -> None:
    folder = _write(name, tmp_path / "model", shard_bytes=2000)
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    shards[1].unlink()
    refused(_told(folder), shards[1].name, "missing")


TEXTS = ["나는 오늘 책을 본다 그리고 the quick brown fox jumps over the lazy dog", "하나 둘 셋 넷 다섯 여섯"]


@pytest.mark.parametrize("name", NAMES)
def test_a_vocabulary_that_does_not_belong_to_the_weights(name: str, tmp_path: Path) -> None:
    if "vocab_size" not in plugins.find("models", name).Config.model_fields:
        pytest.skip(f"{name} has no vocabulary")
    larger = train(TokenizerConfig(name="character", vocab_size=60, min_frequency=1), TEXTS)
    assert larger.vocab_size > 31
    folder = _write(name, tmp_path / "model", tokenizers=TokenizerPair(larger, larger))
    refused(_told(folder), str(larger.vocab_size), "31", "do not belong together")


def test_every_model_is_among_them() -> None:
    assert list(plugins.names("models")) == NAMES
