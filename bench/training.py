"""Training speed in target tokens a second: MarianMTModel in a plain loop against Glassformer's own loop."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import learning
from bench.learning import Course, Glass, Peer, foreign, precision_of, systems
from bench.measure import Spread, ratios
from bench.work import BETAS, CLIP, EPS, LR, SMOOTHING, Work, objective_for
from glassformer.data.example import Batch
from glassformer.hub import folder as hub
from glassformer.nn.cross_entropy import IGNORED
from glassformer.train.optim import OptimConfig

BASE = "MarianMT float32"
OPTIM = OptimConfig(name="adam", lr=LR, betas=BETAS, eps=EPS, clip=CLIP)
WAYS = {"float32": "MarianMT float32", "autocast": "MarianMT bfloat16"}


def course(work: Work) -> Course:
    """What the systems learn: to translate; target tokens are counted."""
    objective = objective_for(hub.load(work.folder).config)
    return Course(work.folder, work.batches, tuple(batch.count for batch in work.batches), objective, OPTIM)


def peer(work: Work, way: str, attention: str) -> Peer:
    """transformers' MarianMTModel with the same weights."""
    return Peer(course(work), way, partial(_load, attention), _mean_loss)


def glass(work: Work, precision: str) -> Glass:
    """Glassformer's."""
    return Glass(course(work), precision)


def _load(attention: str, folder: Path, dtype: torch.dtype, dropout: bool) -> nn.Module:
    calm: dict[str, float] = {} if dropout else {"dropout": 0.0}
    model = foreign("MarianMTModel", folder, attn_implementation=attention, dtype=dtype, **calm)
    for side in (model.model.encoder, model.model.decoder):
        side.embed_positions.requires_grad_(False)  # loading from a file forgets that they are fixed
    learned: nn.Module = model
    return learned


def _mean_loss(model: Any, batch: Batch) -> Tensor:
    scores = model(
        input_ids=batch["source"],
        attention_mask=batch["source_keep"].long(),
        decoder_input_ids=batch["target"],
        use_cache=False,
    ).logits
    return functional.cross_entropy(
        scores.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED, label_smoothing=SMOOTHING
    )


def measure(work: Work, **rounds: Any) -> dict[str, Any]:
    """The table of training speed; NotTheSameWork when the systems do not do the same."""
    found = learning.measure(systems(work, peer, glass, WAYS), **rounds)
    return found | {"flops_per_token": flops(work) / sum(batch.count for batch in work.batches)}


def flops(work: Work) -> float:
    """Operations in the matrix products of one pass over the batches: 6 a weight and a token it meets.

    Two forward and four backward (Kaplan et al. 2020, §2.1), for real tokens, not padding. A weight of the
    encoder, or of the cross-attention's keys and values, meets the source's tokens, all others and the output
    matrix the target's. Products of queries with keys and of weights with values are not counted.
    """
    model: Any = hub.load(work.folder).model
    source = sum(int(batch["source_keep"].sum()) for batch in work.batches)
    target = sum(batch.count for batch in work.batches)
    total = model.output.weight.numel() * target
    for name, part in model.named_modules():
        if isinstance(part, nn.Linear):
            reads = name.startswith("encoder") or name.endswith(("cross.k", "cross.v"))
            total += part.weight.numel() * (source if reads else target)
    return 6.0 * total


def rows(found: dict[str, Any], ceilings: dict[str, float]) -> tuple[list[str], list[list[object]]]:
    """The table: rate, spread, how many times MarianMT's, and what part of the machine's limit."""
    rates = found["rates"]
    marian = [name for name in rates if name.startswith("MarianMT")]
    headers = ["system", "target tokens/s"]
    compared = {}
    if marian:
        best = max(marian, key=lambda name: Spread.of(rates[name]).median)
        headers += [f"÷ {BASE}", f"÷ best ({best})"]
        compared = {name: (ratios(rates, BASE)[name], ratios(rates, best)[name]) for name in rates}
    headers.append("of the matrix-product limit")
    lines: list[list[object]] = []
    for name, values in rates.items():
        share = Spread.of(values).median * found["flops_per_token"] / 1e9 / ceilings[precision_of(name)]
        lines.append(
            [name, str(Spread.of(values)), *map(str, compared.get(name, ())), f"{100 * share:.0f} %"]
        )
    return headers, lines
