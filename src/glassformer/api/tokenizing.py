"""Tokenizers on their own: learning one from files, opening one, and looking at what it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from glassformer.base import files
from glassformer.base.errors import UserError
from glassformer.base.report import table
from glassformer.data.sources import files_of, read
from glassformer.hub import gguf, gguf_vocabulary
from glassformer.text.frame import Framing
from glassformer.text.tokenizer import SOURCE_STEM, TARGET_STEM, Tokenizer, TokenizerPair, load_pair
from glassformer.text.train import TokenizerConfig, train, train_pair

Side = Literal["source", "target"]
_OF_PAIRS = (".tsv", ".json", ".jsonl", ".ndjson")
_MARKS = ("tokenizer.json", "source.spm", "manifest.json", "config.json")
SHOWN = 12


@dataclass(frozen=True)
class Description:
    """What a tokenizer is: its kind, its size, its special ids, the last pieces it learned, a text cut up.

    ``cut`` has each piece of the text that was given: its id, the piece, and the word it belongs to, from 0.
    """

    kind: str
    vocab_size: int
    special_ids: dict[str, int | None]
    fingerprint: str
    last_pieces: tuple[str, ...]
    cut: tuple[tuple[int, str, int], ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return asdict(self)

    def __str__(self) -> str:
        """The same for a terminal."""
        ids = ", ".join(f"{name} {number}" for name, number in self.special_ids.items() if number is not None)
        rows = [
            ("kind", self.kind),
            ("pieces", f"{self.vocab_size:,}"),
            ("special ids", ids),
            ("fingerprint", self.fingerprint[:16]),
            ("last pieces", " ".join(self.last_pieces)),
        ]
        shown = table(["tokenizer", ""], rows)
        return shown if self.cut is None else f"{shown}\n\n{table(['id', 'piece', 'word'], self.cut)}"


def train_tokenizer(
    paths: Sequence[str],
    output: str | Path,
    config: TokenizerConfig | None = None,
    *,
    source: str | None = None,
    target: str | None = None,
    frame: Framing = "end",
) -> TokenizerPair:
    """Learn a vocabulary from files and write it into the new folder ``output``.

    ``frame`` is what stands around a text: the ``end`` for a model that translates, ``none`` for one that
    goes on with text, ``both`` ends and a mask for one that fills blanks.

    A file is text, one sentence a line (``-`` is stdin); or pairs as in a recipe's ``data`` (TSV, JSON lines,
    ``a.ko+a.en``), of which both sides are learned from. Separate vocabularies (``shared: false``) need
    pairs. Raises UserError when the files hold no text or the folder is not empty.
    """
    config = config or TokenizerConfig()
    folder = Path(output)
    written = f"({SOURCE_STEM}.json and, for separate vocabularies, {TARGET_STEM}.json are written)"
    check_free(folder, written)
    if config.shared:
        both = train(config, chain.from_iterable(_texts(path, source, target) for path in paths), frame)
        pair = TokenizerPair(both, both)
    else:
        pair = train_pair(config, chain.from_iterable(_pairs(path, source, target) for path in paths), frame)
    with files.building(folder) as new:
        pair.save(new)
    return pair


def load_tokenizer(folder: str | Path, side: Side = "source") -> Tokenizer:
    """The tokenizer of one side in the folder of a model, of a run, or of a tokenizer alone, or a GGUF file.

    Raises UserError for a folder without one.
    """
    root = Path(folder)
    if gguf.is_file(root):
        return gguf_vocabulary.pair_of(gguf.open_file(root)).source
    places = (root, root / "best", root / "last")
    place = next((one for one in places if any((one / name).is_file() for name in _MARKS)), root)
    pair = load_pair(place)
    return pair.source if side == "source" else pair.target


def describe_tokenizer(tokenizer: Tokenizer, text: str | None = None) -> Description:
    """What a tokenizer is, and with a text how it cuts it."""
    ids = [] if text is None else tokenizer.encode(text)
    words = [] if text is None else tokenizer.words(text)
    last = range(max(0, tokenizer.vocab_size - SHOWN), tokenizer.vocab_size)
    return Description(
        kind=tokenizer.kind,
        vocab_size=tokenizer.vocab_size,
        special_ids={name: getattr(tokenizer, f"{name}_id") for name in ("pad", "bos", "eos", "unk")},
        fingerprint=tokenizer.fingerprint,
        last_pieces=tuple(tokenizer.pieces(last)),
        cut=None if text is None else tuple(zip(ids, tokenizer.pieces(ids), words, strict=True)),
    )


def decode_ids(tokenizer: Tokenizer, lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    """The text of each numbered line of ids parted by spaces; a blank line stays blank.

    Raises UserError, with the line's number, for what is not an id of this tokenizer.
    """
    for number, line in lines:
        ids = [_id(word, number, tokenizer.vocab_size) for word in line.split()]
        yield tokenizer.decode(ids)


def _id(word: str, line: int, size: int) -> int:
    if not (word.isascii() and word.isdecimal()):
        raise UserError(f"line {line}: {word!r} is not an id; ids are numbers from 0 to {size - 1}")
    if int(word) >= size:
        raise UserError(f"line {line}: there is no id {word}; this tokenizer has ids from 0 to {size - 1}")
    return int(word)


def check_free(folder: Path, hint: str = "") -> None:
    """Raise UserError, which ends in the hint, unless a new folder can be written there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        advice = f"choose another folder {hint}".rstrip()
        raise UserError(f"{folder}: holds something already and is not overwritten; {advice}")


def _texts(path: str, source: str | None, target: str | None) -> Iterator[str]:
    if _has_pairs(path):
        return chain.from_iterable(_pairs(path, source, target))
    return (line for _, line in files.open_lines(path))


def _pairs(path: str, source: str | None, target: str | None) -> Iterator[tuple[str, str]]:
    if path != "-" and not _has_pairs(path):
        raise UserError(
            f"{path}: separate vocabularies need pairs; give TSV, JSON lines, or two files as a.ko+a.en"
        )
    for example in read(path, source, target):
        yield example.fields["source"], example.fields["target"]


def _has_pairs(path: str) -> bool:
    first, *second = files_of(path)
    return bool(second) or first.removesuffix(".gz").endswith(_OF_PAIRS)
