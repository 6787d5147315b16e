"""What may not be written next: filters that narrow the choice and never change a score."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding


class Constraints:
    """The filters of one batch: forbidden tokens, minimum length, no repeated n-gram, forced beginnings.

    A forbidden token gets log-probability −∞ and the others keep theirs (nothing is renormalised), so a
    hypothesis has the same score whether it was found freely or under a constraint. A forced beginning is
    stronger than the other filters. The maximum length is kept by the loop that counts the tokens.

    Raises UserError when a forced beginning contains the end token.
    """

    def __init__(
        self, settings: Decoding, *, eos_id: int, prefix: Sequence[Sequence[int]] | None, device: torch.device
    ) -> None:
        self._ngram = settings.no_repeat_ngram_size
        self._minimum = settings.min_new_tokens
        self._late = torch.tensor([*settings.suppress_tokens], dtype=torch.long, device=device)
        self._early = torch.tensor([*settings.suppress_tokens, eos_id], dtype=torch.long, device=device)
        self._prefix = _padded(prefix or [], eos_id).to(device)

    def apply(
        self,
        logp: Float[Tensor, "beams vocab"],
        written: Int[Tensor, "beams length"],
        sentence: Int[Tensor, " beams"],
    ) -> Float[Tensor, "beams vocab"]:
        """Filter ``logp`` in place; ``sentence`` is the row of the whole batch that each beam belongs to."""
        length = written.size(1)
        forced = self._prefix[sentence, length] if length < self._prefix.size(1) else None
        if forced is not None:
            held = (forced >= 0).unsqueeze(1)
            only = forced.clamp(min=0).unsqueeze(1)
            kept = logp.gather(1, only)
        banned = self._early if length < self._minimum else self._late
        if len(banned):
            logp.index_fill_(1, banned, -torch.inf)
        if 0 < self._ngram <= length:
            _ban_repeats(logp, written, self._ngram)
        if forced is not None:
            logp.masked_fill_(held, -torch.inf)
            logp.scatter_(1, only, torch.where(held, kept, logp.gather(1, only)))
        return logp


def _padded(prefix: Sequence[Sequence[int]], eos_id: int) -> Int[Tensor, "rows longest"]:
    """The forced beginnings as a matrix; −1 where nothing is forced."""
    for row, tokens in enumerate(prefix):
        if eos_id in tokens:
            raise UserError(
                f"row {row}: the forced beginning contains the end token ({eos_id}); leave it out"
            )
    longest = max((len(tokens) for tokens in prefix), default=0)
    matrix = torch.full((len(prefix), longest), -1, dtype=torch.long)
    for row, tokens in enumerate(prefix):
        matrix[row, : len(tokens)] = torch.tensor(tokens, dtype=torch.long)
    return matrix


def _ban_repeats(logp: Float[Tensor, "beams vocab"], written: Int[Tensor, "beams length"], size: int) -> None:
    """Forbid each token that would complete an n-gram a second time (Paulus et al. 2018, §2.5)."""
    windows = written.unfold(1, size, 1)
    ending = written[:, written.size(1) - size + 1 :]
    seen = (windows[:, :, : size - 1] == ending.unsqueeze(1)).all(dim=2)
    # Adding −∞ or 0 is right however often a token was seen; writing a value would let the last place win.
    logp.scatter_add_(1, windows[:, :, size - 1], torch.where(seen, -torch.inf, 0.0).to(logp.dtype))
