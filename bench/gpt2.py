"""GPT-2 small writing and reading: Glassformer, CTranslate2, llama.cpp, transformers, equal weights."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import contest, ctranslate, ggml, peers
from bench.contest import OURS, Task, Wanted
from bench.decoding import offered
from bench.kinds import CERTAIN
from bench.measure import Maker, opened, timed
from bench.work import SEED
from bench.writing import Numbers
from glassformer.api.loading import load
from glassformer.decode.generate import generate
from glassformer.decode.settings import Decoding
from glassformer.hub import folder as hub
from glassformer.models import gpt
from glassformer.text.train import TokenizerConfig, train_pair

SIZE: dict[str, Any] = gpt.PRESETS["gpt2"] | {"vocab_size": 50_257}
BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}
"""A weight that is read; int8's scales, one for a row or 32 numbers, are not counted."""


class Glass:
    """Glassformer's ``generate`` with what it does by default; greedy."""

    def __init__(self, folder: Path) -> None:
        self.model = cache(lambda precision: load(folder, dtype=precision).model)

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Writes on from the prompts, all in one batch."""
        model, most = self.model(precision), wanted["most"]
        settings = Decoding(num_beams=1, length_penalty_form="power", max_new_tokens=most)
        texts = [" ".join(map(str, prompt)) for prompt in wanted["prompts"]]
        written: list[list[int]] = []

        def work() -> None:
            written.extend(list(one.tokens) for one in generate(model, Numbers(), texts, settings))

        return timed(work) | {"written": written}


class Peer:
    """The same weights in transformers' ``generate``, with PyTorch's own settings; greedy."""

    def __init__(self, folder: Path) -> None:
        transformers = peers.transformers()
        self.kind, read = transformers.GenerationConfig, transformers.GPT2LMHeadModel.from_pretrained
        self.model = cache(lambda precision: read(folder, dtype=getattr(torch, precision)).eval())

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Writes on from the prompts, all in one batch."""
        model, most = self.model(precision), wanted["most"]
        end = model.config.eos_token_id
        settings = self.kind(max_new_tokens=most, do_sample=False, eos_token_id=end, pad_token_id=end)
        prompts = torch.tensor(wanted["prompts"])
        written: list[list[int]] = []

        @torch.inference_mode()
        def work() -> None:
            keep = torch.ones_like(prompts)
            found = model.generate(prompts, attention_mask=keep, generation_config=settings)
            written.extend(found[:, prompts.shape[1] :].tolist())

        return timed(work) | {"written": written}


def systems(folder: Path, root: Path) -> tuple[dict[str, Maker], dict[str, tuple[str, ...]]]:
    """Who writes, and in which precisions."""
    makers: dict[str, Maker] = {OURS: partial(Glass, folder)}
    offers = {OURS: offered()}
    if peers.has("ctranslate2"):
        makers["CTranslate2"] = partial(ctranslate.Writing, folder, root)
        offers["CTranslate2"] = ("float32", "int8")
    if peers.has("llama_cpp") and peers.has("gguf"):
        makers["llama.cpp"] = partial(ggml.Writing, folder, root)
        offers["llama.cpp"] = tuple(ggml.FORMS)
    if peers.has("transformers"):
        makers["transformers"] = partial(Peer, folder)
        offers["transformers"] = ("float32", "bfloat16")
    return makers, offers


def measure(
    scratch: Path,
    *,
    size: dict[str, Any],
    batches: dict[int, int],
    prompt: int,
    most: int,
    prefill: tuple[int, int],
    apart: bool,
    clock: str,
) -> dict[str, Any]:
    """Tokens a second: written by ``batches`` (rows → turns), and read by ``prefill`` (tokens, turns)."""
    folder, model = write(scratch / "gpt2", size)
    makers, offers = systems(folder, scratch)
    given = _prompts(size["vocab_size"], max(batches), max(prompt, prefill[0]))
    tasks: dict[str, Any] = {}
    with opened(makers, apart=apart) as there:
        for rows, turns in batches.items():
            wanted = {"prompts": [row[:prompt] for row in given[:rows]], "most": most}
            units, short = rows * most, {"most": max(1, most // 8)}
            task = Task(f"write, batch {rows}", wanted, units, contest.entries(offers), turns, short)
            tasks[task.name] = contest.measure(there, task, clock)
        wanted = {"prompts": [given[0][: prefill[0]]], "most": 1}
        entries = contest.entries(offers)
        task = Task(f"read {prefill[0]}", wanted, prefill[0], entries, prefill[1])
        tasks[task.name] = contest.measure(there, task, clock)
    return {"size": size, "prompt": prompt, "most": most, "tasks": tasks} | weighed(model)


def weighed(model: Any) -> dict[str, Any]:
    """What a token costs at least: the numbers in matrices that are read, of these the output's."""
    parts = [one.weight.numel() for one in model.modules() if isinstance(one, torch.nn.Linear)]
    output = model.output.weight.numel()
    return {"weights": sum(parts) + output, "output": output}


def write(folder: Path, size: dict[str, Any]) -> tuple[Path, Any]:
    """Untrained weights whose choices are clear and never an end; with a vocabulary, as ``load`` asks for."""
    config = gpt.Config(**size, dropout=0.0, attention_dropout=0.0)
    torch.manual_seed(SEED)
    model = gpt.Model(config)
    with torch.no_grad():
        # As in bench.decoding: a token is not followed by itself, and the end is never the likeliest.
        signs = torch.rand(config.dim, generator=torch.Generator().manual_seed(SEED)) < 0.5
        model.norm.weight *= CERTAIN * torch.where(signs, 1.0, -1.0)
        model.output.weight[config.eos_id] = 0.0
    tokenizers = train_pair(TokenizerConfig(name="byte_bpe", vocab_size=300), [("a text",)], "none")
    hub.save(folder, model, tokenizers)
    return folder, model


def _prompts(words: int, rows: int, length: int) -> list[list[int]]:
    found: list[list[int]] = np.random.default_rng(SEED).integers(5, words, size=(rows, length)).tolist()
    return found


def rows(found: dict[str, Any], limits: dict[str, Any] | None) -> tuple[list[str], list[list[object]]]:
    """The table; with the machine's limits, what part of them is reached in reading and with a single row."""
    return contest.rows(found["tasks"], "tokens", partial(share, found, limits) if limits else None)


def share(found: dict[str, Any], limits: dict[str, Any], task: str, entry: str, rate: float) -> str:
    """What part of the limit: of memory for one row that is written, of products for a text that is read.

    A token that is written reads every matrix once; keys and values are not counted. One that is read costs
    two operations for each number of a matrix, but the output's, which only the last one meets.
    """
    precision = entry.rpartition(" ")[2]
    if task == "write, batch 1":
        return f"{rate * found['weights'] * BYTES[precision] / 1e9 / max(limits['read'].values()):.0%}"
    if task.startswith("read") and precision in limits["products"]:
        each = 2 * (found["weights"] - found["output"])
        return f"{rate * each / 1e9 / limits['products'][precision]:.0%}"
    return "–"
