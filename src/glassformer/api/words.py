"""Word vectors opened for use, of a file or of a model: what is near a word, how near, and analogies."""

from __future__ import annotations

import difflib
import heapq
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from glassformer.api.opened import Opened
from glassformer.base.errors import UserError
from glassformer.evaluate.words import AnalogyScores, PairScores, analogy_scores, pair_scores
from glassformer.hub import folder as hub
from glassformer.hub.remote import is_remote
from glassformer.hub.tables import vectors_of, words_of
from glassformer.hub.vectors import Vectors, read, write
from glassformer.text.normalize import compose
from glassformer.text.tokenizer import Tokenizer

_SPELLINGS = 100_000  # of a large vocabulary only the first words are offered
_NEAR = 0.7


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A word and the cosine of its vector with what was asked for."""

    word: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A question, as it was typed, and the words that are its answer, the nearest first."""

    question: str
    found: tuple[Neighbour, ...]

    def as_json(self) -> dict[str, Any]:
        """``question`` and ``neighbours``, of which each has ``word`` and ``similarity``."""
        found = [{"word": one.word, "similarity": one.similarity} for one in self.found]
        return {"question": self.question, "neighbours": found}

    def lines(self) -> Iterator[str]:
        """The question, then a word a line."""
        yield self.question
        for one in self.found:
            yield f"  {one.similarity:.4f}  {one.word}"


class Words:
    """Vectors of words. Words are looked up in form NFC, and by a model also as its tokenizer writes them.

    >>> import glassformer as gf                                       # doctest: +SKIP
    >>> words = gf.load_words("runs/words")                            # doctest: +SKIP
    >>> words.analogy(["서울", "일본"], ["한국"])[0].word               # doctest: +SKIP
    '도쿄'
    """

    def __init__(self, vectors: Vectors, where: str, tokenizer: Tokenizer | None = None) -> None:
        self._vectors = vectors
        self.where = where
        self._tokenizer = tokenizer

    @property
    def vectors(self) -> Vectors:
        """All words and their vectors."""
        return self._vectors

    def __len__(self) -> int:
        return len(self.vectors.words)

    def __contains__(self, word: str) -> bool:
        return self._place(word) is not None

    def vector(self, word: str) -> Float[np.ndarray, " dim"]:
        """The vector of a word. Raises UserError for one that is unknown, with the nearest spellings."""
        return self.vectors.matrix[self._known(word)]

    def similarity(self, one: str, other: str) -> float:
        """The cosine of the vectors of two words, from -1 to 1. Raises what ``vector`` raises."""
        unit = self.vectors.unit
        return float(unit[self._known(one)] @ unit[self._known(other)])

    def neighbours(self, word: str | Float[np.ndarray, " dim"], top_k: int = 10) -> list[Neighbour]:
        """The ``top_k`` words nearest to a word, itself not among them, or to a vector."""
        if isinstance(word, str):
            return self.analogy([word], top_k=top_k)
        return self._nearest(word, [], top_k)

    def analogy(self, plus: Sequence[str], minus: Sequence[str] = (), top_k: int = 10) -> list[Neighbour]:
        """The words nearest to the sum of directions ``plus`` less ``minus``, none of these among them.

            Σ v/‖v‖ over plus - Σ v/‖v‖ over minus                       (Mikolov et al. 2013c, §2)

        Raises UserError for words that are not there, and where there is no word.
        """
        if isinstance(plus, str) or isinstance(minus, str):
            raise UserError("an analogy adds and subtracts lists of words; write ['서울'] for one")
        added, taken = ([self._known(word) for word in words] for words in (plus, minus))
        if not added and not taken:
            raise UserError("there is no word to look for")
        unit = self.vectors.unit
        return self._nearest(unit[added].sum(axis=0) - unit[taken].sum(axis=0), [*added, *taken], top_k)

    def asked(self, terms: Sequence[str], top_k: int = 10) -> Iterator[Neighbours]:
        """Answers to what was typed: the neighbours of each word, or of a sum such as ``서울 - 한국 + 일본``.

        Raises UserError for a sum that cannot be read, and what ``analogy`` raises.
        """
        words = [word for term in terms for word in term.split()]
        if not {"+", "-"} & set(words):
            for word in words:
                yield Neighbours(word, tuple(self.neighbours(word, top_k)))
            return
        plus, minus = _signed(words)
        yield Neighbours(" ".join(words), tuple(self.analogy(plus, minus, top_k)))

    def pairs(self, path: str | Path) -> PairScores:
        """How well similarities agree with a file of pairs: what ``evaluate.words.pair_scores`` gives."""
        return pair_scores(self.vectors, path)

    def analogies(self, path: str | Path) -> AnalogyScores:
        """How many analogies of a file are answered rightly: what ``evaluate.words.analogy_scores`` gives."""
        return analogy_scores(self.vectors, path)

    def export(self, path: str | Path) -> None:
        """Write them to a file in the format that its name ends in: .txt, .vec, .bin, or .kv (gensim).

        The first three may be followed by ``.gz``. Raises what ``hub.vectors.write`` raises.
        """
        write(Path(path), self.vectors)

    def _nearest(
        self, query: Float[np.ndarray, " dim"], without: Sequence[int], top_k: int
    ) -> list[Neighbour]:
        if top_k < 1:
            raise UserError(f"top_k is {top_k}; ask for at least 1 word")
        if query.shape != (self.vectors.dim,):
            raise UserError(
                f"the vector has {len(query)} values; those of {self.where} have {self.vectors.dim}"
            )
        (found,) = self.vectors.nearest(query[None].astype(np.float32), top_k, [without])
        return [Neighbour(self.vectors.words[place], cosine) for place, cosine in found]

    def _place(self, word: str) -> int | None:
        plain = compose(word)
        place = self.vectors.index.get(plain)
        if place is None and self._tokenizer is not None:
            # A tokenizer may fold case, or know the word by another name.
            ids = self._tokenizer.encode(plain)
            place = self._places_of_ids.get(ids[0]) if len(ids) == 1 else None
        return place

    @cached_property
    def _places_of_ids(self) -> dict[int, int]:
        """The row of each id of the tokenizer that is a word."""
        ids = {} if self._tokenizer is None else words_of(self._tokenizer)
        return {number: self.vectors.index[word] for word, number in ids.items()}

    def _known(self, word: str) -> int:
        place = self._place(word)
        if place is not None:
            return place
        near = spellings(compose(word), self.vectors.words[:_SPELLINGS])
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UserError(f"{word!r} is not among the {len(self)} words of {self.where}{hint}")


