"""What each query may look at: a statement that becomes a tensor only when a kernel asks for one."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Mask:
    """Who may look at whom. ``keep`` is True where a key *may be looked at*; no other sense exists here.

    ::

        causal            keep = 1 1 1 0        window = 2 (with causal)
        q0  1 . . .       q0  1 1 1 .           q0  1 . . .
        q1  1 1 . .       q1  1 1 1 .           q1  1 1 . .
        q2  1 1 1 .       q2  1 1 1 .           q2  . 1 1 .
        q3  1 1 1 1       q3  1 1 1 .           q3  . . 1 1

    Several statements hold together. A query that may look at nothing gives an even mixture instead of NaN.
    """

    causal: bool = False
    keep: Bool[Tensor, "batch key"] | None = None
    window: int | None = None
    _made: dict[object, Tensor | None] = field(default_factory=dict, repr=False, compare=False)

    def bias(
        self, queries: int, keys: int, dtype: torch.dtype, device: torch.device
    ) -> Float[Tensor, "batch 1 query key"] | None:
        """Zero where a query may look, the lowest number of ``dtype`` where it may not; None when all may.

        The last query stands at the last key, as it does when a cache holds the earlier keys. The tensor is
        made once and shared by every layer that asks for the same shape.
        """
        asked = (queries, keys, dtype, device)
        if asked not in self._made:
            self._made[asked] = self._bias(queries, keys, dtype, device)
        return self._made[asked]

    def _bias(self, queries: int, keys: int, dtype: torch.dtype, device: torch.device) -> Tensor | None:
        allowed = self._allowed(queries, keys, device)
        if allowed is None:
            return None
        blank = torch.zeros(allowed.shape, dtype=dtype, device=device)
        return blank.masked_fill_(~allowed, torch.finfo(dtype).min)

    def _allowed(self, queries: int, keys: int, device: torch.device) -> Tensor | None:
        rules = [] if self.keep is None else [self.keep[:, None, None, :]]
        # A single query at the end sees all of the past, so decoding token by token needs no causal rule.
        if (self.causal and queries > 1) or self.window is not None:
            key = torch.arange(keys, device=device)
            query = torch.arange(keys - queries, keys, device=device)[:, None]
            if self.causal:
                rules.append((key <= query)[None, None])
            if self.window is not None:
                near = (query - key).abs() < self.window
                rules.append(near[None, None])
        if not rules:
            return None
        allowed = rules[0]
        for rule in rules[1:]:
            allowed = allowed & rule
        return allowed
