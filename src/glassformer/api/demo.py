"""The main jobs on a fresh machine, made small: a translator, a GPT and a ViT, trained and shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from glassformer.api.loading import load
from glassformer.api.sampling import write_samples
from glassformer.api.training import train
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.base.plugins import suggest
from glassformer.data.pictures import album
from glassformer.data.samples import demo_sentences
from glassformer.data.sources import SPLITS

RECIPE = "translation/demo.yaml"
LANGUAGE = "language/python-docs.yaml"
IMAGE = "image/digits.yaml"

BEGINNINGS = ("The following", "A class is", "An expression", "When the function")
"""What the language model is asked to go on with."""

PICTURES = 8

Demo = Callable[[Path], dict[str, Any]]


def demo(output: str | Path | None = None, what: str = "translation") -> dict[str, Any]:
    """Trains a first model into the folder ``output`` and shows what it can do: its figures and samples.

    ``what`` is ``translation`` (Korean → English on the generated corpus, into ``runs/demo``), ``gpt`` (the
    reference of Python, into ``runs/demo-gpt``) or ``vit`` (handwritten digits, into ``runs/demo-vit``). A
    demonstration that was cut short goes on where it was; a finished one is scored again. ``seconds`` are
    everything, from nothing to the last sample.
    """
    if what not in DEMOS:
        raise UserError(
            f"there is no demonstration {what!r}{suggest(what, DEMOS)}; known: {', '.join(DEMOS)}"
        )
    began = time.monotonic()
    usual = Path("runs") / ("demo" if what == "translation" else f"demo-{what}")
    folder = Path(output) if output is not None else usual
    found = DEMOS[what](folder)
    return {**found, "seconds": round(time.monotonic() - began, 1), "output": str(folder)}


def _figures(figures: Mapping[str, Any], *names: str) -> dict[str, Any]:
    shown = (*names, "steps", "tokens_per_second", "parameters")
    return {**{name: figures.get(name) for name in shown}, "training_seconds": figures["seconds"]}


def _translation(folder: Path) -> dict[str, Any]:
    data = folder / "data"
    if not (data / "test.tsv").exists():
        report.say("writing 50,000 Korean–English sentence pairs from a grammar")
        write_samples(data)
    # Settings are read as YAML, in which a folder's name could mean something.
    paths = [f"data.{one}={json.dumps(f'{data / one}.tsv', ensure_ascii=False)}" for one in SPLITS]
    figures = train(RECIPE, paths, output=folder, resume=True)
    shown = demo_sentences()
    texts = load(folder).translate([pair.source for pair in shown])
    samples = [
        {"source": pair.source, "target": text, "reference": pair.target}
        for pair, text in zip(shown, texts, strict=True)
    ]
    return {**_figures(figures, "bleu", "chrf", "signature"), "samples": samples}


def _gpt(folder: Path) -> dict[str, Any]:
    figures = train(LANGUAGE, output=folder, resume=True)
    model = load(folder)
    texts = model.generate(BEGINNINGS, do_sample=True, temperature=0.7, top_k=40, max_new_tokens=60, seed=1)
    samples = [{"prompt": prompt, "text": text} for prompt, text in zip(BEGINNINGS, texts, strict=True)]
    return {**_figures(figures, "perplexity", "bits_per_byte"), "samples": samples}


def _vit(folder: Path) -> dict[str, Any]:
    figures = train(IMAGE, output=folder, resume=True)
    shown = [
        picture
        for picture, _ in zip(album("generated:digits/test").read(None), range(PICTURES), strict=False)
    ]
    found = load(folder).predict([picture.pixels for picture in shown], top_k=1)
    samples = [
        {
            "image": picture.pixels[..., 0].tolist(),
            "label": picture.label,
            "predicted": best[0],
            "probability": best[1],
        }
        for picture, ((*best,), *_) in zip(shown, found, strict=True)
    ]
    return {**_figures(figures, "accuracy"), "samples": samples}


DEMOS: Mapping[str, Demo] = {"translation": _translation, "gpt": _gpt, "vit": _vit}
