"""What may not be written next: filters that narrow the choice, and the penalty on what was seen before."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.decode.hypothesis import Ends, end_tokens
from glassformer.decode.settings import Decoding


class Constraints:
    """The filters of one batch: forbidden tokens, minimum length, no repeated n-gram, forced beginnings.

    A forbidden token gets log-probability −∞ and the others keep theirs (nothing is renormalised), so a
    hypothesis has the same score whether it was found freely or under a constraint. A forced beginning is
    stronger than the other filters. The maximum length is kept by the loop that counts the tokens.

    ``context`` is what each row has read before it writes (a prompt, at least one token); n-grams and tokens
    seen there count as seen.

    Raises UserError when a forced beginning contains the end token.
    """

    def __init__(
        self,
        settings: Decoding,
        *,
        eos_id: Ends,
        prefix: Sequence[Sequence[int]] | None,
        device: torch.device,
        context: Sequence[Sequence[int]] | None = None,
    ) -> None:
        ends = end_tokens(eos_id)
        self._ngram = settings.no_repeat_ngram_size
        self._penalty = settings.repetition_penalty
        self._summed = settings.num_beams > 1 and not settings.do_sample
        self._context = _left_padded(context or []).to(device)
        self._minimum = settings.min_new_tokens
        self._late = torch.tensor([*settings.suppress_tokens], dtype=torch.long, device=device)
        self._early = torch.tensor([*settings.suppress_tokens, *ends], dtype=torch.long, device=device)
        self._prefix = _padded(prefix or [], ends).to(device)

    def penalised(
        self,
        scores: Float[Tensor, "beams vocab"],
        logp: Float[Tensor, "beams vocab"],
        written: Int[Tensor, "beams length"],
        sentence: Int[Tensor, " beams"],
    ) -> Float[Tensor, "beams vocab"]:
        """Log-probabilities with the repetition penalty θ; ``logp`` itself, the same tensor, while θ is 1.

        The score of a token seen before is divided by θ if positive and multiplied by it if not
        (Keskar et al. 2019, §4.1). Beams add log-probabilities up, so there these are what is penalised.
        """
        if self._penalty == 1.0:
            return logp
        weighed = (logp if self._summed else scores).clone()
        seen = self._seen(written, sentence)
        seen = torch.where(seen < 0, seen[:, -1:], seen)
        found = weighed.gather(1, seen)
        weighed.scatter_(1, seen, torch.where(found < 0, found * self._penalty, found / self._penalty))
        return weighed if self._summed else torch.log_softmax(weighed, dim=-1)

    def _seen(
        self, written: Int[Tensor, "beams length"], sentence: Int[Tensor, " beams"]
    ) -> Int[Tensor, "beams seen"]:
        """What each beam has read and written, −1 in front of shorter contexts."""
        return torch.cat((self._context[sentence], written), dim=1) if len(self._context) else written

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
        if self._ngram:
            _ban_repeats(logp, self._seen(written, sentence), self._ngram)
        if forced is not None:
            logp.masked_fill_(held, -torch.inf)
            logp.scatter_(1, only, torch.where(held, kept, logp.gather(1, only)))
        return logp


def _padded(prefix: Sequence[Sequence[int]], ends: Sequence[int]) -> Int[Tensor, "rows longest"]:
    """The forced beginnings as a matrix; −1 where nothing is forced."""
    for row, tokens in enumerate(prefix):
        if found := [end for end in ends if end in tokens]:
            raise UserError(
                f"row {row}: the forced beginning contains the end token ({found[0]}); leave it out"
            )
    longest = max((len(tokens) for tokens in prefix), default=0)
    matrix = torch.full((len(prefix), longest), -1, dtype=torch.long)
    for row, tokens in enumerate(prefix):
        matrix[row, : len(tokens)] = torch.tensor(tokens, dtype=torch.long)
    return matrix


def _left_padded(context: Sequence[Sequence[int]]) -> Int[Tensor, "rows longest"]:
    """The contexts as a matrix; −1 in front of the shorter ones."""
    longest = max((len(tokens) for tokens in context), default=0)
    rows = [[*[-1] * (longest - len(tokens)), *tokens] for tokens in context]
    return torch.tensor(rows, dtype=torch.long).view(len(rows), longest)


def _ban_repeats(logp: Float[Tensor, "beams vocab"], seen: Int[Tensor, "beams length"], size: int) -> None:
    """Forbid each token that would complete an n-gram a second time (Paulus et al. 2018, §2.5)."""
    if seen.size(1) < size:
        return
    windows = seen.unfold(1, size, 1)
    ending, last = seen[:, seen.size(1) - size + 1 :], windows[:, :, size - 1]
    again = (windows[:, :, : size - 1] == ending.unsqueeze(1)).all(dim=2) & (last >= 0)
    # Adding −∞ or 0 is right however often a token was seen; writing a value would let the last place win.
    logp.scatter_add_(1, last.clamp(min=0), torch.where(again, -torch.inf, 0.0).to(logp.dtype))
