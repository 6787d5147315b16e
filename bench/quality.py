"""What a precision costs in quality: the figures of one model on one set in float32, bfloat16 and int8.

``python -m bench.quality DIR --data FILE`` prints a line for each precision, with its difference to float32.
Of a model that translates: BLEU and chrF++; of one that writes: perplexity and bits per byte of the lines of
a text; of a sentence encoder: how near its vectors are to those of float32; else: what ``evaluate`` gives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from glassformer.api.embedder import Embedder
from glassformer.api.evaluation import read_pairs, translate_all
from glassformer.api.generator import Generator
from glassformer.api.likelihoods import likelihoods
from glassformer.api.lines import lines_of
from glassformer.api.loading import load
from glassformer.api.losses import losses
from glassformer.api.opened import Opened
from glassformer.api.translator import Translator
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.decode.score import Likelihood
from glassformer.evaluate.evaluator import evaluate
from glassformer.nn.int8 import Integers
from glassformer.nn.packed import LEAST

FORMS: dict[str, tuple[str, bool]] = {
    "float32": ("float32", False),
    "bfloat16": ("bfloat16", False),
    "int8": ("int8", False),
    "int8, small matrices too": ("int8", True),
}
"""Each line of the table: ``dtype``, and whether matrices are integers where that does not pay."""


def quality(
    folder: str | Path, data: Sequence[str], *, limit: int | None = None, forms: Sequence[str] = tuple(FORMS)
) -> dict[str, dict[str, float]]:
    """For each precision the figures of a model on at most ``limit`` lines, and its ``int8 products``.

    Raises UserError for what cannot be measured.
    """
    found: dict[str, dict[str, float]] = {}
    vectors: Tensor | None = None
    for form in forms:
        dtype, everywhere = FORMS[form]
        with _packed(everywhere=everywhere):
            opened: Opened = load(folder, device="cpu", dtype=dtype)
        report.say(
            f"{form}: {sum(isinstance(part, Integers) for part in opened.model.modules())} int8 products"
        )
        if isinstance(opened, Embedder):
            made = opened.embed(_lines(data, limit), normalize=True, too_long="cut")
            vectors = made if vectors is None else vectors
            cosines = (made * vectors).sum(dim=1)
            found[form] = {"mean cosine": float(cosines.mean()), "least cosine": float(cosines.min())}
        else:
            found[form] = _figures(opened, data, limit)
    return found


@contextmanager
def _packed(*, everywhere: bool) -> Iterator[None]:
    """With ``everywhere``, matrices are packed in int8 however small they are."""
    with patch.dict(LEAST, {torch.int8: 0} if everywhere else {}):
        yield


def _figures(opened: Any, data: Sequence[str], limit: int | None) -> dict[str, float]:
    if isinstance(opened, Translator):
        pairs = read_pairs(data, None, None, limit)
        sources, references = [one for one, _ in pairs], [other for _, other in pairs]
        texts, _ = translate_all(opened, sources, None)
        scores = evaluate(sources, references, texts).scores
        return {"BLEU": scores["bleu"].value, "chrF++": scores["chrf"].value}
    if isinstance(opened, Generator):
        judged = likelihoods(opened, _lines(data, limit))
        whole = sum((one.likelihood for one in judged), Likelihood())
        return {"perplexity": whole.perplexity, "bits per byte": whole.bits_per_byte}
    return dict(losses(opened, data).figures)


def _lines(data: Sequence[str], limit: int | None) -> list[str]:
    """The lines that hold something."""
    lines = (line for path in data for line in lines_of(path) if line.strip())
    found = list(islice(lines, limit))
    if not found:
        raise UserError(f"{', '.join(data)}: there is nothing to measure")
    return found


def rows(found: Mapping[str, Mapping[str, float]]) -> tuple[list[str], list[list[object]]]:
    """The table: one line a precision, each figure with its difference to the first line."""
    first = next(iter(found.values()))
    lines: list[list[object]] = []
    for form, figures in found.items():
        cells = [f"{value:.4f} ({value - first[name]:+.4f})" for name, value in figures.items()]
        lines.append([form, *cells])
    return ["", *first], lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("folder", metavar="DIR", help="the folder of a model or of a run")
    parser.add_argument("--data", metavar="FILE", action="append", required=True, help="may be repeated")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N lines only")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object on stdout")
    chosen = parser.parse_args(arguments)
    try:
        found = quality(chosen.folder, chosen.data, limit=chosen.limit)
    except UserError as error:
        report.fail(str(error))
        return 2
    if chosen.json:
        report.result(found)
    else:
        print(report.table(*rows(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
