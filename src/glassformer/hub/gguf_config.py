"""What a GGUF file says of its model, as the ``config.json`` that Hugging Face would write for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from glassformer.base.errors import UserError
from glassformer.hub.gguf import FACTORS, File
from glassformer.nn.rotary import Rotary, Scaling

ARCHITECTURES = ("llama", "qwen2")
_CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}

_SIZES = {
    "context_length": "max_position_embeddings",
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
}
# Keys that are read here, or say what is so in any case.
_READ = {
    *_SIZES,
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "rope.scale_linear",
    "vocab_size",
    "tensor_data_layout",
}
# Keys that may be there as long as they ask for nothing.
_IDLE: dict[str, Any] = {
    "expert_count": 0,
    "expert_used_count": 0,
    "attention.causal": True,
    "attention.sliding_window": 0,
    "use_parallel_residual": False,
    "rope.scaling.attn_factor": 1.0,
}
_MARKS = {
    "bos_token_id": "tokenizer.ggml.bos_token_id",
    "eos_token_id": "tokenizer.ggml.eos_token_id",
    "pad_token_id": "tokenizer.ggml.padding_token_id",
}
# Llama 3 slows its rotary positions; a file holds by how much, and not why (Grattafiori et al. 2024).
_LLAMA3 = {"original_length": 8192, "low_factor": 1.0, "high_factor": 4.0}


def config_of(file: File) -> dict[str, Any]:
    """The ``config.json`` of a file's model.

    Raises UserError, naming the key, for what is missing and for what would be computed otherwise here.
    """
    if file.architecture not in ARCHITECTURES:
        known = " and ".join(ARCHITECTURES)
        raise UserError(
            f"{file.path}: general.architecture is {file.architecture!r}; files of {known} are read here"
        )
    _refuse(file)
    said: dict[str, Any] = {name: _number(file, key) for key, name in _SIZES.items()}
    heads = said["num_attention_heads"]
    kv_heads = _number(file, "attention.head_count_kv", heads)
    width = _width(file, said["hidden_size"] // max(heads, 1))
    kind = _kind(file)
    return {
        "architectures": [_CLASSES[kind]],
        "model_type": kind,
        **said,
        "num_key_value_heads": kv_heads,
        "head_dim": width,
        "hidden_act": "silu",
        "rms_norm_eps": _short(_number(file, "attention.layer_norm_rms_epsilon")),
        **_rotary(file, width, said["max_position_embeddings"]),
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "vocab_size": _vocab_size(file),
        **_biases(file, kind),
        **_marks(file),
    }


def _refuse(file: File) -> None:
    first = f"{file.architecture}."
    for key, value in file.metadata.items():
        name = key.removeprefix(first)
        if not key.startswith(first) or name in _READ or value in (None, _IDLE.get(name)):
            continue
        raise UserError(f"{file.path}: {key} is {value!r}, which asks for what is not computed here")


def _number(file: File, key: str, default: Any = None) -> Any:
    """One number, also where a file gives the same for every layer."""
    value = file.told(key, default)
    if isinstance(value, list):
        if len(set(value)) != 1:
            raise UserError(
                f"{file.path}: {file.architecture}.{key} differs from layer to layer; here all are alike"
            )
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{file.path}: {file.architecture}.{key} is missing or no number")
    return value


def _width(file: File, usual: int) -> int:
    """Numbers in a head, which are all turned by rotary positions."""
    width = int(_number(file, "attention.key_length", usual))
    for key in ("attention.value_length", "rope.dimension_count"):
        other = _number(file, key, width)
        if other != width:
            raise UserError(
                f"{file.path}: {file.architecture}.{key} is {other} where a head has {width} numbers; "
                "here they are equal"
            )
    return width


def _short(number: float) -> float:
    """The shortest decimal that rounds to the same float32, which is what was meant: 1e-05."""
    return float(str(np.float32(number)))


def _vocab_size(file: File) -> int:
    table = file.tensors.get("token_embd.weight")
    if table is None:
        raise UserError(f"{file.path}: token_embd.weight is missing; the file holds no whole model")
    return table.shape[0]


def _marks(file: File) -> dict[str, Any]:
    found: dict[str, Any] = {key: file.metadata.get(place) for key, place in _MARKS.items()}
    turn = file.metadata.get("tokenizer.ggml.eot_token_id")
    if turn is not None and found["eos_token_id"] not in (None, turn):
        found["eos_token_id"] = [found["eos_token_id"], turn]
    return found


def _kind(file: File) -> str:
    """Biases of queries, keys and values alone are what makes Qwen2 of Llama."""
    three = "blk.0.attn_q.bias" in file.tensors and "blk.0.attn_output.bias" not in file.tensors
    return "qwen2" if three else "llama"


def _biases(file: File, kind: str) -> dict[str, Any]:
    if kind == "qwen2":
        return {"use_sliding_window": False}
    return {
        "attention_bias": "blk.0.attn_output.bias" in file.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in file.tensors,
    }


# --- rotary positions --------------------------------------------------------------------------------------


def _rotary(file: File, width: int, max_length: int) -> dict[str, Any]:
    theta = _short(_number(file, "rope.freq_base", 10000.0))
    scaling = _scaling(file)
    if FACTORS in file.tensors and scaling is None:
        scaling = _factored(file, width, max_length, theta)
    return {"rope_theta": theta, "rope_scaling": scaling}


def _scaling(file: File) -> dict[str, Any] | None:
    older = file.told("rope.scale_linear", 1.0)
    kind = file.told("rope.scaling.type", "none" if older == 1.0 else "linear")
    factor = _short(_number(file, "rope.scaling.factor", older))
    if kind == "none" or (kind == "linear" and factor == 1.0):
        return None
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor}
    if kind == "yarn":
        length = _number(file, "rope.scaling.original_context_length")
        return {"rope_type": "yarn", "factor": factor, "original_max_position_embeddings": length}
    key = f"{file.architecture}.rope.scaling.type"
    raise UserError(f"{file.path}: {key} is {kind!r}; known here are none, linear and yarn")


def _factored(file: File, width: int, max_length: int, theta: float) -> dict[str, Any] | None:
    """The scaling of Llama 3 that has these factors. Raises UserError where none has."""
    factors = file.tensor(FACTORS)
    if factors.eq(1).all():
        return None
    factor = float(factors.max())
    if factors.shape == (width // 2,) and factor > 1:
        scaling = Scaling(kind="llama3", factor=factor, **_LLAMA3)
        wanted = Rotary(width, max_length, theta=theta, scaling=scaling).rates
        if torch.allclose(Rotary(width, max_length, theta=theta).rates / factors, wanted, rtol=1e-3, atol=0):
            return _written(scaling)
    raise UserError(f"{file.path}: {FACTORS} slows rotary positions in a way that is not known here")


def _written(scaling: Scaling) -> dict[str, Any]:
    return {
        "rope_type": "llama3",
        "factor": scaling.factor,
        "original_max_position_embeddings": scaling.original_length,
        "low_freq_factor": scaling.low_factor,
        "high_freq_factor": scaling.high_factor,
    }
