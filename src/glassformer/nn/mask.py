"""What each query may look at: a statement that becomes a tensor only when a kernel asks for one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float, Int
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

    ``documents`` numbers the document that a key belongs to; a query sees those of its own document. Several
    statements hold together. A query that may look at nothing gives an even mixture instead of NaN.

    The queries are the last of the keys, as they are when a cache holds the earlier keys; ``keep`` and
    ``documents`` speak of all keys, those in the cache included. Before these keys there may be ``free``
    more, of which nothing is said and which every query sees.
    """

    causal: bool = False
    keep: Bool[Tensor, "batch key"] | None = None
    window: int | None = None
    documents: Int[Tensor, "batch key"] | None = None
    free: int = 0
    _made: dict[object, Tensor | None] = field(default_factory=dict, repr=False, compare=False)
    _narrower: dict[int, Mask] = field(default_factory=dict, repr=False, compare=False)
    _freed: dict[int, Mask] = field(default_factory=dict, repr=False, compare=False)

    def within(self, window: int) -> Mask:
        """The same statements and this window; made once and shared by every layer that asks."""
        if window not in self._narrower:
            nearer = window if self.window is None else min(window, self.window)
            self._narrower[window] = replace(self, window=nearer, _made={}, _narrower={}, _freed={})
        return self._narrower[window]

    def after(self, free: int) -> Mask:
        """The same statements with so many keys before those they speak of; made once and shared."""
        if free not in self._freed:
            self._freed[free] = replace(self, free=free, _made={}, _narrower={}, _freed={})
        return self._freed[free]

    def only_causal(self, keys: int) -> bool:
        """Whether the rule of these keys is the causal one and no other, as kernels have it built in."""
        return (
            self.causal
            and not self.free
            and self.keep is None
            and self.documents is None
            and not self._narrow(keys)
        )

    def _narrow(self, keys: int) -> bool:
        return self.window is not None and keys > self.window

    def bias(
        self, queries: int, keys: int, dtype: torch.dtype, device: torch.device
    ) -> Float[Tensor, "batch 1 query key"] | None:
        """Zero where a query may look, the lowest number of ``dtype`` where it may not; None when all may.

        The last query stands at the last key. The tensor is made once and shared by every layer that asks
        for the same shape.
        """
        asked = (queries, keys, dtype, device)
        if asked not in self._made:
            self._made[asked] = self._bias(queries, keys, dtype, device)
        return self._made[asked]

    def _bias(self, queries: int, keys: int, dtype: torch.dtype, device: torch.device) -> Tensor | None:
        allowed = self._allowed(queries, keys - self.free, device)
        if allowed is None:
            return None
        if self.free:
            allowed = torch.cat([allowed.new_ones(*allowed.shape[:-1], self.free), allowed], dim=-1)
        blank = torch.zeros(allowed.shape, dtype=dtype, device=device)
        return blank.masked_fill_(~allowed, torch.finfo(dtype).min)

    def _allowed(self, queries: int, keys: int, device: torch.device) -> Tensor | None:
        rules = [] if self.keep is None else [self.keep[:, None, None, :]]
        if self.documents is not None:
            rules.append(self.documents[:, None, keys - queries :, None] == self.documents[:, None, None, :])
        # A single query at the end sees all of the past, so decoding token by token needs no causal rule; and
        # no two keys are farther apart than a window that is as wide as all of them.
        if (self.causal and queries > 1) or self._narrow(keys):
            key = torch.arange(keys, device=device)
            query = torch.arange(keys - queries, keys, device=device)[:, None]
            if self.causal:
                rules.append((key <= query)[None, None])
            if self.window is not None and self._narrow(keys):
                near = (query - key).abs() < self.window
                rules.append(near[None, None])
        if not rules:
            return None
        allowed = rules[0]
        for rule in rules[1:]:
            allowed = allowed & rule
        return allowed
