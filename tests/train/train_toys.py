"""A model, an objective and a stream small enough that a whole run takes a fraction of a second."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from glassformer.data.example import Batch
from glassformer.data.stream import Position
from glassformer.objectives.objective import Loss
from glassformer.train.optim import OptimConfig
from glassformer.train.schedule import ScheduleConfig
from glassformer.train.trainer import Outcome, Plan, TrainConfig, fit

__all__ = ["Batch", "Loss", "fit", "load_file"]

VOCAB = 11

# New processes are forked from one that has torch ready but has never run it: quick and safe.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["torch", "safetensors.torch", "pydantic", "rich.progress"])


class Toy(nn.Module):
    """Says for each token which one follows; with dropout, a tied weight and a buffer that moves."""

    def __init__(self, seed: int = 0, dropout: float = 0.2) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.embed = nn.Embedding(VOCAB, 6)
        self.mix = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)
        self.drop = nn.Dropout(dropout)
        self.output = nn.Linear(6, VOCAB)
        self.output.weight = self.embed.weight
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, tokens: Tensor) -> Tensor:
        if self.training:
            self.seen.add_(1)
        hidden = self.embed(tokens)
        return self.output(self.drop(self.norm(hidden + torch.relu(self.mix(hidden)))))


class NextToken:
    """A summed cross entropy; ``parts`` holds the number of right guesses."""

    needs: tuple[str, ...] = ("scores",)
    reads = "text"
    frame = "none"
    answers = None

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        scores = model(batch["tokens"]).flatten(0, 1).float()
        labels = batch["labels"].flatten()
        total = functional.cross_entropy(scores, labels, ignore_index=-100, reduction="sum")
        return Loss(total, {"right": (scores.argmax(-1) == labels).sum().float()})

    def encode(self, examples: Any, tokenizers: Any) -> list[Any]:
        raise AssertionError("the trainer is given batches that are made already")

    def collate(self, features: Any, rng: Any) -> Batch:
        raise AssertionError("the trainer is given batches that are made already")

    def predict(self, model: nn.Module, batch: Batch) -> Any:
        return model(batch["tokens"]).argmax(-1)


class Counting:
    """Token t is followed by t + 3, with noise; batches of unequal length, eight to an epoch."""

    def __init__(self, rows: int = 4, rank: int = 0, ranks: int = 1) -> None:
        self.rows, self.rank, self.ranks = rows, rank, ranks

    def batch(self, number: int) -> Batch:
        random = np.random.default_rng(number)
        tokens = torch.from_numpy(random.integers(0, VOCAB, (self.rows, 3 + number % 3)))
        labels = (tokens + 3) % VOCAB
        labels[0, 0] = -100
        labels[1, 1] = int(random.integers(0, VOCAB))
        mine = slice(self.rank, None, self.ranks)
        count = int((labels[mine] != -100).sum())
        return Batch({"tokens": tokens[mine], "labels": labels[mine]}, count)

    def batches(self, position: Position = Position()) -> Iterator[tuple[Batch, Position]]:  # noqa: B008
        epoch, index = position.epoch, position.index
        while True:
            batch = self.batch(8 * epoch + index)
            epoch, index = (epoch, index + 1) if index < 7 else (epoch + 1, 0)
            yield batch, Position(epoch, 0, index)

    def once(self) -> Iterator[Batch]:
        return (self.batch(1000 + number) for number in range(3))


def settings(
    optim: dict[str, Any] | None = None, schedule: dict[str, Any] | None = None, **train: Any
) -> Plan:
    """A plan of few steps on which the toy learns."""
    given = {
        "steps": 12,
        "evaluate_every": 4,
        "save_every": 4,
        "log_every": 3,
        "precision": "float32",
        "compile": False,
    }
    return Plan(
        OptimConfig(**{"lr": 0.02, "weight_decay": 0.01, **(optim or {})}),
        ScheduleConfig(**{"warmup": 3, **(schedule or {})}),
        TrainConfig(**{**given, **train}),
    )


def saver(model: nn.Module) -> Any:
    """Writes the model as a folder: weights, a config and a readable file."""

    def save(folder: Path) -> None:
        weights = {name: tensor for name, tensor in model.state_dict().items() if name != "output.weight"}
        save_file(weights, folder / "model.safetensors")
        (folder / "config.json").write_text("{}")
        (folder / "README.md").write_text("a toy")

    return save


def train(output: Path, plan: Plan, model: nn.Module | None = None, **more: Any) -> tuple[Outcome, nn.Module]:
    """One run of the toy; what it came to, and the trained model."""
    model = Toy() if model is None else model
    stream = more.pop("stream", Counting())
    given = {"valid": Counting(), "save": saver(model), "device": "cpu", "recipe": "model: toy\n"}
    outcome = fit(model, NextToken(), stream, plan, output=output, **{**given, **more})
    return outcome, model


def weights(model: nn.Module) -> dict[str, Tensor]:
    """A copy of everything the model holds."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    """Equal bit for bit."""
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def lines(output: Path) -> list[dict[str, Any]]:
    """Every line of metrics.jsonl; raises when one is not JSON."""
    return [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
