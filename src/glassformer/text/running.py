"""Documents that are read in pieces: how a piece that goes on gives the ids it has inside the whole."""

import json
from typing import Any

import tokenizers


def going_on(backend: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """A copy that reads a text as what stands inside a longer one: it puts no space in front of it."""
    parts: dict[str, Any] = json.loads(backend.to_str())
    parts["normalizer"] = _without_front(parts["normalizer"])
    _keep_front(parts["pre_tokenizer"])
    copy = tokenizers.Tokenizer.from_str(json.dumps(parts, ensure_ascii=False))
    copy.encode_special_tokens = True
    return copy


def _without_front(step: dict[str, Any] | None) -> dict[str, Any] | None:
    if step is None or step["type"] == "Prepend":
        return None
    if step["type"] == "Sequence":
        kept = [found for one in step["normalizers"] if (found := _without_front(one)) is not None]
        return {**step, "normalizers": kept}
    return step


def _keep_front(step: dict[str, Any] | None) -> None:
    if step is None:
        return
    for part in step.get("pretokenizers", ()):
        _keep_front(part)
    if step["type"] == "Metaspace":
        step["prepend_scheme"] = "never"
    if step["type"] == "ByteLevel":
        step["add_prefix_space"] = False
