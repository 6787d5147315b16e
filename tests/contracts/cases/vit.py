"""Vision Transformers with and without a classifier, and those that read the mean of the patches."""

from __future__ import annotations

from typing import Any

import torch
from tests.contracts.case import Case, Oracle
from torch import Tensor, nn

# Larger, smaller and of another shape than the models are trained for.
SIZES_SEEN = ((8, 8), (12, 12), (6, 6), (8, 14))


def _images(channels: int, size: tuple[int, int]) -> Tensor:
    return torch.randn(2, channels, *size, generator=torch.Generator().manual_seed(size[1]))


def _scores(model: Any) -> Tensor:
    channels = model.config.channels
    return torch.cat([model({"images": _images(channels, size)}) for size in SIZES_SEEN])


def _pooled(model: Any) -> Tensor:
    channels = model.config.channels
    hidden = torch.cat([model.hidden({"images": _images(channels, size)}) for size in SIZES_SEEN])
    return torch.cat([hidden, model.pooled(hidden)])


def _asked(model: Any) -> list[Any]:
    channels = model.config.num_channels
    images = [_images(channels, size) for size in SIZES_SEEN]
    return [model(pixel_values=one, interpolate_pos_encoding=True) for one in images]


def _their_scores(model: nn.Module) -> Tensor:
    return torch.cat([told.logits for told in _asked(model)])


def _their_pooled(model: nn.Module) -> Tensor:
    told = _asked(model)
    first = [one.last_hidden_state[:, 0] for one in told]
    return torch.cat([*first, *(one.pooler_output for one in told)])


SIZES = {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "patch": 2, "image_size": 8, "classes": 5}
NAMED = {"labels": ("zero", "one", "둘", "three", "four"), "qkv_bias": False}
FEW = {"patch": 4, "heads": 2, "classes": 3, "channels": 1}

CASES = [
    Case("classifier", SIZES),
    Case("named", SIZES | NAMED | FEW | {"classes": 5, "activation": "gelu_tanh", "eps": 1e-6}),
    Case("pooler", SIZES | {"head": "pooler"}),
    Case("mean", SIZES | {"pool": "mean"}, foreign=False),
    Case("mean-bare", SIZES | {"pool": "mean", "head": "none"}, foreign=False),
]

VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "image_size": 8,
    "patch_size": 2,
    "num_labels": 5,
}
AS_VIT = {
    "plain": VIT,
    "other": VIT | {"patch_size": 4, "num_channels": 1, "qkv_bias": False, "hidden_act": "relu"},
}

ORACLES = [
    Oracle("ViTConfig", "ViTForImageClassification", AS_VIT, _scores, _their_scores),
    Oracle("ViTConfig", "ViTModel", AS_VIT, _pooled, _their_pooled),
]
