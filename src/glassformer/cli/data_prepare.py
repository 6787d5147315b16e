"""The verb ``data prepare``: text of any size, encoded once for training."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON, Output

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES", help="Text or JSON lines, perhaps with .gz; - is text on stdin.", show_default=False
    ),
]
Tokenizer = Annotated[
    Path, typer.Option(metavar="DIR", help="The folder of a tokenizer, or of a model.", show_default=False)
]
Apart = Annotated[Literal["blank", "line", "file"], typer.Option(help="What parts documents in plain text.")]
Field = Annotated[str, typer.Option(metavar="NAME", help="The field of JSON lines that holds the text.")]
Processes = Annotated[int, typer.Option(min=1, metavar="N", help="How many processes encode side by side.")]


def prepare(
    paths: Files,
    *,
    tokenizer: Tokenizer,
    output: Output,
    documents: Apart = "blank",
    field: Field = "text",
    processes: Processes = 1,
    as_json: JSON = False,
) -> None:
    """Encode text once into a folder that a recipe names in data.train, in constant memory.

    [bold]Examples[/bold]
      glassformer data prepare corpus.txt.gz --tokenizer vocabulary --output store --processes 8
      zcat corpus.txt.gz | glassformer data prepare - --documents line --tokenizer gpt2 --output store
    """
    made = gf.prepare_data(paths, output, tokenizer, apart=documents, field=field, processes=processes)
    if as_json:
        report.result(made.as_json())
    else:
        stdout.line(str(made))
