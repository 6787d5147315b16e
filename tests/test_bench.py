"""The benchmark runs, writes what it promises, and refuses to compare systems that do different work."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from bench import kinds, learning, measure, quality, results, same, steps, training, work, writing
from bench.__main__ import main

from glassformer.base import machine

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def restored() -> Iterator[None]:
    """PyTorch's settings are as they were when the tests are over."""
    threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(products)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, restored: None) -> Iterator[dict[str, Any]]:
    """One quick run over the package's own sentences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GLASSFORMER_DATA", raising=False)
        patch.setattr(measure, "REST", 0.0)
        patch.setattr(machine, "matmul_ceilings", lambda: {"float32": 100.0, "bfloat16": 200.0})
        patch.setattr(machine, "memory_ceiling", lambda: 10.0)
        yield results.run(
            ("translation", "translate", "llama", "vit", "generate"),
            tmp_path_factory.mktemp("bench"),
            quick=True,
        )


def test_every_system_is_timed_in_training_and_decoding(found):
    rates = found["translation"]["rates"]
    assert sum(name.startswith("MarianMT") for name in rates) == 4
    assert sum(name.startswith("Glassformer") for name in rates) == 2
    assert all(len(values) == found["translation"]["repetitions"] for values in rates.values())
    assert all(rate > 0 for values in rates.values() for rate in values)
    assert set(found["translate"]["tasks"]) == {
        f"tiny, {how}, batch {rows}" for how in ("greedy", "beam 5") for rows in (1, 4)
    }


@pytest.mark.parametrize(
    ("job", "peer", "ways"),
    [("translation", "MarianMT", 4), ("llama", "transformers", 6), ("vit", "transformers", 6)],
)
def test_all_learn_the_same_in_every_system_and_precision(found, job, peer, ways):
    losses = found[job]["first_losses"]
    assert sum(name.startswith(peer) for name in losses) == ways
    assert sum(name.startswith("Glassformer") for name in losses) == 2
    exact = [losses[name] for name in losses if learning.precision_of(name) == "float32"]
    assert len(exact) == 3
    assert torch.tensor(exact).std(dim=0).max() < 1e-4
    assert all(rate > 0 for values in found[job]["rates"].values() for rate in values)


@pytest.mark.parametrize("kind", ["gpt", "bert"])
def test_the_first_steps_of_other_stacks_are_those_of_transformers(kind, tmp_path, restored):
    task = kinds.make(kind, tmp_path / kind, quick=True)
    mine, theirs = steps.glass(task, "float32"), steps.peer(task, "float32", "sdpa")
    assert mine.parameters() == theirs.parameters()
    assert mine.first(3) == pytest.approx(theirs.first(3), abs=1e-4)
    assert len(set(mine.turn(2)["losses"])) == 2


def test_a_gpt_in_plain_pytorch_takes_the_same_first_steps(tmp_path, restored):
    task = kinds.make("nanogpt", tmp_path / "gpt", quick=True)
    mine, theirs = steps.glass(task, "float32"), steps.by_hand(task, "float32")
    assert mine.parameters() == theirs.parameters()
    assert mine.first(3) == pytest.approx(theirs.first(3), abs=1e-4)


def test_a_setting_changes_only_the_sizes_it_names(tmp_path):
    task = kinds.make("vit-tiny", tmp_path / "vit", quick=True)
    assert task.batches[0]["images"].shape == (4, 3, 32, 32)
    assert task.described()["size"]["dim"] == kinds.TINY["dim"]


def test_what_is_generated_is_the_same_token_for_token(found):
    tasks = found["generate"]["tasks"]
    assert len(tasks) == 2 * 2 * 3 * 2
    exact = [task for name, task in tasks.items() if "float32" in name and "sampling" not in name]
    assert all(task["equal"] == task["rows"] for task in exact)
    assert all(task["equal"] is None for name, task in tasks.items() if "sampling" in name)
    assert all(set(task["rates"]) == {writing.BASE, "Glassformer"} for task in tasks.values())


def test_losses_that_part_in_one_precision_are_refused():
    good = {"transformers float32": [5.0, 4.9], "Glassformer bfloat16": [5.01, 4.92]}
    learning.check_first(good)
    with pytest.raises(same.NotTheSameWork, match="step 2 with equal weights in bfloat16"):
        learning.check_first(good | {"Glassformer bfloat16": [5.0, 4.8]})
    with pytest.raises(same.NotTheSameWork, match="step 1 with equal weights in float32"):
        learning.check_first(good | {"Glassformer float32": [5.01, 4.9]})


def test_the_results_are_written_for_people_and_programs(found, tmp_path):
    text = results.written(found, tmp_path)
    assert "÷ MarianMT float32" in text
    assert "÷ transformers generate" in text
    assert "÷ transformers" in text.partition("Translating")[2]
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert page.count("| --- |") >= len(found)
    assert found["llama"]["about"]["machine"] in page
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8")) == found


def test_a_job_measured_again_leaves_the_others_as_they_were(found, tmp_path):
    results.written({job: found[job] for job in ("llama", "vit")}, tmp_path)
    again = found["vit"] | {"parameters": 123_456}
    results.written({"vit": again}, tmp_path)
    kept = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert kept == {"llama": found["llama"], "vit": again}
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "123,456 parameters" in page
    assert "## Training, llama" in page


def test_an_unknown_job_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as end:
        main(["gtp"])
    assert end.value.code == 2
    assert (
        "there is no job gtp; there are ceilings, translation, translation-base, " in capsys.readouterr().err
    )


def test_the_command_is_told_as_it_was_typed_but_for_where_it_was_written(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(sys, "argv", ["bench", "gpt2", "--output", "here", "--processor"])
    assert results._command(quick=False) == "OMP_NUM_THREADS=1 glassformer bench gpt2 --processor"


def test_quality_is_asked_of_its_own_program(monkeypatch):
    asked: list[list[str]] = []
    monkeypatch.setattr(quality, "main", lambda words: asked.append(words) or 5)
    assert main(["--quality", "runs/x", "--data", "test.tsv"]) == 5
    assert asked == [["runs/x", "--data", "test.tsv"]]


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
