"""The head of a GGUF file is what the package ``gguf`` reads of it, and broken ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.hub.gguf_files import WORDS, gguf, state_of, write

from glassformer.hub.gguf_header import read_header


def _mapped(path: Path) -> np.ndarray:
    return np.memmap(path, mode="r").view(np.ndarray)


def test_keys_values_and_tensors_are_those_that_the_package_reads(tmp_path: Path) -> None:
    said, theirs = state_of()
    packed = {"ffn_up": "Q8_0", "attn_v": "F16"}
    keys = {
        "general.alignment": 64,
        "general.languages": ["en", "한국어"],
        "x.numbers": [1.5, 2.5],
        "x.on": True,
    }
    path = write(tmp_path / "a.gguf", said, theirs.state_dict(), packed=packed, words=WORDS, keys=keys)
    header = read_header(_mapped(path))
    reader = gguf.GGUFReader(path)
    wanted = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    assert header.metadata == wanted
    assert [*header.tensors] == [tensor.name for tensor in reader.tensors]
    for tensor in reader.tensors:
        held = header.tensors[tensor.name]
        assert held.shape == tuple(tensor.shape.tolist()[::-1])
        assert (held.kind, held.offset) == (tensor.tensor_type, tensor.data_offset)


def test_a_head_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    said, theirs = state_of(num_hidden_layers=1)
    words = WORDS | {"tokens": ["a", "b"], "merges": ["a b"], "token_type": [1, 1]}
    data = _mapped(write(tmp_path / "a.gguf", said, theirs.state_dict(), words=words))
    end = min(tensor.offset for tensor in read_header(data).tensors.values())
    for size in range(0, end - 32, 41):
        with pytest.raises(ValueError, match=r"ends too early|does not begin"):
            read_header(data[:size])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (b"\x01\x00\x00\x00\x00\x00\x00\x00x\x63\x00\x00\x00", "unknown kind 99"),
        (
            b"\x01\x00\x00\x00\x00\x00\x00\x00x\x09\x00\x00\x00\x08\x00\x00\x00" + b"\xff" * 8,
            "ends too early",
        ),
        (
            b"\x01\x00\x00\x00\x00\x00\x00\x00x\x09\x00\x00\x00\x09\x00\x00\x00" + b"\x01" + b"\x00" * 7,
            "lists of",
        ),
        (b"\xff" * 8, "ends too early"),
        (b"\x11" + b"\x00" * 7 + b"general.alignment\x04\x00\x00\x00\x00\x00\x00\x00", "alignment is 0"),
    ],
)
def test_values_that_cannot_be_are_refused_without_being_believed(values: bytes, says: str) -> None:
    data = b"GGUF\x03\x00\x00\x00" + b"\x00" * 8 + b"\x01" + b"\x00" * 7 + values
    with pytest.raises(ValueError, match=says):
        read_header(np.frombuffer(data, dtype=np.uint8))
