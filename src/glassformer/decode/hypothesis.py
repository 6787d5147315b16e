"""One finished target sequence, and how its length enters its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding

NOT_NUMBERS = (
    "the model's scores are not numbers (NaN or infinite): the checkpoint is damaged or its training "
    "diverged; use an earlier one"
)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One target sequence and what the model thinks of it.

    ``tokens`` begin after the start token; a forced beginning is among them, and the end token closes them
    unless the sequence ran into its length limit. ``logp`` is their summed natural log-probability under the
    model (temperature and filters do not enter), ``score`` the same with the length penalty.
    """

    tokens: tuple[int, ...]
    logp: float
    score: float


def normalise(logp: float, length: int, settings: Decoding) -> float:
    """The log-probability of ``length`` tokens with the length penalty: ``logp / penalty(length)``.

    ``penalty(n) = ((5 + n) / 6) ** α`` for ``gnmt`` (Wu et al. 2016, eq. 14), ``n ** α`` for ``power``.
    """
    base = (5 + length) / 6 if settings.length_penalty_form == "gnmt" else length
    return float(logp / max(base, 1) ** settings.length_penalty)


def row_limits(
    max_length: Sequence[int] | int, rows: int, prefix: Sequence[Sequence[int]] | None
) -> list[int]:
    """The largest number of tokens of each row.

    Raises UserError when a limit is not positive or leaves no room for the row's forced beginning.
    """
    limits = [max_length] * rows if isinstance(max_length, int) else list(max_length)
    if len(limits) != rows or (prefix is not None and len(prefix) != rows):
        raise ValueError(f"{rows} rows need {rows} limits and forced beginnings")
    for row, limit in enumerate(limits):
        if limit < 1:
            raise UserError(f"row {row}: the target may have {limit} tokens; at least 1 must be allowed")
        if prefix is not None and len(prefix[row]) > limit:
            raise UserError(
                f"row {row}: the forced beginning has {len(prefix[row])} tokens but the target may have "
                f"only {limit}; raise max_new_tokens or shorten it"
            )
    return limits
