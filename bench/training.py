"""Training speed in target tokens a second: MarianMTModel in a plain loop against Glassformer's own loop."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import same
from bench.measure import Maker, Spread, in_turn, opened, ratios
from bench.work import BETAS, CLIP, EPS, LR, SEED, SMOOTHING, Work, objective_for
from glassformer.base import machine
from glassformer.base.config import Settings
from glassformer.data.example import Batch
from glassformer.hub import folder as hub
from glassformer.nn.cross_entropy import IGNORED
from glassformer.train.compute import Gradients
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.parallel import Group

BASE = "MarianMT float32"
LOSS_TOLERANCE = 1e-4
LEARNED_TOLERANCE = 0.25  # nats a token after the same steps: dropout differs, what is learned must not


class Glass:
    """Glassformer, step by step as ``trainer.fit`` takes it."""

    def __init__(self, folder: Path, batches: list[Batch], precision: str) -> None:
        found = machine.look()
        machine.prepare(found)
        self.folder, self.batches = folder, batches
        self.model = hub.load(folder).model.train()
        low = machine.precision(precision, found) == "bfloat16"
        settings = OptimConfig(name="adam", lr=LR, betas=BETAS, eps=EPS, clip=CLIP)
        self.optimizer = Optimizer(self.model, settings, bfloat16=low)
        objective = objective_for(self.model.config)
        self.gradients = Gradients(self.model, objective, self.optimizer, Group(), seed=SEED, compiled=False)
        self.done = 0

    def facts(self) -> dict[str, Any]:
        """What must be equal for all."""
        return {"parameters": _trainable(self.model)}

    def first_loss(self) -> float:
        """The smoothed loss a token of the first batch: no dropout, float32, the folder's weights."""
        loaded = hub.load(self.folder)
        model = type(loaded.model)(_without_dropout(loaded.config))
        model.load_state_dict(loaded.model.state_dict())
        batch = self.batches[0]
        with torch.no_grad():
            return float(objective_for(loaded.config).loss(model.train(), batch).total) / batch.count

    def turn(self, steps: int) -> dict[str, float]:
        """So many steps; the batches go round."""
        tokens = loss = 0.0
        began = time.perf_counter()
        for _ in range(steps):
            batch = self.batches[self.done % len(self.batches)]
            self.done += 1
            self.gradients([batch], self.done)
            tail = self.optimizer.tail.clone()
            float(self.optimizer.step(LR))  # the trainer reads the norm at each step on a CPU
            tokens += float(tail[1])
            loss += float(tail[0])
        return {"tokens": tokens, "seconds": time.perf_counter() - began, "loss": loss / tokens}


class Marian:
    """transformers' MarianMTModel in the loop one writes by hand, with PyTorch's own settings."""

    def __init__(self, folder: Path, batches: list[Batch], precision: str, attention: str) -> None:
        torch.manual_seed(SEED)
        self.folder, self.batches, self.attention = folder, batches, attention
        self.low = precision == "bfloat16"
        self.model = self._load().train()
        for side in (self.model.model.encoder, self.model.model.decoder):
            side.embed_positions.requires_grad_(False)  # loading from a file forgets that they are fixed
        learned = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(learned, lr=LR, betas=BETAS, eps=EPS, fused=True)
        self.done = 0

    def _load(self, **changes: float) -> Any:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        kind = transformers.MarianMTModel
        return kind.from_pretrained(
            self.folder, attn_implementation=self.attention, dtype=torch.float32, **changes
        )

    def facts(self) -> dict[str, Any]:
        """What must be equal for all."""
        return {"parameters": _trainable(self.model)}

    def first_loss(self) -> float:
        """The smoothed loss a token of the first batch: no dropout, float32, the folder's weights."""
        with torch.no_grad():
            return float(_marian_loss(self._load(dropout=0.0).train(), self.batches[0]))

    def turn(self, steps: int) -> dict[str, float]:
        """So many steps; the batches go round."""
        tokens = loss = 0.0
        began = time.perf_counter()
        for _ in range(steps):
            batch = self.batches[self.done % len(self.batches)]
            self.done += 1
            self.optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.low):
                mean = _marian_loss(self.model, batch)
            mean.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
            self.optimizer.step()
            count = int((batch["labels"] != IGNORED).sum())
            tokens += count
            loss += float(mean.detach()) * count
        return {"tokens": tokens, "seconds": time.perf_counter() - began, "loss": loss / tokens}


def measure(work: Work, *, warm_up: int, steps: int, repetitions: int, apart: bool) -> dict[str, Any]:
    """The table of training speed; NotTheSameWork when the systems do not do the same."""
    with opened(_makers(work), apart=apart) as systems:
        parameters = {name: system.call("facts")["parameters"] for name, system in systems.items()}
        same.equal("parameters", parameters)
        losses = {name: system.call("first_loss") for name, system in systems.items()}
        same.close("losses of the first batch with equal weights", losses, LOSS_TOLERANCE)
        in_turn(systems, 1, lambda system: system.call("turn", warm_up))
        turns = in_turn(systems, repetitions, lambda system: system.call("turn", steps))
    _check(turns)
    rates = {name: [turn["tokens"] / turn["seconds"] for turn in found] for name, found in turns.items()}
    return {
        "parameters": next(iter(parameters.values())),
        "first_loss": losses,
        "last_loss": {name: found[-1]["loss"] for name, found in turns.items()},
        "steps": steps,
        "repetitions": repetitions,
        "rates": rates,
        "flops_per_token": flops(work) / sum(batch.count for batch in work.batches),
    }


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
        precision = "bfloat16" if "bfloat16" in name else "float32"
        share = Spread.of(values).median * found["flops_per_token"] / 1e9 / ceilings[precision]
        lines.append(
            [name, str(Spread.of(values)), *map(str, compared.get(name, ())), f"{100 * share:.0f} %"]
        )
    return headers, lines


def _makers(work: Work) -> dict[str, Maker]:
    default = machine.precision("auto", machine.look())
    makers: dict[str, Maker] = {}
    if has_transformers():
        for precision in ("float32", "bfloat16"):
            for attention in ("sdpa", "eager"):
                name = f"MarianMT {precision}" + (", eager attention" if attention == "eager" else "")
                makers[name] = partial(Marian, work.folder, work.batches, precision, attention)
    for precision in ("float32", "bfloat16"):
        name = f"Glassformer {precision}" + (" (default here)" if precision == default else "")
        makers[name] = partial(
            Glass, work.folder, work.batches, "auto" if precision == default else precision
        )
    return makers


def has_transformers() -> bool:
    """Whether the peer is installed."""
    import importlib.util

    return importlib.util.find_spec("transformers") is not None


def _check(turns: dict[str, list[dict[str, float]]]) -> None:
    for number, at_once in enumerate(zip(*turns.values(), strict=True)):
        tokens = {name: turn["tokens"] for name, turn in zip(turns, at_once, strict=True)}
        same.equal(f"target tokens of turn {number + 1}", tokens)
    last = {name: found[-1]["loss"] for name, found in turns.items()}
    same.close("losses after the same steps", last, LEARNED_TOLERANCE)


def _marian_loss(model: Any, batch: Batch) -> Tensor:
    scores = model(
        input_ids=batch["source"],
        attention_mask=batch["source_keep"].long(),
        decoder_input_ids=batch["target"],
        use_cache=False,
    ).logits
    return functional.cross_entropy(
        scores.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED, label_smoothing=SMOOTHING
    )


def _trainable(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _without_dropout(config: Settings) -> Settings:
    return config.model_copy(update={"dropout": 0.0})
