"""Blanks of a text and the words that a masked language model would put there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from glassformer.base.errors import RunError, UserError
from glassformer.decode.hypothesis import NOT_NUMBERS
from glassformer.decode.state import Rests, resting
from glassformer.decode.tokenizer import Masks

_MARKS = (r"\[MASK\]", "<mask>", "_{3,}")
_UNREADABLE = "\ufffd"


@runtime_checkable
class Longest(Protocol):
    """What is needed of a model's configuration."""

    @property
    def max_length(self) -> int:
        """The most tokens that the model reads."""
        ...


@runtime_checkable
class Fills(Rests, Protocol):
    """A model that scores the word at every place of a text that it reads from both sides."""

    @property
    def config(self) -> Longest:
        """Its configuration."""
        ...

    def __call__(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token vocab"]:
        """The scores of every word at every place of ``tokens``."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """One piece that may stand in a blank: how it reads, its id, and its probability among all pieces."""

    text: str
    token: int
    probability: float


@dataclass(frozen=True, slots=True)
class Blank:
    """A blank, which is ``text[start:end]``, and its likeliest pieces, best first."""

    start: int
    end: int
    candidates: tuple[Candidate, ...]


def fill(
    model: Fills, tokenizer: Masks, text: str, top_k: int = 5, *, device: torch.device | str = "cpu"
) -> list[Blank]:
    """What the model would put in each blank of ``text``: one piece each, whatever the others hold.

    A blank is written ``[MASK]``, ``<mask>``, as the tokenizer's own mask, or as three underscores or more.
    A space before it belongs to it, where pieces begin with spaces. Special tokens are no candidates; the
    probabilities are those among all tokens.

    Raises UserError for a text without a blank or longer than the model, for a tokenizer that has no mask and
    a model that scores no words; RunError when scores are not numbers.
    """
    mask = mask_of(model, tokenizer)
    blanks = list(re.finditer("|".join((*_MARKS, re.escape(tokenizer.pieces([mask])[0]))), text))
    if not blanks:
        raise UserError("the text has no blank; write [MASK], <mask> or ___ where a word is to be filled in")
    tokens = _encoded(tokenizer, text, blanks, mask)
    if len(tokens) > model.config.max_length:
        raise UserError(
            f"the text has {len(tokens)} tokens but the model reads at most {model.config.max_length}; "
            "shorten it around its blanks"
        )
    with resting(model), torch.inference_mode():
        scores = model({"tokens": torch.tensor([tokens]).to(device)})[0].cpu()
    places = [place for place, token in enumerate(tokens) if token == mask]
    shares = scores[places].double().softmax(dim=1)
    if shares.isnan().any():
        raise RunError(NOT_NUMBERS)
    return [
        Blank(*blank.span(), _candidates(tokenizer, share, top_k))
        for blank, share in zip(blanks, shares, strict=True)
    ]


def mask_of(model: Fills, tokenizer: Masks) -> int:
    """The id that stands in a blank; UserError where there is none, and for a model that scores no words."""
    if tokenizer.mask_id is None:
        raise UserError(
            "the tokenizer has no mask token, so blanks cannot be filled; take a model trained with "
            "objective: masked_lm"
        )
    if getattr(model, "output", None) is None:
        raise UserError(
            "this model has no head that scores words, so blanks cannot be filled; take one with masked_lm"
        )
    return tokenizer.mask_id


def _encoded(tokenizer: Masks, text: str, blanks: Sequence[re.Match[str]], mask: int) -> list[int]:
    """The opening, the ids of what stands between the blanks with the mask for each of these, the closing."""
    cuts = [0, *(place for blank in blanks for place in blank.span()), len(text)]
    parts = [text[begin:end] for begin, end in zip(cuts[::2], cuts[1::2], strict=True)]
    # A mask stands for a piece with the space before it.
    parts = [part.removesuffix(" ") for part in parts[:-1]] + parts[-1:]
    rows = tokenizer.encode_running([(part, not place) for place, part in enumerate(parts)])
    between = [[mask, *row] for row in rows[1:]]
    return [*tokenizer.opening, *rows[0], *(token for row in between for token in row), *tokenizer.closing]


def _candidates(tokenizer: Masks, share: Float[Tensor, " vocab"], top_k: int) -> tuple[Candidate, ...]:
    specials = tokenizer.specials_ids()
    order = share.argsort(descending=True, stable=True)[: max(top_k, 0) + len(specials)].tolist()
    words = [token for token in order if token not in specials][: max(top_k, 0)]
    return tuple(Candidate(_readable(tokenizer, token), token, share[token].item()) for token in words)


def _readable(tokenizer: Masks, token: int) -> str:
    """A piece alone as text; a piece that is none alone (a lone byte) as its name."""
    text = tokenizer.decode([token]).strip()
    return text if text and _UNREADABLE not in text else tokenizer.pieces([token])[0]
