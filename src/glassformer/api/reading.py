"""Texts in, rows of tokens out: encoded, held against what a model reads at once, cut with a warning or not.

Here too a line of a file becomes the one text or the two that it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.base.report import warn
from glassformer.data.labelled import LAYOUTS
from glassformer.objectives.framing import Row, Text, framed
from glassformer.objectives.texts import segments
from glassformer.text.tokenizer import Tokenizer

TooLong = Literal["refuse", "cut"]


def encoded(
    numbered: Iterable[tuple[int, Text]], tokenizer: Tokenizer, longest: int, too_long: TooLong
) -> list[Row]:
    """Each text, or two that are read together, in the tokenizer's frame; ``longest`` counts the frame too.

    A text that is longer loses its end, and a warning says so by its number, or it is refused with a
    UserError.
    """
    listed = list(numbered)
    rows = framed([text for _, text in listed], tokenizer, longest)
    for (number, _), row in zip(listed, rows, strict=True):
        if row.lost:
            told_of_length(number, row.read + row.lost, row.read, too_long)
    return rows


def told_of_length(number: int, size: int, room: int, too_long: TooLong) -> None:
    """Say that a text of ``size`` tokens is longer than the ``room`` for it, as a warning or a UserError."""
    if too_long == "refuse":
        raise UserError(
            f"text {number}: it has {size} tokens but the model reads at most {room}; split it, or cut it"
        )
    warn(f"text {number}: it has {size} tokens; only the first {room} are read")


def batched(rows: Sequence[Row], config: Any, device: str | torch.device) -> dict[str, Tensor]:
    """What a body with this configuration reads of some rows, padded where they are of unlike lengths."""
    width = max(len(row.tokens) for row in rows)
    lengths = torch.tensor([[len(row.tokens)] for row in rows])
    tokens = [[*row.tokens, *[config.pad_id] * (width - len(row.tokens))] for row in rows]
    batch = {"tokens": torch.tensor(tokens)}
    if not bool((lengths == width).all()):
        batch["keep"] = torch.arange(width) < lengths
    if getattr(config, "segments", 0) > 1 and any(row.second < len(row.tokens) for row in rows):
        batch["segments"] = segments(torch.tensor([row.second for row in rows]), width)
    return {name: one.to(device) for name, one in batch.items()}


def text_of(line: str, number: int, texts: int) -> Text:
    """What a line holds: one text, or two with a tab between them or as a JSON object.

    Of a model that reads one text at once the line is the text. Where nobody knows (``texts`` is 0), a line
    with one tab holds two. A blank line is no text. Raises UserError for one text where two are needed.
    """
    if texts == 1 or not line.strip():
        return line
    two = _two(line)
    if two is None and texts == 2:
        raise UserError(
            f"line {number}: this model reads two texts at once; write both with a tab between them, "
            'or a JSON object such as {"text": "…", "pair": "…"}'
        )
    return line if two is None else two


def _two(line: str) -> tuple[str, str] | None:
    cells = line.split("\t")
    if len(cells) == 2 and all(cell.strip() for cell in cells):
        return cells[0], cells[1]
    record = _record(line) if line.lstrip().startswith("{") else {}
    for columns in LAYOUTS.values():
        found = [record.get(name) for name in (columns.text, str(columns.pair))]
        if all(isinstance(one, str) and one.strip() for one in found):
            return str(found[0]), str(found[1])
    return None


def _record(line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def shown_as(text: Text) -> str:
    """A text, or both with a tab between them."""
    return text if isinstance(text, str) else "\t".join(text)


def as_record(text: Text) -> dict[str, str]:
    """The same for machines: ``text``, and ``pair`` where there is one."""
    return {"text": text} if isinstance(text, str) else {"text": text[0], "pair": text[1]}
