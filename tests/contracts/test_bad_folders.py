"""Whatever is wrong with a folder to write to or to read from, it is one clear sentence and the right end.

2: a mistake in what was asked. 1: something failed while running. Never a traceback.
"""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.contracts.refusals import (
    SHORT,
    copied,
    one_line,
    process,
    refused,
    translate_refused,
)
from tests.contracts.small_runs import PAIRS, command, write_pairs, write_recipe

import glassformer as gf
from glassformer.base import files

# --- folders to write to -----------------------------------------------------------------------------------


def test_a_folder_that_holds_this_run_already(trained, tmp_path):
    told = command("train", write_recipe(tmp_path), "-o", trained)
    refused(told.sentence(2), "already holds a run", "--resume")


@pytest.mark.parametrize("other", ["model.dim=16", "train.seed=9", "objective.label_smoothing=0.3"])
def test_a_folder_that_holds_another_run(other, trained, tmp_path):
    run = copied(trained, tmp_path)
    told = command("train", write_recipe(tmp_path), other, "--resume", "-o", run)
    refused(told.sentence(2), "another run", r"recipe\.yaml", "--output")
    assert (run / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_a_run_is_not_resumed_on_other_data(trained, tmp_path):
    run, recipe = copied(trained, tmp_path), write_recipe(tmp_path)
    write_pairs(tmp_path / "train.tsv", PAIRS[::-1])
    refused(command("train", recipe, "--resume", "-o", run).sentence(2), "another run", "data")


def test_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}", "utf-8")
    told = command("train", write_recipe(tmp_path), "-o", tmp_path / "run")
    refused(told.sentence(2), r"config\.json", "--output")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "run").write_text("mine", "utf-8")
    told = command("train", write_recipe(tmp_path), "-o", tmp_path / "run")
    refused(told.sentence(2), "is a file")
    assert (tmp_path / "run").read_text("utf-8") == "mine"


@pytest.mark.parametrize("where", ["{}/recipe.yaml/run", "/proc/nobody/run", "{}/" + "x" * 300])
def test_a_place_where_nothing_can_be_written(where, tmp_path):
    recipe = write_recipe(tmp_path)
    told = command("train", recipe, *SHORT, "-o", where.format(tmp_path))
    assert told.code in (1, 2)
    refused(told.sentence(told.code), "run|xxx")


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission"), (errno.EROFS, "read-only")],
)
def test_a_disk_that_refuses_ends_the_run_and_leaves_what_was_saved(
    number, says, trained, tmp_path, monkeypatch
):
    recipe, run = write_recipe(tmp_path), copied(trained, tmp_path)
    before = (run / "last" / "model.safetensors").read_bytes()

    def refuses(path: Path) -> None:
        if "last" in str(path) or path.name == "config.json":
            raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(files, "_flush", refuses)
        for arguments in (["--resume", "train.steps=70", "-o", run], ["-o", tmp_path / "new"]):
            refused(command("train", recipe, *arguments).sentence(1), says)
    assert (run / "last" / "model.safetensors").read_bytes() == before
    assert command("train", recipe, "--resume", "train.steps=70", "-o", run).code == 0


def test_a_file_that_may_not_grow_as_on_a_full_disk(tmp_path):
    recipe = write_recipe(tmp_path)
    size = 60_000  # the vocabulary and the encoded text fit, the model does not

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = process("train", recipe, *SHORT, "-o", tmp_path / "run", before=limited)
    one_line(done, 1, "cannot write|larger than allowed|full")
    assert not list(tmp_path.rglob("*.safetensors"))
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(".glassformer")] == []


# --- folders to read from ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 5, 100, 20_000])
@pytest.mark.parametrize("manifest", [True, False])
def test_a_checkpoint_cut_short(manifest, size, trained, tmp_path):
    run = copied(trained, tmp_path)
    path = run / "model.safetensors"
    content = path.read_bytes()
    path.unlink()  # it is linked with best/
    path.write_bytes(content[:size])
    if not manifest:
        (run / "manifest.json").unlink(missing_ok=True)
    refused(translate_refused(run), r"model\.safetensors", "cut short|damaged|differs")


