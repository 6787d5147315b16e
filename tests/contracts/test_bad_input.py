"""Whatever is wrong with what was given, the command line says it in one clear sentence and ends rightly.

2: a mistake in what was asked. 1: something failed while running. Never a traceback.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.contracts.small_runs import PAIRS, RECIPE, command, write_pairs, write_recipe

import glassformer as gf
from glassformer.base import files

SHORT = ("train.steps=2", "train.evaluate_first=false")


def _refused(sentence: str, *parts: str) -> None:
    """The sentence says all this, on one line."""
    assert "\n" not in sentence
    for part in parts:
        assert re.search(part, sentence), f"{part!r} is not in: {sentence}"


def _train(tmp_path: Path, *more: str | Path) -> str:
    """The sentence with which training refuses what was asked, before it wrote anything."""
    told = command("train", write_recipe(tmp_path / "asked"), "-o", tmp_path / "run", *SHORT, *more)
    assert not (tmp_path / "run").exists()
    assert told.out == ""
    return told.sentence(2)


# --- text --------------------------------------------------------------------------------------------------


def test_files_of_unequal_length(tmp_path):
    (tmp_path / "a.ko").write_text("하나\n둘\n셋\n", "utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\n", "utf-8")
    said = _train(tmp_path, f"data.train={tmp_path / 'a.ko'}+a.en")
    _refused(said, r"a\.ko:3", "3 lines", "2")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize(
    "content", [b"", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)], ids=["empty", "mark", "gzip"]
)
def test_an_empty_file(content, split, tmp_path):
    (tmp_path / "empty.tsv").write_bytes(content)
    said = _train(tmp_path, f"data.{split}={tmp_path / 'empty.tsv'}")
    _refused(said, r"empty\.tsv", "is empty|no usable|no example is left")


def test_a_file_of_blank_lines(tmp_path):
    (tmp_path / "blank.tsv").write_text("\n  \n\t\n", "utf-8")
    _refused(_train(tmp_path, f"data.train={tmp_path / 'blank.tsv'}"), r"blank\.tsv", "no usable")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_bytes_that_are_no_utf_8(split, tmp_path):
    good = "\n".join("\t".join(pair) for pair in PAIRS[:2]).encode()
    (tmp_path / "bad.tsv").write_bytes(good + b"\n\xec\x95\tlatin \xe9\n")
    _refused(_train(tmp_path, f"data.{split}={tmp_path / 'bad.tsv'}"), r"bad\.tsv:3", "UTF-8")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("no tab here\n", [r"bad\.tsv:1", "one column"]),
        ("하나\tone\n둘\ttwo\tdrei\n", [r"bad\.tsv:2", "3 columns"]),
        ("하나\tone\n둘\n", [r"bad\.tsv:2", "1 column"]),
    ],
)
def test_a_table_that_is_none(content, parts, tmp_path):
    (tmp_path / "bad.tsv").write_text(content, "utf-8")
    _refused(_train(tmp_path, f"data.train={tmp_path / 'bad.tsv'}"), *parts)


@pytest.mark.parametrize(
    "content", ["{\n", "[1]\n", '{"ko": 3, "en": "x"}\n', '{"ko": "x"}\n', "[" * 100_000]
)
def test_json_lines_that_are_none(content, tmp_path):
    (tmp_path / "bad.jsonl").write_text(content, "utf-8")
    _refused(_train(tmp_path, f"data.train={tmp_path / 'bad.jsonl'}"), r"bad\.jsonl:1: ")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize(("name", "says"), [("nowhere.tsv", "no such file"), ("", "folder|directory")])
def test_data_that_is_not_there(name, says, split, tmp_path):
    path = tmp_path / name if name else tmp_path
    _refused(_train(tmp_path, f"data.{split}={path}"), re.escape(str(path)), says)


def test_a_file_cut_short_in_its_compression(tmp_path):
    whole = gzip.compress("".join(f"{a}\t{b}\n" for a, b in PAIRS).encode())
    (tmp_path / "cut.tsv.gz").write_bytes(whole[: len(whole) // 2])
    _refused(_train(tmp_path, f"data.train={tmp_path / 'cut.tsv.gz'}"), r"cut\.tsv\.gz", "gzip|cut short")


def test_text_of_which_everything_is_too_long(tmp_path):
    said = _train(tmp_path, "data.max_length=4", "model.max_length=4")
    _refused(said, r"train\.tsv", "longer than 4 tokens")


def test_limits_beyond_the_model(tmp_path):
    _refused(_train(tmp_path, "data.max_length=33"), "33", "32", "model.max_length")


@pytest.mark.parametrize("kind", ["word", "character", "bpe", "byte_bpe", "wordpiece", "unigram"])
def test_one_sentence_is_learned_or_refused_in_a_sentence(kind, tmp_path):
    recipe = write_recipe(tmp_path)
    write_pairs(tmp_path / "train.tsv", PAIRS[:1])
    settings = [f"tokenizer.name={kind}", "train.steps=30", "tokenizer.vocab_size=300", "model.max_length=64"]
    told = command("train", recipe, "-o", tmp_path / "run", *settings, "--json")
    assert told.code == 0, told.err
    assert "Traceback" not in told.err
    assert command("translate", tmp_path / "run", text=PAIRS[0][0]).out.strip() == PAIRS[0][1]


def test_a_vocabulary_larger_than_the_data_allows_is_smaller_and_said(tmp_path):
    told = command(
        "train", write_recipe(tmp_path), *SHORT, "tokenizer.vocab_size=50000", "-o", tmp_path / "run"
    )
    assert told.code == 0, told.err
    said = [line for line in told.err.splitlines() if "50000" in line]
    assert len(said) == 1
    size = gf.load(tmp_path / "run").tokenizers.source.vocab_size
    assert f"{size} pieces" in said[0]
    assert size < 100


def test_a_vocabulary_too_small_for_its_characters(tmp_path):
    _refused(_train(tmp_path, "tokenizer.name=bpe", "tokenizer.vocab_size=6"), "vocab_size", "6")


# --- recipes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("warmup: 10", "warm_up: 10", [r"recipe\.yaml:7", "warm_up", "'warmup'"]),
        ("optim:      {", "optim:      {lerning_rate: 1, ", [r"recipe\.yaml:6", "lerning_rate"]),
        ("lr: 0.01", "lr: fast", [r"recipe\.yaml:6", r"optim\.lr", "number", "fast"]),
        ("dim: 32", "dim: 32.5", [r"recipe\.yaml:2", r"model\.dim"]),
        ("dim: 32", "dim: -4", [r"recipe\.yaml:2", r"model\.dim"]),
        ("dim: 32", "dim: '32'", [r"recipe\.yaml:2", r"model\.dim"]),
        ("heads: 4", "heads: 5", [r"recipe\.yaml:2", "heads"]),
        ("name: transformer", "name: transfromer", [r"recipe\.yaml:2", "transfromer", "'transformer'"]),
        ("name: translation", "name: translaton", [r"recipe\.yaml:4", "translaton", "'translation'"]),
        ("name: word", "name: words", [r"recipe\.yaml:3", "words"]),
        ("steps: 60, ", "", [r"recipe\.yaml:8", "steps, epochs or time_limit"]),
        ("train: train.tsv, ", "", [r"recipe\.yaml:5", r"data\.train|train"]),
        ("{lr: 0.01}", "{lr: 0.01", [r"recipe\.yaml:\d+"]),
        ("lr: 0.01", "lr: 0.01, lr: 0.02", [r"recipe\.yaml:6", "lr"]),
        (RECIPE, "", [r"recipe\.yaml"]),
        (RECIPE, "- 1\n- 2\n", [r"recipe\.yaml"]),
        (RECIPE, "just words\n", [r"recipe\.yaml"]),
        (RECIPE, "a: &a [*a]\n", [r"recipe\.yaml"]),
        (RECIPE, "model: !!python/object/apply:os.system [echo]\n", [r"recipe\.yaml:1"]),
        (RECIPE, "model: \x00\n", [r"recipe\.yaml"]),
    ],
)  # fmt: skip
def test_a_recipe_with_a_mistake(before, after, parts, tmp_path):
    assert before in RECIPE
    recipe = write_recipe(tmp_path, RECIPE.replace(before, after, 1))
    for arguments in (["-o", tmp_path / "run"], ["--dry-run"]):
        _refused(command("train", recipe, *arguments).sentence(2), *parts)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("setting", "parts"),
    [
        ("optim.lr=fast", [r"optim\.lr", "number", "fast"]),
        ("optim.lrr=1", ["lrr", "'lr'"]),
        ("lerning.rate=1", ["lerning"]),
        ("optim.lr", ["optim.lr"]),
        ("train.steps=", [r"train\.steps|steps, epochs"]),
        ("optim.lr.x=1", [r"optim\.lr"]),
        ("=3", ["=3"]),
        ("optim.lr={", ["optim.lr"]),
        ("model=[1]", ["model"]),
        ("optim.lr=nan", [r"optim\.lr"]),
    ],
)
def test_a_setting_with_a_mistake(setting, parts, tmp_path):
    _refused(_train(tmp_path, setting), *parts)


@pytest.mark.parametrize("name", ["nowhere.yaml", "translation/nowhere", "../../../../etc/passwd.yaml"])
def test_a_recipe_that_is_not_there(name, tmp_path):
    _refused(command("train", tmp_path / name, "-o", tmp_path / "run").sentence(2), "nowhere|passwd")
    _refused(command("train", name, "-o", tmp_path / "run").sentence(2), "nowhere|passwd")


def test_a_recipe_that_is_a_folder_or_no_text(tmp_path):
    _refused(command("train", tmp_path, "-o", tmp_path / "run").sentence(2), re.escape(str(tmp_path)))
    (tmp_path / "bytes.yaml").write_bytes(bytes(range(256)))
    _refused(command("train", tmp_path / "bytes.yaml", "-o", tmp_path / "run").sentence(2), r"bytes\.yaml")


def test_a_recipe_may_be_reached_through_its_parent_folder(tmp_path):
    write_recipe(tmp_path / "inner")
    (tmp_path / "inner" / "deep").mkdir()
    roundabout = tmp_path / "inner" / "deep" / ".." / ".." / "inner" / "recipe.yaml"
    told = command("train", roundabout, *SHORT, "data.valid=null", "-o", tmp_path / "run")
    assert told.code == 0, told.err


# --- folders to write to -----------------------------------------------------------------------------------


def _copy(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def test_a_folder_that_holds_this_run_already(trained, tmp_path):
    told = command("train", write_recipe(tmp_path), "-o", trained)
    _refused(told.sentence(2), "already holds a run", "--resume")


@pytest.mark.parametrize("other", ["model.dim=16", "train.seed=9", "objective.label_smoothing=0.3"])
def test_a_folder_that_holds_another_run(other, trained, tmp_path):
    run = _copy(trained, tmp_path)
    told = command("train", write_recipe(tmp_path), other, "--resume", "-o", run)
    _refused(told.sentence(2), "another run", r"recipe\.yaml", "--output")
    assert (run / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_a_run_is_not_resumed_on_other_data(trained, tmp_path):
    run, recipe = _copy(trained, tmp_path), write_recipe(tmp_path)
    write_pairs(tmp_path / "train.tsv", PAIRS[::-1])
    _refused(command("train", recipe, "--resume", "-o", run).sentence(2), "another run", "data")


def test_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}", "utf-8")
    told = command("train", write_recipe(tmp_path), "-o", tmp_path / "run")
    _refused(told.sentence(2), r"config\.json", "--output")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "run").write_text("mine", "utf-8")
    told = command("train", write_recipe(tmp_path), "-o", tmp_path / "run")
    _refused(told.sentence(2), "is a file")
    assert (tmp_path / "run").read_text("utf-8") == "mine"


@pytest.mark.parametrize("where", ["{}/recipe.yaml/run", "/proc/nobody/run", "{}/" + "x" * 300])
def test_a_place_where_nothing_can_be_written(where, tmp_path):
    recipe = write_recipe(tmp_path)
    told = command("train", recipe, *SHORT, "-o", where.format(tmp_path))
    assert told.code in (1, 2)
    _refused(told.sentence(told.code), "run|xxx")


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission"), (errno.EROFS, "read-only")],
)
def test_a_disk_that_refuses_ends_the_run_and_leaves_what_was_saved(
    number, says, trained, tmp_path, monkeypatch
):
    recipe, run = write_recipe(tmp_path), _copy(trained, tmp_path)
    before = (run / "last" / "model.safetensors").read_bytes()

    def refuses(path: Path) -> None:
        if "last" in str(path) or path.name == "config.json":
            raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(files, "_flush", refuses)
        for arguments in (["--resume", "train.steps=70", "-o", run], ["-o", tmp_path / "new"]):
            _refused(command("train", recipe, *arguments).sentence(1), says)
    assert (run / "last" / "model.safetensors").read_bytes() == before
    assert command("train", recipe, "--resume", "train.steps=70", "-o", run).code == 0


def _process(
    *arguments: str | Path, text: bytes = b"", before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, as a user meets it."""
    line = [sys.executable, "-m", "glassformer", *map(str, arguments)]
    return subprocess.run(
        line,
        input=text,
        capture_output=True,
        check=False,
        timeout=120,
        preexec_fn=before,
    )


