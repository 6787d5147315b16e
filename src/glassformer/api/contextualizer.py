"""A model that tells every token in its context, opened for use: vectors of tokens, and which are near."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from glassformer.api.opened import Opened
from glassformer.api.reading import told_of_length
from glassformer.base.errors import RunError, UserError


@dataclass(frozen=True, slots=True)
class Near:
    """A token of a text (``number`` counts from 1) that is near another: the cosine of their vectors."""

    token: str
    number: int
    similarity: float


@dataclass(frozen=True)
class Contextual:
    """A text in tokens, the vector of each, and the tokens of all given texts that are nearest to it."""

    text: str
    tokens: tuple[str, ...]
    vectors: Float[Tensor, "tokens width"] = field(repr=False)
    near: tuple[tuple[Near, ...], ...]

    def as_json(self) -> dict[str, Any]:
        """``text``, and ``tokens``, of which each has ``token`` and ``vector``."""
        rows = zip(self.tokens, self.vectors.tolist(), strict=True)
        return {"text": self.text, "tokens": [{"token": token, "vector": vector} for token, vector in rows]}

    def lines(self) -> Iterator[str]:
        """The text, then each token with the nearest of all texts: the cosine and the number of the text."""
        yield self.text
        for token, near in zip(self.tokens, self.near, strict=True):
            yield f"  {token}"
            for one in near:
                yield f"    {one.similarity:.4f}  {one.token} (text {one.number})"


class Contextualizer(Opened):
    """A bidirectional language model (ELMo) with its tokenizer.

    >>> import glassformer as gf                                            # doctest: +SKIP
    >>> gf.load("runs/elmo").vectors("the river bank")[0].shape             # doctest: +SKIP
    torch.Size([3, 512])
    """

    objective: ClassVar[str] = "bidirectional_lm"

    def vectors(self, texts: str | Sequence[str]) -> list[Float[Tensor, "tokens width"]]:
        """The vectors of each text's tokens; what stands around a token changes them, batch mates do not.

        Raises UserError for a text longer than the model reads.
        """
        return [self._vectors(ids) for ids in self._encoded([texts] if isinstance(texts, str) else texts)]

    def predict(self, texts: str | Sequence[str], top_k: int = 5) -> list[Contextual]:
        """Each text's tokens, their vectors, and the ``top_k`` tokens of all the texts nearest to each.

        Raises UserError for a text longer than the model reads and for a ``top_k`` below 1.
        """
        if top_k < 1:
            raise UserError(f"top_k is {top_k}; a token has at least 1 neighbour")
        several = [texts] if isinstance(texts, str) else list(texts)
        rows = self._encoded(several)
        vectors = [self._vectors(ids) for ids in rows]
        pieces = [tuple(self.tokenizers.source.pieces(ids)) for ids in rows]
        near = iter(_nearest(pieces, vectors, top_k))
        return [
            Contextual(text, tokens, found, tuple(next(near) for _ in tokens))
            for text, tokens, found in zip(several, pieces, vectors, strict=True)
        ]

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Contextual]:
        """Each line with its tokens; as these are compared with those of all lines, all are read first."""
        yield from self.predict(list(lines), top_k)

    def _encoded(self, texts: Sequence[str]) -> list[list[int]]:
        numbers: Any = self.model.config
        rows: list[list[int]] = self.tokenizers.source.encode_batch(texts)
        for number, ids in enumerate(rows, start=1):
            if len(ids) > numbers.max_length:
                told_of_length(number, len(ids), numbers.max_length, "refuse")
        return rows

    @torch.inference_mode()
    def _vectors(self, ids: Sequence[int]) -> Float[Tensor, "tokens width"]:
        model: Any = self.model
        tokens = torch.tensor([ids], dtype=torch.long, device=self.device)
        found: Tensor = model.hidden({"tokens": tokens})[0].float().cpu()
        if not found.isfinite().all():
            raise RunError("the model gives vectors that are not numbers; its weights are damaged")
        return found


def _nearest(
    pieces: Sequence[Sequence[str]], vectors: Sequence[Tensor], top_k: int
) -> Iterator[tuple[Near, ...]]:
    """For each token of all texts, one after another, the others nearest to it."""
    places = [(token, number) for number, tokens in enumerate(pieces, start=1) for token in tokens]
    if not places:
        return
    units = torch.nn.functional.normalize(torch.cat(list(vectors)), dim=1)
    for place, unit in enumerate(units):
        cosines = units @ unit
        cosines[place] = -2.0  # itself
        best = cosines.topk(min(top_k, len(places) - 1))
        found = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        yield tuple(Near(places[at][0], places[at][1], cosine) for at, cosine in found)
