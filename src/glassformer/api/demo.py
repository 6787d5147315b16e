"""The main job on a fresh machine: write a corpus, train a translator, score it, show what it says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from glassformer.api.loading import load
from glassformer.api.sampling import write_samples
from glassformer.api.training import train
from glassformer.base import report
from glassformer.data.samples import demo_sentences
from glassformer.data.sources import SPLITS

RECIPE = "translation/demo.yaml"


def demo(output: str | Path | None = None) -> dict[str, Any]:
    """Trains Korean → English on the generated corpus into ``output`` (``runs/demo``) and translates with it.

    A demonstration that was cut short goes on where it was; a finished one is scored again. Gives bleu, chrf,
    seconds (everything, from nothing to the last translation), the figures of training and the samples.
    """
    began = time.monotonic()
    folder = Path(output) if output is not None else Path("runs") / "demo"
    data = folder / "data"
    if not (data / "test.tsv").exists():
        report.say("writing 50,000 Korean–English sentence pairs from a grammar")
        write_samples(data)
    # Settings are read as YAML, in which a folder's name could mean something.
    paths = [f"data.{one}={json.dumps(f'{data / one}.tsv', ensure_ascii=False)}" for one in SPLITS]
    figures = train(RECIPE, paths, output=folder, resume=True)
    samples = _samples(folder)
    keys = ("bleu", "chrf", "signature", "steps", "tokens_per_second", "parameters")
    return {
        **{key: figures.get(key) for key in keys},
        "training_seconds": figures["seconds"],
        "seconds": round(time.monotonic() - began, 1),
        "samples": samples,
        "output": str(folder),
    }


def _samples(folder: Path) -> list[dict[str, str]]:
    shown = demo_sentences()
    texts = load(folder).translate([pair.source for pair in shown])
    return [
        {"source": pair.source, "target": text, "reference": pair.target}
        for pair, text in zip(shown, texts, strict=True)
    ]
