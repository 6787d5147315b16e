"""One run of the benchmark: which jobs, on which machine, and how the outcome is written down."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from bench import ceilings, decoding, encoding, gpt2, kinds, peers, rounds, starting, steps, training, writing
from bench.jobs import CLOCKS, JOBS
from glassformer.base import files, machine, report

PAGE, RECORD = "results.md", "results.json"
SPREAD = "Median (least–most); ratios are medians of the ratios turn by turn."

Job = dict[str, Any]
Table = tuple[str, list[str], list[list[object]], str]


def run(jobs: tuple[str, ...], scratch: Path, *, quick: bool, clock: str = "wall") -> dict[str, Job]:
    """Measures the jobs and gives everything that is to be kept. ``scratch`` is an empty folder.

    ``clock`` says what decoding and encoding count: the time on the ``wall``, or that of the ``processor``.
    """
    machine.prepare(machine.look())
    found: dict[str, Job] = {}
    for job in jobs:
        report.say(f"measuring {job}")
        about = _about(quick)
        part = rounds.RUNS[job](scratch / job, quick, clock)
        found[job] = {
            "about": about,
            "clock": clock,
            "limits": None if quick else rounds.limits(clock),
        } | part
    return found


# --- out ---------------------------------------------------------------------------------------------------


def written(found: dict[str, Job], place: Path | None) -> str:
    """The results for a reader; with a place, as results.md and results.json there too.

    Jobs that stand there and were not measured now are kept; each says when and on what it was measured.
    """
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
        there = place / RECORD
        kept = json.loads(there.read_text(encoding="utf-8")) if there.is_file() else {}
        every = {job: (kept | found)[job] for job in JOBS if job in kept or job in found}
        files.write_text(there, json.dumps(every, indent=1, ensure_ascii=False) + "\n")
        files.write_text(place / PAGE, _page(every))
    shown = []
    for job, part in found.items():
        title, headers, rows, note = _table(job, part)
        shown.append(f"{title}\n\n{report.table(headers, rows)}\n\n{note}\n\n{_described(part)}")
    return "\n\n".join(shown)


def _page(found: dict[str, Job]) -> str:
    parts = ["# Measured"]
    for job, part in found.items():
        title, headers, rows, note = _table(job, part)
        lines: list[list[object]] = [[*headers], ["---"] * len(headers), *rows]
        table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
        parts += [f"## {title}", table, note, _described(part)]
    return "\n\n".join(parts) + "\n"


def _table(job: str, part: Job) -> Table:
    return _stack_table(job, part) if job in kinds.SETTINGS else TABLES[job](part)


def _ceilings_table(part: Job) -> Table:
    note = "The fastest of several repetitions. Reading: a product with a single row, or a sum."
    return "What the machine can do", *ceilings.rows(part), note


def _translation_table(part: Job) -> Table:
    data, limits = part["work"], part["ceilings"]
    headers, rows = training.rows(part, limits["matmul_gflops"])
    products = ", ".join(f"{value:,.0f} in {name}" for name, value in limits["matmul_gflops"].items())
    note = (
        f"{part['parameters']:,} parameters; a batch has {data['target_tokens_a_batch']:,.0f} target and "
        f"{data['source_tokens_a_batch']:,.0f} source tokens, {data['sentences_a_batch']:.0f} sentences, "
        f"{100 * data['target_cells_filled']:.0f} % of its target cells filled ({data['corpus']}); "
        f"{part['repetitions']} turns of {part['steps']} steps each, by {_clock(part)}. {SPREAD} "
        "The last column counts 6 operations for each weight in a matrix product and each real token it "
        f"meets, against the ceiling of that precision: matrix products {products} (GFLOP/s); "
        f"copying {limits['memory_gbs']:.0f} GB/s."
    )
    return f"Training, translation {part['size']}", headers, rows, note


def _timed(part: Job) -> str:
    """How decoding and encoding were timed."""
    return f"By {_clock(part)}. {SPREAD}"


def _clock(part: Job) -> str:
    """What counted the time; results from before there was a choice do not say it."""
    return CLOCKS[part.get("clock", "wall")]


def _translate_table(part: Job) -> Table:
    note = (
        f"{', '.join(part['sizes'].values())}. Untrained weights that never end a sentence: each gets "
        f"{_written(part['written'])} tokens. In float32 the same tokens are written. A peer that has not "
        f"the same precision is taken at its fastest, which is named. {_timed(part)}"
    )
    return "Translating", *decoding.rows(part), note


def _written(most: dict[str, int]) -> str:
    return ", ".join(f"{count} in a batch of {int(rows):,}" for rows, count in most.items())


def _gpt2_table(part: Job) -> Table:
    note = (
        f"{_sizes(part['size'])}; {part['weights']:,} numbers in matrices. Untrained weights that never end "
        f"a text. Writing: prompts of {part['prompt']} tokens, {part['most']} written after each, with the "
        "reading of the prompts; greedy. The limit: for one row that of reading memory, each matrix once a "
        "token; for reading a text that of matrix products. llama.cpp's int8 is its Q8_0, and its keys and "
        f"values are float16, as they are there by default. {_timed(part)}"
    )
    return "GPT-2 small, writing and reading", *gpt2.rows(part, part["limits"]), note


def _encode_table(part: Job) -> Table:
    note = (
        f"{_sizes(part['size'])}; the last hidden states, no padding. ONNX Runtime has the fused operators "
        "of its optimiser, and int8 from its `quantize_dynamic`, a scale for each column. The limit is that "
        f"of matrix products; attention's own are not counted. {_timed(part)}"
    )
    return "BERT-base, encoding", *encoding.rows(part, part["limits"]), note


def _start_table(part: Job) -> Table:
    note = (
        f"Translation {part['size']}, one sentence, {part['beams']} beams; new processes in turn, "
        f"{part['repetitions']} of each; the files have been read before. {SPREAD}"
    )
    return "Start to the first translated sentence", *starting.rows(part), note


def _stack_table(job: str, part: Job) -> Table:
    data = part["work"]
    headers, rows = steps.rows(part, data["unit"])
    note = (
        f"{_sizes(data['size'])}; {part['parameters']:,} parameters; {data['units_a_batch']:,} "
        f"{data['unit']} a batch; {part['repetitions']} turns of {part['steps']} steps each, "
        f"by {_clock(part)}. {SPREAD}"
    )
    return f"Training, {job}", headers, rows, note


def _generate_table(part: Job) -> Table:
    sizes = "; ".join(f"{kind}: {_sizes(size)}" for kind, size in part["sizes"].items())
    note = (
        f"{sizes}. Prompts of {part['prompt']} tokens, {part['most']} written after each; "
        f"{part['repetitions']} turns each, transformers with its faster attention. In float32 greedy and "
        f"beam search must write equal tokens; in bfloat16 rounding may part them. {SPREAD}"
    )
    return "Generating", *writing.rows(part), note


TABLES = {
    "ceilings": _ceilings_table,
    "translation": _translation_table,
    "translation-base": _translation_table,
    "translate": _translate_table,
    "gpt2": _gpt2_table,
    "encode": _encode_table,
    "start": _start_table,
    "generate": _generate_table,
}


def _sizes(size: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in size.items())


def _described(part: Job) -> str:
    about = part["about"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    load = "" if about.get("load") is None else f"; load before it {about['load']:.1f}"
    return (
        f"{about['date']}: {about['machine']}; Python {about['python']}, {versions}{load}. "
        f"{_beside(part.get('limits'))}{about.get('absent', '')}`{about['command']}`"
    )


def _beside(limits: Job | None) -> str:
    """What the machine could do just then, in a sentence."""
    if not limits:
        return ""
    products = ", ".join(f"{rate:,.0f} in {name}" for name, rate in limits["products"].items())
    reading = ", ".join(f"{rate:.0f} with {count}" for count, rate in sorted(limits["read"].items()))
    return f"At best here: products {products} (GFLOP/s); reading {reading} (GB/s, threads). "


def _about(quick: bool) -> dict[str, Any]:
    found = machine.look()
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine.sentence(found, f"default precision {machine.precision('auto', found)}"),
        "python": platform.python_version(),
        "versions": peers.versions(),
        "absent": peers.absent(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "command": _command(quick),
        "quick": quick,
    }


def _command(quick: bool) -> str:
    """What was typed, with the variable that sets the threads."""
    threads = os.environ.get("OMP_NUM_THREADS")
    words = sys.argv[1:]
    if "--output" in words:  # says nothing to others
        at = words.index("--output")
        words = words[:at] + words[at + 2 :]
    typed = ["glassformer bench", *(["--quick"] if quick else words)]
    return " ".join([*([f"OMP_NUM_THREADS={threads}"] if threads else []), *typed])


def absent() -> str:
    """One line about the peers that are not installed; empty where all are."""
    return peers.absent()
