"""A GPT in a page of plain PyTorch, as one writes it by hand: what a framework has to be faster than."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)); queries, keys and values from one matrix."""

    def __init__(self, dim: int, heads: int, inner: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(dim, eps=eps), nn.LayerNorm(dim, eps=eps)
        self.c_attn, self.c_proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.c_fc, self.c_out = nn.Linear(dim, inner), nn.Linear(inner, dim)

    def forward(self, x: Tensor) -> Tensor:
        """One layer further, by the library's fused attention."""
        q, k, v = self.c_attn(self.ln_1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(mixed.transpose(1, 2).flatten(2))
        return x + self.c_out(functional.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class GPT(nn.Module):
    """Token and place vectors, blocks, a norm, and the token vectors again (Radford et al. 2019)."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        dim, eps = config["n_embd"], config["layer_norm_epsilon"]
        self.wte, self.wpe = nn.Embedding(config["vocab_size"], dim), nn.Embedding(config["n_positions"], dim)
        inner = config["n_inner"] or 4 * dim
        self.h = nn.ModuleList(Block(dim, config["n_head"], inner, eps) for _ in range(config["n_layer"]))
        self.ln_f = nn.LayerNorm(dim, eps=eps)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of what may follow every token."""
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.h:
            x = block(x)
        return functional.linear(self.ln_f(x), self.wte.weight)


NAMES = {"attn.c_attn": "c_attn", "attn.c_proj": "c_proj", "mlp.c_fc": "c_fc", "mlp.c_proj": "c_out"}


def load(folder: Path, config: dict[str, Any], dtype: torch.dtype) -> GPT:
    """The weights of a folder in GPT-2's form, whose matrices lie the other way round."""
    model = GPT(config)
    weights = {}
    for name, weight in load_file(folder / "model.safetensors").items():
        own = name.removeprefix("transformer.")
        for theirs, ours in NAMES.items():
            own = own.replace(theirs, ours)
        turned = own.startswith("h.") and weight.ndim == 2
        if own != "lm_head.weight":
            weights[own] = weight.t().contiguous() if turned else weight
    model.load_state_dict(weights)
    return model.to(dtype)
