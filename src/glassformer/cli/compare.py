"""The verb ``compare``: one task under several ways of adapting a model."""

from pathlib import Path
from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON

Comparison = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A YAML file, or the name of a recipe.", show_default=False),
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="[a.b=c]...", help="Settings for the recipe of every way.", show_default=False),
]
Where = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Where all runs go.", show_default="runs/FILE"),
]


def compare(
    comparison: Comparison, settings: Settings = None, *, output: Where = None, as_json: JSON = False
) -> None:
    """Adapt a model to one task in several ways: what each trains, its minutes, its score.

    FILE names a recipe and, under ways, what each way lays over it. A way that is
    finished is not run again, and one that was stopped goes on, so the same
    command continues. DIR gets compare.md and compare.json.

    [bold]Examples[/bold]
      glassformer compare transfer/compare
      glassformer compare my.yaml train.steps=500 init=runs/gpt -o runs/ways
    """
    found = gf.compare(comparison, settings or [], output=output)
    if as_json:
        report.result(found.as_json())
        return
    for line in found.lines():
        stdout.line(line)
