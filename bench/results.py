"""One run of the benchmark: which sizes, on which machine, and how the outcome is written down."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import sys
from pathlib import Path
from typing import Any

from bench import decoding, training, work
from glassformer.base import files, machine, report

SMALL = work.Size("small (256/4/1024/3+3)", {"dim": 256, "depth": 3, "heads": 4, "mlp_dim": 1024})
TINY = work.Size(
    "tiny, for a try (32/2/64/1+1)",
    {"dim": 32, "depth": 1, "heads": 2, "mlp_dim": 64},
    vocab_size=1200,
    target_tokens=256,
    max_length=64,
    pairs=600,
)
VERSIONS = ("torch", "transformers", "tokenizers")


def run(tasks: tuple[str, ...], scratch: Path, *, quick: bool) -> dict[str, Any]:
    """Measures the tasks and gives everything that is to be kept. ``scratch`` is an empty folder."""
    machine.prepare(machine.look())
    size = TINY if quick else SMALL
    made = work.make(size, scratch / "model", batches=3 if quick else 24)
    found: dict[str, Any] = {"about": _about(quick), "ceilings": _ceilings(), "work": made.described()}
    if "training" in tasks:
        report.say(f"training {size.name}")
        rounds = (
            {"warm_up": 1, "steps": 2, "repetitions": 2}
            if quick
            else {"warm_up": 6, "steps": 12, "repetitions": 7}
        )
        found["training"] = training.measure(made, **rounds, apart=not quick) | {"size": size.name}
    if "decoding" in tasks:
        report.say(f"decoding {size.name}")
        counts = {1: 2, 4: 4} if quick else {1: 16, 32: 64}
        rounds = {"most": 4, "repetitions": 1} if quick else {"most": 32, "repetitions": 5}
        found["decoding"] = decoding.measure(made, lines=counts, **rounds, apart=not quick) | {
            "size": size.name
        }
    return found


def written(found: dict[str, Any], place: Path | None) -> str:
    """The results for a reader; with a place, as results.md and results.json there too."""
    tables = _tables(found)
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
        files.write_text(place / "results.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        files.write_text(place / "results.md", _page(found, tables))
    shown = [f"{title}\n\n{report.table(headers, rows)}\n\n{note}" for title, headers, rows, note in tables]
    return "\n\n".join([_described(found), *shown])


Table = tuple[str, list[str], list[list[object]], str]


def _tables(found: dict[str, Any]) -> list[Table]:
    tables: list[Table] = []
    limits = found["ceilings"]
    if "training" in found:
        part, data = found["training"], found["work"]
        headers, rows = training.rows(part, limits["matmul_gflops"])
        note = (
            f"{part['parameters']:,} parameters; a batch has {data['target_tokens_a_batch']:,.0f} target and "
            f"{data['source_tokens_a_batch']:,.0f} source tokens, {data['sentences_a_batch']:.0f} sentences, "
            f"{100 * data['target_cells_filled']:.0f} % of its target cells filled ({data['corpus']}); "
            f"{part['repetitions']} turns of {part['steps']} steps each. Median (least–most); ratios are "
            "medians of the ratios turn by turn. The last column counts 6 operations for each weight in a "
            "matrix product and each real token it meets, against the ceiling of that precision."
        )
        tables.append((f"Training, translation {part['size']}", headers, rows, note))
    if "decoding" in found:
        part = found["decoding"]
        headers, rows = decoding.rows(part)
        note = (
            f"Untrained weights, so that nearly every sentence runs to {part['max_new_tokens']} tokens; "
            "float32; the tokens written are equal."
        )
        tables.append((f"Decoding, translation {part['size']}", headers, rows, note))
    return tables


def _page(found: dict[str, Any], tables: list[Table]) -> str:
    parts = ["# Measured", _described(found)]
    for title, headers, rows, note in tables:
        lines = [headers, ["---"] * len(headers), *rows]
        parts += [f"## {title}", "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines), note]
    return "\n\n".join(parts) + "\n"


def _described(found: dict[str, Any]) -> str:
    about, limits = found["about"], found["ceilings"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    products = ", ".join(f"{value:,.0f} in {name}" for name, value in limits["matmul_gflops"].items())
    return (
        f"{about['date']}: {about['machine']}; Python {about['python']}, {versions}. `{about['command']}`\n\n"
        f"Ceilings measured in this run: matrix products {products} (GFLOP/s); "
        f"copying {limits['memory_gbs']:.0f} GB/s."
    )


def _about(quick: bool) -> dict[str, Any]:
    found = machine.look()
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine.sentence(found, f"default precision {machine.precision('auto', found)}"),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in VERSIONS},
        "command": " ".join(["python -m bench", *sys.argv[1:]]) if not quick else "python -m bench --quick",
        "quick": quick,
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _ceilings() -> dict[str, Any]:
    return {"matmul_gflops": machine.matmul_ceilings(), "memory_gbs": machine.memory_ceiling()}
