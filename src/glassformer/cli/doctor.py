"""The verb ``doctor``: what the machine can do."""

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON


def doctor(as_json: JSON = False) -> None:
    """Show what will be used on this machine, and measure how fast it can be at best; takes a few seconds.

    Compare a run's speed with these limits, and send the report along with a question about speed.
    """
    found = gf.doctor()
    if as_json:
        report.result(found.as_json())
    else:
        stdout.line(str(found))