def _one_line(done: subprocess.CompletedProcess[bytes], code: int, *parts: str) -> None:
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert "Traceback" not in said
    (line,) = (line for line in said.splitlines() if line.startswith("error:"))
    assert said.splitlines()[-1] == line
    _refused(line, *parts)


def test_a_file_that_may_not_grow_as_on_a_full_disk(tmp_path):
    recipe = write_recipe(tmp_path)
    size = 60_000  # the vocabulary and the encoded text fit, the model does not

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = _process("train", recipe, *SHORT, "-o", tmp_path / "run", before=limited)
    _one_line(done, 1, "cannot write|larger than allowed|full")
    assert not list(tmp_path.rglob("*.safetensors"))
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(".glassformer")] == []


# --- folders to read from ----------------------------------------------------------------------------------


def _translate(folder: Path, *more: str) -> str:
    told = command("translate", folder, *more, text=PAIRS[0][0])
    assert told.out == ""
    return told.sentence(2)


@pytest.mark.parametrize("size", [0, 5, 100, 20_000])
@pytest.mark.parametrize("manifest", [True, False])
def test_a_checkpoint_cut_short(manifest, size, trained, tmp_path):
    run = _copy(trained, tmp_path)
    path = run / "model.safetensors"
    content = path.read_bytes()
    path.unlink()  # it is linked with best/
    path.write_bytes(content[:size])
    if not manifest:
        (run / "manifest.json").unlink(missing_ok=True)
    _refused(_translate(run), r"model\.safetensors", "cut short|damaged|differs")


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
    "foreign": (_config(model_type="gpt2"), ["gpt2", "marian"]),
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
    run = _copy(trained, tmp_path)
    (run / "manifest.json").unlink(missing_ok=True)
    spoil(run)
    _refused(_translate(run), re.escape(str(run)), *parts)
    told = command("train", write_recipe(tmp_path), f"init={run}", "-o", tmp_path / "new")
    _refused(told.sentence(2), *parts)


