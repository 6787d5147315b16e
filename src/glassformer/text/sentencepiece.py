"""The tokenizers of an OPUS translation folder: a sentencepiece model per language and one table of ids."""

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from glassformer.base.errors import UserError
from glassformer.base.files import write_bytes
from glassformer.base.optional import needed
from glassformer.text.opening import check_ids, read_json
from glassformer.text.places import Placed

_SPACE = "▁"
_LANGUAGE = re.compile(r">>.*?<<", re.DOTALL)
_SPECIALS = ("</s>", "<unk>", "<pad>")
_BESIDE = ("target_vocab.json", "tokenizer_config.json", "special_tokens_map.json")


@dataclass(frozen=True, eq=False)
class MarianTokenizer:
    """One side of an OPUS folder: sentencepiece cuts, ``vocab.json`` numbers (Tiedemann & Thottingal 2020).

    Ids and texts are those of ``transformers.MarianTokenizer``, but for special tokens written in the text,
    which are ordinary text here. A target begins with the padding id. ``files`` are those of the folder.
    """

    cutter: Any
    ids: Mapping[str, int]
    files: Mapping[str, bytes]
    side: str
    kind = "sentencepiece"

    @property
    def pad_id(self) -> int:
        """The id that fills a row up."""
        return self.ids["<pad>"]

    @property
    def bos_id(self) -> int:
        """The id a target begins with: Marian's models use the padding."""
        return self.ids["<pad>"]

    @property
    def eos_id(self) -> int:
        """The id a sentence ends with."""
        return self.ids["</s>"]

    @property
    def unk_id(self) -> int | None:
        """The id of what the vocabulary cannot write."""
        return self.ids["<unk>"]

    mask_id = None
    opening: tuple[int, ...] = ()
    between: tuple[int, ...] = ()

    @property
    def closing(self) -> tuple[int, ...]:
        """A text is closed by the end."""
        return (self.eos_id,)

    def specials_ids(self) -> frozenset[int]:
        """All ids that stand for no text of their own."""
        return self._silent

    def continues(self) -> np.ndarray:
        """For each id whether its piece goes on the word of the piece before it."""
        found = np.zeros(self.vocab_size, dtype=bool)
        for piece, number in self.ids.items():
            found[number] = (
                number not in self._silent and not piece.startswith(_SPACE) and piece[:1].isalnum()
            )
        return found

    @cached_property
    def vocab_size(self) -> int:
        """How many ids there are, special ones included."""
        return 1 + max(self.ids.values())

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of everything that decides its ids."""
        table = json.dumps(self.ids, sort_keys=True, ensure_ascii=False).encode()
        return hashlib.sha256(self.files[f"{self.side}.spm"] + table).hexdigest()

    @cached_property
    def _piece_of(self) -> dict[int, str]:
        return {number: piece for piece, number in self.ids.items()}

    @cached_property
    def _silent(self) -> frozenset[int]:
        return frozenset(self.ids[name] for name in _SPECIALS)

    def encode(self, text: str) -> list[int]:
        """The ids of a text; ``>>xxx<<`` in front names the target language where the vocabulary has it."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of many texts."""
        cut = [self._language(text) for text in texts]
        unknown = self.ids["<unk>"]
        rows = self.cutter.encode([text for _, text in cut], out_type=str)
        return [
            [*code, *(self.ids.get(piece, unknown) for piece in row)]
            for (code, _), row in zip(cut, rows, strict=True)
        ]

    def encode_running(self, pieces: Sequence[tuple[str, bool]]) -> list[list[int]]:
        """The ids of pieces of documents; here each piece is a text of its own, as in translation."""
        return self.encode_batch([text for text, _ in pieces])

    def encode_places(self, texts: Sequence[str]) -> list[Placed]:  # noqa: ARG002
        """Not known here: sentencepiece cuts a text that it has changed, and keeps no account of it."""
        raise UserError(
            f"{self.side}.spm does not tell where its pieces stand in a text, so no answer can be cut out; "
            "use a model whose folder has a tokenizer.json"
        )

    def _language(self, text: str) -> tuple[list[int], str]:
        """The id of the language code in front, if there is one, and the text after it."""
        found = _LANGUAGE.match(text)
        if found is None or found[0] not in self.ids:
            return [], text
        return [self.ids[found[0]]], text[found.end() :]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; special tokens are dropped."""
        pieces = [
            self._piece_of[number]
            for number in ids
            if number in self._piece_of and number not in self._silent
        ]
        text: str = self.cutter.decode_pieces(pieces)
        return text.replace(_SPACE, " ").strip()

    def decode_batch(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """The texts of many rows of ids."""
        return [self.decode(row) for row in ids]

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each id's piece, for a reader."""
        return [self._piece_of.get(number, "") for number in ids]

    def words(self, text: str) -> list[int]:
        """For each id of ``encode(text)`` the index of the word in ``text.split()`` it belongs to."""
        code, rest = self._language(text)
        # Pieces spell the normalized text, and a word in it is as long as alone; offsets would need protobuf.
        words = self.cutter.encode(rest.split(), out_type=str)
        ends = list(accumulate(len("".join(word)) for word in words))
        starts = accumulate((len(piece) for piece in self.cutter.encode(rest, out_type=str)), initial=0)
        first = 1 if code and rest[:1].isspace() else 0
        last = max(len(text.split()) - 1, 0)
        return [0] * len(code) + [min(first + bisect_right(ends, start), last) for start in [*starts][:-1]]

    def save(self, folder: Path, stem: str = "tokenizer") -> None:
        """Write the folder's files again, both sides together, whatever the stem."""
        del stem
        for name, content in self.files.items():
            write_bytes(folder / name, content)


