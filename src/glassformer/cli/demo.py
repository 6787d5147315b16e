"""The verb ``demo``: a first model, trained before your eyes."""

from pathlib import Path
from typing import Annotated, Any

import typer

import glassformer as gf
from glassformer.base import report
from glassformer.cli import stdout
from glassformer.cli.options import JSON

What = Annotated[str, typer.Argument(metavar="[translation|gpt|vit]", help="What to train.")]
Where = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Where the model goes.", show_default="runs/demo"),
]
SHADES = " .:-=+*#%@"  # of a pixel, from black to white


def demo(what: What = "translation", output: Where = None, as_json: JSON = False) -> None:
    """Train a first model in minutes, score it, and let it show what it can do.

    translation: Korean to English, three minutes. gpt: goes on as Python's reference
    would. vit: reads handwritten digits. Nothing is downloaded; scores are of the unseen.

    [bold]Examples[/bold]
      glassformer demo
      glassformer demo gpt
    """
    found = gf.demo(output, what)
    if as_json:
        report.result(found)
    else:
        took = f"{found['seconds']:.0f} seconds in all."
        for text in TOLD[what]({**found, "took": took}, stdout.program()):
            stdout.line(text)


def _translation(found: dict[str, Any], program: str) -> list[str]:
    parts = [f"  {one['source']}\n→ {one['target']}\n= {one['reference']}\n" for one in found["samples"]]
    return [
        "\nSentences the model never saw (→ its translation, = the reference):\n",
        *parts,
        f"BLEU {found['bleu']:.1f}, chrF++ {found['chrf']:.1f} on unseen sentences; {found['took']}\n",
        "A sentence of your own:",
        f'  echo "어제 카페 갔었어." | {program} translate {found["output"]}',
        "Your own text (a tab between source and target, a pair a line):",
        f"  {program} train translation/small data.train=train.tsv data.valid=valid.tsv --output runs/mine",
    ]


def _gpt(found: dict[str, Any], program: str) -> list[str]:
    return [
        "\nBeginnings, and how the model goes on:\n",
        *(f"  {one['prompt']}│{one['text']}\n" for one in found["samples"]),
        f"{found['bits_per_byte']:.2f} bits per byte on unseen text; {found['took']}\n",
        "A beginning of your own, and your own text:",
        f'  {program} generate {found["output"]} "A function" --sample --temperature 0.7',
        f"  {program} train language/python-docs data.train=book.txt data.valid=null data.test=null",
    ]


def _vit(found: dict[str, Any], program: str) -> list[str]:
    return [
        *(_drawn(one) for one in found["samples"]),
        f"{found['accuracy']:.1%} of the unseen digits are read right; {found['took']}\n",
        "Your own images, in one folder for each class:",
        f"  {program} recipes copy image/digits mine.yaml   # and write their folder into it",
    ]


def _drawn(sample: dict[str, Any]) -> str:
    rows = ("  " + "".join(SHADES[value * 9 // 255] * 2 for value in row) for row in sample["image"])
    return "\n".join(
        [*rows, f"→ {sample['predicted']} ({sample['probability']:.0%}); it is {sample['label']}\n"]
    )


TOLD = {"translation": _translation, "gpt": _gpt, "vit": _vit}
