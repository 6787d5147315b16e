"""LLaMA and the models built like it, each with the class of transformers that its config.json names."""

from __future__ import annotations

from typing import Any

from tests.contracts.case import Case, Oracle
from tests.contracts.inputs import TOKENS
from torch import Tensor, nn

KEEP = TOKENS != 0


def _ours(model: nn.Module) -> Tensor:
    scores: Tensor = model({"tokens": TOKENS, "keep": KEEP})
    return scores[KEEP]


def _theirs(model: Any) -> Tensor:
    scores: Tensor = model(input_ids=TOKENS, attention_mask=KEEP.long()).logits
    return scores[KEEP]


SIZES = {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "max_length": 20, "vocab_size": 31}
SHARED = SIZES | {"kv_heads": 2}
LLAMA3 = {"kind": "llama3", "factor": 8.0, "original_length": 16, "low_factor": 1.0, "high_factor": 4.0}
YARN = {"kind": "yarn", "factor": 4.0, "original_length": 5, "beta_fast": 4.0, "attention_factor": 1.2}

CASES = [
    Case("paper", SIZES),
    Case("tied-shared-keys", SHARED | {"tied": True, "theta": 500.0, "eps": 1e-6}),
    Case("llama3", SHARED | {"scaling": LLAMA3, "head_dim": 6, "also_ends": [5, 6]}),
    Case("linear-biased", SIZES | {"scaling": {"kind": "linear", "factor": 2.0}, "attention_bias": "all"}),
    Case("dynamic", SIZES | {"scaling": {"kind": "dynamic", "factor": 2.0}, "mlp_bias": True}),
    Case("yarn", SHARED | {"scaling": YARN, "attention_bias": "all", "mlp_bias": True}),
    Case("mistral", SHARED | {"window": 3, "theta": 300.0}),
    Case("mistral-heads-of-their-own-width", SIZES | {"heads": 3, "head_dim": 6}),
    Case("qwen2", SHARED | {"attention_bias": "qkv", "tied": True}),
    Case("qwen2-window", SHARED | {"attention_bias": "qkv", "window": 4, "activation": "gelu_tanh"}),
    Case("window-biased", SHARED | {"window": 3, "attention_bias": "all"}, foreign=False),
    Case("qkv-and-mlp-biased", SHARED | {"attention_bias": "qkv", "mlp_bias": True}, foreign=False),
]

THEIRS = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
    "vocab_size": 31,
    "pad_token_id": 0,
}
ROPE3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
OLD_YARN = {"type": "yarn", "factor": 4.0, "mscale": 0.7, "mscale_all_dim": 0.9}
OLD = {"rope_theta": 300.0, "rope_scaling": OLD_YARN, "head_dim": 6, "hidden_act": "gelu"}

ORACLES = [
    Oracle(
        "LlamaConfig",
        "LlamaForCausalLM",
        {
            "two": THEIRS | {"num_key_value_heads": None},
            "three": THEIRS | {"rope_parameters": ROPE3, "eos_token_id": [2, 7], "pad_token_id": None},
            "tied-biased": THEIRS | {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True},
            "as-written-before-5": THEIRS | OLD,
        },
        _ours,
        _theirs,
    ),
    Oracle(
        "MistralConfig",
        "MistralForCausalLM",
        {
            "window": THEIRS | {"sliding_window": 3},
            "no-window": THEIRS | {"sliding_window": None, "head_dim": 6, "rms_norm_eps": 1e-5},
        },
        _ours,
        _theirs,
    ),
    Oracle(
        "Qwen2Config",
        "Qwen2ForCausalLM",
        {
            "no-window": THEIRS | {"tie_word_embeddings": True, "eos_token_id": 2},
            "window": THEIRS | {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 0},
            "window-too-late": THEIRS | {"use_sliding_window": True, "max_window_layers": 2},
        },
        _ours,
        _theirs,
    ),
]
