"""The verb ``convert``: any model folder that is read here becomes a clean one."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="A model folder, hf://owner/name, or a GGUF file.", show_default=False
    ),
]
Target = Annotated[Path, typer.Argument(metavar="DEST", help="The new folder to write.", show_default=False)]
Dtype = Annotated[
    Literal["float32", "bfloat16", "float16"], typer.Option(help="How exactly weights are written.")
]
Shard = Annotated[
    str, typer.Option("--shard-size", metavar="SIZE", help="Weights past this go into several files.")
]


def convert(
    source: Source, dest: Target, dtype: Dtype = "float32", shard_size: Shard = "5GB", as_json: JSON = False
) -> None:
    """Write any model folder that is read here anew: GPT-2, BERT, ViT, Llama, Marian …

    The new folder has safetensors, a tokenizer.json, a card and a manifest, and
    opens here and in transformers. Where transformers is installed both compute
    the scores of both folders, and the largest difference is printed; above 0.001
    nothing is kept. What would be lost on the way is refused.

    [bold]Examples[/bold]
      glassformer convert hf://openai-community/gpt2 models/gpt2
      glassformer convert old-bert models/bert --dtype bfloat16
      glassformer convert SmolLM2-135M.Q4_1.gguf models/smollm2
      glassformer convert runs/x models/x --shard-size 500MB
    """
    made = gf.convert(source, dest, dtype=dtype, shard_size=shard_size)
    if as_json:
        report.result(asdict(made))
        return
    stdout.line(f"{made.folder}: {made.model_type}, {made.parameters:,} parameters, {made.dtype}")
    for what, found in (
        ("source, here and in transformers", made.source_difference),
        ("result, here and in transformers", made.difference),
        ("source and result, both here", made.rounding),
    ):
        if found is not None:
            stdout.line(f"largest difference of scores, {what}: {found:.3g}")
