"""A model that makes one vector of a text, opened for use: vectors, and how alike two texts are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from glassformer.api.classifier import AT_ONCE
from glassformer.api.opened import Opened
from glassformer.api.reading import TooLong, batched, encoded, shown_as, text_of
from glassformer.base.errors import RunError, UserError
from glassformer.hub import folder as hub
from glassformer.hub import sentences
from glassformer.nn.headed import body_of, head_of, pooled
from glassformer.objectives.framing import Row, Text

TOKENS_PER_BATCH = 8192
POOLS = {"mean": "mean", "class": "first", "first": "first", "last": "last", "max": "max"}


@dataclass(frozen=True, slots=True)
class Alike:
    """Two texts and the cosine of their vectors; None of a blank line."""

    text: Text
    similarity: float | None

    def as_json(self) -> dict[str, Any]:
        """``text``, ``pair`` and ``similarity``."""
        first, second = (self.text, "") if isinstance(self.text, str) else self.text
        return {"text": first, "pair": second, "similarity": self.similarity}

    def lines(self) -> Iterator[str]:
        """Both texts, then how alike they are."""
        yield shown_as(self.text)
        if self.similarity is not None:
            yield f"  {self.similarity:.4f}"


class Embedder(Opened):
    """A body that gives a state for each token, with its tokenizer; a text is told by one vector.

    >>> import glassformer as gf                                                   # doctest: +SKIP
    >>> gf.load("runs/sts").similarity([("비가 온다", "비가 내린다")])              # doctest: +SKIP
    tensor([0.9312])
    """

    objective: ClassVar[str] = "similarity"

    def __init__(self, *parts: Any, source: hub.Loaded | None = None) -> None:
        super().__init__(*parts, source=source)
        there = None if source is None or head_of(self.model) is not None else sentences.told(source.folder)
        self._told = there or sentences.Vectors("mean", normalize=False)

    def embed(
        self,
        texts: str | Sequence[str],
        pool: str | None = None,
        *,
        normalize: bool | None = None,
        too_long: TooLong = "refuse",
    ) -> Float[Tensor, "texts dim"]:
        """A vector for each text: ``mean`` or ``max`` of its last hidden states, the ``first`` or ``last``.

        Without a ``pool`` it is the one the model was trained with, or that files of sentence-transformers in
        its folder ask for, else the mean; ``class`` is the first. The tokens that the tokenizer's template
        puts around a text are among them. ``normalize`` makes every vector as long as 1, so that their
        products are cosines; where nothing is said, it is as those files have it. Batch mates change nothing
        but roundings. Raises UserError for a text longer than the model unless it is to be ``cut``.
        """
        head = head_of(self.model)
        pool = pool or (self._told.pool if head is None else head.pool)
        normalize = self._told.normalize if normalize is None else normalize
        if pool not in POOLS:
            raise UserError(f"pool {pool!r} is not known; take mean, class, last or max")
        several = [texts] if isinstance(texts, str) else list(texts)
        config: Any = self.model.config
        longest: int = config.max_length if head is None else head.max_length
        rows = encoded(enumerate(several, start=1), self.tokenizers.source, longest, too_long)
        found = torch.zeros(len(rows), self._width)
        for places in _batches([len(row.tokens) for row in rows]):
            found[places] = self._pooled([rows[place] for place in places], POOLS[pool])
        if not found.isfinite().all():
            raise RunError("the model gives vectors that are not numbers; its weights are damaged")
        return torch.nn.functional.normalize(found, dim=1) if normalize else found

    def similarity(
        self, pairs: Sequence[tuple[str, str]], pool: str | None = None, *, too_long: TooLong = "cut"
    ) -> Float[Tensor, " pairs"]:
        """How alike two texts are, for each pair: the cosine of their vectors (Reimers & Gurevych 2019, §3).

        Raises what ``embed`` raises.
        """
        flat = [text for both in pairs for text in both]
        vectors = self.embed(flat, pool, normalize=True, too_long=too_long)
        return (vectors[::2] * vectors[1::2]).sum(dim=1)

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Any]:  # noqa: ARG002 - one number a pair
        """Each line, which holds two texts with a tab between them, with how alike they are."""
        read = (text_of(line, number, 2) for number, line in enumerate(lines, start=1))
        while some := list(islice(read, AT_ONCE)):
            found = iter(self.similarity([text for text in some if not isinstance(text, str)]).tolist())
            for text in some:
                yield Alike(text, None if isinstance(text, str) else next(found))

    @property
    def _width(self) -> int:
        head = head_of(self.model)
        config: Any = self.model.config
        return int(config.dim if head is None else head.width)

    @torch.inference_mode()
    def _pooled(self, rows: Sequence[Row], pool: Any) -> Float[Tensor, "rows dim"]:
        body: Any = body_of(self.model)
        batch = batched(rows, self.model.config, self.device)
        return pooled(body.hidden(batch).float(), batch.get("keep"), pool).cpu()


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Which texts are read together: those of like length, the longest first."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    while order:
        size = max(TOKENS_PER_BATCH // lengths[order[0]], 1)
        yield order[:size]
        order = order[size:]
