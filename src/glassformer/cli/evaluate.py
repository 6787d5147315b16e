"""The verb ``evaluate``: how good a model is on a test set."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON, Device, Model, Source, Target, takes_decoding

Data = Annotated[
    list[str],
    typer.Option(
        "--data", metavar="FILE", help="Pairs (TSV, JSON lines, a.ko+a.en), text or images; may be repeated."
    ),
]
Other = Annotated[
    str | None,
    typer.Option(metavar="OTHER", help="A model folder or translations, for the paired bootstrap."),
]
Language = Annotated[
    Literal["ko", "en", "de", "fr", "ja", "zh"] | None,
    typer.Option(help="The target language.", show_default="Korean is recognised"),
]
Paper = Annotated[
    bool, typer.Option("--paper", help="Also lower-cased tokenised BLEU, as older papers report.")
]
Save = Annotated[
    Path | None,
    typer.Option("--save-translations", metavar="FILE", help="Write the translations, one a line."),
]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Use the first N pairs only.")]


@takes_decoding
def evaluate(
    folder: Model,
    *,
    data: Data,
    decoding: dict[str, Any],
    compare: Other = None,
    language: Language = None,
    paper: Paper = False,
    save_translations: Save = None,
    source: Source = None,
    target: Target = None,
    limit: Limit = None,
    device: Device = "auto",
    as_json: JSON = False,
) -> None:
    """Score a model on a test set.

    A translator: BLEU, chrF++, TER with their signatures, and perplexity. Others:
    loss, perplexity and bits per byte, or accuracy, whatever the model foretells.

    [bold]Examples[/bold]
      glassformer evaluate runs/x --data test.tsv
      glassformer evaluate runs/x --data test.tsv --compare runs/y
      glassformer evaluate runs/x --data test.tsv --save-translations out.txt
      glassformer evaluate runs/gpt --data book.txt
    """
    found = gf.evaluate(
        folder,
        data,
        settings=decoding,
        source=source,
        target=target,
        compare=compare,
        language=language,
        paper=paper,
        output=save_translations,
        limit=limit,
        device=device,
    )
    if as_json:
        report.result(found.as_json())
    else:
        stdout.line(str(found))
