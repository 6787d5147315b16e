"""The verb ``translate``: a line in, a line out."""

import json
import sys
from typing import Annotated, Any, Literal

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import Device, Dtype, Lines, Model, takes_decoding

Input = Annotated[str, typer.Option("--input", "-i", metavar="FILE", help="Text to translate; - is stdin.")]
Prefix = Annotated[str | None, typer.Option(metavar="TEXT", help="What every translation begins with.")]
Links = Annotated[
    bool, typer.Option("--alignment", help="Add which source word each word came from: i-j, from 0.")
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
    typing = input == "-" and sys.stdin is not None and sys.stdin.isatty()
    if typing:
        report.say("Type a line and press Enter; Ctrl-D ends.")
    with stdout.progress("translating", shown=not typing) as count:
        for answer in gf.answers(
            model,
            input,
            settings,
            prefix=prefix,
            alignment=alignment,
            too_long=too_long,
            window=1 if typing else 1024,
            on_progress=count,
        ):
            for line in [json.dumps(answer.as_json(), ensure_ascii=False)] if as_json else answer.lines():
                stdout.line(line)
