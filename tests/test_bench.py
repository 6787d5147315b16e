"""The benchmark runs, writes what it promises, and refuses to compare systems that do different work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from bench import measure, results, same, training, work

from glassformer.base import machine

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One quick run over the package's own sentences, leaving PyTorch's settings as they were."""
    threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GLASSFORMER_DATA", raising=False)
        patch.setattr(measure, "REST", 0.0)
        patch.setattr(machine, "matmul_ceilings", lambda: {"float32": 100.0, "bfloat16": 200.0})
        patch.setattr(machine, "memory_ceiling", lambda: 10.0)
        yield results.run(("training", "decoding"), tmp_path_factory.mktemp("bench"), quick=True)
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(products)


def test_every_system_is_timed_in_training_and_decoding(found):
    rates = found["training"]["rates"]
    assert sum(name.startswith("MarianMT") for name in rates) == 4
    assert sum(name.startswith("Glassformer") for name in rates) == 2
    assert all(len(values) == found["training"]["repetitions"] for values in rates.values())
    assert all(rate > 0 for values in rates.values() for rate in values)
    assert set(found["decoding"]["tasks"]) == {
        f"{how}, batch {rows}" for how in ("greedy", "beam 4") for rows in (1, 4)
    }


def test_the_first_losses_agree(found):
    losses = found["training"]["first_loss"].values()
    assert max(losses) - min(losses) < 1e-4


def test_the_results_are_written_for_people_and_programs(found, tmp_path):
    text = results.written(found, tmp_path)
    assert "÷ MarianMT float32" in text
    assert "÷ transformers generate" in text
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert page.count("| --- |") >= 2
    assert found["about"]["machine"] in page
    assert (
        json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["training"] == found["training"]
    )


def test_operations_are_counted_by_weight_and_token(tmp_path):
    size = work.Size("one", {"dim": 8, "depth": 1, "heads": 2, "mlp_dim": 16}, 900, 64, 0.1, 64, 300)
    made = work.make(size, tmp_path / "model", 2)
    source = sum(int(batch["source_keep"].sum()) for batch in made.batches)
    target = sum(batch.count for batch in made.batches)
    square, network = 8 * 8, 2 * 8 * 16
    reads = 4 * square + network + 2 * square
    writes = 4 * square + 2 * square + network + 8 * 900
    assert training.flops(made) == 6 * (reads * source + writes * target)


def test_different_counts_losses_and_outputs_are_refused():
    with pytest.raises(same.NotTheSameWork, match="parameters differ: a: 3, b: 4"):
        same.equal("parameters", {"a": 3, "b": 4})
    with pytest.raises(same.NotTheSameWork, match=r"losses differ by more than 0\.1"):
        same.close("losses", {"a": 1.0, "b": 1.2}, 0.1)
    with pytest.raises(same.NotTheSameWork, match="losses"):
        same.close("losses", {"a": 1.0, "b": float("nan")}, 0.1)
    with pytest.raises(same.NotTheSameWork, match="differ in 1 of 2 lines, first in line 1"):
        same.outputs("greedy", {"a": [[1], [2]], "b": [[1], [3]]})
    same.equal("parameters", {"a": 3, "b": 3})
    same.close("losses", {"a": 1.0, "b": 1.05}, 0.1)
    same.outputs("greedy", {"a": [[1], [2]], "b": [[1], [2]]})


class Counter:
    """A system that counts its turns."""

    def __init__(self) -> None:
        self.turns = 0

    def turn(self) -> int:
        """One more."""
        self.turns += 1
        return self.turns


def test_systems_take_turns(monkeypatch):
    monkeypatch.setattr(measure, "REST", 0.0)
    with measure.opened({"a": Counter, "b": Counter}, apart=False) as systems:
        assert measure.in_turn(systems, 3, lambda one: one.call("turn")) == {"a": [1, 2, 3], "b": [1, 2, 3]}


def test_ratios_compare_turn_by_turn():
    spread = measure.ratios({"a": [1.0, 2.0, 4.0], "b": [2.0, 6.0, 8.0]}, "a")["b"]
    assert (spread.median, spread.least, spread.most) == (2.0, 2.0, 3.0)
