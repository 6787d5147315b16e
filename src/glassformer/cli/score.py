"""The verb ``score``: how likely a model finds a text."""

from typing import Annotated

import typer

import glassformer as gf
from glassformer.base.errors import UserError
from glassformer.cli import stdout
from glassformer.cli.options import Device, Dtype, Lines, Model

Text = Annotated[str | None, typer.Argument(metavar="TEXT", show_default=False, help="One text.")]
Context = Annotated[str | None, typer.Option(metavar="TEXT", help="What stands before each text.")]
Input = Annotated[str | None, typer.Option("--input", "-i", metavar="FILE", help="Texts; - is stdin.")]
Whole = Annotated[bool, typer.Option("--whole", help="Read the input as one text.")]
Stride = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="How far the window moves over a text longer than the model; half of it."
    ),
]


def score(
    folder: Model,
    text: Text = None,
    *,
    context: Context = None,
    input: Input = None,
    whole: Whole = False,
    stride: Stride = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: Lines = False,
) -> None:
    """How likely a text is: a line in, a line out, with tabs between the columns.

      log-probability   tokens   perplexity   bits per byte   text

    Perplexity is that of the model's own tokens; bits per byte compare models whose
    tokens differ. With --whole the input is one text, read in a sliding window.

    [bold]Examples[/bold]
      glassformer score runs/stories "Once upon a time"
      glassformer score runs/stories " time" --context "Once upon a" --json
      glassformer score runs/stories < candidates.txt | sort -gr | head -1
      glassformer score runs/stories --whole --input book.txt --stride 64
    """
    if text is not None and (input is not None or whole):
        raise UserError("there is a TEXT and --input or --whole, which read a file; give one of them")
    if whole and context is not None:
        raise UserError("--context stands before each line; --whole reads none, leave one of them out")
    model = gf.load(folder, able="generates", device=device, dtype=dtype)
    source = (input or "-") if text is None else [text]
    if whole:
        found = gf.likelihood(model, input or "-", stride=stride)
        stdout.answer(as_json, found.as_json, [found.line()])
        return
    typing = stdout.typed(source)
    with stdout.progress("scoring", shown=not typing) as count:
        options = {"stride": stride, "window": 1 if typing else 1024, "on_progress": count}
        for one in gf.likelihoods(model, source, context, **options):
            stdout.answer(as_json, one.as_json, [one.line()])
