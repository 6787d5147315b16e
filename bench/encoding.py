"""BERT-base encoding texts: Glassformer, ONNX Runtime and transformers, with equal weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import contest, onnx_bert, peers, same
from bench.contest import OURS, PLAIN, Task, Wanted
from bench.decoding import offered
from bench.measure import Maker, opened, timed
from bench.work import SEED
from glassformer.api.loading import load
from glassformer.hub import folder as hub
from glassformer.models import bert
from glassformer.text.train import TokenizerConfig, train_pair

# Devlin et al. 2019, §3, and the vocabulary of the English model.
SIZE: dict[str, Any] = {"dim": 768, "depth": 12, "heads": 12, "mlp_dim": 3072, "vocab_size": 30_522}
CLOSE = 1e-3
"""By how much a number of a vector may differ in float32; the vectors are normalised."""


class Glass:
    """Glassformer's ``hidden`` on the model that ``load`` gives."""

    def __init__(self, folder: Path) -> None:
        self.model = cache(lambda precision: load(folder, dtype=precision).model)

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Encodes the rows, ``times`` times."""
        model, tokens = self.model(precision), torch.tensor(wanted["rows"])
        return _repeated(lambda: model.hidden({"tokens": tokens}), wanted["times"])


class Peer:
    """transformers' ``BertModel`` with its default attention."""

    def __init__(self, folder: Path) -> None:
        read = partial(peers.transformers().BertModel.from_pretrained, folder, add_pooling_layer=False)
        self.model = cache(lambda precision: read(dtype=getattr(torch, precision)).eval())

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Encodes the rows, ``times`` times."""
        model, tokens = self.model(precision), torch.tensor(wanted["rows"])
        return _repeated(lambda: model(input_ids=tokens).last_hidden_state, wanted["times"])


def _repeated(encode: Any, times: int) -> dict[str, Any]:
    found: list[torch.Tensor] = []

    @torch.inference_mode()
    def work() -> None:
        for _ in range(times):
            found[:] = [encode()]

    return timed(work) | {"vectors": found[0][:, 0].float().tolist()}


def measure(
    scratch: Path,
    *,
    size: dict[str, Any],
    shapes: dict[tuple[int, int], int],
    repetitions: int,
    apart: bool,
    clock: str,
) -> dict[str, Any]:
    """Tokens a second; ``shapes`` are rows and tokens a row, with how often they are encoded in a turn."""
    folder = write(scratch / "bert", size)
    makers, offers = systems(folder, scratch)
    chance = np.random.default_rng(SEED)
    tasks: dict[str, Any] = {}
    with opened(makers, apart=apart) as there:
        for (rows, length), times in shapes.items():
            given = chance.integers(5, size["vocab_size"], size=(rows, length)).tolist()
            wanted, short = {"rows": given, "times": times}, {"times": 1}
            name, units = f"{length} tokens, batch {rows}", rows * length * times
            task = Task(name, wanted, units, contest.entries(offers), repetitions, short)
            tasks[name] = contest.measure(there, task, clock, check)
    return {"size": size, "tasks": tasks}


def systems(folder: Path, root: Path) -> tuple[dict[str, Maker], dict[str, tuple[str, ...]]]:
    """Who encodes, and in which precisions."""
    makers: dict[str, Maker] = {OURS: partial(Glass, folder)}
    offers = {OURS: offered()}
    if peers.has("onnxruntime") and peers.has("onnx"):
        makers["ONNX Runtime"] = partial(onnx_bert.Encoding, folder, root)
        offers["ONNX Runtime"] = ("float32", "int8")
    if peers.has("transformers"):
        makers["transformers"] = partial(Peer, folder)
        offers["transformers"] = ("float32", "bfloat16")
    return makers, offers


def check(what: str, answers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """How alike the first vectors of every row are to those of Glassformer in float32: the least cosine.

    NotTheSameWork where they differ in float32.
    """
    found = {name: np.array(answer["vectors"]) for name, answer in answers.items()}
    same.equal(f"{what}: vectors", {name: vectors.shape for name, vectors in found.items()})
    reference = found[f"{OURS} {PLAIN}"]
    exact = {
        name: float(abs(vectors - reference).max()) for name, vectors in found.items() if name.endswith(PLAIN)
    }
    same.close(f"{what}: vectors in float32", exact, CLOSE)
    return {name: f"{_cosine(vectors, reference):.4f}" for name, vectors in found.items()}


def _cosine(left: np.ndarray, right: np.ndarray) -> float:
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return float(((left * right).sum(axis=1) / lengths).min())


def write(folder: Path, size: dict[str, Any]) -> Path:
    """Untrained weights, with a vocabulary, as ``load`` asks for."""
    torch.manual_seed(SEED)
    model = bert.Model(bert.Config(**size, head="none", dropout=0.0, attention_dropout=0.0))
    settings = TokenizerConfig(name="wordpiece", vocab_size=300)
    hub.save(folder, model, train_pair(settings, [("a text",)], "both"))
    return folder


def rows(found: dict[str, Any], limits: dict[str, Any] | None) -> tuple[list[str], list[list[object]]]:
    """The table; with the machine's limits, what part of the matrix products' is reached."""
    share = partial(_share, found["size"], limits) if limits else None
    return contest.rows(found["tasks"], "tokens", share, alike="least cosine")


def _share(size: dict[str, Any], limits: dict[str, Any], task: str, entry: str, rate: float) -> str:
    del task
    weights = size["depth"] * (4 * size["dim"] ** 2 + 2 * size["dim"] * size["mlp_dim"])
    limit = limits["products"].get(entry.rpartition(" ")[2])
    return f"{rate * 2 * weights / 1e9 / limit:.0%}" if limit else "–"
