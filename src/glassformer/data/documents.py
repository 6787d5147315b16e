"""Reading documents of any length in pieces: plain text, JSON lines, stdin, or a share of a file."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from glassformer.base import files
from glassformer.base.errors import UserError
from glassformer.base.plugins import suggest
from glassformer.data import columns
from glassformer.data.characters import Meter, Share, characters, opened, parted, shared
from glassformer.data.example import Example
from glassformer.data.generated import file_of, is_generated

PIECE = 4096
"""The most characters that a piece of a document has."""
Apart = Literal["blank", "line", "file"]
"""What parts the documents of a plain text: empty lines, every line end, or only the end of the file."""

_JSON = frozenset({".jsonl", ".ndjson", ".json"})
_TABLES = frozenset({".tsv", ".csv"})

# A stretch of a document: the line it begins in, its text, and whether the document ends with it.
_Stretch = tuple[int, str, bool]


def file_behind(path: str) -> tuple[str, Share | None]:
    """The file that is read for a path of a recipe, and which share of it; generated text is written."""
    name, share = parted(path)
    if is_generated(name):
        name = file_of(name, kind="text")
    if share is not None and (name == "-" or _is_json(name)):
        raise UserError(f"{path}: only a file of plain text can be shared out; name two files instead")
    return name, share


def size(paths: list[str]) -> int | None:
    """How many bytes there are to read, None when one is stdin; UserError for what is not a file."""
    total = 0
    for path in paths:
        name, share = file_behind(path)
        if name == "-":
            return None
        with opened(name, Meter()):
            total += _bytes(name, share)
    return total


def _bytes(name: str, share: Share | None) -> int:
    # Counting the characters for a share in percent takes a pass of its own.
    return Path(name).stat().st_size * (2 if share is not None else 1)


def read(
    path: str,
    *,
    documents: Apart = "blank",
    field: str = "text",
    column: str | None = None,
    meter: Meter | None = None,
) -> Iterator[Example]:
    """The documents at ``path`` in pieces of at most ``PIECE`` characters, in order.

    Fields are ``text``, ``first`` and ``last`` (whether the piece begins and ends its document). The pieces
    of a document joined are the document: a file of gigabytes never stands in memory. A piece ends before a
    space between words wherever there is one. ``documents`` says what parts documents in plain text; JSON
    lines have one each, under ``field``; so has every row of a table (``.tsv``, ``.csv``) where ``column``
    names the one to read. Documents without anything but white space are left out. Only ``\\n`` and
    ``\\r\\n`` are line ends, and both are read as ``\\n``.

    Raises UserError for files that are missing, empty, folders, or not UTF-8 (with the line).
    """
    name, share = file_behind(path)
    meter = meter or Meter()
    if _is_json(name):
        stretches = _of_json(characters(name, meter), field, files.shown(name))
    elif column is not None and _is_table(name):
        stretches = _of_table(name, column, share, meter)
    else:
        blocks = characters(name, meter) if share is None else shared(name, share, meter)
        stretches = {"blank": _by_blank, "line": _by_line, "file": _by_file}[documents](blocks)
    found = False
    for piece in _pieces(stretches, files.shown(name)):
        found = True
        yield piece
    if not found:
        raise UserError(f"{path if path != '-' else 'standard input'}: there is no text here")


def _is_table(name: str) -> bool:
    """Whether a file has rows of named columns, by its name."""
    return columns.suffix(name) in _TABLES


def _is_json(name: str) -> bool:
    return Path(name.removesuffix(".gz")).suffix in _JSON


# --- from characters to documents --------------------------------------------------------------------------


def _by_file(blocks: Iterator[str]) -> Iterator[_Stretch]:
    line = 1
    for block in blocks:
        yield line, block, False
        line += block.count("\n")
    yield line, "", True


def _by_line(blocks: Iterator[str]) -> Iterator[_Stretch]:
    """Every line in one or several stretches, without its end."""
    line, begun = 1, False
    for block in blocks:
        *whole, rest = block.split("\n")
        for text in whole:
            yield line, text, True
            line += 1
        begun = bool(rest) or (begun and not whole)
        if rest:
            yield line, rest, False
    if begun:
        yield line, "", True


def _by_blank(blocks: Iterator[str]) -> Iterator[_Stretch]:
    """Lines joined by ``\\n`` up to one with nothing in it; white space is something, as inside a speech."""
    inside = begun = False  # in a document; in a line of it
    line = 1
    for line, text, ends in _by_line(blocks):
        if text:
            yield line, text if begun or not inside else "\n" + text, False
            inside = begun = True
        if ends and not begun and inside:
            yield line, "", True
            inside = False
        begun = begun and not ends
    if inside:
        yield line, "", True


def _of_json(blocks: Iterator[str], field: str, name: str) -> Iterator[_Stretch]:
    """The documents of JSON lines; a line stands in memory whole."""
    parts: list[str] = []
    for line, text, ends in _by_line(blocks):
        parts.append(text)
        if ends:
            whole, parts = "".join(parts), []
            if whole.strip():
                yield line, _text(whole, field, f"{name}:{line}"), True


def _of_table(name: str, column: str, share: Share | None, meter: Meter) -> Iterator[_Stretch]:
    """The texts in one column of a table, or of those of its rows that belong to the share."""
    read = (columns.rows(name, (column,)) for _ in range(2))
    for where, cells in columns.part_of(next(read), next(read), share):
        yield int(where.rpartition(":")[2]), cells[column], True
    meter.done += _bytes(name, share)


def _text(line: str, field: str, where: str) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not valid JSON ({error}); each line must be one object") from None
    if not isinstance(record, dict):
        raise UserError(f'{where}: each line must be one JSON object such as {{"{field}": "…"}}')
    if field not in record:
        listed = ", ".join(record) or "no fields"
        raise UserError(
            f"{where}: no field {field!r}, only {listed}; set data.field{suggest(field, tuple(record))}"
        )
    text = record[field]
    if not isinstance(text, str):
        raise UserError(f"{where}: the field {field!r} is not text")
    return files.whole(text, f"{where}: the field {field!r}")


# --- from documents to pieces ------------------------------------------------------------------------------


def _pieces(stretches: Iterator[_Stretch], name: str) -> Iterator[Example]:
    parts: list[str] = []
    size, line, first = 0, 0, True
    for at, text, ends in stretches:
        line = line or at
        parts.append(text)
        size += len(text)
        if size <= PIECE and not ends:
            continue
        whole, start = "".join(parts), 0
        # The same cuts whatever the stretches were: a cut looks no further than one piece.
        while len(whole) - start > PIECE:
            stop = _place(whole, start)
            yield Example({"text": whole[start:stop], "first": first, "last": False}, f"{name}:{line}")
            line += whole.count("\n", start, stop)
            start, first = stop, False
        parts, size = [whole[start:]], len(whole) - start
        if ends:
            if not first or parts[0].strip():
                yield Example({"text": parts[0], "first": first, "last": True}, f"{name}:{line}")
            parts, size, line, first = [], 0, 0, True


def _place(text: str, start: int) -> int:
    """Where to cut so that at most a piece is before and something behind: between words if it can be.

    Best is before a single space, which every tokenizer takes to the word behind it; next after a single line
    end; else anywhere but inside a character of several code points.
    """
    half, end = start + PIECE // 2, start + PIECE
    for sign, behind in ((" ", 0), ("\n", 1)):
        place = text.rfind(sign, half, end)
        while place > half:
            if not (text[place - 1].isspace() or text[place + 1].isspace()):
                return place + behind
            place = text.rfind(sign, half, place)
    place = end
    while place > half and _joins(text[place - 1], text[place]):
        place -= 1
    return place


def _joins(before: str, after: str) -> bool:
    """Whether two characters are drawn as one, as far as it matters here."""
    joiner = "\u200d"
    jamo = "\u1160" <= after <= "\u11ff"
    skin = "\U0001f3fb" <= after <= "\U0001f3ff"
    return joiner in (before, after) or jamo or skin or unicodedata.category(after)[0] == "M"
