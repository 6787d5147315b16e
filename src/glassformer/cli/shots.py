"""The verb ``shots``: how well a model does a task that it is only shown."""

from typing import Annotated

import typer

import glassformer as gf
from glassformer.base.errors import UserError
from glassformer.cli import stdout
from glassformer.cli.options import JSON, Device, Dtype, Model

Task = Annotated[
    str, typer.Option("--task", metavar="FILE", help="The task: a YAML file, or a recipe's name.")
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="[a.b=c]...", help="Settings that replace the task's.", show_default=False),
]
Counts = Annotated[str, typer.Option("--k", metavar="0,1,4,8", help="How many examples are shown.")]
Orders = Annotated[int, typer.Option(min=1, metavar="N", help="In how many orders they are shown.")]
Control = Annotated[
    bool, typer.Option("--control/--no-control", help="Also show them with labels drawn at random.")
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="What examples and orders are drawn from.")]


def shots(
    folder: Model,
    settings: Settings = None,
    *,
    task: Task,
    k: Counts = "0,1,4,8",
    orders: Orders = 5,
    control: Control = True,
    seed: Seed = 1,
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: JSON = False,
) -> None:
    """Show a model some examples of a task and ask it the rest; nothing is trained.

    A table over the number of examples: accuracy and macro F1, their spread over
    several orders of the examples, and the same with labels drawn at random. DIR
    is a model that generates, or one that fills blanks. recipes/transfer/tasks has
    task files.

    [bold]Examples[/bold]
      glassformer shots runs/gpt --task transfer/tasks/nsmc
      glassformer shots runs/gpt --task my.yaml --k 0,2,16 --orders 3 --json
      glassformer shots runs/gpt --task my.yaml calibration=contextual limits.test=200
    """
    found = gf.shots(
        folder,
        task,
        settings or [],
        k=_counts(k),
        orders=orders,
        control=control,
        seed=seed,
        device=device,
        dtype=dtype,
    )
    stdout.answer(as_json, found.as_json, found.lines())


def _counts(written: str) -> list[int]:
    parts = written.replace(" ", "").split(",")
    if not all(part.isdecimal() for part in parts):
        raise UserError(f"--k {written}: give numbers with commas between, such as 0,1,4,8")
    return [int(part) for part in parts]
