"""A tokenizer that lives in one ``tokenizer.json``: ours or another's, run by the ``tokenizers`` library."""

import hashlib
import json
import os
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from glassformer.base.files import whole, write_text
from glassformer.text.frame import Frame, frame_of
from glassformer.text.normalize import compose
from glassformer.text.places import Placed, placed
from glassformer.text.running import going_on
from glassformer.text.scheme import CHARACTER

_PARALLEL = "TOKENIZERS_PARALLELISM"
# What an encoder is handed; without the list transformers leaves the segments of a pair out.
_WITH_SEGMENTS = ["input_ids", "token_type_ids", "attention_mask"]
_KINDS = {"BPE": "bpe", "WordPiece": "wordpiece", "Unigram": "unigram", "WordLevel": "word"}


@dataclass(frozen=True)
class Specials:
    """The ids that stand for no text: padding, begin, end; where there are any, the unknown and the mask."""

    pad_id: int
    bos_id: int
    eos_id: int
    unk_id: int | None
    mask_id: int | None = None


@dataclass(frozen=True, eq=False)
class FastTokenizer:
    """A ``tokenizers.Tokenizer`` behind the protocol of ``text/tokenizer.py``.

    ``settings`` is the ``tokenizer_config.json`` it came with, or is saved with.
    """

    backend: tokenizers.Tokenizer
    specials: Specials
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Special tokens written in the text are ordinary text, and nothing is cut off or filled up."""
        self.backend.encode_special_tokens = True
        self.backend.no_truncation()
        self.backend.no_padding()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor: the library forgets what __post_init__ set."""
        return FastTokenizer, (self.backend, self.specials, self.settings)

    @property
    def pad_id(self) -> int:
        """The id that fills a row up."""
        return self.specials.pad_id

    @property
    def bos_id(self) -> int:
        """The id a target begins with."""
        return self.specials.bos_id

    @property
    def eos_id(self) -> int:
        """The id a sentence ends with."""
        return self.specials.eos_id

    @property
    def unk_id(self) -> int | None:
        """The id of what the vocabulary cannot write."""
        return self.specials.unk_id

    @property
    def mask_id(self) -> int | None:
        """The id that hides a piece, where there is one."""
        return self.specials.mask_id

    @cached_property
    def _frame(self) -> Frame:
        return frame_of(self.backend)

    @property
    def opening(self) -> tuple[int, ...]:
        """The ids that its template puts before a text."""
        return self._frame.opening

    @property
    def closing(self) -> tuple[int, ...]:
        """The ids that its template puts after a text."""
        return self._frame.closing

    @property
    def between(self) -> tuple[int, ...]:
        """The ids that its template puts between two texts that go together."""
        return self._frame.between

    def specials_ids(self) -> frozenset[int]:
        """All ids that stand for no text of their own."""
        added = self.backend.get_added_tokens_decoder()
        named = {number for number in asdict(self.specials).values() if number is not None}
        return frozenset(named | {number for number, token in added.items() if token.special})

    @cached_property
    def vocab_size(self) -> int:
        """How many ids there are, special ones included."""
        return 1 + max(self.backend.get_vocab(with_added_tokens=True).values())

    @cached_property
    def _parts(self) -> dict[str, Any]:
        # The library reads scores back to within a rounding error, which must not look like a change.
        parts: dict[str, Any] = json.loads(
            self.backend.to_str(), parse_float=lambda written: round(float(written), 9)
        )
        return parts

    @cached_property
    def kind(self) -> str:
        """Its name in a recipe: word, character, bpe, byte_bpe, wordpiece or unigram."""
        kind = _KINDS[self._parts["model"]["type"]]
        if kind == "bpe" and self._by_bytes:
            return "byte_bpe"
        if kind == "word" and json.dumps(CHARACTER) in json.dumps(self._parts["pre_tokenizer"]):
            return "character"
        return kind

    @cached_property
    def jamo(self) -> bool:
        """Whether text is taken apart by its normalizer (NFD), so that decoding composes it again."""
        return '"NFD"' in json.dumps(self._parts["normalizer"])

    @cached_property
    def _by_bytes(self) -> bool:
        return '"ByteLevel"' in json.dumps(self._parts["decoder"])

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of everything that decides its ids."""
        specials = asdict(self.specials)
        if self.mask_id is None:
            del specials["mask_id"]
        text = json.dumps([self._parts, specials], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _never(self) -> dict[int, int]:
        """Special ids that text must not reach, each with the id that takes its place."""
        stand_in = self.specials.unk_id
        if stand_in is None:
            return {}
        added = self.backend.get_added_tokens_decoder()
        return {number: stand_in for number, token in added.items() if token.special}

    def _plain(self, ids: list[int]) -> list[int]:
        never = self._never
        return ids if never.keys().isdisjoint(ids) else [never.get(number, number) for number in ids]

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with no special tokens added; ``</s>`` in the text is ordinary text."""
        with _whole([text]):
            return self._plain(self.backend.encode(text, add_special_tokens=False).ids)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of many texts, on all cores; UserError for one with half a character."""
        with _whole(texts):
            found = self.backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [self._plain(encoding.ids) for encoding in found]

    def encode_places(self, texts: Sequence[str]) -> list[Placed]:
        """The ids of many texts, and which characters of its text each stands for."""
        with _whole(texts):
            found = self.backend.encode_batch(list(texts), add_special_tokens=False)
        return [
            placed(text, self._plain(one.ids), one.offsets) for text, one in zip(texts, found, strict=True)
        ]

    @cached_property
    def _marked(self) -> tokenizers.Tokenizer:
        other = tokenizers.Tokenizer.from_str(self.backend.to_str())
        other.encode_special_tokens = False
        return other

    def encode_marked(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of a text, special tokens in it read as such, and where each begins and ends in it."""
        found = self._marked.encode(text, add_special_tokens=False)
        return found.ids, found.offsets

    def marks(self) -> dict[str, int]:
        """Its special tokens, each with its id."""
        added = self.backend.get_added_tokens_decoder()
        return {token.content: number for number, token in added.items() if token.special}

    def with_settings(self, **settings: Any) -> "FastTokenizer":
        """The same tokenizer, which says more in the ``tokenizer_config.json`` that it is saved with."""
        return FastTokenizer(self.backend, self.specials, self._described() | settings)

    @cached_property
    def _going_on(self) -> tokenizers.Tokenizer:
        return going_on(self.backend)

    def encode_running(self, pieces: Sequence[tuple[str, bool]]) -> list[list[int]]:
        """The ids of pieces of documents; with each whether it begins one, else it goes on with the last.

        Joined they are the ids of the whole if it was cut before single spaces between words, where no piece
        of a vocabulary goes on.
        """
        begun = iter(self.encode_batch([text for text, begins in pieces if begins]))
        rest = [text for text, begins in pieces if not begins]
        gone_on = iter(self._going_on.encode_batch_fast(rest, add_special_tokens=False) if rest else ())
        return [next(begun) if begins else self._plain(next(gone_on).ids) for _, begins in pieces]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; special tokens are dropped."""
        return self._composed(self.backend.decode(list(ids), skip_special_tokens=True))

    def decode_batch(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """The texts of many rows of ids."""
        texts = self.backend.decode_batch([list(row) for row in ids], skip_special_tokens=True)
        return [self._composed(text) for text in texts]

    def _composed(self, text: str) -> str:
        return compose(text) if self.jamo else text

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each id's piece for a reader: spaces as ``▁``, jamo as syllables, lone bytes as <0x..>."""
        return [self._readable(self.backend.id_to_token(number)) for number in ids]

    def _readable(self, piece: str | None) -> str:
        if piece is None:
            return ""
        shown = _text_of_bytes(piece) if self._by_bytes else piece
        return self._composed(shown.replace(" ", "▁"))

    def continues(self) -> np.ndarray:
        """For each id whether its piece goes on the word of the piece before it: ``vocab_size`` of them.

        A word begins at a space, a sign stands for itself, and where words are cut without spaces ("##") the
        mark says it.
        """
        pieces = [self.backend.id_to_token(number) for number in range(self.vocab_size)]
        specials = self.specials_ids()
        spaced = self._by_bytes or any(piece and piece[0] in " ▁" for piece in pieces)
        return np.array(
            [
                number not in specials and piece is not None and self._goes_on(piece, spaced)
                for number, piece in enumerate(pieces)
            ],
            dtype=bool,
        )

    def _goes_on(self, piece: str, spaced: bool) -> bool:
        if self.kind == "wordpiece" and piece.startswith("##") and len(piece) > len("##"):
            return not piece[2].isspace()
        if not spaced:
            return False
        shown = _text_of_bytes(piece) if self._by_bytes else piece
        return shown[:1] not in {"", "▁"} and not shown[0].isspace() and any(map(_of_words, shown))

    def words(self, text: str) -> list[int]:
        """For each id of ``encode(text)`` the index of the word in ``text.split()`` it belongs to.

        Spaces alone belong to the word after them, at the end to the last.
        """
        starts, ends = [], []
        for word in re.finditer(r"\S+", text):
            starts.append(word.start())
            ends.append(word.end())
        last = max(len(starts) - 1, 0)
        offsets = self.backend.encode(text, add_special_tokens=False).offsets
        return [min(bisect_right(ends, start), last) for start, _ in offsets]

    def save(self, folder: Path, stem: str = "tokenizer") -> None:
        """Write ``{stem}.json``; for stem "tokenizer" also what ``transformers.AutoTokenizer`` asks for.

        What opens there gives the same ids with the end-of-sentence id added.
        """
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / f"{stem}.json", self.backend.to_str(pretty=True) + "\n")
        if stem != "tokenizer":
            return
        write_text(folder / "tokenizer_config.json", _json(self._described()))
        write_text(folder / "special_tokens_map.json", _json(self.special_names()))

    def _described(self) -> dict[str, Any]:
        """What ``tokenizer_config.json`` says."""
        return self.settings or {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            "split_special_tokens": True,
            **self.special_names(),
            **({} if self.mask_id is None else {"model_input_names": _WITH_SEGMENTS}),
            "glassformer": {"kind": self.kind, "after_decode": "NFC" if self.jamo else None},
        }

    def special_names(self) -> dict[str, str]:
        """What ``bos_token``, ``eos_token`` and the others are."""
        ids = {
            "pad_token": self.pad_id,
            "bos_token": self.bos_id,
            "eos_token": self.eos_id,
            "unk_token": self.unk_id,
        }
        if self.mask_id is not None:
            ids["mask_token"] = self.mask_id
            ids |= {"cls_token": self.bos_id, "sep_token": self.eos_id}
        names = {key: self.backend.id_to_token(number) for key, number in ids.items() if number is not None}
        return {key: name for key, name in names.items() if name is not None}


