"""The verb ``data``: looking at sentence pairs, making some, and encoding text once."""

from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import data_prepare, stdout
from glassformer.cli.options import JSON, Output, Source, Target

app = typer.Typer(no_args_is_help=True, help="Check files, encode text once, or write a generated corpus.")
app.command("prepare")(data_prepare.prepare)

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES",
        help="Training pairs: TSV, JSON lines, a.ko+a.en, or - for stdin.",
        show_default=False,
    ),
]
Valid = Annotated[list[str] | None, typer.Option(metavar="FILE", help="Validation pairs; may be repeated.")]
Test = Annotated[list[str] | None, typer.Option(metavar="FILE", help="Test pairs; may be repeated.")]
Longest = Annotated[int, typer.Option(min=1, metavar="N", help="Characters from which a text is over-long.")]
Train_ = Annotated[int, typer.Option("--train", min=1, metavar="N", help="Training pairs.")]
Held = Annotated[
    int, typer.Option(min=1, metavar="N", help="Pairs with combinations of words never trained on.")
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="The only source of chance.")]


@app.command()
def check(
    paths: Files,
    *,
    valid: Valid = None,
    test: Test = None,
    source: Source = None,
    target: Target = None,
    max_characters: Longest = 10_000,
    as_json: JSON = False,
) -> None:
    """Find what spoils training: blank, repeated, misaligned, broken pairs, test pairs trained on.

    [bold]Examples[/bold]
      glassformer data check train.tsv --valid valid.tsv --test test.tsv
      glassformer data check corpus.ko+corpus.en --json
    """
    found = gf.check(
        paths, valid=valid or (), test=test or (), source=source, target=target, max_characters=max_characters
    )
    if as_json:
        report.result(found.to_json())
    else:
        for sentence in found.sentences():
            stdout.line(sentence)


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
