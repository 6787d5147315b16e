"""GPT: in ``transformers`` GPT-2 with the norm first and GPT-1 with the norm last."""

from __future__ import annotations

from typing import Any

import torch
from tests.contracts.case import Case, Oracle
from tests.contracts.inputs import TOKENS, to_the_right
from torch import Tensor, nn

# Rows padded on their right, and the same padded on their left.
BOTH = [(TOKENS, TOKENS != 0), to_the_right(TOKENS, TOKENS != 0)]
ROWS, KEEP = (torch.cat(pair) for pair in zip(*BOTH, strict=True))


def _ours(model: nn.Module) -> Tensor:
    return model({"tokens": ROWS, "keep": KEEP})[KEEP]


def _theirs(model: Any) -> Tensor:
    positions = (KEEP.cumsum(1) - 1).clamp(min=0)
    scores: Tensor = model(input_ids=ROWS, attention_mask=KEEP.long(), position_ids=positions).logits
    return scores[KEEP]


SIZES = {"dim": 16, "depth": 2, "heads": 4, "max_length": 20, "vocab_size": 31}
POST = SIZES | {"norm": "post"}

CASES = [
    Case("gpt2", SIZES),
    Case("gpt2-wide", SIZES | {"mlp_dim": 24, "activation": "gelu", "eps": 1e-2}),
    Case("gpt2-untied", SIZES | {"tied": False, "activation": "relu", "embedding_dropout": 0.2}),
    Case("gpt1", POST),
    Case("gpt1-untied", POST | {"tied": False, "activation": "silu"}),
    Case("gpt1-wide", POST | {"mlp_dim": 24}, foreign=False),
    Case("gpt1-exact-gelu", POST | {"activation": "gelu"}, foreign=False),
    Case("head-dim", SIZES | {"head_dim": 3}, foreign=False),
]

THEIRS = {"n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 20, "vocab_size": 31}
ORACLES = [
    Oracle(
        "GPT2Config",
        "GPT2LMHeadModel",
        {
            "plain": THEIRS | {"bos_token_id": 1, "eos_token_id": 2},
            "inner": THEIRS | {"n_inner": 24, "activation_function": "gelu_pytorch_tanh"},
            "untied": THEIRS | {"tie_word_embeddings": False, "layer_norm_epsilon": 1e-3},
        },
        _ours,
        _theirs,
    ),
    Oracle(
        "OpenAIGPTConfig",
        "OpenAIGPTLMHeadModel",
        {"plain": THEIRS, "untied": THEIRS | {"tie_word_embeddings": False, "afn": "swish"}},
        _ours,
        _theirs,
    ),
]
