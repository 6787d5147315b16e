"""The command: ``glassformer bench [JOB …]``, or ``python -m bench``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.jobs import EXAMPLES, JOBS, listed
from glassformer.base import report
from glassformer.base.errors import UserError

ABOUT = """Measure Glassformer beside the peers that are installed and beside the machine's limits.

All do the same work with the same weights, in turn; the run stops where they do not. Ratios are medians."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the tables, and writes results.md and results.json; gives the exit code."""
    chosen = _asked(arguments)
    if chosen.quality is not None:
        ended: int = import_module("bench.quality").main(chosen.quality)
        return ended
    results: Any = import_module("bench.results")  # imports PyTorch, which the help does without
    if missing := results.absent():
        report.say(missing)
    # A quick look proves nothing about speed, so it does not replace what was measured with care.
    place = chosen.output or (None if chosen.quick else Path(__file__).parent)
    clock = "processor" if chosen.processor else "wall"
    found: dict[str, Any] = {}
    for job in dict.fromkeys(chosen.jobs or JOBS):
        # What has been measured is written at once, so that a job that fails costs no other.
        with tempfile.TemporaryDirectory() as scratch:
            try:
                found |= (measured := results.run((job,), Path(scratch), quick=chosen.quick, clock=clock))
            except UserError as error:
                report.fail(str(error))
                return 2
        text = results.written(measured, place)
        if not chosen.json:
            print(text, end="\n\n", flush=True)
    if chosen.json:
        report.result(found)
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="glassformer bench",
        description=ABOUT,
        epilog=f"jobs:\n{listed()}\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="what to measure (all)")
    parser.add_argument("--quick", action="store_true", help="tiny models and few turns: does it all work?")
    parser.add_argument(
        "--processor", action="store_true", help="decoding and encoding by processor time, not the clock"
    )
    parser.add_argument("--json", action="store_true", help="the results as one JSON object on stdout")
    parser.add_argument("--output", type=Path, help="where results.md and results.json go (default: bench/)")
    parser.add_argument(
        "--quality",
        nargs=argparse.REMAINDER,
        help="instead: what each precision costs in quality, of a model of yours; --quality --help says more",
    )
    chosen = parser.parse_args(arguments)
    if unknown := [job for job in chosen.jobs if job not in JOBS]:
        parser.error(f"there is no job {unknown[0]}; there are {', '.join(JOBS)}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
