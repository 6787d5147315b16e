"""Word vectors in files: the text and the binary format of word2vec, and those that gensim saves."""

from __future__ import annotations

import gzip
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from glassformer.base import files
from glassformer.base.errors import UserError
from glassformer.base.optional import needed
from glassformer.base.report import say
from glassformer.text.normalize import compose

Form = Literal["text", "binary", "gensim"]

SUFFIXES: dict[str, Form] = {".txt": "text", ".vec": "text", ".bin": "binary", ".kv": "gensim"}
"""How a file is written, by the end of its name; the first three may be followed by ``.gz``."""

_HEADER = re.compile(r"\s*(\d{1,12})\s+(\d{1,12})\s*")
_PICKLE = b"\x80"  # no UTF-8 begins so
_CHUNK = 1 << 20
_LONGEST_WORD = 10_000  # bytes; what goes on without a space is not a binary file


@dataclass(frozen=True)
class Vectors:
    """Words in form NFC, each once, and a vector for each."""

    words: tuple[str, ...]
    matrix: Float[np.ndarray, "words dim"]

    def __post_init__(self) -> None:
        if len(self.words) != len(self.matrix):
            raise UserError(f"there are {len(self.words)} words and {len(self.matrix)} vectors")

    @property
    def dim(self) -> int:
        """How many values a vector has."""
        return int(self.matrix.shape[1])

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def unit(self) -> Float[np.ndarray, "words dim"]:
        """The same vectors made as long as 1, so that their products are cosines; zero stays zero."""
        return unit(self.matrix)

    def nearest(
        self,
        queries: Float[np.ndarray, "queries dim"],
        count: int,
        without: Sequence[Sequence[int]],
        first: int | None = None,
    ) -> list[list[tuple[int, float]]]:
        """For each query the ``count`` rows of greatest cosine, best first, with it.

        ``without`` are rows that are no answer to it; only the ``first`` words are looked at.
        """
        cosines = unit(queries) @ self.unit[:first].T
        found = []
        for row, never in zip(cosines, without, strict=True):
            row[[place for place in never if place < len(row)]] = -np.inf
            best = np.argpartition(-row, min(count, len(row)) - 1)[:count]
            best = best[np.lexsort((best, -row[best]))]
            found.append([(int(place), float(row[place])) for place in best if row[place] > -np.inf])
        return found


def unit(matrix: Float[np.ndarray, "rows dim"]) -> Float[np.ndarray, "rows dim"]:
    """Rows as long as 1; a row of zeros stays one."""
    squares = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
    lengths = np.sqrt(np.where(squares > 0, squares, 1)).astype(np.float32)
    return (matrix / lengths[:, None]).astype(np.float32)


# --- in ----------------------------------------------------------------------------------------------------


def read(path: Path | str, *, trusted: bool = False) -> Vectors:
    """The vectors of a file, whichever its format, also gzip; words that differ in NFC alone become one.

    What gensim saved is a pickle, which may run anything when it is opened: it is opened by gensim, and only
    when ``trusted``. Raises UserError, with the line or the number of the word, for a file without a header,
    wrong numbers of values, values that are no numbers, words twice, other text than UTF-8, a file cut short.
    """
    with files.opened(path) as file:
        start = file.readline(_CHUNK)
        form = _form(start, file)
    if form == "gensim":
        return _through_gensim(Path(path), trusted)
    return _read_text(path) if form == "text" else _read_binary(path)


def _form(start: bytes, file: io.BufferedIOBase) -> Form:
    """What a file is, by its first bytes: in text, numbers follow the first word."""
    if start.startswith(_PICKLE):
        return "gensim"
    header = _HEADER.fullmatch(start.decode("utf-8", errors="replace"))
    if header is None:
        return "text"  # which will say what is wrong with it
    sample = file.read(_LONGEST_WORD).partition(b" ")[2]
    first = sample.partition(b" ")[0].partition(b"\n")[0]
    return "text" if _is_number(first.decode("latin-1")) or _is_plain(sample) else "binary"


