"""The verb ``train``: from a recipe to a model folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON

Recipe = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE",
        help="A YAML file, or the name of one of [b]glassformer recipes ls[/b].",
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="a.b=c", help="Settings that replace the recipe's.", show_default=False),
]
Where = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="The run's folder.", show_default="runs/RECIPE"),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where the run in DIR stopped, exactly.")]
Plan = Annotated[
    bool, typer.Option("--dry-run", help="Print the recipe with every value, and train nothing.")
]


def train(
    recipe: Recipe,
    settings: Settings = None,
    *,
    output: Where = None,
    resume: Resume = False,
    dry_run: Plan = False,
    as_json: JSON = False,
) -> None:
    """Train a model as a recipe says, score it, and write its folder.

    Settings come from the defaults, the recipe, GLASSFORMER_A__B=c in the
    environment and a.b=c on the command line, the later winning. Ctrl-C saves
    first and --resume goes on. DIR/best is the model to use.

    [bold]Examples[/bold]
      glassformer train my.yaml data.train=a.tsv data.valid=b.tsv -o runs/x
      glassformer train my.yaml train.steps=20000 optim.lr=5e-4 -o runs/y
      glassformer train my.yaml init=runs/x -o runs/z  [dim]# from a model[/dim]
      glassformer train my.yaml --resume -o runs/y
      glassformer train my.yaml --dry-run > resolved.yaml
    """
    found = gf.train(recipe, settings or [], output=output, resume=resume, dry_run=dry_run)
    if not found:
        return  # another of several processes tells
    if as_json:
        report.result(found)
    else:
        for text in _plan(found) if dry_run else _told(found):
            stdout.line(text)


def _plan(found: dict[str, Any]) -> list[str]:
    """YAML that can be trained from again; what is no setting is a comment."""
    facts = [f"# {key}: {it:,}" if isinstance(it, int) else f"# {key}: {it}" for key, it in found.items()]
    return [*(fact for fact in facts if not fact.startswith("# recipe:")), found["recipe"].rstrip("\n")]


def _told(found: dict[str, Any]) -> list[str]:
    figures = [
        (key, value)
        for key, value in found.items()
        if key != "next" and not isinstance(value, dict | list | tuple)
    ]
    after = found["next"].replace(stdout.NAME, stdout.program(), 1)
    return [report.table(["figure", "value"], figures), f"\nTry it: {after}"]
