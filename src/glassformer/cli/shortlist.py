"""The verb ``shortlist``: which tokens translate which, so that translating has fewer to score."""

from pathlib import Path
from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON, Source, Target

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder of a model that translates.", show_default=False)
]
Pairs = Annotated[
    str, typer.Option("--data", metavar="FILE", help="Pairs to learn from, best those it was trained on.")
]
File = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")]
Likely = Annotated[int, typer.Option(min=1, metavar="N", help="Target tokens for each source token.")]
Always = Annotated[int, typer.Option(min=1, metavar="N", help="Frequent tokens that any sentence may use.")]


def shortlist(
    folder: Folder,
    data: Pairs,
    output: File,
    *,
    likely: Likely = 64,
    always: Always = 256,
    source: Source = None,
    target: Target = None,
    as_json: JSON = False,
) -> None:
    """Learn which tokens translate which, so that translate scores those alone.

    The scores of the vocabulary are much of the work of a small model with a large
    vocabulary. Every 50th pair, at most 1,000, is kept aside to say how many tokens a
    sentence is then written with, and what share of the words needed are among them.

    [bold]Examples[/bold]
      glassformer shortlist runs/x --data train.tsv -o runs/x-words.safetensors
      glassformer translate runs/x --shortlist runs/x-words.safetensors < korean.txt
    """
    made = gf.shortlist(folder, data, output, likely=likely, always=always, source=source, target=target)
    if as_json:
        report.result(made.as_json())
    else:
        stdout.line(str(made))
