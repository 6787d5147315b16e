"""What is wrong with data, above all with a parallel corpus: every finding with its file and line."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.data.columns import Bad
from glassformer.data.shift import Shift, shifts
from glassformer.data.sources import rows

SHOWN = 5
"""How many findings of a kind are shown in sentences; all are counted, and the first ``keep`` are kept."""

KINDS = {
    "unreadable": "lines that cannot be used",
    "invalid_utf8": "lines that are not valid UTF-8",
    "empty": "rows with a blank source or target",
    "control": "rows with control, invisible or replacement characters",
    "overlong": "rows longer than the limit",
    "unlabelled": "rows without an answer",
    "wrong": "rows whose answer does not fit",
    "duplicate": "rows that repeat an earlier one",
    "ambiguous": "rows that give an earlier source or text another target or answer",
    "copy": "rows whose target is a copy of the source",
    "length": "rows whose sides are of unlikely lengths for each other",
    "shifted": "stretches whose targets belong to other rows",
    "script": "rows not in the writing of their column",
    "leak": "held-out rows that stand in the training data",
    "near_leak": "held-out rows that stand there but for case, spaces or punctuation",
    "source_leak": "held-out sources or texts that stand in the training data with another target or answer",
    "one_label": "splits in which all rows have one label",
    "unknown_label": "labels of held-out rows that the training data does not have",
}

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b\u202a-\u202e\u2066-\u2069\ufeff\ufffc\ufffd\ufffe\uffff]"
)
_SCRIPTS = {
    "Latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "Hangul": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]"),
    "Han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "Kana": re.compile("[\u3041-\u30ff]"),
    "Cyrillic": re.compile("[\u0400-\u04ff]"),
    "Greek": re.compile("[\u0370-\u03ff]"),
    "Arabic": re.compile("[\u0600-\u06ff]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
}
SIGNS = {
    "not valid UTF-8": "invalid_utf8",
    "label is empty": "unlabelled",
    "is empty; a word outside": "unlabelled",
    "there are no answers": "unlabelled",
    "does not begin at character": "wrong",
    "does not say its answer_start": "wrong",
}
"""What tells the kind of an unusable line in the sentence of its reader."""

Item = TypeVar("Item")

_LETTERS = re.compile(r"[^\W\d_]")
_SKIPPED = re.compile(r"[\W_]+")
_SIDES = ("source", "target")


Shown = tuple[tuple[str, ...], list[tuple[object, ...]]]
"""The headers and the rows of a table."""
SHOWN_ROWS = 30
"""How many rows of a table a terminal shows."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at: its kind (a key of ``KINDS``), where it is, and what it is."""

    kind: str
    where: str
    text: str


