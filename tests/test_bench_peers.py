"""Systems beside each other: the same tokens, counted alike, and refused where they are not the same."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from bench import (
    ceilings,
    cold,
    contest,
    ctranslate,
    decoding,
    encoding,
    ggml,
    gpt2,
    measure,
    onnx_bert,
    peers,
    rounds,
    same,
    starting,
    work,
)

from glassformer.hub import folder as hub


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.delenv("GLASSFORMER_DATA", raising=False)
    monkeypatch.setattr(measure, "REST", 0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny translation model whose choices are clear."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GLASSFORMER_DATA", raising=False)
        made = work.make(rounds.TINY, tmp_path_factory.mktemp("bench") / "tiny", 1)
    decoding.certain(made.folder)
    return made.folder


def wanted(folder: Path, beams: int, rows: int) -> dict[str, Any]:
    """Three sentences of different lengths."""
    end = hub.load(folder).tokenizers.target.eos_id
    lines = ["오늘 날씨가 좋아요.", "안녕하세요?", "내일 친구하고 같이 공원에 가요."]
    return {"size": "tiny", "lines": lines, "rows": rows, "beams": beams, "most": 5, "end": end, "batch": 2}


@pytest.mark.parametrize(("beams", "rows"), [(1, 1), (1, 3), (5, 1), (5, 3)])
def test_ctranslate2_with_our_weights_writes_what_we_write(folder, tmp_path, beams, rows):
    pytest.importorskip("ctranslate2")
    ours = decoding.Glass({"tiny": folder}).turn(wanted(folder, beams, rows), "float32")
    theirs = ctranslate.Translating({"tiny": folder}, tmp_path).turn(wanted(folder, beams, rows), "float32")
    assert [len(row) for row in ours["written"]] == [5, 5, 5]
    assert ours["written"] == theirs["written"]
    assert len({tuple(row) for row in ours["written"]}) == 3


@pytest.mark.parametrize("beams", [1, 5])
def test_transformers_with_our_weights_writes_what_we_write(folder, beams):
    pytest.importorskip("transformers")
    ours = decoding.Glass({"tiny": folder}).turn(wanted(folder, beams, 3), "float32")
    assert (
        decoding.Marian({"tiny": folder}).turn(wanted(folder, beams, 3), "float32")["written"]
        == ours["written"]
    )


class Writer:
    """A system that writes the same rows each time, as fast as it is said to be."""

    def __init__(self, rows: list[list[int]], seconds: float) -> None:
        self.rows, self.seconds = rows, seconds

    def turn(self, wanted: dict[str, Any], precision: str) -> dict[str, Any]:
        """In less than float32 the first row begins otherwise."""
        first = [[*self.rows[0][:-1], 99]] if precision != "float32" else self.rows[:1]
        return {"wall": self.seconds, "processor": 2 * self.seconds, "written": first + self.rows[1:]}


ROWS = [[1, 2], [3, 4]]


def contested(theirs: list[list[int]], clock: str = "wall") -> dict[str, Any]:
    makers = {contest.OURS: partial(Writer, ROWS, 0.5), "peer": partial(Writer, theirs, 1.0)}
    offers = {contest.OURS: ("float32", "int8"), "peer": ("float32",)}
    task = contest.Task("a task", {}, 4, contest.entries(offers), 3)
    with measure.opened(makers, apart=False) as systems:
        return contest.measure(systems, task, clock)


def test_rates_are_units_a_second_by_the_clock_that_is_asked_for():
    found = contested(ROWS)
    assert found["rates"] == {
        "Glassformer float32": [8.0] * 3,
        "Glassformer int8": [8.0] * 3,
        "peer float32": [4.0] * 3,
    }
    assert (found["units"], found["repetitions"]) == (4, 3)
    assert contested(ROWS, "processor")["rates"]["peer float32"] == [2.0] * 3


def test_rounding_may_part_rows_in_less_than_float32_and_how_many_is_told():
    alike = contested(ROWS)["alike"]
    assert alike == {
        "Glassformer float32": "2 of 2",
        "Glassformer int8": "1 of 2",
        "peer float32": "2 of 2",
    }


def test_other_tokens_in_float32_and_other_lengths_are_refused():
    with pytest.raises(same.NotTheSameWork, match="peer float32 writes 1 of 2 rows as the others do"):
        contested([[1, 2], [3, 5]])
    with pytest.raises(same.NotTheSameWork, match="a task: tokens written differ"):
        contested([[1, 2], [3, 4, 5]])
    with pytest.raises(same.NotTheSameWork, match="a task: rows differ"):
        contested([[1, 2]])


def test_the_table_compares_at_one_precision_or_names_the_other():
    headers, lines = contest.rows({"a task": contested(ROWS)}, "rows", lambda *of: f"{of[2]:.0f}!")
    assert headers == ["work", "system", "rows/s", "÷ peer", "equal rows", "of the limit"]
    assert lines == [
        ["a task", "Glassformer float32", "8 (8–8)", "2 (2–2)", "2 of 2", "8!"],
        ["a task", "Glassformer int8", "8 (8–8)", "2 (2–2) (float32)", "1 of 2", "8!"],
        ["a task", "peer float32", "4 (4–4)", "–", "2 of 2", "4!"],
    ]


def test_what_is_not_installed_is_named_in_one_line(monkeypatch):
    monkeypatch.setattr(peers, "has", lambda module: module != "onnxruntime")
    assert peers.absent().startswith("not installed and left out: onnxruntime; pip install")
    monkeypatch.setattr(peers, "has", lambda module: True)
    assert peers.absent() == ""
    assert peers.versions()["torch"].startswith("2.")


def test_the_machine_is_measured_in_every_precision(monkeypatch):
    monkeypatch.setattr(ceilings, "SECONDS", 0.0)
    monkeypatch.setattr(ceilings, "SIDES", (16,))
    threads = torch.get_num_threads()
    assert ceilings.read(2, "wall", 2**16) > 0
    assert torch.get_num_threads() == threads
    assert ceilings.product(torch.bfloat16, "processor") is not None
    assert (ceilings.product(torch.int8, "wall") or 1.0) > 0
    lines = ceilings.rows({"products": {"float32": 200.0, "int8": 900.0}, "read": {"1": 40.0, "2": 70.0}})[1]
    assert lines[1] == ["matrix product, int8", "900 GOP/s"]
    assert [line[1] for line in lines[2:]] == ["40.0 GB/s", "70.0 GB/s"]


GPT = {"dim": 32, "depth": 2, "heads": 2, "max_length": 64, "vocab_size": 400}


@pytest.fixture(scope="module")
def gpt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gpt2.write(tmp_path_factory.mktemp("bench") / "gpt2", GPT)[0]


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    return [[7, 301, 25, 130], [200, 9, 9, 77], [11, 12, 13, 14]]


def gpt_systems(folder: Path, root: Path) -> dict[str, Any]:
    return {
        "ctranslate2": lambda: ctranslate.Writing(folder, root),
        "llama_cpp": lambda: ggml.Writing(folder, root),
        "transformers": lambda: gpt2.Peer(folder),
    }


@pytest.mark.parametrize("peer", ["ctranslate2", "llama_cpp", "transformers"])
def test_a_gpt_of_ours_writes_the_same_in_every_peer(gpt_folder, prompts, tmp_path, peer):
    pytest.importorskip(peer)
    pytest.importorskip("gguf")
    wanted = {"prompts": prompts, "most": 6}
    ours = gpt2.Glass(gpt_folder).turn(wanted, "float32")["written"]
    assert len({tuple(row) for row in ours}) == 3
    assert [len(row) for row in ours] == [6, 6, 6]
    assert gpt_systems(gpt_folder, tmp_path)[peer]().turn(wanted, "float32")["written"] == ours


def test_the_share_of_the_limit_is_that_of_memory_for_one_row_and_of_products_for_reading():
    found = {"weights": 10**9, "output": 4 * 10**8}
    limits = {"read": {"1": 40.0, "2": 80.0}, "products": {"float32": 1200.0}}
    assert gpt2.share(found, limits, "write, batch 1", "x float32", 10.0) == "50%"
    assert gpt2.share(found, limits, "write, batch 1", "x int8", 40.0) == "50%"
    assert gpt2.share(found, limits, "read 512", "x float32", 500.0) == "50%"
    assert gpt2.share(found, limits, "write, batch 8", "x float32", 10.0) == "–"
    assert gpt2.share(found, limits, "read 512", "x int8", 10.0) == "–"


def test_what_a_token_costs_is_counted_from_the_matrices(gpt_folder):
    model = hub.load(gpt_folder).model
    assert gpt2.weighed(model) == {"weights": 2 * 12 * 32**2 + 400 * 32, "output": 400 * 32}


BERT = {"dim": 32, "depth": 2, "heads": 2, "mlp_dim": 64, "vocab_size": 300}


def bert_systems(folder: Path, root: Path) -> dict[str, Any]:
    return {
        "onnxruntime": lambda: onnx_bert.Encoding(folder, root),
        "transformers": lambda: encoding.Peer(folder),
    }


@pytest.mark.parametrize("peer", ["onnxruntime", "transformers"])
def test_a_bert_of_ours_gives_the_same_vectors_in_every_peer(tmp_path, peer):
    pytest.importorskip(peer)
    pytest.importorskip("onnx")
    folder = encoding.write(tmp_path / "bert", BERT)
    wanted = {"rows": [[5, 9, 17, 200, 31], [8, 8, 250, 7, 77]], "times": 2}
    ours = encoding.Glass(folder).turn(wanted, "float32")
    theirs = bert_systems(folder, tmp_path)[peer]().turn(wanted, "float32")
    told = encoding.check("here", {"Glassformer float32": ours, "peer float32": theirs})
    assert told == {"Glassformer float32": "1.0000", "peer float32": "1.0000"}


def test_int8_of_onnx_runtime_is_near(tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    folder = encoding.write(tmp_path / "bert", BERT)
    wanted = {"rows": [[5, 9, 17, 200, 31]], "times": 1}
    system = onnx_bert.Encoding(folder, tmp_path)
    whole, low = (torch.tensor(system.turn(wanted, one)["vectors"]) for one in ("float32", "int8"))
    assert 0 < float((whole - low).abs().max()) < 0.1


def test_other_vectors_in_float32_are_refused():
    ours = {"vectors": [[1.0, 0.0]]}
    with pytest.raises(same.NotTheSameWork, match="vectors in float32 differ by more than"):
        encoding.check("here", {"Glassformer float32": ours, "peer float32": {"vectors": [[1.0, 0.01]]}})
    told = encoding.check("here", {"Glassformer float32": ours, "peer int8": {"vectors": [[1.0, 1.0]]}})
    assert told["peer int8"] == "0.7071"


def test_a_process_is_timed_and_its_memory_is_its_own(tmp_path):
    took = starting.once([sys.executable, "-c", "print(input())"], "a line", tmp_path)
    assert took["said"] == "a line"
    assert 0 < took["processor"] <= 2 * took["wall"]
    assert 1 < took["megabytes"] < 60  # this process has more than that
    with pytest.raises(RuntimeError, match="ended with 3"):
        starting.once([sys.executable, "-c", "raise SystemExit(3)"], "", tmp_path)


@pytest.mark.parametrize("way", ["transformers", "ctranslate2"])
def test_a_cold_start_ends_in_the_same_translation(folder, tmp_path, way):
    pytest.importorskip(way)
    own = shutil.copytree(folder, tmp_path / "tiny")
    decoding.certain(own, cold.HOW)
    if way == "ctranslate2":
        ctranslate.translator_folder(own, Path(f"{own}-ctranslate2"))
    line = "오늘 날씨가 좋아요."
    assert cold.WAYS[way](str(own), line) == cold.glassformer(str(own), line)


def test_starts_are_compared_turn_by_turn():
    ways = {
        "import torch": {"wall": [2.0], "processor": [1.5], "megabytes": [200.0]},
        "Glassformer translates": {"wall": [3.0, 4.0], "processor": [2.0], "megabytes": [300.0]},
        "transformers translates": {"wall": [6.0, 16.0], "processor": [5.0], "megabytes": [400.0]},
    }
    lines = starting.rows({"ways": ways})[1]
    assert [line[-1] for line in lines] == ["–", "0.375 (0.25–0.5)", "1 (1–1)"]
