"""The verb ``tokenizer``: learning, using and looking at a vocabulary."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.base.files import open_lines
from glassformer.cli import stdout, tokenizer_train
from glassformer.cli.options import JSON

app = typer.Typer(no_args_is_help=True, help="Learn a vocabulary, or see how text is cut into pieces.")
app.command("train")(tokenizer_train.train)

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A tokenizer's or a model's folder.", show_default=False)
]
Side = Annotated[Literal["source", "target"], typer.Option(help="Which of a folder's two tokenizers.")]
Pieces = Annotated[bool, typer.Option("--pieces", help="Print pieces, not ids.")]

Text = Annotated[
    str | None, typer.Argument(metavar="[TEXT]", help="A text to cut into pieces.", show_default=False)
]


@app.command()
def encode(folder: Folder, side: Side = "source", pieces: Pieces = False) -> None:
    """Turn text on stdin into ids, a line a line.

    [bold]Example[/bold]
      echo "안녕하세요" | glassformer tokenizer encode vocabulary
    """
    opened = gf.load_tokenizer(folder, side)
    for _, line in open_lines("-"):
        ids = opened.encode(line)
        stdout.line(" ".join(opened.pieces(ids) if pieces else map(str, ids)))


@app.command()
def decode(folder: Folder, side: Side = "source") -> None:
    """Turn ids on stdin back into text, a line a line.

    [bold]Example[/bold]
      echo "17 25 301" | glassformer tokenizer decode vocabulary
    """
    for text in gf.decode_ids(gf.load_tokenizer(folder, side), open_lines("-")):
        stdout.line(text)


@app.command()
def show(folder: Folder, text: Text = None, side: Side = "source", as_json: JSON = False) -> None:
    """Show what a tokenizer is, and how it cuts a text.

    [bold]Examples[/bold]
      glassformer tokenizer show runs/demo
      glassformer tokenizer show runs/demo "어제 카페 갔었어."
    """
    found = gf.describe_tokenizer(gf.load_tokenizer(folder, side), text)
    if as_json:
        report.result(found.as_json())
    else:
        stdout.line(str(found))