def _of_words(letter: str) -> bool:
    """Whether it is a letter, a digit or a mark on one; signs, emoji and spaces are none."""
    return unicodedata.category(letter)[0] in "LNM"


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _letters_of_bytes() -> dict[str, int]:
    """The byte behind each printable letter of byte-level pieces (Radford et al. 2019, released code)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTE_OF_LETTER = _letters_of_bytes()


@contextmanager
def _whole(texts: Sequence[str]) -> Iterator[None]:
    """Around the library, which says of half a character only that it takes no such type: UserError."""
    try:
        yield
    except TypeError:
        for text in texts:
            whole(text, f"the text {text[:40]!r}")
        raise


def _text_of_bytes(piece: str) -> str:
    if any(letter not in _BYTE_OF_LETTER for letter in piece):
        return piece
    raw = bytes(_BYTE_OF_LETTER[letter] for letter in piece)
    shown = raw.decode("utf-8", errors="surrogateescape")
    return "".join(f"<0x{ord(c) - 0xDC00:02X}>" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in shown)


def _quiet_fork() -> None:
    """Let processes fork after a batch was encoded: the child uses one core, and nothing warns or hangs."""
    before: list[str | None] = []

    def alone() -> None:
        before.append(os.environ.get(_PARALLEL))
        os.environ[_PARALLEL] = "false"

    def again() -> None:
        value = before.pop()
        if value is None:
            os.environ.pop(_PARALLEL, None)
        else:
            os.environ[_PARALLEL] = value

    os.register_at_fork(before=alone, after_in_parent=again)


if hasattr(os, "register_at_fork"):
    _quiet_fork()