@dataclass
class Report:
    """Everything that was found: rows by split, counts and the first ``keep`` findings by kind.

    ``tables`` tell of data with answers how long its texts are, and how often there is each label.
    """

    rows: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    keep: int = 1000
    tables: dict[str, Shown] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.counts

    def add(self, kind: str, where: str, text: str) -> None:
        """Count a finding, and keep it unless there are very many of its kind."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        kept = self.findings.setdefault(kind, [])
        if len(kept) < self.keep:
            kept.append(Finding(kind, where, text))

    def to_json(self) -> dict[str, Any]:
        """Plain values: ``rows``, ``counts``, ``findings`` (``kind``, ``where``, ``text``), and tables."""
        kept = [vars(one) for kind in KINDS for one in self.findings.get(kind, ())]
        plain = {"rows": self.rows, "counts": self.counts, "findings": kept}
        tables = {
            name: [dict(zip(headers, row, strict=True)) for row in rows]
            for name, (headers, rows) in self.tables.items()
        }
        return plain | tables

    def sentences(self) -> list[str]:
        """The same for a reader: what was read, then each kind with its first findings, worst first."""
        total = ", ".join(f"{name} {count:,}" for name, count in self.rows.items())
        said = [f"rows: {total}"]
        for headers, cells in self.tables.values():
            said += ["", *report.table(headers, cells[:SHOWN_ROWS]).splitlines()]
            said += [f"… and {len(cells) - SHOWN_ROWS:,} more"] * (len(cells) > SHOWN_ROWS)
        said += [""] * bool(self.tables) + ["nothing was found"] * self.clean
        for kind in (kind for kind in KINDS if kind in self.counts):
            said.append(f"{KINDS[kind]}: {self.counts[kind]:,}")
            said += [f"  {one.where}: {one.text}" for one in self.findings[kind][:SHOWN]]
            if self.counts[kind] > SHOWN:
                said.append(f"  … and {self.counts[kind] - SHOWN:,} more")
        return said


def check(
    splits: Mapping[str, Sequence[str]],
    source: str | None = None,
    target: str | None = None,
    *,
    max_characters: int = 10_000,
    keep: int = 1000,
) -> Report:
    """Read the files of each split (``train``, ``valid``, ``test``) and report what is wrong with them.

    No text is held: each row leaves 56 bytes (hashes, lengths, marks). Of each kind the first ``keep``
    findings are kept. Two different texts have the same 64-bit hash about once in 10¹⁹ comparisons.
    """
    found = Report(keep=keep)
    tables = {}
    for split, paths in splits.items():
        table = Table()
        for path in paths:
            _read(path, (source, target), table, found, max_characters)
        found.rows[split] = len(table)
        tables[split] = table
        _within(table, found)
    train = tables.pop("train", None)
    if train is not None:
        for split, table in tables.items():
            leaks(train, table, split, found)
    return found


class Table:
    """What is remembered of each row, as columns of machine numbers.

    ``words`` are what a row and its two sides are called.
    """

    words: tuple[str, str, str] = ("pair", "source", "target")

    def __init__(self) -> None:
        self.files: list[str] = []
        self.file, self.line = array("I"), array("Q")
        self.exact = [array("q"), array("q")]
        self.normal = [array("q"), array("q")]
        self.length = [array("I"), array("I")]
        self.scripts = [array("H"), array("H")]

    def __len__(self) -> int:
        return len(self.file)

    def add(self, where: str, texts: Sequence[str]) -> None:
        """One more row, at ``file:line``, with the texts of its two sides."""
        name, _, line = where.rpartition(":")
        if not self.files or self.files[-1] != name:
            self.files.append(name)
        self.file.append(len(self.files) - 1)
        self.line.append(int(line))
        for side, text in enumerate(texts):
            self.exact[side].append(hash(text))
            self.normal[side].append(hash(normalised(text)))
            self.length[side].append(len(text))
            self.scripts[side].append(_scripts(text))

    def where(self, row: int) -> str:
        """``file:line`` of a row."""
        return f"{self.files[self.file[row]]}:{self.line[row]}"

    def sides(self, exact: bool) -> tuple[np.ndarray, np.ndarray]:
        """The hashes of source and target, of the texts as they stand or normalised."""
        source, target = self.exact if exact else self.normal
        return np.frombuffer(source, dtype=np.uint64), np.frombuffer(target, dtype=np.uint64)

    def pairs(self, exact: bool) -> np.ndarray:
        """One hash for both sides of each row."""
        source, target = self.sides(exact)
        mixed: np.ndarray = source * np.uint64(0x9E3779B97F4A7C15) ^ (target + (source >> np.uint64(7)))
        return mixed


def normalised(text: str) -> str:
    """The letters and digits alone, in one case and one encoding; a text that has none stays as it is.

    >>> normalised("  Hello, World!  ")
    'helloworld'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SKIPPED.sub("", folded) or folded.strip()


def _scripts(text: str) -> int:
    """The writings that occur, a bit each; the highest bit: enough letters to tell a language."""
    bits = sum(1 << bit for bit, letters in enumerate(_SCRIPTS.values()) if letters.search(text))
    enough = len(_LETTERS.findall(text[:200])) >= 10
    return bits | enough << 15


def _read(
    path: str, names: tuple[str | None, str | None], table: Table, found: Report, max_characters: int
) -> None:
    broken, bad = taking(found)
    try:
        for where, *texts in watched(rows(path, *names, bad=bad), path):
            if where.rpartition(":")[2] in broken:
                continue
            if _usable(where, texts, found, max_characters):
                table.add(where, texts)
    except UserError as error:
        where, colon, problem = str(error).partition(": ")
        found.add("unreadable", where if colon else path, problem or str(error))


def taking(found: Report) -> tuple[set[str], Bad]:
    """The numbers of unusable lines, and what notes them and reports what is wrong with them."""
    broken: set[str] = set()  # line numbers: the second of two files has a name of its own

    def bad(where: str, problem: str) -> None:
        kinds = (kind for sign, kind in SIGNS.items() if sign in problem)
        found.add(next(kinds, "unreadable"), where, problem)
        broken.add(where.rpartition(":")[2])

    return broken, bad


def watched(read: Iterator[Item], path: str) -> Iterator[Item]:
    """The rows, while a progress bar shows how many have passed."""
    with report.progress(None, f"reading {Path(path).name}") as progress:
        for number, row in enumerate(read, start=1):
            yield row
            if not number % 1000:
                progress.advance(1000)


def _usable(where: str, texts: Sequence[str], found: Report, max_characters: int) -> bool:
    """Report what can be said of a row alone, and whether it is worth comparing with others."""
    blank = [name for name, text in zip(_SIDES, texts, strict=True) if not text.strip()]
    if blank:
        found.add("empty", where, f"{' and '.join(blank)} blank")
        return False
    for name, text in zip(_SIDES, texts, strict=True):
        look_at(name, text, where, found, max_characters)
    if texts[0].strip() == texts[1].strip() and _LETTERS.search(texts[0]):
        found.add("copy", where, f"both sides are {_quoted(texts[0])}")
    return True


def look_at(name: str, text: str, where: str, found: Report, max_characters: int) -> None:
    """Report what can be said of a text alone, which is called ``name``."""
    if sign := _CONTROL.search(text):
        found.add("control", where, f"{name} has U+{ord(sign[0]):04X} at character {sign.start() + 1}")
    if len(text) > max_characters:
        found.add("overlong", where, f"{name} has {len(text):,} characters, the limit is {max_characters:,}")


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def _within(table: Table, found: Report) -> None:
    """What only shows when the rows of one split are compared."""
    if not len(table):
        return
    repeats(table, found)
    _lengths(table, found)
    for side in (0, 1):
        _writing(table, side, found)


