"""The verb ``average``: one model from the mean of several."""

from pathlib import Path
from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON, Output

Folders = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN | DIR DIR...", help="A run, or the model folders themselves.", show_default=False
    ),
]
Last = Annotated[
    int | None,
    typer.Option(min=2, metavar="K", help="How many of a run's last checkpoints.", show_default="all kept"),
]


def average(folders: Folders, output: Output, last: Last = None, as_json: JSON = False) -> None:
    """Average the weights of a run's last checkpoints, or of several model folders.

    The mean of the last few often translates a little better than any one of them
    (Vaswani et al. 2017, §6.1). The recipe's train.keep_last says how many are kept.

    [bold]Examples[/bold]
      glassformer average runs/x --output runs/x-mean
      glassformer average runs/x --last 5 --output runs/x-mean
      glassformer average runs/x/step-900 runs/x/step-1000 -o runs/x-mean
    """
    if last is not None and len(folders) > 1:
        raise typer.BadParameter("goes with the folder of one run", param_hint="'--last'")
    chosen = gf.last_steps(folders[0], last) if len(folders) == 1 else folders
    gf.average(chosen, output)
    names = [str(folder) for folder in chosen]
    if as_json:
        report.result({"output": str(output), "averaged": names})
    else:
        stdout.line(f"{output}: the mean of {', '.join(names)}")
