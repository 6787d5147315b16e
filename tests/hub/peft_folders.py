"""Tiny random models in both worlds: a base folder, adapters put on it here, and what transformers opens."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from glassformer.adapt.bending import bend
from glassformer.base import plugins
from glassformer.hub import adapters
from glassformer.hub import folder as hub
from glassformer.nn.adapter import Adapter, learns, note

SIZES: dict[str, dict[str, Any]] = {
    "gpt": {"dim": 16, "depth": 2, "heads": 4, "max_length": 20, "vocab_size": 31},
    "bert": {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "max_length": 20, "vocab_size": 31},
    "llama": {
        "dim": 16, "depth": 2, "heads": 4, "kv_heads": 2, "mlp_dim": 24, "max_length": 20, "vocab_size": 31,
    },
}  # fmt: skip
TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 15, 16]])


def write_base(folder: Path, model: str, seed: int = 1, **settings: Any) -> Path:
    """A random model's folder."""
    torch.manual_seed(seed)
    module = plugins.find("models", model)
    made = module.Model(module.Config(**SIZES[model] | settings))
    for one in made.parameters():
        one.data.add_(torch.randn_like(one), alpha=0.05)
    hub.save(folder, made, None)
    return folder


def write_adapter(folder: Path, base: Path, way: str, **settings: Any) -> nn.Module:
    """An adapter folder that has learned something, by chance; gives the model as it is."""
    torch.manual_seed(2)
    opened = hub.load(base)
    asked = plugins.find("adapt", way).Config(**settings)
    bend(asked, opened.model, opened.tokenizers)
    for one in learns(opened.model).values():
        one.data.add_(torch.randn_like(one), alpha=0.1)
    told = Adapter(
        name=way,
        base=str(base),
        fingerprint=adapters.fingerprint(base),
        settings=asked.model_dump(mode="json"),
    )
    note(opened.model, told)
    hub.save(folder, opened.model, None)
    return opened.model.eval()


def opened_there(base: Path) -> Any:
    """The base in ``transformers``, as the class that its ``config.json`` names."""
    import json

    import transformers

    name = json.loads((base / "config.json").read_text("utf-8"))["architectures"][0]
    return getattr(transformers, name).from_pretrained(base).eval()


def bent_there(base: Path, adapter: Path) -> Any:
    """The base in ``transformers`` with the adapter put on it by peft."""
    import peft

    with warnings.catch_warnings():
        # peft asks transformers for what that has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        return peft.PeftModel.from_pretrained(opened_there(base), str(adapter)).eval()
