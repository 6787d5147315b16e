"""Reading pairs of texts: tab-separated, JSON lines, two parallel files, compressed or not, or stdin."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from glassformer.base.config import DataPath, Settings
from glassformer.base.errors import UserError
from glassformer.base.files import cache_folder, open_lines, sha256, shown, standard_input, stop, writing
from glassformer.base.plugins import suggest
from glassformer.data.columns import Bad, counted
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.generated import file_of, is_generated
from glassformer.data.store import Encode, Store, cached, fingerprint

ROLES = {"source": "source", "src": "source", "target": "target", "tgt": "target", "trg": "target"}
_CODES = (
    "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu it ja km ko lt lv mn ms my nb nl nn pl pt ro ru"
    " sk sl sr sv sw ta te th tl tr uk ur uz vi zh eng kor jpn deu fra spa rus zho korean english"
)
LANGUAGES = frozenset(_CODES.split())
"""What makes a first line a header; not ``id`` and ``no``, which more often head a column of numbers."""

Row = tuple[str, str, str]
"""Where it stands (``file:line``), source, target."""


class Source(Settings):
    """One place where examples come from, and how many times an epoch visits each of them (on average)."""

    path: DataPath
    weight: float = Field(1.0, gt=0)


def _listed(value: Any) -> Any:
    values = value if isinstance(value, list | tuple) else [value]
    return [{"path": one} if isinstance(one, str) else one for one in values]


Sources = Annotated[tuple[Source, ...], BeforeValidator(_listed), Field(min_length=1)]
"""Written as a path, ``{path, weight}``, or a list of these."""

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


class Divided(Settings):
    """The base of what a recipe says of its data: ``train``, ``valid`` and ``test``, each of some sources."""

    def sources(self, split: Split) -> Sources:
        """The sources of one split; empty when the recipe has none."""
        found: Sources | None = getattr(self, split)
        return found or ()


def read(
    path: str,
    source: str | None = None,
    target: str | None = None,
    *,
    dropped: Dropped | None = None,
    bad: Bad = stop,
) -> Iterator[Example]:
    """The examples at ``path`` in order: fields ``source`` and ``target``, the texts as they stand.

    Blank lines and pairs with a blank side are left out and noted in ``dropped``. Anything else that is not
    as it should be is handed to ``bad`` with its place; by default that raises ``UserError``.
    """
    for where, one, other in rows(path, source, target, bad=bad):
        if one.strip() and other.strip():
            yield Example({"source": one, "target": other}, where)
        elif dropped is not None:
            dropped.note("blank on one side" if (one + other).strip() else "blank", where)


def rows(
    path: str,
    source: str | None = None,
    target: str | None = None,
    *,
    bad: Bad = stop,
) -> Iterator[Row]:
    """What ``read`` reads, blank rows included: place, source, target."""
    names = (source, target) if source is not None and target is not None else None
    path, *second = files_of(path)
    if second:
        return _parallel(path, second[0], bad)
    stem = Path(path.removesuffix(".gz"))
    if stem.suffix in {".jsonl", ".ndjson", ".json"}:
        return _json_lines(_nonempty(path, bad), path, names, bad)
    return _table(_nonempty(path, bad), path, names, bad)


def storing(
    about: Callable[[Any], Mapping[str, Any]],
    behind: Callable[[str], tuple[Sequence[Path], Mapping[str, Any]]],
    options: Callable[[Any], Mapping[str, Any]] = lambda _: {},
) -> Callable[..., list[tuple[Store, float]]]:
    """How a kind of data whose examples are read one by one gives its ``stores``.

    What is made is called as ``stores(config, split, encode, settings, *, cache=None)`` and gives the encoded
    sources of a split with their weights, as ``Stream`` takes them; each is encoded only once. ``settings``
    names what ``encode`` depends on; that, what ``about`` says of a configuration and ``behind`` of a path
    (beside its files), is what the encoded examples depend on, in plain values. ``options`` are those of
    ``build``. Raises ``UserError`` for unusable files.
    """

    def stores(
        config: Any, split: Split, encode: Encode, settings: Mapping[str, Any], *, cache: Path | None = None
    ) -> list[tuple[Store, float]]:
        made = []
        for source in config.sources(split):
            paths, said = behind(source.path)
            dropped = Dropped()
            examples = partial(config.read, source.path, dropped)
            name = fingerprint(paths, {"encode": settings, **about(config), **said})
            found = cached(
                name,
                examples,
                encode,
                cache=cache,
                dropped=dropped,
                what=f"encoding {split}",
                **options(config),
            )
            made.append((found, source.weight))
        return made

    return stores


def no_facts(config: Divided) -> dict[str, Any]:  # noqa: ARG001 - images know some
    """Sizes of a model that only the data knows: there are none, the tokenizer knows them."""
    return {}


def no_tokenizer(config: Divided) -> Path | None:  # noqa: ARG001 - running text may bring one
    """Where a tokenizer lies that the data was made with: nowhere, one is learned."""
    return None


def files_of(path: str) -> list[str]:
    """The files behind a path: one, the two of ``a.ko+a.en``, or that of a generated text, which is written.

    A second part without a folder of its own lies beside the first. A file named with a ``+`` is itself.
    """
    if is_generated(path):
        return [file_of(path)]
    first, plus, second = path.rpartition("+")
    if not plus or not first or not second or Path(path).exists():
        return [path]
    if Path(second).name == second:
        second = str(Path(first).parent / second)
    return [first, second]


Kind = TypeVar("Kind", bound=Divided)


def settled(config: Kind, cache: Path | None = None) -> Kind:
    """The same data of a recipe with standard input, where it has it, as a file.

    Call it once, before anything is read: the tokenizer and the stores both need the whole text. Raises
    ``UserError`` when standard input is asked for twice.
    """
    asked = sum(source.path == "-" for split in SPLITS for source in config.sources(split))
    if asked > 1:
        raise UserError(
            "data: '-' is given more than once, but standard input can be read only once; use files"
        )
    if not asked:
        return config
    folder = (cache or cache_folder()) / "stdin"
    changed: dict[str, Any] = {
        split: tuple(one.model_copy(update={"path": settle(one.path, folder)}) for one in sources)
        for split in SPLITS
        if (sources := config.sources(split))
    }
    return config.model_copy(update=changed)


def settle(path: str, folder: Path) -> str:
    """The same path, or for ``-`` a copy of stdin in ``folder``, so that it can be read more than once."""
    if path != "-":
        return path
    taken = folder / f"stdin-{os.getpid()}.tsv"
    with writing(taken) as temporary, temporary.open("wb") as copy:
        shutil.copyfileobj(standard_input(), copy)
    return str(taken.replace(folder / f"stdin-{sha256(taken)[:16]}.tsv"))


def _nonempty(path: str, bad: Bad) -> Iterator[tuple[int, str]]:
    empty = True
    for line in open_lines(path, bad):
        empty = False
        yield line
    if empty:
        raise UserError(f"{shown(path)} is empty; it should have a source and a target text on each line")


def _parallel(first: str, second: str, bad: Bad) -> Iterator[Row]:
    """Two files of which line ``i`` of one is the translation of line ``i`` of the other."""
    counts = [0, 0]
    for one, other in zip_longest(_nonempty(first, bad), _nonempty(second, bad)):
        counts[0] += one is not None
        counts[1] += other is not None
        if one is not None and other is not None:
            yield f"{shown(first)}:{one[0]}", one[1], other[1]
    if counts[0] != counts[1]:
        bad(
            f"{shown(first)}:{min(counts) + 1}",
            f"{shown(first)} has {counts[0]:,} lines but {shown(second)} has {counts[1]:,};"
            " each line of one must be the translation of the same line of the other",
        )


def _table(
    lines: Iterator[tuple[int, str]],
    path: str,
    names: tuple[str, str] | None,
    bad: Bad,
) -> Iterator[Row]:
    """Tab-separated columns. A quotation mark is a character like any other."""
    columns: tuple[int, int] | None = None
    width = 0
    for number, line in lines:
        where = f"{shown(path)}:{number}"
        if not line.strip():
            yield where, "", ""
            continue
        cells = line.split("\t")
        if columns is None:
            columns, is_header = _columns(cells, names, where)
            width = len(cells)
            if is_header:
                continue
        if len(cells) == width:
            yield where, cells[columns[0]], cells[columns[1]]
        else:
            bad(where, f"{counted(len(cells), 'column')} where the first line has {width}; {_TAB_ADVICE}")


_TAB_ADVICE = "columns are separated by one tab, and a tab inside a text must be replaced by a space"


def _columns(cells: Sequence[str], names: tuple[str, str] | None, where: str) -> tuple[tuple[int, int], bool]:
    """The places of source and target in a first line, and whether that line is a header."""
    if len(cells) < 2:
        stop(
            where,
            "one column where two are needed; give a tab-separated file with source and target,"
            " JSON lines (.jsonl), or two files as 'a.ko+a.en'",
        )
    header = [cell.strip() for cell in cells]
    known = _known(header)
    if names is None:
        chosen = _two_texts(known, where) if len(known) >= 2 else None
        return ((header.index(chosen[0]), header.index(chosen[1])), True) if chosen else ((0, 1), False)
    missing = [name for name in names if name not in header]
    if not missing:
        return (header.index(names[0]), header.index(names[1])), True
    if len(missing) == 1 or len(known) >= 2:
        stop(
            where,
            f"no column {missing[0]!r}; the header names {', '.join(header)}{suggest(missing[0], header)}",
        )
    if len(cells) > 2:
        stop(
            where,
            f"{len(cells)} columns and no header that names {names[0]!r} and {names[1]!r}; add a header line",
        )
    return (0, 1), False


def _known(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name in ROLES or name in LANGUAGES]


def _two_texts(known: Sequence[str], where: str) -> tuple[str, str]:
    """Which of the known names are source and target: by role, else the only two in their order."""
    roles = {ROLES[name]: name for name in known if name in ROLES}
    if len(roles) == 2:
        return roles["source"], roles["target"]
    if len(known) != 2:
        stop(where, f"the texts {', '.join(known)} are here; say which two with data.source and data.target")
    return known[0], known[1]


def _json_lines(
    lines: Iterator[tuple[int, str]],
    path: str,
    names: tuple[str, str] | None,
    bad: Bad,
) -> Iterator[Row]:
    """One JSON object a line, with the texts in it or in its ``translation``."""
    for number, line in lines:
        where = f"{shown(path)}:{number}"
        if not line.strip():
            yield where, "", ""
            continue
        try:
            record = _record(line)
            names = names or _fields(record, where)
            pair = _text(record, names[0]), _text(record, names[1])
        except _BadLineError as error:
            bad(where, str(error))
        else:
            yield where, *pair


class _BadLineError(Exception):
    """What is wrong with one line of JSON."""


def _record(line: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = (
            f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        )
        raise _BadLineError(f"not valid JSON ({reason}); each line must be one object") from None
    if isinstance(record, dict):
        inner = record.get("translation", record)
        if isinstance(inner, dict):
            return inner
        if not isinstance(inner, str):
            raise _BadLineError(f"'translation' is a {_kind(inner)}; expected an object with the two texts")
        return record
    raise _BadLineError(
        f'a {_kind(record)}; each line must be one JSON object such as {{"ko": "…", "en": "…"}}'
    )


def _fields(record: Mapping[str, Any], where: str) -> tuple[str, str]:
    known = _known(record)
    if len(known) >= 2:
        return _two_texts(known, where)
    texts = [name for name, value in record.items() if isinstance(value, str)]
    if len(texts) != 2:
        stop(
            where,
            f"cannot tell which of {_listing(record)} are the texts; set data.source and data.target",
        )
    return texts[0], texts[1]


def _text(record: Mapping[str, Any], name: str) -> str:
    if name not in record:
        raise _BadLineError(
            f"no field {name!r}; this line has {_listing(record)}{suggest(name, tuple(record))}"
        )
    value = record[name]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _BadLineError(f"field {name!r} is a {_kind(value)}; expected text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _BadLineError(
            f"field {name!r} holds half a character (a lone surrogate such as \\ud83d)"
        ) from None
    return value


def _listing(record: Mapping[str, Any]) -> str:
    return ", ".join(record) or "no fields"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "truth value"
    return {dict: "object", list: "list", str: "text", int: "number", float: "number"}.get(
        type(value), "null"
    )
