"""Training speed of one stack: transformers' model in a plain loop against Glassformer's own loop."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import same
from bench.kinds import Task
from bench.measure import Maker, Spread, in_turn, opened, ratios
from bench.training import has_transformers
from bench.work import CLIP, SEED
from glassformer.base import machine
from glassformer.data.example import Batch
from glassformer.hub import folder as hub
from glassformer.nn.cross_entropy import IGNORED
from glassformer.train.compute import Gradients
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.parallel import Group

LR = 3e-4
BETAS = (0.9, 0.95)
EPS = 1e-8
DECAY = 0.1
FIRST = 3  # steps without dropout whose losses are compared
TOLERANCES = {"float32": 1e-3, "bfloat16": 0.05}  # in those losses
LEARNED_TOLERANCE = 0.25  # after the same steps: dropout and rounding differ, what is learned must not

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


class _Learner(ABC):
    """One model that is trained step by step; the batches go round."""

    task: Task
    model: Any
    done = 0

    @abstractmethod
    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""

    @abstractmethod
    def step(self, batch: Batch) -> float:
        """One step; gives the loss an answer, before it."""

    def parameters(self) -> int:
        """How many numbers learn."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    def first(self, steps: int) -> list[float]:
        """The losses of the first steps, without dropout; then everything is as at the beginning."""
        self.begin(dropout=False)
        losses = self.turn(steps)["losses"]
        self.begin(dropout=True)
        return losses

    def turn(self, steps: int) -> dict[str, Any]:
        """So many steps: how long they took, and their losses."""
        losses = []
        began = time.perf_counter()
        for _ in range(steps):
            losses.append(self.step(self.task.batches[self.done % len(self.task.batches)]))
            self.done += 1
        return {"seconds": time.perf_counter() - began, "losses": losses}


class Glass(_Learner):
    """Glassformer, step by step as ``trainer.fit`` takes it."""

    def __init__(self, task: Task, precision: str) -> None:
        found = machine.look()
        machine.prepare(found)
        self.task = task
        self.low = machine.precision(precision, found) == "bfloat16"
        self.begin(dropout=True)

    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""
        self.done = 0
        loaded = hub.load(self.task.folder)
        config = loaded.config
        if not dropout:
            rates = [name for name in type(config).model_fields if name.endswith("dropout")]
            config = config.model_copy(update=dict.fromkeys(rates, 0.0))
        self.model = type(loaded.model)(config).train()
        self.model.load_state_dict(loaded.model.state_dict())
        settings = OptimConfig(name="adamw", lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY, clip=CLIP)
        self.optimizer = Optimizer(self.model, settings, bfloat16=self.low)
        self.gradients = Gradients(
            self.model, self.task.objective, self.optimizer, Group(), seed=SEED, compiled=False
        )

    def step(self, batch: Batch) -> float:
        """One step; gives the loss an answer, before it."""
        self.gradients([batch], self.done)
        loss, count = self.optimizer.tail[:2].tolist()
        float(self.optimizer.step(LR))  # the trainer reads the norm at each step on a CPU
        return float(loss / count)


class Peer(_Learner):
    """transformers' model in the loop one writes by hand, with PyTorch's own settings and the fused AdamW."""

    def __init__(self, task: Task, way: str, attention: str) -> None:
        torch.manual_seed(SEED)
        self.task, self.way, self.attention = task, way, attention
        self.begin(dropout=True)

    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.done = 0
        kind, rates = PEERS[self.task.kind]
        self.model = getattr(transformers, kind).from_pretrained(
            self.task.folder,
            attn_implementation=self.attention,
            dtype=torch.bfloat16 if self.way == "weights" else torch.float32,
            **({} if dropout else dict.fromkeys(rates, 0.0)),
        )
        self.model.train()
        groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
        for parameter in self.model.parameters():
            groups[parameter.squeeze().ndim >= 2].append(parameter)
        self.optimizer = torch.optim.AdamW(
            [{"params": groups[True], "weight_decay": DECAY}, {"params": groups[False], "weight_decay": 0.0}],
            lr=LR,
            betas=BETAS,
            eps=EPS,
            fused=True,
        )

    def step(self, batch: Batch) -> float:
        """One step; gives the loss an answer, before it."""
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.way == "autocast"):
            mean = self._loss(batch)
        mean.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        return float(mean.detach())

    def _loss(self, batch: Batch) -> Tensor:
        if self.task.kind == "vit":
            scores = self.model(pixel_values=batch["images"].to(self.model.dtype)).logits
        else:
            named = {} if self.task.kind == "bert" else {"use_cache": False}
            scores = self.model(input_ids=batch["tokens"], **named).logits
        # In float32, as the losses that transformers comes with are.
        scores = scores.flatten(0, -2).float()
        return functional.cross_entropy(scores, batch["labels"].flatten(), ignore_index=IGNORED)


