"""The verb ``data check``: what would spoil training, in files of any kind."""

from typing import Annotated

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON, Source, Target

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES",
        help="Training files (pairs: TSV, JSON lines, a.ko+a.en, or - for stdin), or one recipe.",
        show_default=False,
    ),
]
Valid = Annotated[list[str] | None, typer.Option(metavar="FILE", help="Validation files; may be repeated.")]
Test = Annotated[list[str] | None, typer.Option(metavar="FILE", help="Test files; may be repeated.")]
Longest = Annotated[int, typer.Option(min=1, metavar="N", help="Characters from which a text is over-long.")]
Kind = Annotated[str, typer.Option(metavar="NAME", help="The kind of data, as in a recipe's data.name.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the kind, as under data; may be repeated."),
]


def check(
    paths: Files,
    *,
    valid: Valid = None,
    test: Test = None,
    kind: Kind = "pairs",
    settings: Settings = None,
    source: Source = None,
    target: Target = None,
    max_characters: Longest = 10_000,
    as_json: JSON = False,
) -> None:
    """Find what spoils training: blank, repeated, broken rows, labels that differ or are missing, test rows
    that are trained on; of pairs also those that are misaligned.

    [bold]Examples[/bold]
      glassformer data check train.tsv --valid valid.tsv --test test.tsv
      glassformer data check corpus.ko+corpus.en --json
      glassformer data check train.tsv --test test.tsv --kind labelled --set text=document
      glassformer data check tags.conll --kind tagged
      glassformer data check recipe.yaml
    """
    found = gf.check(
        paths,
        valid=valid or (),
        test=test or (),
        kind=kind,
        settings=settings or (),
        source=source,
        target=target,
        max_characters=max_characters,
    )
    if as_json:
        report.result(found.to_json())
    else:
        for sentence in found.sentences():
            stdout.line(sentence)
