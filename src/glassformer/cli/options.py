"""Options that several verbs share, each written once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from glassformer.cli.decoding import DECODING, GENERATION, takes_decoding, takes_generation

__all__ = ["DECODING", "GENERATION", "takes_decoding", "takes_generation"]

JSON = Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON on stdout.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The new folder to write.")]
Model = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="The folder of a model or of a run, or a GGUF file.", show_default=False
    ),
]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="The field that holds the source texts.")]
Target = Annotated[str | None, typer.Option(metavar="NAME", help="The field that holds the target texts.")]
Lines = Annotated[bool, typer.Option("--json", help="A line of JSON for each line of text.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1 or mps.")]
Dtype = Annotated[
    Literal["auto", "float32", "bfloat16", "int8"],
    typer.Option(help="The precision to compute in; int8 on CPUs."),
]
