"""Text, images and parts that do not fit: for every kind of data and objective one clear sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.lessons import ABLE, ALLOWED, LESSONS
from tests.contracts.refusals import SHORT, refused
from tests.contracts.small_runs import command

import glassformer as gf
from glassformer.base import plugins

TEXTUAL = [name for name in LESSONS if plugins.find("objectives", name).Objective.reads == "text"]
PICTORIAL = [name for name in LESSONS if plugins.find("objectives", name).Objective.reads == "images"]


def _refused(objective: str, tmp_path: Path, *settings: str) -> str:
    """The sentence with which training refuses what was asked, before it wrote anything."""
    recipe = LESSONS[objective].write(tmp_path / "asked")
    told = command("train", recipe, "-o", tmp_path / "run", *SHORT, *settings)
    assert not (tmp_path / "run").exists()
    assert told.out == ""
    return told.sentence(2)


# --- text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "valid"])
@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["empty|no text|no usable|nothing"]),
        (b" \n\n\t\n", ["empty|no text|no usable|nothing|blank"]),
        ("한 줄\n두 줄\n".encode() + b"latin \xe9\n", [r"text:3|\.txt:3", "UTF-8"]),
    ],
    ids=["empty", "blank", "latin"],
)
@pytest.mark.parametrize("objective", TEXTUAL)
def test_text_that_is_none(
    objective: str, content: bytes, parts: list[str], split: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.txt").write_bytes(content)
    said = _refused(objective, tmp_path, f"data.{split}={tmp_path / 'bad.txt'}")
    refused(said, r"bad\.txt", *parts)


@pytest.mark.parametrize(
    ("content", "parts"),
    [("{\n", [r"bad\.jsonl:1"]), ('{"text": "a b"}\n{"words": "a"}\n', [r"bad\.jsonl:2", "text"])],
)
def test_json_lines_without_text(content: str, parts: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(content, "utf-8")
    refused(_refused("causal_lm", tmp_path, f"data.train={tmp_path / 'bad.jsonl'}"), *parts)


@pytest.mark.parametrize("objective", TEXTUAL)
def test_text_shorter_than_a_block_is_learned(objective: str, tmp_path: Path) -> None:
    recipe = LESSONS[objective].write(tmp_path)
    (tmp_path / "text.txt").write_text("봄 여름 가을", "utf-8")
    told = command("train", recipe, "-o", tmp_path / "run", *SHORT, "--json")
    assert told.code == 0, told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("objective", TEXTUAL)
def test_a_block_longer_than_the_model_reads(objective: str, tmp_path: Path) -> None:
    model = plugins.find("models", LESSONS[objective].model)
    if "max_length" not in model.Config.model_fields:
        pytest.skip(f"{LESSONS[objective].model} reads texts of any length")
    refused(_refused(objective, tmp_path, "data.block=64"), "64", "32", r"model\.max_length")


@pytest.mark.parametrize("objective", TEXTUAL)
def test_a_vocabulary_larger_than_the_text_allows_is_smaller_and_said(objective: str, tmp_path: Path) -> None:
    recipe = LESSONS[objective].write(tmp_path)
    told = command("train", recipe, *SHORT, "tokenizer.vocab_size=50000", "-o", tmp_path / "run")
    assert told.code == 0, told.err
    (said,) = (line for line in told.err.splitlines() if "50000" in line)
    assert f"{gf.load(tmp_path / 'run').tokenizers.source.vocab_size} pieces" in said


def test_a_store_of_another_tokenizer(tmp_path: Path) -> None:
    recipe = LESSONS["causal_lm"].write(tmp_path)
    for name, kind in (("one", "word"), ("other", "character")):
        told = command("train", recipe, *SHORT, f"tokenizer.name={kind}", "-o", tmp_path / name)
        assert told.code == 0, told.err
    text, store = tmp_path / "text.txt", tmp_path / "store"
    told = command("data", "prepare", text, "--tokenizer", tmp_path / "other", "-o", store)
    assert told.code == 0, told.err
    for setting in (f"data.train={store}", f"data.valid={store}"):
        told = command("train", recipe, *SHORT, f"init={tmp_path / 'one'}", setting, "-o", tmp_path / "new")
        refused(told.sentence(2), re.escape(str(store)), "another tokenizer", "prepare")
        assert not (tmp_path / "new").exists()


# --- images ------------------------------------------------------------------------------------------------


def _draw(path: Path, shape: tuple[int, ...] = (8, 8)) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)).save(path)


def _corrupt(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


SPOILT: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "sizes": (lambda at: _draw(at / "cat" / "3.png", (9, 8)), [r"3\.png", "9×8", "8×8", r"data\.resize"]),
    "modes": (lambda at: _draw(at / "cat" / "3.png", (8, 8, 3)), [r"3\.png", "color", "gray", r"data\.mode"]),
    "transparent": (lambda at: _draw(at / "cat" / "3.png", (8, 8, 4)), [r"3\.png", "RGBA", r"data\.mode"]),
    "corrupt": (lambda at: _corrupt(at / "cat" / "2.png"), [r"2\.png", "not a readable image"]),
    "text": (lambda at: (at / "cat" / "2.png").write_text("cat") and None, [r"2\.png", "not a readable"]),
    "one class": (lambda at: (at / "dog").rename(at / "cat" / "more"), ["one class", "cat"]),
    "empty": (lambda at: [path.unlink() for path in at.glob("*/*")] and None, ["no images"]),
}


@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("objective", PICTORIAL)
def test_images_that_do_not_fit(objective: str, kind: str, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
        _draw(photos / name)
    spoil, parts = SPOILT[kind]
    spoil(photos)
    refused(_refused(objective, tmp_path, f"data.train={photos}", "data.valid=null"), *parts)


@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"x": np.zeros((4, 8, 8)), "y": np.array([0, 1, 0, 1])}, ["float64", "uint8"]),
        ({"x": np.zeros((4, 8, 8), np.uint8), "y": np.array([0, 1])}, ["4", "2", "labels"]),
        ({"x": np.zeros((4, 8, 8), np.uint8), "y": np.array([0, 2, 0, 2])}, ["label", "1"]),
        ({"x": np.zeros((4, 8, 8), np.uint8), "y": np.zeros(4, int)}, ["one class"]),
        ({"pictures": np.zeros((4, 8, 8), np.uint8)}, ["pictures", "x and y"]),
    ],
    ids=["floats", "labels", "gap", "one class", "names"],
)
@pytest.mark.parametrize("objective", PICTORIAL)
def test_arrays_that_are_no_images(
    objective: str, arrays: dict[str, np.ndarray], parts: list[str], tmp_path: Path
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    said = _refused(objective, tmp_path, f"data.train={tmp_path / 'bad.npz'}", "data.valid=null")
    refused(said, r"bad\.npz", *parts)


# --- parts that do not fit each other ----------------------------------------------------------------------

UNFIT = [(m, o) for m in plugins.names("models") for o in LESSONS if (m, o) not in ABLE]


@pytest.mark.parametrize(("model", "objective"), UNFIT)
def test_a_model_that_cannot_learn_this(model: str, objective: str, tmp_path: Path) -> None:
    able = plugins.find("models", model).Model.abilities
    recipe = LESSONS[objective].write(tmp_path)
    changed = re.sub(r"model: .*?}\n", f"model: {{name: {model}}}\n", recipe.read_text("utf-8"), flags=re.S)
    recipe.write_text(changed, "utf-8")
    told = command("train", recipe, "-o", tmp_path / "run")
    needs = " or ".join(plugins.find("objectives", objective).Objective.needs)
    refused(told.sentence(2), f"{objective} needs a model that {needs}; {model} {' and '.join(able)}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("objective", LESSONS)
def test_data_of_another_kind(objective: str, tmp_path: Path) -> None:
    reads = plugins.find("objectives", objective).Objective.reads
    for kind in {"pairs", "text", "images"} - {reads}:
        recipe = LESSONS[objective].write(tmp_path)
        data = f"data: {{name: {kind}, train: somewhere.tsv}}\n"
        recipe.write_text(re.sub(r"data: .*?}\n", data, recipe.read_text("utf-8"), flags=re.S), "utf-8")
        told = command("train", recipe, "-o", tmp_path / "run")
        refused(told.sentence(2), objective, reads, kind, r"data\.name")


@pytest.mark.parametrize("model", plugins.names("models"))
def test_a_size_that_nobody_published(model: str, tmp_path: Path) -> None:
    objective = next(other for one, other in ALLOWED if one == model)
    said = _refused(objective, tmp_path, f"model={{name: {model}, preset: {model}-enormous}}")
    known = plugins.find("models", model).PRESETS
    refused(said, f"{model}-enormous", "|".join(map(re.escape, known)))