class WordModel(Words, Opened):
    """A model of words (word2vec) with its tokenizer: its table is what is looked into."""

    objective: ClassVar[str] = "skip_gram"

    def __init__(self, *given: Any, **named: Any) -> None:
        Opened.__init__(self, *given, **named)
        self.where = str(self.folder)
        self._tokenizer = self.tokenizers.source

    @cached_property
    def vectors(self) -> Vectors:
        """All words of its tokenizer and their vectors. Raises what ``vectors_of`` raises."""
        return vectors_of(self.model, self.tokenizers, str(self.folder))


def load_words(path: str | Path, *, trusted: bool = False) -> Words:
    """The vectors of a file, or the input table of any model folder or of the folder of a run.

    ``trusted`` lets gensim open what it saved, which may run anything. Raises UserError for what cannot be
    read (``hub.vectors.read``) and for a model without such a table.
    """
    if not Path(path).is_dir() and not is_remote(Path(path)):
        return Words(read(path, trusted=trusted), str(path))
    opened = hub.load(path)
    if opened.tokenizers is None:
        raise UserError(f"{opened.folder}: no tokenizer lies beside the model, and words are its pieces")
    vectors = vectors_of(opened.model, opened.tokenizers, str(opened.folder))
    return Words(vectors, str(opened.folder), opened.tokenizers.source)


def _signed(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is added and what is taken away: words and signs by turns, where the first sign may be missing."""
    signed = list(words) if words[0] in "+-" else ["+", *words]
    signs, terms = signed[::2], signed[1::2]
    fits = len(signs) == len(terms) and all(sign in "+-" for sign in signs)
    if not fits or any(word in "+-" for word in terms):
        raise UserError(
            f"'{' '.join(words)}' is no sum of words; write words with + or - between them, "
            "as in 서울 - 한국 + 일본"
        )
    by_sign = list(zip(signs, terms, strict=True))
    return [word for sign, word in by_sign if sign == "+"], [word for sign, word in by_sign if sign == "-"]


def spellings(word: str, words: Sequence[str], count: int = 3) -> list[str]:
    """The words written most like ``word``, letter by letter: a Hangul syllable is two or three of them."""
    letters = _letters(word)
    matcher = difflib.SequenceMatcher(None, "", letters, autojunk=False)
    near: list[tuple[float, int]] = []
    for place, other in enumerate(words):
        theirs = _letters(other)
        if abs(len(theirs) - len(letters)) > max(2, len(letters) // 3):
            continue
        matcher.set_seq1(theirs)
        if matcher.quick_ratio() >= _NEAR and (ratio := matcher.ratio()) >= _NEAR:
            near.append((-ratio, place))
    return [words[place] for _, place in heapq.nsmallest(count, near)]


def _letters(word: str) -> str:
    return unicodedata.normalize("NFD", word.lower())
