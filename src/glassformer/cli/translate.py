"""The verb ``translate``: a line in, a line out."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import glassformer as gf
from glassformer.cli import stdout
from glassformer.cli.options import Device, Dtype, Lines, Model, takes_decoding

Input = Annotated[str, typer.Option("--input", "-i", metavar="FILE", help="Text to translate; - is stdin.")]
Prefix = Annotated[str | None, typer.Option(metavar="TEXT", help="What every translation begins with.")]
Links = Annotated[
    bool, typer.Option("--alignment", help="Add which source word each word came from: i-j, from 0.")
]
Short = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Score likely words only: a file of glassformer shortlist. Faster."),
]
TooLong = Annotated[
    Literal["refuse", "cut"], typer.Option(help="What to do with a line longer than the model.")
]


@takes_decoding
def translate(
    folder: Model,
    *,
    decoding: dict[str, Any],
    input: Input = "-",
    prefix: Prefix = None,
    alignment: Links = False,
    too_long: TooLong = "refuse",
    shortlist: Short = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: Lines = False,
) -> None:
    """Translate text: a line in, a line out, in order; a blank line stays blank.

    With --n-best each line becomes several, the lines numbered from 0:
      number ||| translation ||| logp ||| score
    With --alignment the links of words, from 0, stand at the end: ||| 0-0 1-2

    [bold]Examples[/bold]
      echo "어제 카페 갔었어." | glassformer translate runs/demo
      glassformer translate runs/demo < korean.txt > english.txt
      glassformer translate runs/demo --num-beams 5 --n-best 3 --json < korean.txt
      glassformer translate runs/demo --sample --temperature 0.7 --seed 2
    """
    model = gf.load(folder, able="translates", device=device, dtype=dtype)
    settings = gf.choose(model.decoding, decoding)
    typing = stdout.typed(input, "a line")
    with stdout.progress("translating", shown=not typing) as count:
        for answer in gf.answers(
            model,
            input,
            settings,
            prefix=prefix,
            alignment=alignment,
            too_long=too_long,
            shortlist=shortlist,
            window=1 if typing else 1024,
            on_progress=count,
        ):
            stdout.answer(as_json, answer.as_json, answer.lines())
