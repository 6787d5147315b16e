"""The report of the machine: complete, plain in JSON, and with advice where something is missing."""

import json
from dataclasses import replace

import pytest

from glassformer.api import doctor
from glassformer.base import machine


@pytest.fixture
def quick(monkeypatch):
    """Limits that need no measuring."""
    monkeypatch.setattr(machine, "matmul_ceilings", lambda: {"float32": 200.04, "bfloat16": 900.0})
    monkeypatch.setattr(machine, "memory_ceiling", lambda: 20.06)
    monkeypatch.setattr(machine, "prepare", lambda _: None)
    monkeypatch.setattr(machine, "faster_float32", lambda _: True)


def test_the_report_holds_what_is_used_and_the_limits(quick):
    found = doctor.doctor()
    told = json.loads(json.dumps(found.as_json()))
    assert told["matmul_gflops"] == {"float32": 200.0, "bfloat16": 900.0}
    assert told["memory_gbs"] == 20.1
    assert told["device"] in ("cpu", "cuda", "mps")
    assert told["precision"] in ("float32", "bfloat16")
    assert told["faster_float32"] is True
    for word in ("precision", "threads", "compiler", "GFLOP/s", "GB/s", found.torch):
        assert word in str(found)


def test_what_is_missing_becomes_advice(quick, monkeypatch):
    poor = replace(machine.look(), device="cpu", compiler=False, cores=8, threads=1, bf16=True)
    monkeypatch.setattr(machine, "look", lambda: poor)
    monkeypatch.setattr(machine, "matmul_ceilings", lambda: {"float32": 200.0, "bfloat16": 90.0})
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    compiler, threads, precision = doctor.doctor().advice
    assert "No C++ compiler" in compiler
    assert "OMP_NUM_THREADS=1 leaves 7 of 8 cores idle" in threads
    assert "float32 may be faster" in precision
    assert compiler in str(doctor.doctor())


@pytest.mark.slow
def test_the_limits_are_measured():
    found = doctor.doctor()
    assert all(speed > 0 for speed in (*found.matmul_gflops.values(), found.memory_gbs))