def is_marian(folder: Path) -> bool:
    """Whether the folder holds sentencepiece models for two languages."""
    return (folder / "source.spm").exists()


def load(folder: Path) -> tuple[MarianTokenizer, MarianTokenizer]:
    """The source and target tokenizers of an OPUS folder.

    Raises UserError when a file is missing or broken, or when the package ``sentencepiece`` is not installed.
    """
    needed = ("source.spm", "target.spm", "vocab.json")
    if missing := [name for name in needed if not (folder / name).is_file()]:
        raise UserError(f"{folder}: {', '.join(missing)} missing; an OPUS folder has {', '.join(needed)}.")
    names = (*needed, *(name for name in _BESIDE if (folder / name).is_file()))
    files = {name: (folder / name).read_bytes() for name in names}
    separate = read_json(folder / "tokenizer_config.json").get("separate_vocabs", False)
    source_ids = _table(folder / "vocab.json")
    target_ids = _table(folder / "target_vocab.json") if separate else source_ids
    return (
        MarianTokenizer(read_model(folder / "source.spm"), source_ids, files, "source"),
        MarianTokenizer(read_model(folder / "target.spm"), target_ids, files, "target"),
    )


def _table(path: Path) -> dict[str, int]:
    """The ids of a vocab.json, checked."""
    table = read_json(path)
    if not all(isinstance(number, int) and number >= 0 for number in table.values()):
        raise UserError(f"{path}: every piece needs a whole number as its id.")
    if missing := [name for name in _SPECIALS if name not in table]:
        raise UserError(
            f"{path}: no {', '.join(missing)} in it; the table of an OPUS folder has all of them."
        )
    check_ids(path, table)
    return table


def read_model(path: Path) -> Any:
    """The sentencepiece model in a file; UserError for what is none, and without the package."""
    with needed(f"{path}: reading it", "sentencepiece", "'glassformer[hub]'"):
        import sentencepiece
    try:
        return sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (RuntimeError, OSError) as error:
        raise UserError(f"{path}: not a sentencepiece model, or cut short; copy it again") from error
