"""Cold starts: how long new processes take to their first translated sentence, and how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import cold, ctranslate, peers, same
from bench.decoding import certain
from bench.measure import REST, Spread, ratios
from bench.work import Size, make

BASE = "transformers"
HOME = Path(__file__).parents[1]
PYTHON = [sys.executable, "-P"]


def measure(scratch: Path, *, size: Size, repetitions: int) -> dict[str, Any]:
    """Seconds and peak memory of every way, in turn; NotTheSameWork when they translate differently."""
    work = make(size, scratch / "model", batches=1)
    certain(work.folder, cold.HOW)
    compiled = scratch / "compiled"
    line = work.sentences[0]
    commands = _commands(work.folder, line)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for number in range(repetitions + 1):
        for name, command in commands.items():
            time.sleep(REST)
            took = once(command, line, compiled)
            if number:  # the first time reads files and writes compiled modules
                found[name].append(took)
    said = {name: turns[-1]["said"] for name, turns in found.items() if "translat" in name}
    same.equal("translations", said)
    ways = {
        name: {key: [turn[key] for turn in turns] for key in ("wall", "processor", "megabytes")}
        for name, turns in found.items()
    }
    return {"size": size.name, "beams": cold.BEAMS, "repetitions": repetitions, "ways": ways}


def _commands(folder: Path, line: str) -> dict[str, list[str]]:
    by_hand = [*PYTHON, "-m", "bench.cold"]
    found = {
        "python -c pass": [*PYTHON, "-c", "pass"],
        "import torch": [*PYTHON, "-c", "import torch"],
        "import glassformer": [*PYTHON, "-c", "import glassformer"],
        "import glassformer, gf.load": [*PYTHON, "-c", "import glassformer as gf; gf.load"],
        "glassformer --help": [*PYTHON, "-m", "glassformer", "--help"],
        "glassformer translate": [*PYTHON, "-m", "glassformer", "translate", str(folder)],
        "Glassformer translates": [*by_hand, "glassformer", str(folder), line],
    }
    if peers.has("ctranslate2"):
        ctranslate.translator_folder(folder, Path(f"{folder}-ctranslate2"))
        found["CTranslate2 translates"] = [*by_hand, "ctranslate2", str(folder), line]
    if peers.has("transformers"):
        found["transformers translates"] = [*by_hand, "transformers", str(folder), line]
    return found


def once(command: list[str], line: str, compiled: Path) -> dict[str, Any]:
    """One process from its start to its end; RuntimeError with what it said where it fails.

    Python keeps compiled modules in ``compiled``, as an installed package has them, whatever is set here.
    """
    paths = os.pathsep.join([str(HOME / "src"), str(HOME)])
    others = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    ended = subprocess.run(
        [*PYTHON, "-m", "bench.launch", *command],
        input=f"{line}\n",
        capture_output=True,
        text=True,
        check=False,
        env=others | {"PYTHONPATH": paths, "PYTHONPYCACHEPREFIX": str(compiled)},
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stderr}")
    record: dict[str, Any] = json.loads(ended.stdout)
    return record


def rows(found: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """The table; of those that translate, the share of transformers' time, turn by turn."""
    base = next((ways["wall"] for name, ways in found["ways"].items() if name.startswith(BASE)), None)
    headers = ["process", "seconds", "seconds of the processor", "peak memory, MB", f"time ÷ {BASE}"]
    lines: list[list[object]] = []
    for name, ways in found["ways"].items():
        compared = "–"
        if base is not None and "translat" in name:
            compared = str(ratios({"it": ways["wall"], "base": base}, "base")["it"])
        cells = (Spread.of(ways[key]) for key in ("wall", "processor", "megabytes"))
        lines.append([name, *map(str, cells), compared])
    return headers, lines