def measure(task: Task, *, warm_up: int, steps: int, repetitions: int, apart: bool) -> dict[str, Any]:
    """The table of training speed; NotTheSameWork when the systems do not do the same."""
    with opened(_makers(task), apart=apart) as systems:
        parameters = {name: system.call("parameters") for name, system in systems.items()}
        same.equal("parameters", parameters)
        first = {name: system.call("first", FIRST) for name, system in systems.items()}
        _check_first(first)
        in_turn(systems, 1, lambda system: system.call("turn", warm_up))
        turns = in_turn(systems, repetitions, lambda system: system.call("turn", steps))
    last = {name: found[-1]["losses"][-1] for name, found in turns.items()}
    same.close("losses after the same steps", last, LEARNED_TOLERANCE)
    rates = {name: [steps * task.units / turn["seconds"] for turn in found] for name, found in turns.items()}
    return {
        "parameters": next(iter(parameters.values())),
        "first_losses": first,
        "last_loss": last,
        "steps": steps,
        "repetitions": repetitions,
        "rates": rates,
    }


def rows(found: dict[str, Any], unit: str) -> tuple[list[str], list[list[object]]]:
    """The table: rate, spread, and how many times the best of transformers in either precision."""
    rates = found["rates"]
    bases = _best(rates)
    headers = ["system", f"{unit}/s", *(f"÷ {base}" for base in bases)]
    compared = [ratios(rates, base) for base in bases]
    lines: list[list[object]] = [
        [name, str(Spread.of(values)), *(str(against[name]) for against in compared)]
        for name, values in rates.items()
    ]
    return headers, lines


def precision_of(system: str) -> str:
    """What a system multiplies in, from its name."""
    return "bfloat16" if "bfloat16" in system else "float32"


def _best(rates: dict[str, list[float]]) -> list[str]:
    """The fastest of transformers in each precision."""
    peers = [name for name in rates if name.startswith("transformers")]
    return [
        max(
            (name for name in peers if precision_of(name) == precision), key=lambda name: _median(rates[name])
        )
        for precision in TOLERANCES
        if peers
    ]


def _median(values: list[float]) -> float:
    return Spread.of(values).median


def _check_first(losses: dict[str, list[float]]) -> None:
    """All float32 systems against each other, those in bfloat16 against the first of all."""
    reference = next(iter(losses.values()))
    for precision, tolerance in TOLERANCES.items():
        for step, expected in enumerate(reference):
            found = {name: given[step] for name, given in losses.items() if precision_of(name) == precision}
            what = f"losses of step {step + 1} with equal weights in {precision}"
            same.close(what, {"float32 reference": expected} | found, tolerance)


def _makers(task: Task) -> dict[str, Maker]:
    default = machine.precision("auto", machine.look())
    makers: dict[str, Maker] = {}
    if has_transformers():
        for way, name in WAYS.items():
            makers[name] = partial(Peer, task, way, "sdpa")
            makers[f"{name}, eager attention"] = partial(Peer, task, way, "eager")
    for precision in TOLERANCES:
        name = f"Glassformer {precision}" + (" (default here)" if precision == default else "")
        makers[name] = partial(Glass, task, precision)
    return makers
