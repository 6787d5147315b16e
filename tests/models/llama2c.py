"""Files of the llama2.c project as tests need them: weights into Hugging Face's form, and the tokenizer.

A checkpoint is seven whole numbers and then float32 weights, one kind after the other over all layers. A
tokenizer is a number, and for each piece its score, its length in bytes and the bytes.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

START = 1
BYTES_BEGIN = 3  # pieces 3 … 258 are the single bytes


def read_model(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The ``config.json`` and the weights of a version-0 checkpoint, as Hugging Face would publish them."""
    content = path.read_bytes()
    dim, mlp_dim, depth, heads, kv_heads, vocab, length = struct.unpack_from("7i", content)
    written = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": dim,
        "intermediate_size": mlp_dim,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": abs(vocab),
        "max_position_embeddings": length,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": vocab > 0,
        "bos_token_id": START,
        "eos_token_id": 2,
    }
    numbers = torch.from_numpy(np.frombuffer(content, dtype="<f4", offset=28).copy())
    return written, _weights(written, numbers, own_output=vocab < 0)


def _weights(written: dict[str, Any], numbers: Tensor, *, own_output: bool) -> dict[str, Tensor]:
    dim, mlp_dim, vocab = written["hidden_size"], written["intermediate_size"], written["vocab_size"]
    heads, kv_heads = written["num_attention_heads"], written["num_key_value_heads"]
    keys = kv_heads * dim // heads
    at = 0

    def take(*shape: int) -> Tensor:
        nonlocal at
        size = int(np.prod(shape))
        at += size
        return numbers[at - size : at].view(shape)

    found = {"model.embed_tokens.weight": take(vocab, dim)}
    kinds = [
        ("input_layernorm", (dim,)),
        ("self_attn.q_proj", (dim, dim)),
        ("self_attn.k_proj", (keys, dim)),
        ("self_attn.v_proj", (keys, dim)),
        ("self_attn.o_proj", (dim, dim)),
        ("post_attention_layernorm", (dim,)),
        ("mlp.gate_proj", (mlp_dim, dim)),
        ("mlp.down_proj", (dim, mlp_dim)),
        ("mlp.up_proj", (mlp_dim, dim)),
    ]
    turned = {"self_attn.q_proj": heads, "self_attn.k_proj": kv_heads}
    for name, shape in kinds:
        for layer, weight in enumerate(take(written["num_hidden_layers"], *shape)):
            whole = halves(weight, turned[name]) if name in turned else weight
            found[f"model.layers.{layer}.{name}.weight"] = whole.contiguous()
    found["model.norm.weight"] = take(dim)
    take(2, written["max_position_embeddings"], dim // heads // 2)  # a table of angles
    if own_output:
        found["lm_head.weight"] = take(vocab, dim)
    assert at == len(numbers)
    return found


def halves(weight: Tensor, heads: int) -> Tensor:
    """A projection whose rotary pairs are neighbours, with its rows ordered so that they are halves."""
    return weight.view(heads, -1, 2, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


class Vocabulary:
    """Pieces with scores; the pair of neighbours whose union scores best is joined first."""

    def __init__(self, path: Path, size: int) -> None:
        content = path.read_bytes()
        self.pieces: list[bytes] = []
        self.scores: list[float] = []
        at = 4
        for _ in range(size):
            score, length = struct.unpack_from("fi", content, at)
            self.scores.append(score)
            self.pieces.append(content[at + 8 : at + 8 + length])
            at += 8 + length
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}

    def encode(self, text: str) -> list[int]:
        """Ids with the start before them; a text begins with a space."""
        ids: list[int] = []
        for character in f" {text}" if text else "":
            raw = character.encode()
            ids += [self.ids[raw]] if raw in self.ids else [byte + BYTES_BEGIN for byte in raw]
        while joined := self._joined(ids):
            _, place, piece = joined
            ids[place : place + 2] = [piece]
        return [START, *ids]

    def _joined(self, ids: list[int]) -> tuple[float, int, int] | None:
        found = []
        for place in range(len(ids) - 1):
            piece = self.ids.get(self.pieces[ids[place]] + self.pieces[ids[place + 1]])
            if piece is not None:
                found.append((self.scores[piece], -place, piece))
        if not found:
            return None
        score, place, piece = max(found)
        return score, -place, piece

    def decode(self, ids: list[int]) -> str:
        """The text of ids that follow the start."""
        return b"".join(self._raw(one) for one in ids).removeprefix(b" ").decode()

    def _raw(self, one: int) -> bytes:
        piece = self.pieces[one]
        return bytes([one - BYTES_BEGIN]) if piece.startswith(b"<0x") else piece
