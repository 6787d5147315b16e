"""How the contracts on bad input ask the command line, and what they expect to be told."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.contracts.small_runs import PAIRS, command, write_recipe

SHORT = ("train.steps=2", "train.evaluate_first=false")


def refused(sentence: str, *parts: str) -> None:
    """The sentence says all this, on one line."""
    assert "\n" not in sentence
    for part in parts:
        assert re.search(part, sentence), f"{part!r} is not in: {sentence}"


def train_refused(tmp_path: Path, *more: str | Path) -> str:
    """The sentence with which training refuses what was asked, before it wrote anything."""
    told = command("train", write_recipe(tmp_path / "asked"), "-o", tmp_path / "run", *SHORT, *more)
    assert not (tmp_path / "run").exists()
    assert told.out == ""
    return told.sentence(2)


def copied(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def process(
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


def one_line(done: subprocess.CompletedProcess[bytes], code: int, *parts: str) -> None:
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert "Traceback" not in said
    (line,) = (line for line in said.splitlines() if line.startswith("error:"))
    assert said.splitlines()[-1] == line
    refused(line, *parts)


def translate_refused(folder: Path, *more: str) -> str:
    told = command("translate", folder, *more, text=PAIRS[0][0])
    assert told.out == ""
    return told.sentence(2)
