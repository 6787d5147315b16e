"""Speed of writing on, in tokens a second: transformers' ``generate`` against ``decode.generate``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import kinds, peers, same
from bench.kinds import Amount
from bench.measure import Spread, in_turn, opened, ratios
from bench.work import SEED
from glassformer.base import machine
from glassformer.decode.generate import generate
from glassformer.decode.settings import Decoding
from glassformer.hub import folder as hub
from glassformer.nn.packed import running

BASE = "transformers generate"
KINDS = ("gpt", "llama")
PRECISIONS = ("float32", "bfloat16")
HOW: dict[str, dict[str, Any]] = {
    "greedy": {"num_beams": 1, "do_sample": False},
    "sampling": {"num_beams": 1, "do_sample": True, "top_k": 50},
    "beam 4": {"num_beams": 4, "do_sample": False, "length_penalty": 1.0, "early_stopping": False},
}
ATTENTION = ("sdpa", "eager")

Prompts = list[list[int]]
Wanted = dict[str, Any]
"""One task: ``kind``, ``precision``, ``how``, ``prompts`` and ``most``, the tokens that are written."""


class Numbers:
    """A tokenizer whose texts are the ids themselves, so that both systems are given the same prompts."""

    opening: tuple[int, ...] = ()

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""
        return [[int(word) for word in text.split()] for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids."""
        return " ".join(map(str, ids))


class Glass:
    """Glassformer's ``generate`` with what it does by default."""

    def __init__(self, root: Path) -> None:
        machine.prepare(machine.look())
        self.models = {  # as ``gf.load`` opens a folder with a tokenizer, which these have not
            (kind, precision): running(hub.load(root / kind).model, getattr(torch, precision))
            for kind, precision in product(KINDS, PRECISIONS)
        }

    def turn(self, wanted: Wanted, attention: str) -> dict[str, Any]:
        """Writes on from the prompts, all in one batch."""
        del attention  # the model chooses by itself
        model: Any = self.models[wanted["kind"], wanted["precision"]]
        most = wanted["most"]
        settings = Decoding(
            **HOW[wanted["how"]], length_penalty_form="power", max_new_tokens=most, min_new_tokens=most
        )
        texts = [" ".join(map(str, prompt)) for prompt in wanted["prompts"]]
        began = time.perf_counter()
        done = list(generate(model, Numbers(), texts, settings))
        return {"seconds": time.perf_counter() - began, "written": [list(one.tokens) for one in done]}


class Peer:
    """The same weights in transformers' ``generate``, with PyTorch's own settings."""

    def __init__(self, root: Path) -> None:
        transformers = peers.transformers()
        self.kind = transformers.GenerationConfig
        load = transformers.AutoModelForCausalLM.from_pretrained
        self.models = {
            (kind, precision, attention): load(
                root / kind, dtype=getattr(torch, precision), attn_implementation=attention
            ).eval()
            for kind, precision, attention in product(KINDS, PRECISIONS, ATTENTION)
        }

    def turn(self, wanted: Wanted, attention: str) -> dict[str, Any]:
        """Writes on from the prompts, all in one batch."""
        model = self.models[wanted["kind"], wanted["precision"], attention]
        most, config = wanted["most"], model.config
        settings = self.kind(
            **HOW[wanted["how"]], max_new_tokens=most, min_new_tokens=most,
            eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id,
        )  # fmt: skip
        torch.manual_seed(SEED)
        began = time.perf_counter()
        prompts = torch.tensor(wanted["prompts"])
        with torch.inference_mode():
            found = model.generate(
                prompts, attention_mask=torch.ones_like(prompts), generation_config=settings
            )
        written = found[:, prompts.shape[1] :].tolist()
        return {"seconds": time.perf_counter() - began, "written": written}


def measure(
    root: Path, *, batches: tuple[int, ...], prompt: int, most: int, repetitions: int, quick: bool
) -> dict[str, Any]:
    """Tokens a second of both models, precisions, ways and batch sizes.

    ``root`` is an empty folder. In float32 all must write the same tokens, but for sampling, whose chance is
    each system's own; in bfloat16 rounding may part them, and the results say how many rows it did.
    """
    for kind in KINDS:
        kinds.writer(kind, root / kind, quick=quick)
    words = kinds.LITTLE.vocab_size if quick else Amount().vocab_size
    chance = np.random.default_rng(SEED)
    prompts: Prompts = chance.integers(5, words, size=(max(batches), prompt)).tolist()
    makers: dict[str, Any] = {BASE: partial(Peer, root)} if peers.has("transformers") else {}
    makers["Glassformer"] = partial(Glass, root)
    tasks = {}
    with opened(makers, apart=not quick) as systems:
        for kind, precision, how, rows in product(KINDS, PRECISIONS, HOW, batches):
            wanted = {
                "kind": kind, "precision": precision, "how": how, "prompts": prompts[:rows], "most": most,
            }  # fmt: skip
            name = f"{kind} {precision}, {how}, batch {rows}"
            tasks[name] = _task(systems, name, wanted, repetitions)
    sizes = {kind: kinds.SIZES[kind] for kind in KINDS}
    return {"sizes": sizes, "prompt": prompt, "most": most, "repetitions": repetitions, "tasks": tasks}


def rows(found: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """The table: one line a task."""
    systems = list(next(iter(found["tasks"].values()))["rates"])
    compared = BASE in systems
    headers = ["tokens/s", *systems, *([f"÷ {BASE}", "equal rows"] if compared else [])]
    lines: list[list[object]] = []
    for name, task in found["tasks"].items():
        cells: list[object] = [name, *(str(Spread.of(task["rates"][system])) for system in systems)]
        if compared:
            equal = "–" if task["equal"] is None else f"{task['equal']} of {task['rows']}"
            cells += [str(ratios(task["rates"], BASE)["Glassformer"]), equal]
        lines.append(cells)
    return headers, lines


def _task(systems: dict[str, Any], name: str, wanted: Wanted, repetitions: int) -> dict[str, Any]:
    short = wanted | {"most": max(1, wanted["most"] // 8)}
    # The warm-up also tells which of transformers' attentions is the faster one for this task.
    warm = {
        attention: in_turn(systems, 1, lambda system, one=attention: system.call("turn", short, one))
        for attention in ATTENTION
    }
    chosen = min(ATTENTION, key=lambda one: warm[one].get(BASE, [{"seconds": 0.0}])[0]["seconds"])
    turns = in_turn(systems, repetitions, lambda system: system.call("turn", wanted, chosen))
    written = {system: found[-1]["written"] for system, found in turns.items()}
    count = len(wanted["prompts"]) * wanted["most"]
    same.equal(f"{name}: tokens written", {system: sum(map(len, w)) for system, w in written.items()})
    if wanted["how"] != "sampling" and wanted["precision"] == "float32":
        same.outputs(name, written)
    return {
        "rows": len(wanted["prompts"]),
        "attention": chosen,
        "equal": None if wanted["how"] == "sampling" else _equal(list(written.values())),
        "rates": {system: [count / turn["seconds"] for turn in found] for system, found in turns.items()},
    }


def _equal(written: list[Prompts]) -> int:
    """How many rows all systems wrote alike."""
    return sum(all(row == first for row in others) for first, *others in zip(*written, strict=True))
