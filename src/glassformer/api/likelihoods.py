"""How likely lines of text are, or a whole file of any size, ready to be printed."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, tee
from pathlib import Path
from typing import Any

from glassformer.api.generator import Generator
from glassformer.api.lines import lines_of
from glassformer.base import files, report
from glassformer.decode.score import Likelihood

PIECE = 1 << 16
"""Characters of a file that are read at once, at least."""
KILOBYTE = 1000


@dataclass(frozen=True, slots=True)
class Judged:
    """A text, or the name of a file, and how likely it is; of a text also each piece of it."""

    text: str
    likelihood: Likelihood
    pieces: tuple[tuple[str, float], ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """``text`` or ``input``, the figures, None where there is nothing to divide by; ``pieces``."""
        one = self.likelihood
        figures: dict[str, float] = {
            "logp": -one.nats,
            "tokens": one.tokens,
            "bytes": one.bytes,
            "characters": one.characters,
            "perplexity": one.perplexity,
            "bits_per_byte": one.bits_per_byte,
            "bits_per_character": one.bits_per_character,
        }
        told = {name: value if math.isfinite(value) else None for name, value in figures.items()}
        if self.pieces is None:
            return {"input": self.text, **told}
        pieces = [{"piece": piece, "logp": logp} for piece, logp in self.pieces]
        return {"text": self.text, **told, "pieces": pieces}

    def line(self) -> str:
        """Log-probability, tokens, perplexity, bits per byte and the text, with tabs between."""
        one = self.likelihood
        numbers = (f"{value:.4f}" for value in (one.perplexity, one.bits_per_byte))
        return "\t".join([f"{-one.nats + 0.0:.4f}", str(one.tokens), *numbers, self.text])


def likelihoods(
    model: Generator, source: str | Sequence[str] = "-", context: str | None = None, **options: Any
) -> Iterator[Judged]:
    """How likely each line of a file (``-``: stdin), or each text of a list, is after the same context.

    In order and in constant memory; options are those of ``decode.score``. Raises UserError for text that is
    not UTF-8.
    """
    lines, again = tee(lines_of(source))
    contexts = None if context is None else (context for _ in again)
    if context is None:
        del again
    tokenizer = model.tokenizers.target
    for one in model.scores(lines, contexts, **options):
        pieces = tuple(zip(tokenizer.pieces(one.tokens), one.logps, strict=True))
        yield Judged(one.text, one.likelihood, pieces)


def likelihood(model: Generator, path: str = "-", **options: Any) -> Judged:
    """How likely a file is as one text, read in a sliding window; a forward model holds little of it at once.

    The file is cut at lines into pieces, each of which is scored after the one before it; a bar shows how far
    it is. Raises UserError for text that is not UTF-8.
    """
    numbers: Any = model.model.config
    pieces: Iterable[str] = _pieces(files.open_lines(path), max(PIECE, 16 * numbers.max_length))
    if model.backward:
        # A tokenizer may begin a text otherwise than a line inside it, so that no end of a piece is safe.
        pieces = filter(None, ["".join(pieces)])
    befores, texts = tee(pairwise(_after("", pieces)))
    contexts = (before for before, _ in befores)
    with report.progress(_kilobytes(path), "scoring (kB)", brief=True) as bar:
        shares = _Shares(bar)
        read = (shares.of(text) for _, text in texts)
        found = model.scores(read, contexts, window=1, on_share=shares, **options)
        return Judged(path, sum((one.likelihood for one in found), Likelihood()))


class _Shares:
    """Shows shares of the piece that is being scored as kilobytes of the file."""

    def __init__(self, bar: report.Counter) -> None:
        self.bar, self.size, self.done, self.told = bar, 0, 0.0, 0

    def of(self, text: str) -> str:
        """The next piece, as it is; all before it are done."""
        self.size = len(text.encode())
        return text

    def __call__(self, share: float) -> None:
        """So much more of the piece is done."""
        self.done += share * self.size
        more = round(self.done / KILOBYTE) - self.told
        self.told += more
        self.bar.advance(more)


def _kilobytes(path: str) -> int | None:
    """How much there is to read, None where only reading tells."""
    plain = path != "-" and not path.endswith(".gz") and os.path.isfile(path)  # noqa: PTH113 - never raises
    return round(Path(path).stat().st_size / KILOBYTE) if plain else None


def _after(first: str, pieces: Iterable[str]) -> Iterator[str]:
    yield first
    yield from pieces


def _pieces(lines: Iterable[tuple[int, str]], size: int) -> Iterator[str]:
    """The file again in pieces of at least so many characters, each of which begins with a word.

    What stands between two lines may be one token, so that nothing is cut off before a space.
    """
    held: list[str] = []
    length = 0
    for _, line in lines:
        if length >= size and line[:1].strip():
            yield "\n".join([*held, ""])
            held, length = [], 0
        held.append(line)
        length += len(line) + 1
    if length > 1:
        yield "\n".join(held)
