"""The verb `bench`: what is typed goes on to the benchmark, and a package without one says so."""

import subprocess
import sys
from typing import Any

import pytest

from glassformer.cli import bench


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every process that would have been started; each ends with code 3."""
    calls: list[Any] = []

    def run(words: list[str], **named: Any) -> Any:
        calls.append((words, named))
        return subprocess.CompletedProcess(words, 3)

    monkeypatch.setattr(bench.subprocess, "run", run)
    return calls


def test_words_and_options_go_on_as_they_are_and_the_exit_code_comes_back(ask, ran):
    assert ask("bench", "translate", "--quick", "--json").code == 3
    ((words, named),) = ran
    assert words == [sys.executable, "-P", "-m", "bench", "translate", "--quick", "--json"]
    assert named["env"]["PYTHONPATH"].split(":")[0] == str(bench.HOME)


def test_its_help_is_that_of_the_benchmark(ask, ran):
    ask("bench", "--help")
    assert ran[0][0][-1] == "--help"


def test_the_benchmark_of_this_tree_is_found_from_anywhere_and_teaches(tmp_path):
    words = [sys.executable, "-m", "glassformer", "bench", "--help"]
    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    assert told.stdout.startswith("usage: glassformer bench")
    assert "translate" in told.stdout
    assert "examples:" in told.stdout


def test_an_installed_package_says_that_it_brings_none(ask, ran, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "HOME", tmp_path)
    ended = ask("bench")
    assert (ended.code, ran) == (2, [])
    assert "an installed package brings no benchmark; clone the repository" in " ".join(ended.err.split())
