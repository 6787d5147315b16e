"""What a tokenizer is to every other room, and how one is opened from a model folder."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from glassformer.base.errors import UserError
from glassformer.text import sentencepiece
from glassformer.text.opening import load_fast
from glassformer.text.places import Placed

SOURCE_STEM = "tokenizer"
TARGET_STEM = "tokenizer_target"


@runtime_checkable
class Tokenizer(Protocol):
    """Turns text into ids and back. Its ids are numbered from 0 to ``vocab_size`` - 1."""

    @property
    def kind(self) -> str:
        """Its name in a recipe, such as "bpe"."""
        ...

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special ones included."""
        ...

    @property
    def pad_id(self) -> int:
        """The id that fills a row up."""
        ...

    @property
    def bos_id(self) -> int:
        """The id a target begins with."""
        ...

    @property
    def eos_id(self) -> int:
        """The id a sentence ends with."""
        ...

    @property
    def unk_id(self) -> int | None:
        """The id of what the vocabulary cannot write, where there is one."""
        ...

    @property
    def mask_id(self) -> int | None:
        """The id that hides a piece, where there is one."""
        ...

    @property
    def opening(self) -> tuple[int, ...]:
        """The ids that its template puts before a text: Llama's ``<s>``, BERT's ``[CLS]``."""
        ...

    @property
    def closing(self) -> tuple[int, ...]:
        """The ids that its template puts after a text: BERT's ``[SEP]``."""
        ...

    @property
    def between(self) -> tuple[int, ...]:
        """The ids that its template puts between two texts that go together."""
        ...

    @property
    def fingerprint(self) -> str:
        """A sha256 that is equal when all ids are."""
        ...

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with no special tokens added; text that looks like one is ordinary text."""
        ...

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of many texts."""
        ...

    def encode_running(self, pieces: Sequence[tuple[str, bool]]) -> list[list[int]]:
        """The ids of pieces of documents; with each whether it begins one, else it goes on with the last."""
        ...

    def encode_places(self, texts: Sequence[str]) -> list[Placed]:
        """The ids of many texts, and which characters each stands for; UserError where it cannot know."""
        ...

    def continues(self) -> np.ndarray:
        """For each id whether its piece goes on the word of the piece before it: ``vocab_size`` of them."""
        ...

    def specials_ids(self) -> frozenset[int]:
        """All ids that stand for no text of their own."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, without special tokens; what ``encode`` was given comes back in form NFC."""
        ...

    def decode_batch(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """The texts of many rows of ids."""
        ...

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each id's piece, for a reader."""
        ...

    def words(self, text: str) -> list[int]:
        """For each id of ``encode(text)`` the index of the word in ``text.split()`` it belongs to."""
        ...

    def save(self, folder: Path, stem: str = SOURCE_STEM) -> None:
        """Write it into a model folder."""
        ...


@dataclass(frozen=True)
class TokenizerPair:
    """The tokenizers of the two sides of a translation: one and the same, or one each."""

    source: Tokenizer
    target: Tokenizer
    one_table: bool = False

    @property
    def shared(self) -> bool:
        """Whether an id is the same piece on both sides: one tokenizer, or two that number by one table."""
        return self.one_table or self.source is self.target

    @property
    def fingerprint(self) -> str:
        """A sha256 that is equal when all ids of both sides are."""
        both = f"{self.source.fingerprint} {self.target.fingerprint}"
        return hashlib.sha256(both.encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write both into a model folder, a shared one once."""
        self.source.save(folder)
        if self.source is not self.target:
            self.target.save(folder, TARGET_STEM)


def load_pair(folder: Path) -> TokenizerPair:
    """The tokenizers of a model folder: ours, a Hugging Face one, or an OPUS one (``source.spm``).

    One vocabulary serves both sides unless ``tokenizer_target.json`` is there. Raises UserError for files
    that are missing, broken or do not fit together.
    """
    if sentencepiece.is_marian(folder):
        source, target = sentencepiece.load(folder)
        return TokenizerPair(source, target, one_table=source.ids is target.ids)
    source_tokenizer = load_tokenizer(folder)
    if (folder / f"{TARGET_STEM}.json").exists():
        return TokenizerPair(source_tokenizer, load_tokenizer(folder, TARGET_STEM))
    return TokenizerPair(source_tokenizer, source_tokenizer)


def load_tokenizer(folder: Path, stem: str = SOURCE_STEM) -> Tokenizer:
    """The tokenizer in ``{stem}.json``, or of that side of an OPUS folder; raises UserError as load_pair."""
    # A tokenizer.json beside source.spm can only be one of its two sides.
    if sentencepiece.is_marian(folder):
        source, target = sentencepiece.load(folder)
        return target if stem == TARGET_STEM else source
    path = folder / f"{stem}.json"
    if path.is_file():
        return load_fast(path)
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder to load a tokenizer from.")
    raise UserError(
        f"{folder}: no tokenizer here; a model folder has {stem}.json, or source.spm and vocab.json."
    )
