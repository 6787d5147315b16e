"""Prefixes in peft's adapter folders: the keys and values of all layers side by side."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.hub.adapter_form import CONFIG, WEIGHTS, Told, pour
from glassformer.nn.adapter import Adapter
from glassformer.nn.headed import Head, body_of
from glassformer.nn.names import Names
from glassformer.nn.prefix import Prefixes, prefixes_of, put_prefixes, self_attentions, sizes_of

NAME, PEFT = "prefix", "PREFIX_TUNING"
FOLDS = BESIDE = False
PARTS: tuple[str, ...] = ("prefix",)
KEY = "prompt_embeddings"


def known(head: Head | None) -> bool:  # noqa: ARG001
    """Under every head."""
    return True


def told(model: nn.Module, names: Names, adapter: Adapter) -> dict[str, Any]:  # noqa: ARG001
    """How many virtual tokens and layers there are, and how wide keys are; what made them is not kept."""
    layers = self_attentions(body_of(model))
    prefixes = prefixes_of(model)
    return {
        "num_virtual_tokens": prefixes.tokens,
        "token_dim": prefixes.sizes[0],
        "num_transformer_submodules": 1,
        "num_layers": len(layers),
        "num_attention_heads": layers[0].kv_heads,
        "encoder_hidden_size": prefixes.sizes[0],
        "prefix_projection": False,
    }


def own(model: nn.Module, names: Names) -> dict[str, Any]:  # noqa: ARG001
    """Nothing more."""
    return {}


def weights(model: nn.Module, names: Names) -> dict[str, Tensor]:  # noqa: ARG001
    """The table of all layers."""
    return {KEY: prefixes_of(model).whole().detach()}


def put_on(model: nn.Module, names: Names, told: Told, weights: dict[str, Tensor]) -> None:  # noqa: ARG001
    """Put the prefix into every self-attention; UserError where it does not fit."""
    where = told.folder / WEIGHTS
    sizes = sizes_of(body_of(model))
    if KEY not in weights or not sizes:
        raise UserError(f"{where}: {KEY} is missing, or the base has no self-attention")
    table = weights.pop(KEY)
    if table.ndim != 2 or table.shape[1] != 2 * sum(sizes) or not len(table):
        raise UserError(
            f"{where}: {KEY} is {list(table.shape)} and the base's {len(sizes)} layers need {2 * sum(sizes)} "
            f"numbers for a token; the adapter is of another model (see {told.folder / CONFIG})"
        )
    put_prefixes(model, Prefixes(len(table), sizes))
    pour(table, prefixes_of(model).table, KEY, told)
