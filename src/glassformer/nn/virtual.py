"""Virtual tokens: vectors that learn and stand before every text, numbered after the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.nn.headed import body_of
from glassformer.nn.low_rank import put


class Virtual(nn.Embedding):
    """A table of vectors of words that goes on with ``prompt``: tokens past the vocabulary are virtual.

    ``weight`` is that of the table it was made from, the same tensor under the same name, so that what shares
    it scores words alone.
    """

    def __init__(self, table: nn.Embedding, prompt: Float[Tensor, "token dim"]) -> None:
        super().__init__(table.num_embeddings, table.embedding_dim, device="meta")
        self.weight = table.weight
        self.prompt = nn.Parameter(prompt)

    def forward(self, tokens: Int[Tensor, "*rows"]) -> Float[Tensor, "*rows dim"]:
        """The vectors of words and of virtual tokens."""
        place = tokens - self.num_embeddings
        words = functional.embedding(tokens.clamp(max=self.num_embeddings - 1), self.weight)
        return torch.where(
            (place >= 0)[..., None], functional.embedding(place.clamp(min=0), self.prompt), words
        )


class Prompted(nn.Module):
    """What a body does with virtual tokens before every text (Lester et al. 2021, §2); mixed into its class.

    ::

        tokens           v0 v1 v2  the cat sleeps          padding on the left:   . .  v0 v1 v2  the cat
        positions         0  1  2   3   4    5
        hidden states               h   h    h             those of the text alone

    A body that translates has them before its source.
    """

    config: Any
    ahead: int

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token dim"]:
        """The hidden states of the real tokens, having read the virtual ones before them.

        Raises UserError for rows of several documents, of which only the first would have them before it.
        """
        above: Any = super()
        if "source" in batch:
            found: Tensor = above.hidden({**batch, **self._before(batch, "source", "source_keep")})
            return found
        if "documents" in batch:
            raise UserError(
                "virtual tokens stand before one text, and these rows hold several: set "
                "objective.separate=false, or adapt in another way"
            )
        found = above.hidden({**batch, **self._before(batch, "tokens", "keep")})
        return found[:, self.ahead :]

    def start(
        self,
        tokens: Int[Tensor, "rows width"],
        keep: Bool[Tensor, "rows width"] | None = None,
        **options: Any,
    ) -> Any:
        """As the body's own, after the virtual tokens; padding on the left stays on the left of them."""
        above: Any = super()
        if options.get("fixed") is not None:
            options["fixed"] += self.ahead
        if keep is None:
            return above.start(torch.cat([self._numbers(tokens), tokens], dim=1), None, **options)
        padding = (~keep).long().cumprod(dim=1).sum(dim=1, keepdim=True)
        place = torch.arange(self.ahead + tokens.shape[1], device=tokens.device)[None] - padding
        text = torch.cat([self._numbers(tokens), tokens], dim=1)
        kept = torch.cat([keep.new_ones(len(keep), self.ahead), keep], dim=1)
        # Where a token comes from: padding from behind the virtual tokens, these from the front.
        ahead = torch.where(place < 0, place + padding + self.ahead, place)
        order = torch.where(place < self.ahead, ahead, place + padding)
        return above.start(text.take_along_dim(order, 1), kept.take_along_dim(order, 1), **options)

    def _before(self, batch: Mapping[str, Tensor], tokens: str, keep: str) -> dict[str, Tensor]:
        found = {tokens: torch.cat([self._numbers(batch[tokens]), batch[tokens]], dim=1)}
        for name, value in ((keep, 1), ("segments", 0)):
            if name in batch:
                front = batch[name].new_full((len(batch[name]), self.ahead), value)
                found[name] = torch.cat([front, batch[name]], dim=1)
        return found

    def _numbers(self, tokens: Tensor) -> Tensor:
        first = self.config.vocab_size
        numbers = torch.arange(first, first + self.ahead, device=tokens.device, dtype=tokens.dtype)
        return numbers.expand(len(tokens), -1)


def put_before(model: nn.Module, table: nn.Embedding, prompt: Float[Tensor, "token dim"]) -> None:
    """Put virtual tokens before all that a model reads by ``table``; texts may be so much shorter then.

    Raises UserError where no room is left for a text.
    """
    body: Any = body_of(model)
    name = next(name for name, part in body.named_modules() if part is table)
    put(body, name, Virtual(table, prompt))
    kind = type(body)
    body.__class__ = type(f"Prompted{kind.__name__}", (Prompted, kind), {})
    body.ahead = len(prompt)
    shorten(model, len(prompt))


def shorten(model: nn.Module, tokens: int) -> None:
    """Texts may be so many tokens shorter than before; UserError where nothing is left of them."""
    asked: Any = model
    body: Any = body_of(model)
    longest: int = body.config.max_length
    if tokens >= longest:
        raise UserError(
            f"adapt.tokens: {tokens} virtual tokens leave no room for a text in a model that reads {longest}"
        )
    asked.config = body.config = body.config.model_copy(update={"max_length": longest - tokens})