def test_a_manifest_tells_of_a_file_that_was_exchanged(trained, tmp_path):
    run = _copy(trained, tmp_path)
    _tokenizer(run / "best")
    _refused(_translate(run / "best"), r"tokenizer\.json", "differs", r"manifest\.json")


def test_a_pickle_that_would_run_code_is_not_run(trained, tmp_path):
    run = _copy(trained, tmp_path)
    (run / "model.safetensors").unlink()
    (run / "manifest.json").unlink(missing_ok=True)

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"weight": Evil()}, run / "pytorch_model.bin")
    _refused(_translate(run), r"pytorch_model\.bin", "refused")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("name", "says"), [("nowhere", "no such folder"), (".", "no model here")])
def test_a_folder_without_a_model(name, says, tmp_path):
    recipe = write_recipe(tmp_path)
    for verb, *more in (["translate"], ["evaluate", "--data", tmp_path / "train.tsv"]):
        _refused(command(verb, tmp_path / name, *more).sentence(2), says)
    told = command("train", recipe, f"init={tmp_path / name}", "-o", tmp_path / "run")
    _refused(told.sentence(2), says)


@pytest.mark.parametrize("damage", ["cut", "gone", "no JSON", "other format", "changed"])
def test_a_training_state_that_is_damaged(damage, trained, tmp_path):
    run = _copy(trained, tmp_path)
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
    _refused(told.sentence(2), "train_state", "damaged|missing|not a training state", "--output")