def repeats(table: Table, found: Report) -> None:
    """Rows that repeat an earlier one, and rows whose first side has another second side elsewhere."""
    one, source_name, target_name = table.words
    pairs = table.pairs(exact=True)
    earlier = _firsts(pairs)
    for row in np.flatnonzero(earlier != np.arange(len(pairs))).tolist():
        found.add("duplicate", table.where(row), f"the same {one} as {table.where(int(earlier[row]))}")
    source = _firsts(table.sides(exact=True)[0])
    fresh = earlier == np.arange(len(pairs))
    for row in np.flatnonzero(fresh & (source != np.arange(len(pairs)))).tolist():
        found.add(
            "ambiguous",
            table.where(row),
            f"the {source_name} of {table.where(int(source[row]))} with another {target_name}",
        )


def _firsts(hashes: np.ndarray) -> np.ndarray:
    """For each row the first row with the same hash."""
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    earliest: np.ndarray = first[group]
    return earliest


def _lengths(table: Table, found: Report) -> None:
    """Rows far from the usual ratio of lengths, and stretches whose lengths fit a neighbouring row better."""
    lengths = [np.frombuffer(column, dtype=np.uint32).astype(np.float64) for column in table.length]
    # Ten characters of allowance on each side: short texts vary widely without being wrong.
    ratio = np.log((lengths[1] + 10) / (lengths[0] + 10))
    usual = float(np.median(ratio))
    spread = 1.4826 * float(np.median(np.abs(ratio - usual)))
    limit = max(np.log(2.5), 5 * spread)
    if len(ratio) >= 20:
        for row in np.flatnonzero(np.abs(ratio - usual) > limit).tolist():
            times, common = lengths[1][row] / lengths[0][row], np.exp(usual)
            sides = f"{int(lengths[0][row]):,} and {int(lengths[1][row]):,} characters"
            found.add(
                "length", table.where(row), f"{sides} ({times:.1f} times as long; {common:.1f} is usual)"
            )
    for shift in shifts(lengths[0], lengths[1], np.frombuffer(table.file, dtype=np.uint32)):
        found.add("shifted", table.where(shift.first), _shift_text(shift, table))


def _shift_text(shift: Shift, table: Table) -> str:
    lines = "line" if abs(shift.by) == 1 else "lines"
    direction = "above" if shift.by > 0 else "below"
    return f"up to {table.where(shift.last)} the targets seem to belong {abs(shift.by)} {lines} {direction}"


def _writing(table: Table, side: int, found: Report) -> None:
    """Rows without the writing that the column is in, and rows with one that is foreign to it."""
    marks = np.frombuffer(table.scripts[side], dtype=np.uint16)
    lettered = (marks & 0x7FFF) != 0
    if lettered.sum() < 20:
        return
    shares = {name: float(((marks[lettered] >> bit) & 1).mean()) for bit, name in enumerate(_SCRIPTS)}
    own = max(shares, key=lambda name: (name != "Latin" and shares[name] > 0.7, shares[name]))
    if shares[own] < 0.7:
        return
    for bit, name in enumerate(_SCRIPTS):
        has = (marks >> bit & 1) == 1
        if name == own:
            for row in np.flatnonzero(~has & (marks >> 15 == 1)).tolist():
                found.add(
                    "script",
                    table.where(row),
                    f"{_SIDES[side]} without {name}, which {shares[name]:.0%} have",
                )
        elif name not in ("Latin", "Greek") and shares[name] < 0.02:
            for row in np.flatnonzero(has).tolist():
                found.add(
                    "script", table.where(row), f"{name} in the {_SIDES[side]}, which is {own} elsewhere"
                )


def leaks(train: Table, other: Table, split: str, found: Report) -> None:
    """Rows of a held-out split that training sees; each is reported once, at its most serious."""
    if not len(train) or not len(other):
        return
    reported = np.zeros(len(other), dtype=bool)
    for kind, seen, held, what in _looks(train, other):
        order = np.argsort(seen, kind="stable")
        at = np.searchsorted(seen[order], held)
        match = order[np.minimum(at, len(order) - 1)]
        for row in np.flatnonzero((seen[match] == held) & ~reported).tolist():
            found.add(kind, other.where(row), f"{split} has {what} of {train.where(int(match[row]))}")
        reported |= seen[match] == held


def _looks(train: Table, other: Table) -> Iterator[tuple[str, np.ndarray, np.ndarray, str]]:
    row, source, _ = train.words
    yield "leak", train.pairs(exact=True), other.pairs(exact=True), f"the {row}"
    yield "near_leak", train.pairs(exact=False), other.pairs(exact=False), f"nearly the {row}"
    yield "source_leak", train.sides(exact=False)[0], other.sides(exact=False)[0], f"the {source}"