def _is_plain(sample: bytes) -> bool:
    """Whether it can be part of a text; a letter may be cut at its end."""
    text = sample.decode("utf-8", errors="ignore")
    whole = len(sample) - len(text.encode()) < len("한".encode())
    return whole and not any(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n" for sign in text)


class _Reading:
    """Words and vectors as they come, checked; ``where`` says of a row in which place of the file it is."""

    def __init__(self, name: str, header: str, where: Callable[[int], str]) -> None:
        match = _HEADER.fullmatch(header)
        if match is None:
            raise UserError(f"{name}:1: {_without_header(header)}")
        self.name, self.where = name, where
        self.count, self.dim = int(match[1]), int(match[2])
        if not self.count or not self.dim:
            raise UserError(f"{name}:1: the header says {self.count} words of {self.dim} values")
        try:
            self.matrix = np.empty((self.count, self.dim), np.float32)
        except (MemoryError, ValueError):
            raise UserError(
                f"{name}:1: the header says {self.count} words of {self.dim} values, which does not fit "
                "into memory"
            ) from None
        self.rows: dict[str, int] = {}
        self.written: list[str] = []

    def add(self, word: str) -> int:
        """The row for the vector of the next word."""
        row = len(self.written)
        if row == self.count:
            self.fail(row, f"more follows, but the header says {self.count} words")
        if not word:
            self.fail(row, "there is no word before the values")
        self.written.append(word)
        plain = word if unicodedata.is_normalized("NFC", word) else compose(word)
        before = self.rows.setdefault(plain, row)
        if before != row and self.written[before] == word:
            self.fail(row, f"the word {word!r} stands here again, first in {self.name}:{self.where(before)}")
        return row

    def fail(self, row: int, problem: str) -> None:
        """Raises UserError for the word of a row."""
        raise UserError(f"{self.name}:{self.where(row)}: {problem}")

    def done(self) -> Vectors:
        """What was read, when it is whole."""
        if len(self.written) < self.count:
            raise UserError(
                f"{self.name}: ends after {len(self.written)} words, but the header says {self.count}; "
                "copy it again, or correct the header"
            )
        bad = np.flatnonzero(~np.isfinite(self.matrix).all(axis=1))
        if len(bad):
            word = self.written[bad[0]]
            self.fail(int(bad[0]), f"the vector of {word!r} has values that are not finite numbers")
        if len(self.rows) == self.count:
            return Vectors(tuple(self.rows), self.matrix)
        same = self.count - len(self.rows)
        say(f"{self.name}: {same} words differ from others in Unicode form alone; the first of each is taken")
        return Vectors(tuple(self.rows), self.matrix[list(self.rows.values())])


def _without_header(line: str) -> str:
    fields = line.split()
    said = "the header is missing"
    if len(fields) > 2:
        said += f": this line has {len(fields) - 1} values after {fields[0][:40]!r}"
        return f"{said}; put the numbers of words and of values first, as in '50000 {len(fields) - 1}'"
    return f"{said}; a file of vectors begins with its numbers of words and of values, as in '50000 100'"


def _read_text(path: Path | str) -> Vectors:
    name, reading = files.shown(path), None
    for number, line in files.open_lines(path):
        if reading is None:
            reading = _Reading(name, line, lambda row: f"{row + 2}")
        elif line.strip():
            _take(reading, line.rstrip(" \t").split(" "))
        elif len(reading.written) < reading.count:
            raise UserError(f"{name}:{number}: the line is empty")
    if reading is None:
        raise UserError(f"{name}: is empty")
    return reading.done()


def _take(reading: _Reading, fields: list[str]) -> None:
    row = reading.add(fields[0])
    if len(fields) != reading.dim + 1:
        reading.fail(row, f"{len(fields) - 1} values follow {fields[0]!r}, but the header says {reading.dim}")
    try:
        with np.errstate(over="ignore"):  # infinity is told when all is read
            reading.matrix[row] = np.array(fields[1:], np.float32)
    except ValueError:
        wrong = next(field for field in fields[1:] if not _is_number(field))
        reading.fail(row, f"{wrong!r} is not a number")


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_binary(path: Path | str) -> Vectors:
    name = files.shown(path)
    with files.opened(path) as file:
        header = file.readline(_CHUNK).decode("utf-8", errors="replace")
        reading = _Reading(name, header, lambda row: f"word {row + 1}")
        for word, values in _cut(file, 4 * reading.dim):
            if not values and len(reading.written) < reading.count:
                break
            row = reading.add(_decoded(reading, word))
            reading.matrix[row] = np.frombuffer(values, "<f4")
    return reading.done()


def _cut(file: io.BufferedIOBase, width: int) -> Iterator[tuple[bytes, bytes]]:
    """The bytes of each word and of its vector; what is left at the end comes as a word without a vector."""
    held, at = b"", 0
    while True:
        space = held.find(b" ", at)
        end = space + 1 + width
        if space >= 0 and end <= len(held):
            # The original writes a line end behind each vector, gensim does not.
            yield held[at:space].lstrip(b"\n"), held[space + 1 : end]
            at = end
        elif (space < 0 and len(held) - at > _LONGEST_WORD) or not (more := file.read(max(_CHUNK, width))):
            break
        else:
            held, at = held[at:] + more, 0
    if rest := held[at : at + _LONGEST_WORD].strip(b"\n"):
        yield rest, b""


def _decoded(reading: _Reading, word: bytes) -> str:
    """The word of the next row; what follows the last row is told as such, whatever it is."""
    row = len(reading.written)
    try:
        return word.decode("utf-8", errors="strict" if row < reading.count else "replace")
    except UnicodeDecodeError:
        shown = word[:20].decode("utf-8", errors="replace")
        raise UserError(
            f"{reading.name}:{reading.where(row)}: {shown!r} is not valid UTF-8; the header does not fit, "
            "or the file is damaged"
        ) from None


def _through_gensim(path: Path, trusted: bool) -> Vectors:
    if not trusted:
        raise UserError(
            f"{path}: is a pickle, as gensim saves its models, and may run anything when it is opened; "
            "if you trust where it comes from, add --trusted (trusted=True), or let gensim write it with "
            "save_word2vec_format"
        )
    keyed = _gensim(path)
    try:
        loaded: Any = keyed.load(str(path))
        held = getattr(loaded, "wv", loaded)
        words, matrix = [str(word) for word in held.index_to_key], np.asarray(held.vectors, np.float32)
    except Exception as error:
        # A pickle can fail in any way.
        raise UserError(f"{path}: gensim does not open it as word vectors ({error})") from None
    reading = _Reading(str(path), f"{len(words)} {matrix.shape[1]}", lambda row: f"word {row + 1}")
    for word in words:
        reading.add(word)
    reading.matrix[:] = matrix[: len(words)]
    return reading.done()


def _gensim(path: Path) -> Any:
    with needed(f"{path}: this format, unlike .txt and .bin,", "gensim", "'glassformer[words]'"):
        from gensim.models import KeyedVectors
    return KeyedVectors


# --- out ---------------------------------------------------------------------------------------------------


def form_of(path: Path) -> Form:
    """The format that the name of a file asks for; UserError for a name that asks for none."""
    name = path.name.lower()
    form = SUFFIXES.get(Path(name.removesuffix(".gz")).suffix)
    if form is None or (form == "gensim" and name.endswith(".gz")):
        raise UserError(
            f"{path}: the name says no format; end it in .txt or .vec (text), .bin (binary), one of these "
            "with .gz, or .kv (gensim)"
        )
    return form


def write(path: Path, vectors: Vectors) -> None:
    """Write the vectors, whole or not at all, as the end of the file's name says (``SUFFIXES``).

    Text has the shortest digits from which the same float32 is read again. Raises UserError for a name that
    says no format and for words with spaces in them, which word2vec's formats cannot hold, and RunError when
    the disk refuses.
    """
    form = form_of(path)
    if form == "gensim":
        keyed = _gensim(path)(vectors.dim)
        keyed.add_vectors(list(vectors.words), vectors.matrix)
        with files.writing(path) as temporary:
            # All in one file: what gensim puts beside it would not be renamed with it.
            keyed.save(str(temporary), separately=[])
        return
    spaced = next((word for word in vectors.words if not word or word != "".join(word.split())), None)
    if spaced is not None:
        raise UserError(f"{path}: the word {spaced!r} has a space, which this format cannot hold; use .kv")
    with files.writing(path) as temporary, _zipping(temporary, path.name.lower().endswith(".gz")) as file:
        file.write(f"{len(vectors.words)} {vectors.dim}\n".encode())
        for record in _lines(vectors) if form == "text" else _records(vectors):
            file.write(record)


def _lines(vectors: Vectors) -> Iterator[bytes]:
    for word, row in zip(vectors.words, vectors.matrix.astype(np.float32), strict=True):
        yield f"{word} {' '.join(map(str, row))}\n".encode()


def _records(vectors: Vectors) -> Iterator[bytes]:
    for word, row in zip(vectors.words, vectors.matrix.astype("<f4"), strict=True):
        yield word.encode() + b" " + row.tobytes() + b"\n"


@contextmanager
def _zipping(path: Path, zipped: bool) -> Iterator[Any]:
    """A file to write to. What is zipped bears no name and no time, so that equal content is equal bytes."""
    with path.open("wb") as file:
        if not zipped:
            yield file
            return
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as through:
            yield through