# --- while running -----------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_with_advice_and_keeps_the_last_good_state(trained, tmp_path):
    recipe, run = write_recipe(tmp_path), _copy(trained, tmp_path)
    before = (run / "last" / "model.safetensors").read_bytes()
    settings = ["train.steps=90", "train.save_every=1", "optim.clip=null", "schedule.warmup=1"]
    told = command("train", recipe, *settings, "optim.lr=1e30", "-o", tmp_path / "new")
    _refused(told.sentence(1), "finite|not numbers|exploded", r"smaller optim\.lr")
    told = command("train", recipe, *settings, "optim.lr=1e30", "--resume", "-o", run)
    _refused(told.sentence(1), "finite|not numbers|exploded", r"smaller optim\.lr")
    weights = load_file(run / "last" / "model.safetensors")
    assert all(weight.isfinite().all() for weight in weights.values())
    assert before
    assert command("translate", run, text=PAIRS[0][0]).code == 0


# --- what is translated ------------------------------------------------------------------------------------


def test_nothing_in_nothing_out(trained):
    for text in ("", b""):
        told = command("translate", trained, text=text)
        assert (told.code, told.out) == (0, "")


def test_strange_lines_each_give_one_line(trained):
    strange = [
        "\x00",
        "a\x00b",
        "\t",
        "\t나는\t책을\t",
        "😀👩‍👩‍👧",
        "\u2028 \u2029",
        "\x1b[31m",
        " ",
        "</s> <pad>",
        "\ufeff",
    ]
    text = "\n".join([*strange, "", PAIRS[0][0]])
    told = command("translate", trained, text=text)
    assert told.code == 0, told.err
    assert len(told.out.split("\n")) == len(strange) + 3
    assert told.out.splitlines()[-1] == PAIRS[0][1]
    assert told.out.split("\n")[-3] == ""


