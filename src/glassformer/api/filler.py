"""A model that reads texts from both sides and scores hidden words, opened for use: blanks filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from glassformer.api.embedder import Embedder
from glassformer.api.lines import paired
from glassformer.base.errors import UserError
from glassformer.decode.fill import Blank, fill


@dataclass(frozen=True, slots=True)
class Filled:
    """A text and its blanks."""

    text: str
    blanks: tuple[Blank, ...]

    def as_json(self) -> dict[str, Any]:
        """``text`` and ``blanks``, of which each has ``start``, ``end`` and ``candidates``."""
        return {"text": self.text, "blanks": [_record(blank) for blank in self.blanks]}

    def lines(self) -> Iterator[str]:
        """The text, then each blank with its candidates, the likeliest first."""
        yield self.text
        for number, blank in enumerate(self.blanks, start=1):
            if len(self.blanks) > 1:
                yield f"  blank {number}"
            for one in blank.candidates:
                yield f"  {one.probability:.4f}  {one.text}"


class Filler(Embedder):
    """An encoder (BERT) with its tokenizer, that scores hidden words.

    >>> import glassformer as gf                                       # doctest: +SKIP
    >>> gf.load("runs/bert").predict("티끌 [MASK] 태산")[0][0].candidates[0].text   # doctest: +SKIP
    '모아'
    """

    objective: ClassVar[str] = "masked_lm"

    def predict(self, texts: str | Sequence[str], top_k: int = 5) -> list[list[Blank]]:
        """The blanks of each text with the ``top_k`` likeliest pieces for each.

        Blanks are written ``[MASK]``, ``<mask>`` or ``___``. Raises what ``decode.fill`` raises.
        """
        return list(self.predictions([texts] if isinstance(texts, str) else texts, top_k))

    def predictions(self, texts: Iterable[str], top_k: int = 5) -> Iterator[list[Blank]]:
        """The same one text after another; a blank line has no blanks."""
        if top_k < 1:
            raise UserError(f"top_k is {top_k}; a blank has at least 1 candidate")
        model: Any = self.model
        tokenizer = self.tokenizers.source
        for number, text in enumerate(texts, start=1):
            try:
                yield fill(model, tokenizer, text, top_k, device=self.device) if text.strip() else []
            except UserError as error:
                raise UserError(f"text {number}: {error}") from None

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Filled]:
        """Each line with its blanks."""
        for text, blanks in paired(lines, lambda texts: self.predictions(texts, top_k)):
            yield Filled(text, tuple(blanks))


def _record(blank: Blank) -> dict[str, Any]:
    candidates = [
        {"text": one.text, "token": one.token, "probability": one.probability} for one in blank.candidates
    ]
    return {"start": blank.start, "end": blank.end, "candidates": candidates}