def _weights(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        weights = load_file(run / "model.safetensors")
        change(weights)
        (run / "model.safetensors").unlink()
        save_file(weights, run / "model.safetensors", metadata={"format": "pt"})

    return spoil


def _config(**changes: object) -> Callable[[Path], None]:
    def spoil(run: Path) -> None:
        path = run / "config.json"
        config = json.loads(path.read_text("utf-8")) | changes
        path.write_text(json.dumps({key: value for key, value in config.items() if value != "gone"}), "utf-8")

    return spoil


def _text(name: str, content: str) -> Callable[[Path], None]:
    return lambda run: (run / name).write_text(content, "utf-8") and None


def _elsewhere(name: str) -> Callable[[Path], None]:
    """Weights in a file that an index names."""

    def spoil(run: Path) -> None:
        keys = load_file(run / "model.safetensors").keys()
        (run / "model.safetensors").unlink()
        index = {"metadata": {}, "weight_map": dict.fromkeys(keys, name)}
        (run / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")

    return spoil


def _tokenizer(run: Path) -> None:
    """The vocabulary of a larger model."""
    other = write_recipe(run.parent / "other")
    gf.train(other, [*SHORT, "tokenizer.name=character", "model.max_length=64"], output=run.parent / "large")
    shutil.copy(run.parent / "large" / "tokenizer.json", run / "tokenizer.json")


ANY = "decoder.layers.0.fc1.weight"
SPOILT = {
    "foreign": (_config(model_type="xlnet"), ["xlnet", "marian"]),
    "no kind": (_config(model_type="gone"), ["model_type"]),
    "sizes": (_config(decoder_ffn_dim=65), ["65", "64"]),
    "wrong kind": (_config(d_model="large"), ["config.json", "d_model|dim|kind"]),
    "huge": (_config(vocab_size=10**13), ["config.json|vocab|memory"]),
    "negative": (_config(encoder_layers=-1), [r"config\.json", "depth"]),
    "config is no JSON": (_text("config.json", "{"), [r"config\.json", "JSON"]),
    "config is a list": (_text("config.json", "[]"), [r"config\.json"]),
    "tokenizer is no JSON": (_text("tokenizer.json", "{"), [r"tokenizer\.json"]),
    "tokenizer is empty": (_text("tokenizer.json", "{}"), [r"tokenizer\.json"]),
    "generation is no JSON": (_text("generation_config.json", "?"), [r"generation_config\.json"]),
    "other tokenizer": (_tokenizer, ["tokenizer", "do not belong together"]),
    "not a number": (_weights(lambda held: held[f"model.{ANY}"].fill_(torch.nan)), ["NaN", "fc1"]),
    "missing": (_weights(lambda held: held.__delitem__(f"model.{ANY}")), ["missing", "fc1"]),
    "too many": (_weights(lambda held: held.update(more=torch.zeros(3))), ["without these weights", "more"]),
    "whole numbers": (_weights(lambda w: w.update({f"model.{ANY}": torch.ones(64, 32).int()})), ["int32"]),
    "no weights": (lambda run: (run / "model.safetensors").unlink(), ["no weights"]),
    "weights outside": (_elsewhere("../../../../etc/passwd"), ["passwd"]),
    "weights at the root": (_elsewhere("/etc/passwd"), ["passwd"]),
    "weights nowhere": (_elsewhere("model-00001-of-00001.safetensors"), ["missing"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_a_model_that_is_not_as_it_should_be(kind, trained, tmp_path):
    spoil, parts = SPOILT[kind]
    run = copied(trained, tmp_path)
    (run / "manifest.json").unlink(missing_ok=True)
    spoil(run)
    refused(translate_refused(run), re.escape(str(run)), *parts)
    told = command("train", write_recipe(tmp_path), f"init={run}", "-o", tmp_path / "new")
    refused(told.sentence(2), *parts)


def test_a_manifest_tells_of_a_file_that_was_exchanged(trained, tmp_path):
    run = copied(trained, tmp_path)
    _tokenizer(run / "best")
    refused(translate_refused(run / "best"), r"tokenizer\.json", "differs", r"manifest\.json")


def test_a_pickle_that_would_run_code_is_not_run(trained, tmp_path):
    run = copied(trained, tmp_path)
    (run / "model.safetensors").unlink()
    (run / "manifest.json").unlink(missing_ok=True)

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"weight": Evil()}, run / "pytorch_model.bin")
    refused(translate_refused(run), r"pytorch_model\.bin", "refused")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("name", "says"), [("nowhere", "no such folder"), (".", "no model here")])
def test_a_folder_without_a_model(name, says, tmp_path):
    recipe = write_recipe(tmp_path)
    for verb, *more in (["translate"], ["evaluate", "--data", tmp_path / "train.tsv"]):
        refused(command(verb, tmp_path / name, *more).sentence(2), says)
    told = command("train", recipe, f"init={tmp_path / name}", "-o", tmp_path / "run")
    refused(told.sentence(2), says)


@pytest.mark.parametrize("damage", ["cut", "gone", "no JSON", "other format", "changed"])
def test_a_training_state_that_is_damaged(damage, trained, tmp_path):
    run = copied(trained, tmp_path)
    state, tensors = (run / "last" / "train_state" / name for name in ("state.json", "optimizer.safetensors"))
    if damage == "cut":
        tensors.write_bytes(tensors.read_bytes()[:-3000])
    elif damage == "gone":
        tensors.unlink()
    elif damage == "changed":
        held = bytearray(tensors.read_bytes())
        held[-5] ^= 255
        tensors.write_bytes(bytes(held))
    else:
        state.write_text("{" if damage == "no JSON" else '{"format": 99}', "utf-8")
    told = command("train", write_recipe(tmp_path), "--resume", "train.steps=70", "-o", run)
    refused(told.sentence(2), "train_state", "damaged|missing|not a training state", "--output")


# --- while running -----------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_with_advice_and_keeps_the_last_good_state(trained, tmp_path):
    recipe, run = write_recipe(tmp_path), copied(trained, tmp_path)
    before = (run / "last" / "model.safetensors").read_bytes()
    settings = ["train.steps=90", "train.save_every=1", "optim.clip=null", "schedule.warmup=1"]
    told = command("train", recipe, *settings, "optim.lr=1e30", "-o", tmp_path / "new")
    refused(told.sentence(1), "finite|not numbers|exploded", r"smaller optim\.lr")
    told = command("train", recipe, *settings, "optim.lr=1e30", "--resume", "-o", run)
    refused(told.sentence(1), "finite|not numbers|exploded", r"smaller optim\.lr")
    weights = load_file(run / "last" / "model.safetensors")
    assert all(weight.isfinite().all() for weight in weights.values())
    assert before
    assert command("translate", run, text=PAIRS[0][0]).code == 0
