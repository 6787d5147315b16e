"""The command: ``python -m bench [JOB …] [--json] [--quick]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import JOBS, run, written
from glassformer.base import report
from glassformer.base.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the tables, and writes results.md and results.json; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"what to measure (all): {', '.join(JOBS)}")
    parser.add_argument("--quick", action="store_true", help="a tiny model and few turns: does it all work?")
    parser.add_argument("--json", action="store_true", help="the results as one JSON object on stdout")
    parser.add_argument("--output", type=Path, help="where results.md and results.json go (default: bench/)")
    chosen = parser.parse_args(arguments)
    if unknown := [job for job in chosen.jobs if job not in JOBS]:
        parser.error(f"there is no job {unknown[0]}; there are {', '.join(JOBS)}")
    # A quick look proves nothing about speed, so it does not replace what was measured with care.
    place = chosen.output or (None if chosen.quick else Path(__file__).parent)
    found: dict[str, Any] = {}
    for job in dict.fromkeys(chosen.jobs or JOBS):
        # What has been measured is written at once, so that a job that fails costs no other.
        with tempfile.TemporaryDirectory() as scratch:
            try:
                found |= (measured := run((job,), Path(scratch), quick=chosen.quick))
            except UserError as error:
                report.fail(str(error))
                return 2
        text = written(measured, place)
        if not chosen.json:
            print(text, end="\n\n", flush=True)
    if chosen.json:
        report.result(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
