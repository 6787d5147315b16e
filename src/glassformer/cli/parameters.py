"""The verb ``parameters``: a model counted layer by layer, and the memory that it needs."""

from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON

What = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|DIR|model=NAME", help="A recipe, a folder, or a model.", show_default=False
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="a.b=c", help="Settings that replace the recipe's.", show_default=False),
]
Layers = Annotated[bool, typer.Option("--layers", help="Show layers that are alike one by one.")]


def parameters(
    what: What, settings: Settings = None, *, layers: Layers = False, as_json: JSON = False
) -> None:
    """Count a model's parameters layer by layer, and estimate the memory it needs.

    No weight is made and no data is read: a model of any size is counted at once.
    Inputs stand before outputs: 100 × 128 turns 100 numbers into 128.

    [bold]Examples[/bold]
      glassformer parameters translation/small
      glassformer parameters my.yaml model.depth=12 --layers
      glassformer parameters runs/x --json
      glassformer parameters model=gpt model.preset=gpt2 model.vocab_size=50257
    """
    counted = gf.count_parameters(what, settings or [])
    if as_json:
        report.result(counted.as_json())
        return
    stdout.line(counted.table(layers=layers))
    for lines in (counted.sums(), counted.memory.lines(), [f"assumed: {text}" for text in counted.assumed]):
        for text in ["", *lines] if lines else []:
            stdout.line(text)
