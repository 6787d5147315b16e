"""The encoder-decoder Transformer, which is Marian where Marian can say it."""

from __future__ import annotations

from typing import Any

from tests.contracts.case import Case, Oracle
from tests.contracts.inputs import KEEP, SOURCE, TARGET
from torch import Tensor, nn


def _ours(model: nn.Module) -> Tensor:
    scores: Tensor = model({"source": SOURCE, "source_keep": KEEP, "target": TARGET})
    return scores


def _theirs(model: Any) -> Tensor:
    scores: Tensor = model(input_ids=SOURCE, attention_mask=KEEP.long(), decoder_input_ids=TARGET).logits
    return scores


SIZES = {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "max_length": 20, "vocab_size": 31}
ONE = SIZES | {"target_vocab_size": 31}
TWO = SIZES | {"target_vocab_size": 37, "share": "target"}
UNLIKE = {"decoder_depth": 1, "decoder_heads": 2, "decoder_mlp_dim": 40, "scale_embedding": False}

MARIAN = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 20,
    "vocab_size": 31,
    "pad_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 0,
    "scale_embedding": True,
    "activation_function": "swish",
}
OWN_TABLES = {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": 37, "scale_embedding": False}

CASES = [
    Case("paper", ONE),
    Case("output-bias", ONE | {"output_bias": True, "activation": "silu"}),
    Case("target-shared", TWO | {"activation": "gelu"}),
    Case("nothing-shared", TWO | {"share": "none"}),
    Case("sides-differ", ONE | UNLIKE | {"activation": "gelu_tanh"}),
    Case("pre-norm", ONE | {"norm": "pre", "output_bias": True}, foreign=False),
    Case("learned-positions", ONE | {"positions": "learned"}, foreign=False),
    Case("head-dim", TWO | {"head_dim": 3}, foreign=False),
]

ORACLES = [
    Oracle(
        "MarianConfig",
        "MarianMTModel",
        {
            "shared": MARIAN,
            "tables-of-their-own": MARIAN | OWN_TABLES | {"activation_function": "gelu"},
            "untied": MARIAN | OWN_TABLES | {"tie_word_embeddings": False, "activation_function": "relu"},
        },
        _ours,
        _theirs,
    )
]
