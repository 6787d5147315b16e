"""The command: ``python -m bench [--json] [--quick] [--only NAME]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.results import run, written
from glassformer.base import report
from glassformer.base.errors import UserError

TASKS = ("training", "decoding")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the tables, and writes results.md and results.json; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=TASKS, help="measure only this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a tiny model and few turns: does it all work?")
    parser.add_argument("--json", action="store_true", help="the results as one JSON object on stdout")
    parser.add_argument("--output", type=Path, help="where results.md and results.json go (default: bench/)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            found = run(tuple(chosen.only or TASKS), Path(scratch), quick=chosen.quick)
        except UserError as error:
            report.fail(str(error))
            return 2
    # A quick look proves nothing about speed, so it does not replace what was measured with care.
    place = chosen.output or (None if chosen.quick else Path(__file__).parent)
    text = written(found, place)
    if chosen.json:
        report.result(found)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
