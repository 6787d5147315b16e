"""GGUF files of LLaMA-style models (llama.cpp): opening one, and its weights as they are asked for."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.base.optional import needed
from glassformer.hub.gguf_header import Tensor as Held
from glassformer.hub.gguf_header import read_header

SUFFIX = ".gguf"

# What llama.cpp calls a weight, and what a file of Hugging Face calls it.
_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_PLACE = re.compile(r"(?:blk\.(?P<layer>\d+)\.)?(?P<part>\w+)\.(?P<kind>weight|bias)")
# Turned by the angles of rotary positions.
_TURNED = {"attn_q": "attention.head_count", "attn_k": "attention.head_count_kv"}
# Rates of rotary positions are computed here; hub.gguf_config compares them.
FACTORS = "rope_freqs.weight"
_COMPUTED = re.compile(r"rope_freqs\.weight|blk\.\d+\.attn_rot_embd\.weight")


@dataclass(frozen=True)
class File:
    """An open file: what its ``metadata`` says by key, and its tensors by llama.cpp's names, not yet read."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, Packed]

    @property
    def architecture(self) -> str:
        """What the file calls the kind of its model; the first word of the keys about it."""
        return str(self.metadata.get("general.architecture", ""))

    def told(self, key: str, default: Any = None) -> Any:
        """What it says of its model under a key without its first word."""
        return self.metadata.get(f"{self.architecture}.{key}", default)

    def tensor(self, name: str) -> Tensor:
        """One tensor in float32, from whatever it is packed in; UserError where that is not known."""
        held = self.tensors[name]
        try:
            return torch.from_numpy(_package(self.path).dequantize(held.data, held.kind))
        except RuntimeError:  # of a kind that it does not unpack
            kind = held.kind.name
            raise UserError(f"{self.path}: {name} is packed as {kind}, which is not read here") from None


@dataclass(frozen=True)
class Packed:
    """A tensor as it lies in the file: its ``shape``, rows first, how it is packed, and its bytes by rows."""

    shape: tuple[int, ...]
    kind: Any
    data: np.ndarray


class Weights(Mapping[str, Tensor]):
    """The weights of a file under the names of Hugging Face's files, each made anew when it is asked for.

    Raises UserError for a tensor that models of this kind do not have.
    """

    def __init__(self, file: File) -> None:
        self._file = file
        names = [name for name in file.tensors if not _COMPUTED.fullmatch(name)]
        self._places = {_renamed(file, name): name for name in names}

    def __getitem__(self, name: str) -> Tensor:
        held = self._places[name]
        part = held.split(".")[-2]
        weight = self._file.tensor(held)
        if self._file.architecture != "llama" or part not in _TURNED:
            return weight
        return _halved(weight, self._heads(part), f"{self._file.path}: {held}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def _heads(self, part: str) -> int:
        heads = self._file.told(_TURNED["attn_q"])
        return int(_one(self._file.told(_TURNED[part], heads)))


def _one(value: Any) -> Any:
    """Of a number for every layer the first; hub.gguf_config refuses those that differ."""
    return value[0] if isinstance(value, list) else value


def _renamed(file: File, name: str) -> str:
    found = _PLACE.fullmatch(name)
    if found is None or found["part"] not in _NAMES:
        raise UserError(
            f"{file.path}: holds {name}, for which a model of the kind {file.architecture} has no place here"
        )
    layer = "" if found["layer"] is None else f"model.layers.{found['layer']}."
    return f"{layer}{_NAMES[found['part']]}.{found['kind']}"


def _halved(weight: Tensor, heads: int, where: str) -> Tensor:
    """Rows of each head from the order of neighbours, which llama.cpp turns in pairs, to that of halves.

    ::

        of a head with 6 rows:   a0 b0 a1 b1 a2 b2   becomes   a0 a1 a2 b0 b1 b2
    """
    if weight.shape[0] % (2 * heads):
        raise UserError(f"{where}: its {weight.shape[0]} rows are not {heads} heads of pairs")
    pairs = weight.view(heads, weight.shape[0] // (2 * heads), 2, *weight.shape[1:])
    return pairs.transpose(1, 2).reshape(weight.shape)


# --- opening -----------------------------------------------------------------------------------------------


def is_file(path: Path) -> bool:
    """Whether a path is meant as a GGUF file, by its name."""
    return path.suffix.lower() == SUFFIX and os.path.isfile(path)  # noqa: PTH113 - never raises


def open_file(path: Path) -> File:
    """What a GGUF file says, its tensors mapped from disk so that none is read yet.

    Raises UserError when the package ``gguf`` is not installed and for a file that is cut short, in parts,
    or another thing.
    """
    package = _package(path)
    try:
        # Copied when written to, so that tensors can be made of it without a copy; nothing reaches the file.
        data = np.memmap(path, mode="c").view(np.ndarray)
        header = read_header(data)
        tensors = {name: _packed(package, data, name, held) for name, held in header.tensors.items()}
    except (ValueError, LookupError, OSError) as error:
        raise UserError(f"{path}: no GGUF file, or damaged ({error}); copy it again") from None
    _check_whole(path, header.metadata)
    return File(path, header.metadata, tensors)


def _packed(package: Any, data: np.ndarray, name: str, held: Held) -> Packed:
    kind = package.GGMLQuantizationType(held.kind)
    rows = package.quant_shape_to_byte_shape(held.shape, kind)
    end = held.offset + math.prod(rows)
    if end > len(data):
        raise ValueError(f"it ends before {name}")
    return Packed(held.shape, kind, data[held.offset : end].reshape(rows))


def _check_whole(path: Path, metadata: Mapping[str, Any]) -> None:
    parts = metadata.get("split.count", 0)
    if not isinstance(parts, int) or parts > 1:
        raise UserError(f"{path}: is one of {parts} parts; join them with llama-gguf-split --merge")
    kind = metadata.get("general.type", "model")
    if kind != "model":
        raise UserError(f"{path}: general.type is {kind!r}; only whole models are read here")


def _package(path: Path) -> Any:
    with needed(f"{path}: reading it", "gguf", "'glassformer[gguf]'"):
        import gguf
    return gguf
