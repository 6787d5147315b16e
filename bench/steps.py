"""Training speed of one stack: transformers' model in a plain loop against Glassformer's own loop."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import learning, plain
from bench.kinds import Task
from bench.learning import TOLERANCES, Course, Glass, Peer, foreign, precision_of, systems
from bench.measure import Spread, ratios
from bench.work import CLIP
from glassformer.data.example import Batch
from glassformer.nn.cross_entropy import IGNORED
from glassformer.train.optim import OptimConfig

OPTIM = OptimConfig(name="adamw", lr=3e-4, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, clip=CLIP)

# transformers' class, and the keys of its dropout.
PEERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gpt": ("GPT2LMHeadModel", ("embd_pdrop", "resid_pdrop", "attn_pdrop")),
    "llama": ("LlamaForCausalLM", ("attention_dropout",)),
    "bert": ("BertForMaskedLM", ("hidden_dropout_prob", "attention_probs_dropout_prob")),
    "vit": ("ViTForImageClassification", ("hidden_dropout_prob", "attention_probs_dropout_prob")),
}
WAYS = {
    "float32": "transformers float32",
    "autocast": "transformers bfloat16 by autocast",
    "weights": "transformers bfloat16 weights",
}

BY_HAND = {way: name.replace("transformers", "plain PyTorch") for way, name in WAYS.items()}


def course(task: Task) -> Course:
    """What the systems learn of a stack's work."""
    return Course(task.folder, task.batches, (task.units,) * len(task.batches), task.objective, OPTIM)


def peer(task: Task, way: str, attention: str) -> Peer:
    """transformers' model of the same kind and weights."""
    return Peer(course(task), way, partial(_load, task.kind, attention), partial(_mean_loss, task.kind))


def by_hand(task: Task, way: str) -> Peer:
    """The same GPT written out in plain PyTorch, with the same weights."""

    def load(folder: Path, dtype: torch.dtype, dropout: bool) -> nn.Module:
        del dropout  # the settings have none
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return plain.load(folder, config, dtype)

    return Peer(course(task), way, load, _plain_loss)


def glass(task: Task, precision: str) -> Glass:
    """Glassformer's."""
    return Glass(course(task), precision)


def _load(kind: str, attention: str, folder: Path, dtype: torch.dtype, dropout: bool) -> nn.Module:
    name, rates = PEERS[kind]
    calm: dict[str, float] = {} if dropout else dict.fromkeys(rates, 0.0)
    model: nn.Module = foreign(name, folder, attn_implementation=attention, dtype=dtype, **calm)
    return model


def _mean_loss(kind: str, model: Any, batch: Batch) -> Tensor:
    if kind == "vit":
        scores = model(pixel_values=batch["images"].to(model.dtype)).logits
    else:
        named = {} if kind == "bert" else {"use_cache": False}
        scores = model(input_ids=batch["tokens"], **named).logits
    # In float32, as the losses that transformers comes with are.
    scores = scores.flatten(0, -2).float()
    return functional.cross_entropy(scores, batch["labels"].flatten(), ignore_index=IGNORED)


def _plain_loss(model: Any, batch: Batch) -> Tensor:
    scores = model(batch["tokens"]).flatten(0, 1).float()
    return functional.cross_entropy(scores, batch["labels"].flatten(), ignore_index=IGNORED)


def measure(task: Task, **rounds: Any) -> dict[str, Any]:
    """The table of training speed; NotTheSameWork when the systems do not do the same."""
    makers = systems(task, peer, glass, WAYS)
    if task.kind == "gpt":
        makers |= {name: partial(by_hand, task, way) for way, name in BY_HAND.items()}
    return learning.measure(makers, **rounds)


def rows(found: dict[str, Any], unit: str) -> tuple[list[str], list[list[object]]]:
    """The table: rate, spread, and how many times the best of the peers in either precision."""
    rates = found["rates"]
    bases = _best(rates)
    headers = ["system", f"{unit}/s", *(f"÷ {base}" for base in bases)]
    compared = [ratios(rates, base) for base in bases]
    lines: list[list[object]] = [
        [name, str(Spread.of(values)), *(str(against[name]) for against in compared)]
        for name, values in rates.items()
    ]
    return headers, lines


def _best(rates: dict[str, list[float]]) -> list[str]:
    """The fastest of the peers in each precision."""
    peers = [name for name in rates if not name.startswith("Glassformer")]
    return [
        max(
            (name for name in peers if precision_of(name) == precision), key=lambda name: _median(rates[name])
        )
        for precision in TOLERANCES
        if peers
    ]


def _median(values: list[float]) -> float:
    return Spread.of(values).median
