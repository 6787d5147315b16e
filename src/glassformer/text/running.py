"""Text that is read in pieces: where it may be cut, and how a piece that goes on is read."""

import json
import re
from typing import Any

import tokenizers

# A plain space between two things that are none. Every tokenizer here lets a piece of the vocabulary begin
# with one space at most and has none that goes on across it; line ends and runs of spaces may be one piece.
_SAFE = re.compile(r"(?<=\S)(?= \S)")


def cut_place(text: str) -> int:
    """The last place where ``text`` may be cut so that its parts, encoded alone, give the ids of the whole.

    It stands before a single space between words; 0 when there is none, and more text must be read first.
    What follows is encoded as going on (``Tokenizer.encode_running``).
    """
    place = 0
    for found in _SAFE.finditer(text):
        place = found.start()
    return place


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
