"""What the machine can do is found by asking it, and choices follow from what was found."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
import torch

from glassformer.base import machine
from glassformer.base.errors import UserError
from glassformer.base.machine import Machine


@pytest.fixture
def here() -> Machine:
    return machine.look()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GLASSFORMER_CACHE", str(tmp_path))
    return tmp_path / "float32.json"


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A control group whose files the test writes."""
    monkeypatch.setattr(machine, "_groups", lambda _: [tmp_path / "own", tmp_path])
    return tmp_path


def test_the_machine_is_looked_at_once(here):
    assert machine.look() is here
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert here.memory_bytes > 2**28
    assert here.torch == torch.__version__


def test_bfloat16_follows_the_instructions_of_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    assert not machine._fast_bf16("cpu", ("avx2", "avx512f"))
    assert machine._fast_bf16("cpu", ("avx2", "amx_bf16"))
    assert not machine._fast_bf16("mps", ("bf16",))


def test_auto_takes_what_is_fast(here):
    with_bf16, without = (dataclasses.replace(here, bf16=flag) for flag in (True, False))
    assert machine.precision("auto", with_bf16) == "bfloat16"
    assert machine.precision("auto", without) == "float32"
    assert machine.precision("float32", with_bf16) == "float32"


def test_a_slow_choice_is_warned_of_and_a_wrong_one_refused(here, capsys):
    assert machine.precision("bfloat16", dataclasses.replace(here, bf16=False)) == "bfloat16"
    assert "slower than float32" in capsys.readouterr().err
    with pytest.raises(UserError, match="expected one of 'auto', 'float32', 'bfloat16', got 'fp16'"):
        machine.precision("fp16", here)


def test_what_is_used_is_said_in_one_line(here):
    one = dataclasses.replace(
        here, device="cpu", name="Some CPU", threads=1, memory_bytes=2**34, compiler=False
    )
    assert (
        machine.sentence(one, "float32")
        == "Some CPU, 1 thread, 16 GiB, float32, no compiler found, so nothing is compiled"
    )
    two = dataclasses.replace(one, device="cuda", compiler=True)
    assert machine.sentence(two, "bfloat16") == "Some CPU (cuda), 16 GiB, bfloat16"


def test_a_container_limits_cores_and_memory(groups, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(machine, "_core_of", lambda number: ("0", str(number)))
    assert machine._cores() == 64
    (groups / "cpu.max").write_text("250000 100000\n")
    (groups / "memory.max").write_text("1000\n")
    assert machine._cores() == 2
    assert machine._memory("cpu") == 1000
    (groups / "own").mkdir()
    (groups / "own" / "cpu.max").write_text("max 100000\n")
    (groups / "own" / "memory.max").write_text("max\n")
    assert machine._cores() == 2
    (groups / "own" / "cpu.cfs_quota_us").write_text("50000\n")
    (groups / "own" / "cpu.cfs_period_us").write_text("100000\n")
    assert machine._cores() == 1


def test_two_threads_of_one_core_count_once(groups, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(machine, "_core_of", lambda number: ("0", str(number // 2)))
    assert machine._cores() == 4


def test_threads_follow_the_environment(monkeypatch):
    for asked, threads in (("3", 3), ("0", 8), ("many", 8), ("", 8)):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert machine._threads(8) == threads


def test_a_compiler_is_what_the_path_holds(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert not machine._compiler("cpu")
    (tmp_path / "g++").write_text("#!/bin/sh\n")
    (tmp_path / "g++").chmod(0o755)
    assert machine._compiler("cpu")


def test_preparing_sets_threads_and_keeps_float32_exact(here, cache):
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    try:
        machine.prepare(dataclasses.replace(here, threads=1))
        assert torch.get_num_threads() == 1
        left, right = torch.randn(64, 512), torch.randn(512, 64)
        assert torch.allclose((left @ right).double(), left.double() @ right.double(), atol=1e-3)
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])


def test_preparing_bounds_the_kernel_caches_but_not_against_the_users_wish(here, cache, monkeypatch):
    monkeypatch.delenv("LRU_CACHE_CAPACITY", raising=False)
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    threads = torch.get_num_threads()
    try:
        machine.prepare(here)
    finally:
        torch.set_num_threads(threads)
    assert os.environ["LRU_CACHE_CAPACITY"] == machine.KERNEL_CACHES["LRU_CACHE_CAPACITY"]
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "7"


def test_a_measurement_is_made_once_and_remembered(here, cache, monkeypatch):
    cpu = dataclasses.replace(here, device="cpu")
    measured: list[int] = []
    monkeypatch.setattr(machine, "_measure_medium", lambda: bool(measured.append(1)) or True)
    assert machine.faster_float32(cpu)
    assert machine.faster_float32(cpu)
    assert len(measured) == 1
    assert list(json.loads(cache.read_text()).values()) == [True]
    assert machine.faster_float32(dataclasses.replace(cpu, name="another"))
    assert len(measured) == 2
    assert not machine.faster_float32(dataclasses.replace(cpu, device="cuda"))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"a": 3}', None])
def test_a_broken_cache_is_measured_anew(here, cache, monkeypatch, content):
    if content is None:
        cache.mkdir()
    else:
        cache.write_bytes(content)
    monkeypatch.setattr(machine, "_measure_medium", lambda: False)
    assert machine.faster_float32(dataclasses.replace(here, device="cpu")) is False


def test_the_measurement_leaves_the_setting_as_it_was():
    before = torch.get_float32_matmul_precision()
    assert machine._measure_medium() in (True, False)
    assert torch.get_float32_matmul_precision() == before


def test_less_exact_products_are_refused_however_fast(monkeypatch):
    monkeypatch.setattr(
        machine,
        "quickest",
        lambda *_, **__: 1.0 if torch.get_float32_matmul_precision() == "highest" else 0.1,
    )
    errors = iter([torch.tensor(1.0), torch.tensor(300.0)])
    monkeypatch.setattr(torch.Tensor, "norm", lambda self: next(errors))
    assert machine._measure_medium() is False


def test_ceilings_are_positive(monkeypatch):
    best = machine.quickest
    monkeypatch.setattr(machine, "_SIDES", {"cpu": (32, 64), "cuda": (32, 64), "mps": (32, 64)})
    monkeypatch.setattr(machine, "_COPIED", {"cpu": 2**20, "cuda": 2**20, "mps": 2**20})
    monkeypatch.setattr(machine, "quickest", lambda action, device, budget: best(action, device, 0.0))
    ceilings = machine.matmul_ceilings()
    assert set(ceilings) == {"float32", "bfloat16"}
    assert all(value > 0 for value in ceilings.values())
    assert machine.memory_ceiling() > 0
