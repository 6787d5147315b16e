"""Making a clean model folder out of any that is read here, and saying how exactly it agrees."""

from __future__ import annotations

import re
from pathlib import Path

from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.hub import convert as hub
from glassformer.hub.convert import Converted
from glassformer.hub.huggingface import SHARD_BYTES

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def convert(
    source: str | Path, target: str | Path, *, dtype: str = "float32", shard_size: int | str = SHARD_BYTES
) -> Converted:
    """Write the model of ``source`` into the new folder ``target``.

    ``source`` is a folder, ``hf://owner/name`` or a GGUF file: GPT-2, BERT, RoBERTa, DistilBERT, ViT, Llama,
    Mistral and Marian folders of ``transformers`` are read, GGUF files of Llama and Qwen2, and our own.
    ``dtype`` is float32, bfloat16 or float16; weights past ``shard_size`` ("5GB") go into several
    files. Where ``transformers`` is installed it is asked whether source and target are the same model.
    Raises UserError for what cannot be read or would be lost, RunError when the two do not agree.
    """
    if dtype not in hub.DTYPES:
        raise UserError(f"dtype {dtype!r} is not known; known are {', '.join(hub.DTYPES)}")
    made = hub.convert(source, Path(target), dtype=dtype, shard_bytes=shard_bytes(shard_size))
    if made.left_out:
        report.say(f"not carried over: {', '.join(made.left_out)}")
    return made


def shard_bytes(size: int | str) -> int:
    """The number of bytes that "5GB", "500 MB", "1GiB" or a whole number means; UserError when none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(size).strip())
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or float(found[1]) * unit < 1:
        raise UserError(f"{str(size)!r} is not a size; write it as in 5GB, 500MB or 1GiB")
    return int(float(found[1]) * unit)
