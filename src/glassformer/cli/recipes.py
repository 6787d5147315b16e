"""The verb ``recipes``: the recipes that come with the package."""

from pathlib import Path
from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON

app = typer.Typer(no_args_is_help=True, help="List, show and copy the recipes that come with the package.")

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="As ls shows it; translation/small or small.", show_default=False),
]
Place = Annotated[Path, typer.Argument(metavar="[DEST]", help="A file or a folder.")]


@app.command()
def ls(as_json: JSON = False) -> None:
    """List the recipes: for which data each is, and what was measured with it."""
    found = gf.recipes.ls()
    if as_json:
        report.result({"recipes": [recipe.as_json() for recipe in found]})
        return
    for recipe in found:
        stdout.line(recipe.name)
        for text in recipe.about:
            stdout.line(f"    {text}")


@app.command()
def show(name: Name) -> None:
    """Print a recipe.

    [bold]Example[/bold]
      glassformer recipes show translation/small
    """
    stdout.line(gf.recipes.show(name).rstrip("\n"))


@app.command()
def copy(name: Name, destination: Place = Path()) -> None:
    """Copy a recipe, to change it; nothing is overwritten.

    [bold]Examples[/bold]
      glassformer recipes copy translation/small
      glassformer recipes copy translation/small my.yaml
    """
    stdout.line(str(gf.recipes.copy(name, destination)))
