"""The verb ``data``: looking at files, making some, and encoding text once."""

from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import data_check, data_prepare, stdout
from glassformer.cli.options import JSON, Output

app = typer.Typer(no_args_is_help=True, help="Check files, encode text once, or write a generated corpus.")
app.command("check")(data_check.check)
app.command("prepare")(data_prepare.prepare)

Train_ = Annotated[int, typer.Option("--train", min=1, metavar="N", help="Training pairs.")]
Held = Annotated[
    int, typer.Option(min=1, metavar="N", help="Pairs with combinations of words never trained on.")
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="The only source of chance.")]


@app.command()
def sample(
    output: Output,
    *,
    train: Train_ = 50_000,
    valid: Held = 1_000,
    test: Held = 1_000,
    seed: Seed = 1,
    as_json: JSON = False,
) -> None:
    """Write the generated Korean-English corpus: train.tsv, valid.tsv, test.tsv, and test.align (gold links).

    [bold]Example[/bold]
      glassformer data sample --output corpus
    """
    counts = gf.write_samples(output, train=train, valid=valid, test=test, seed=seed)
    if as_json:
        report.result({"output": str(output), **counts})
    else:
        stdout.line(f"{output}: " + ", ".join(f"{count:,} {split} pairs" for split, count in counts.items()))
