"""Tiny GGUF files, written by the package ``gguf`` from a model of ``transformers`` or ours, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

gguf = pytest.importorskip("gguf")

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
SIZES: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 96, "vocab_size": 300, "max_position_embeddings": 40, "rms_norm_eps": 1e-5,
    "rope_theta": 5000.0, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    "tie_word_embeddings": True,
}  # fmt: skip
LETTERS = sorted({chr(n) for n in [*range(33, 127), *range(161, 173), *range(174, 324)]})[:256]
WORDS = {
    "model": "gpt2",
    "pre": "smollm",
    "tokens": ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *LETTERS, "Ġa", "ab", "Ġab"],
    "merges": ["Ġ a", "a b", "Ġ ab"],
    "token_type": [3, 3, 3] + [1] * 259,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "unknown_token_id": 0,
    "padding_token_id": 2,
    "add_bos_token": False,
}
"""A byte-level vocabulary, in which a text is its bytes but for two merges."""


def state_of(kind: str = "llama", **sizes: Any) -> tuple[dict[str, Any], Any]:
    """Sizes, and a random model of ``transformers`` that has them."""
    transformers = pytest.importorskip("transformers")
    said = SIZES | sizes
    name = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}[kind]
    maker = getattr(transformers, name)
    torch.manual_seed(3)
    model = maker(maker.config_class(**said)).eval()
    with torch.no_grad():
        for one in model.parameters():
            one.add_(torch.randn_like(one) * 0.1)
    return said, model


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of halves as rows of neighbours, as llama.cpp keeps them."""
    rows = [
        head * (len(weight) // heads) + side * (len(weight) // heads // 2) + place
        for head in range(heads)
        for place in range(len(weight) // heads // 2)
        for side in range(2)
    ]
    return weight[rows]


def write(
    path: Path,
    said: Mapping[str, Any],
    weights: Mapping[str, torch.Tensor],
    *,
    kind: str = "llama",
    packed: Mapping[str, Any] | None = None,
    words: Mapping[str, Any] | None = None,
    keys: Mapping[str, Any] | None = None,
    more: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """One file: ``packed`` says how parts are packed, ``words`` is the tokenizer, ``more`` are more tensors.

    ``keys`` stand beside all else and may replace it; None leaves one out.
    """
    writer = gguf.GGUFWriter(path, kind)
    for key, value in _keys(kind, said, WORDS if words is None else words, keys or {}).items():
        _add(writer, key, value)
    for name, weight in weights.items():
        if name == "lm_head.weight" and said["tie_word_embeddings"]:
            continue
        array = weight.detach().float().numpy()
        part = _name(name)
        if kind == "llama" and ("attn_q." in part or "attn_k." in part):
            heads = said["num_attention_heads" if "attn_q" in part else "num_key_value_heads"]
            array = interleaved(array, heads)
        form = (packed or {}).get(part.split(".")[-2], "F32") if array.ndim > 1 else "F32"
        chosen = gguf.GGMLQuantizationType[form]
        writer.add_tensor(part, gguf.quantize(array, chosen), raw_dtype=chosen)
    for name, array in (more or {}).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _keys(
    kind: str, said: Mapping[str, Any], words: Mapping[str, Any], keys: Mapping[str, Any]
) -> dict[str, Any]:
    head = said.get("head_dim") or said["hidden_size"] // said["num_attention_heads"]
    found = {
        f"{kind}.context_length": said["max_position_embeddings"],
        f"{kind}.block_count": said["num_hidden_layers"],
        f"{kind}.embedding_length": said["hidden_size"],
        f"{kind}.feed_forward_length": said["intermediate_size"],
        f"{kind}.attention.head_count": said["num_attention_heads"],
        f"{kind}.attention.head_count_kv": said["num_key_value_heads"],
        f"{kind}.attention.layer_norm_rms_epsilon": float(said["rms_norm_eps"]),
        f"{kind}.rope.freq_base": float(said["rope_theta"]),
        f"{kind}.rope.dimension_count": head,
        f"{kind}.vocab_size": said["vocab_size"],
        **{f"tokenizer.ggml.{key}": value for key, value in words.items() if key != "chat_template"},
    }
    if "chat_template" in words:
        found["tokenizer.chat_template"] = words["chat_template"]
    return {key: value for key, value in (found | dict(keys)).items() if value is not None}


def _add(writer: Any, key: str, value: Any) -> None:
    kinds = [(bool, "bool"), (int, "uint32"), (float, "float32"), (str, "string"), (list, "array")]
    named = next(name for kind, name in kinds if isinstance(value, kind))
    getattr(writer, f"add_{named}")(key, value)


def _name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if not stem.startswith("model.layers."):
        return f"{NAMES[stem]}.{kind}"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{NAMES[part]}.{kind}"
