"""Rows of named columns: tab-separated or comma-separated with a header, or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from glassformer.base.errors import UserError
from glassformer.base.files import open_lines, shown, stop, whole
from glassformer.base.plugins import suggest
from glassformer.data.characters import Share, parted

Row = tuple[str, dict[str, Any]]
"""Where it stands (``file:line``), and the text in each column that was asked for, or a tuple of texts."""

Bad = Callable[[str, str], None]
"""Told the place of an unusable line and what is wrong with it; may raise."""

Item = TypeVar("Item")

JSON = frozenset({".jsonl", ".ndjson", ".json"})


def rows(path: str, names: Sequence[str], bad: Bad = stop, *, lists: Collection[str] = ()) -> Iterator[Row]:
    """The columns ``names`` of every row of a file, blank lines left out; ``-`` is a table on stdin.

    The first line of a table names its columns. ``.csv`` has commas and quotation marks; elsewhere one tab
    parts columns and a quotation mark is a character like any other. In JSON lines the fields that ``lists``
    names may be lists. Raises UserError, with file and line, for a column that is not there; a row that is
    not like the first is handed to ``bad``, which raises it.
    """
    kind = suffix(path)
    if kind in JSON:
        return _fields(path, names, bad, lists)
    return _named(_commas(path, bad) if kind == ".csv" else _tabs(path, bad), path, names, bad)


def ignored(where: str, problem: str) -> None:
    """What is done with an unusable row where rows are only counted."""


def handed(error: UserError, where: str, bad: Bad) -> None:
    """Hand to ``bad`` what an error says of the row at ``where``, with which its sentence begins."""
    bad(where, str(error).removeprefix(f"{where}: "))


def columns(path: str) -> tuple[str, ...]:
    """The names of the columns of a file: what the first line of a table says, or the first object has.

    Raises UserError for a file without any.
    """
    if suffix(path) in JSON:
        return tuple(next(records(path))[1])
    return tuple(_header(_commas(path, stop) if suffix(path) == ".csv" else _tabs(path, stop), path)[1])


def named(path: str) -> tuple[str, ...]:
    """The same, and nothing where it cannot be seen: in a broken file, and on stdin, which is read once."""
    try:
        return () if path == "-" else columns(path)
    except UserError:
        return ()


def suffix(path: str) -> str:
    """What the name of a file ends with, whether or not it is compressed."""
    return Path(path.removesuffix(".gz")).suffix


def counted(number: int, noun: str) -> str:
    """A number and what it counts: ``1 column``, ``2 columns``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def part_of(items: Iterator[Item], again: Iterator[Item], share: Share | None) -> Iterator[Item]:
    """Those items that belong to a share; ``items`` are counted for it, ``again`` are the same once more."""
    if share is None:
        yield from again
        return
    first, last = share.of(sum(1 for _ in items))
    for place, item in enumerate(again):
        if first <= place < last:
            yield item


def shared_out(path: str) -> tuple[str, Share | None]:
    """A path without its share, such as ``[:90%]``, and the share; UserError for a share of stdin."""
    name, share = parted(path)
    if share is not None and name == "-":
        raise UserError(f"{path}: standard input cannot be shared out; name a file")
    return name, share


def behind(path: str) -> tuple[list[Path], dict[str, Any]]:
    """The file behind a path, and what beside its contents says what is read: its kind and the share."""
    name, share = shared_out(path)
    return [Path(name)], {"kind": suffix(name), "share": str(share)}


def _tabs(path: str, bad: Bad) -> Iterator[tuple[str, list[str]]]:
    for number, line in open_lines(path, bad):
        if line.strip():
            yield f"{shown(path)}:{number}", line.split("\t")


def _commas(path: str, bad: Bad) -> Iterator[tuple[str, list[str]]]:
    read = csv.reader((line + "\n" for _, line in open_lines(path, bad)), strict=True)
    begun = 1
    while True:
        try:
            cells = next(read)
        except StopIteration:
            return
        except csv.Error as error:
            bad(f"{shown(path)}:{begun}", f"not valid CSV ({error}); mend its quotation marks")
            return
        if cells:
            yield f"{shown(path)}:{begun}", cells
        begun = read.line_num + 1


def _named(
    table: Iterator[tuple[str, list[str]]], path: str, names: Sequence[str], bad: Bad
) -> Iterator[Row]:
    where, header = _header(table, path)
    for name in names:
        if name not in header:
            raise UserError(
                f"{where}: no column {name!r}; the first line should name the columns, and names "
                f"{', '.join(header)}{suggest(name, header)}"
            )
    places = {name: header.index(name) for name in names}
    for where, cells in table:
        if len(cells) != len(header):
            bad(
                where,
                f"has {counted(len(cells), 'column')} where the first line has {len(header)}; one "
                f"{'comma' if suffix(path) == '.csv' else 'tab'} parts two columns",
            )
            continue
        yield where, {name: cells[place] for name, place in places.items()}


def _header(table: Iterator[tuple[str, list[str]]], path: str) -> tuple[str, list[str]]:
    """The first line of a table and where it stands."""
    where, header = next(table, (f"{shown(path)}:1", []))
    if not header:
        raise UserError(f"{shown(path)} is empty; its first line should name the columns")
    return where, [cell.strip() for cell in header]


def records(path: str, bad: Bad = stop) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The object in each line of a file of JSON lines, with its place; what is none is handed to ``bad``."""
    empty = True
    for number, line in open_lines(path, bad):
        if not line.strip():
            continue
        where, empty = f"{shown(path)}:{number}", False
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            said = str(error).split(":")[0]
            bad(where, f"not valid JSON ({said}); each line must be one object")
            continue
        if isinstance(record, dict):
            yield where, record
        else:
            bad(where, "each line must be one JSON object")
    if empty:
        raise UserError(f"{shown(path)} is empty; each line should be one JSON object")


def field(record: Mapping[str, Any], name: str, where: str) -> Any:
    """The value of a field; UserError, beginning with ``where``, when there is none."""
    if name not in record:
        listed = ", ".join(record) or "no fields"
        raise UserError(f"{where}: no field {name!r}; this line has {listed}{suggest(name, tuple(record))}")
    return record[name]


def text_of(value: Any, name: str, where: str) -> str:
    """A JSON value as text: a text itself, a number or truth value as JSON writes it, null as nothing."""
    if isinstance(value, list | dict):
        raise UserError(f"{where}: the field {name!r} is a list or an object; expected text or a number")
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return whole(text, f"{where}: the field {name!r}")


def _fields(path: str, names: Sequence[str], bad: Bad, lists: Collection[str]) -> Iterator[Row]:
    for where, record in records(path, bad):
        try:
            found = {name: _cell(record, name, where, lists) for name in names}
        except UserError as error:
            handed(error, where, bad)
        else:
            yield where, found


def _cell(record: Mapping[str, Any], name: str, where: str, lists: Collection[str]) -> str | tuple[str, ...]:
    value = field(record, name, where)
    if isinstance(value, list) and name in lists:
        return tuple(text_of(one, name, where) for one in value)
    return text_of(value, name, where)
