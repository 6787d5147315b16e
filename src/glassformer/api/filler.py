"""A model that reads texts from both sides, opened for use: blanks filled, texts as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from glassformer.api.lines import paired
from glassformer.api.opened import Opened
from glassformer.base.errors import RunError, UserError
from glassformer.base.report import warn
from glassformer.decode.fill import Blank, fill

TOKENS_PER_BATCH = 8192


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


class Filler(Opened):
    """An encoder (BERT) with its tokenizer.

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

    def embed(
        self,
        texts: str | Sequence[str],
        pool: str = "mean",
        *,
        normalize: bool = False,
        too_long: Literal["refuse", "cut"] = "refuse",
    ) -> Float[Tensor, "texts dim"]:
        """A vector for each text: the mean of its last hidden states, or that of its first (``class``) token.

        The tokens that the tokenizer's template puts around a text are among them. ``normalize`` makes every
        vector as long as 1, so that their products are cosines. Batch mates change nothing but roundings.
        Raises UserError for a text longer than the model unless it is to be ``cut``, and for one without
        tokens.
        """
        if pool not in ("mean", "class"):
            raise UserError(f"pool {pool!r} is not known; take mean or class")
        rows = self._encoded([texts] if isinstance(texts, str) else list(texts), too_long)
        numbers: Any = self.model.config
        found = torch.zeros(len(rows), numbers.dim)
        for places in _batches([len(row) for row in rows]):
            found[places] = self._pooled([rows[place] for place in places], pool)
        if not found.isfinite().all():
            raise RunError("the model gives vectors that are not numbers; its weights are damaged")
        return torch.nn.functional.normalize(found, dim=1) if normalize else found

    def _encoded(self, texts: Sequence[str], too_long: str) -> list[list[int]]:
        numbers: Any = self.model.config
        tokenizer = self.tokenizers.source
        opening, closing = tokenizer.opening, tokenizer.closing
        room = numbers.max_length - len(opening) - len(closing)
        rows = []
        for number, ids in enumerate(tokenizer.encode_batch(texts), start=1):
            if len(ids) > room and too_long == "refuse":
                raise UserError(
                    f"text {number}: it has {len(ids)} tokens but the model reads at most {room}; split it, "
                    "or let long texts be cut"
                )
            if len(ids) > room:
                warn(f"text {number}: it has {len(ids)} tokens; only the first {room} are read")
            rows.append([*opening, *ids[:room], *closing])
            if not rows[-1]:
                raise UserError(f"text {number}: it is empty, and the tokenizer puts nothing around a text")
        return rows

    @torch.inference_mode()
    def _pooled(self, rows: Sequence[Sequence[int]], pool: str) -> Float[Tensor, "rows dim"]:
        model: Any = self.model
        width = max(map(len, rows))
        pad_id = model.config.pad_id
        tokens = torch.tensor([[*row, *[pad_id] * (width - len(row))] for row in rows]).to(self.device)
        lengths = torch.tensor([[len(row)] for row in rows], device=self.device)
        keep = torch.arange(width, device=self.device) < lengths
        batch = {"tokens": tokens} if bool(keep.all()) else {"tokens": tokens, "keep": keep}
        hidden: Tensor = model.hidden(batch).float()
        if pool == "class":
            return hidden[:, 0].cpu()
        return ((hidden * keep[:, :, None]).sum(dim=1) / lengths).cpu()


def _record(blank: Blank) -> dict[str, Any]:
    candidates = [
        {"text": one.text, "token": one.token, "probability": one.probability} for one in blank.candidates
    ]
    return {"start": blank.start, "end": blank.end, "candidates": candidates}


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Which texts are read together: those of like length, the longest first."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    while order:
        size = max(TOKENS_PER_BATCH // lengths[order[0]], 1)
        yield order[:size]
        order = order[size:]