def test_a_line_that_does_not_fit_the_model_is_named_or_cut(trained):
    text = f"{PAIRS[0][0]}\n{'나는 ' * 40}\n{PAIRS[1][0]}\n"
    told = command("translate", trained, text=text)
    _refused(told.sentence(2), "line 2", "31", "cut|split")
    told = command("translate", trained, "--too-long", "cut", text=text)
    assert told.code == 0
    lines = told.out.split("\n")
    assert (lines[0], lines[2]) == (PAIRS[0][1], PAIRS[1][1])
    assert "line 2" in told.err


def test_a_line_of_a_megabyte(trained):
    for line in ("가" * 350_000, "나는 " * 150_000):
        told = command("translate", trained, "--too-long", "cut", text=f"{line}\n{PAIRS[0][0]}\n")
        assert told.code == 0, told.err
        assert told.out.split("\n")[1] == PAIRS[0][1]
    told = command("translate", trained, text="나는 " * 150_000)
    _refused(told.sentence(2), "line 1")
    assert len(told.err) < 1000


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--n-best", "3", "--num-beams", "2"], ["num_return_sequences", "num_beams"]),
        (["--input", "nowhere.txt"], [r"nowhere\.txt"]),
        (["--prefix", "a b c d e f g h i j", "--max-new-tokens", "3"], ["forced beginning", "line 1"]),
    ],
)
def test_wishes_that_cannot_be_met(arguments, parts, trained):
    _refused(command("translate", trained, *arguments, text=PAIRS[0][0]).sentence(2), *parts)


def test_evaluation_of_nothing(trained, tmp_path):
    (tmp_path / "blank.tsv").write_text("\n\n", "utf-8")
    (tmp_path / "empty.tsv").write_text("", "utf-8")
    for name in ("blank.tsv", "empty.tsv", "nowhere.tsv"):
        told = command("evaluate", trained, "--data", tmp_path / name)
        _refused(told.sentence(2), name)
    test = write_pairs(tmp_path / "test.tsv")
    (tmp_path / "other.txt").write_text("one line\n", "utf-8")
    told = command("evaluate", trained, "--data", test, "--compare", tmp_path / "other.txt")
    _refused(told.sentence(2), r"other\.txt", "1 line", "8")


# --- as a process ------------------------------------------------------------------------------------------


def test_a_process_ends_with_the_code_and_one_line(trained, tmp_path):
    bad = _process("translate", trained, text="나는\n".encode() + b"\xff\xfe\n")
    _one_line(bad, 2, "standard input:2|stdin:2|line 2|:2", "UTF-8")
    recipe = write_recipe(tmp_path, RECIPE.replace("warmup", "warmpu"))
    _one_line(_process("train", recipe, "-o", tmp_path / "run"), 2, r"recipe\.yaml:7", "'warmup'")
    good = _process("translate", trained, text=f"{PAIRS[0][0]}\n\n".encode())
    assert (good.returncode, good.stdout.decode()) == (0, f"{PAIRS[0][1]}\n\n")
