"""Soft prompts in peft's adapter folders."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.hub.adapter_form import CONFIG, WEIGHTS, Told, pour
from glassformer.hub.tables import tables
from glassformer.nn.adapter import Adapter
from glassformer.nn.headed import Head, body_of
from glassformer.nn.names import Names
from glassformer.nn.virtual import Virtual, put_before

NAME, PEFT = "prompt", "PROMPT_TUNING"
FOLDS = BESIDE = False
PARTS: tuple[str, ...] = ("prompt",)
KEY = "prompt_embeddings"


def _table(model: nn.Module) -> Virtual:
    return next(part for part in model.modules() if isinstance(part, Virtual))


def known(head: Head | None) -> bool:
    """Not under a head that reads the first token, which is a virtual one there."""
    return head is None or head.pool != "first"


def told(model: nn.Module, names: Names, adapter: Adapter) -> dict[str, Any]:  # noqa: ARG001
    """How many virtual tokens there are, and how wide."""
    config: Any = model.config
    prompt = _table(model).prompt
    return {
        "num_virtual_tokens": len(prompt),
        "token_dim": prompt.shape[1],
        "num_transformer_submodules": 1,
        "num_layers": getattr(config, "depth", 1),
        "num_attention_heads": getattr(config, "heads", 1),
        "prompt_tuning_init": "RANDOM",
        "tokenizer_name_or_path": None,
    }


def own(model: nn.Module, names: Names) -> dict[str, Any]:  # noqa: ARG001
    """Nothing more."""
    return {}


def weights(model: nn.Module, names: Names) -> dict[str, Tensor]:  # noqa: ARG001
    """Their vectors."""
    return {KEY: _table(model).prompt.detach()}


def put_on(model: nn.Module, names: Names, told: Told, weights: dict[str, Tensor]) -> None:  # noqa: ARG001
    """Put the virtual tokens before all that the model reads; UserError where they do not fit."""
    config: Any = model.config
    where = told.folder / WEIGHTS
    found = tables(body_of(model), getattr(config, "vocab_size", 0))
    if KEY not in weights or not found:
        raise UserError(f"{where}: {KEY} is missing, or the base has no table of words")
    prompt, table = weights.pop(KEY), found[0]
    wide, count = table.embedding_dim, told.peft.get("num_virtual_tokens")
    if not isinstance(count, int | None) or isinstance(count, bool) or (count is not None and count < 1):
        raise UserError(
            f"{told.folder / CONFIG}: num_virtual_tokens is {count!r} and should be a number from 1"
        )
    # Of an encoder and a decoder peft keeps vectors for both, and reads the first half.
    prompt = prompt[:count] if prompt.ndim else prompt
    if prompt.ndim != 2 or prompt.shape[1] != wide or not len(prompt):
        raise UserError(
            f"{where}: {KEY} is {list(prompt.shape)} and the base's vectors have {wide} numbers; the adapter "
            "is of another model"
        )
    put_before(model, table, table.weight.new_empty(prompt.shape).detach())
    pour(prompt, _table(model).prompt, KEY, told)
