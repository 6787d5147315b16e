"""Systems beside each other: the same tokens, counted alike, and refused where they are not the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from bench import ceilings, contest, ctranslate, decoding, measure, peers, results, same, work

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
        made = work.make(results.TINY, tmp_path_factory.mktemp("bench") / "tiny", 1)
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
    assert (found["rows"], found["tokens"]) == (2, 4)
    assert contested(ROWS, "processor")["rates"]["peer float32"] == [2.0] * 3


def test_rounding_may_part_rows_in_less_than_float32_and_how_many_is_told():
    assert contested(ROWS)["equal"] == {"Glassformer float32": 2, "Glassformer int8": 1, "peer float32": 2}


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
    assert ceilings.read(2, 2**16) > 0
    assert torch.get_num_threads() == threads
    assert (ceilings.int8() or 1.0) > 0
    lines = ceilings.rows({"products": {"float32": 200.0, "int8": 900.0}, "read": {"1": 40.0, "2": 70.0}})[1]
    assert lines[1] == ["matrix product, int8", "900 GOP/s"]
    assert [line[1] for line in lines[2:]] == ["40.0 GB/s", "70.0 GB/s"]
