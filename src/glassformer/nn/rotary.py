"""Where a token stands, told by turning queries and keys: rotary positions and their published scalings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings

Kind = Literal["none", "linear", "dynamic", "llama3", "yarn"]

USED: dict[str, set[str]] = {
    "none": set(),
    "linear": {"factor"},
    "dynamic": {"factor"},
    "llama3": {"factor", "original_length", "low_factor", "high_factor"},
    "yarn": {
        "factor", "original_length", "beta_fast", "beta_slow",
        "attention_factor", "mscale", "mscale_all_dim", "truncate",
    },
}  # fmt: skip


class Scaling(Settings):
    """How the angles are slowed down so that a model reads texts longer than those it was trained on.

    ======== =========================================================================================
    none     as trained
    linear   every angle divided by ``factor`` (Chen et al. 2023)
    dynamic  a larger theta for a text longer than ``max_length``, growing with it (Peng et al. 2023, §3.3)
    llama3   slow turns divided by ``factor``, fast ones kept, a ramp between (Grattafiori et al. 2024)
    yarn     the same with a ramp over the dimensions, and sharper attention (Peng et al. 2023, §3.4)
    ======== =========================================================================================

    ``original_length`` is the length of texts in training; left out, it is the model's ``max_length``. A
    field of another kind than the chosen one is refused.
    """

    kind: Kind = "none"
    factor: float = Field(default=1.0, ge=1)
    original_length: int | None = Field(default=None, gt=0)
    low_factor: float = Field(default=1.0, gt=0)
    high_factor: float = Field(default=4.0, gt=0)
    beta_fast: float = Field(default=32.0, gt=0)
    beta_slow: float = Field(default=1.0, gt=0)
    attention_factor: float | None = Field(default=None, gt=0)
    mscale: float | None = None
    mscale_all_dim: float | None = None
    truncate: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Scaling:
        for name, field in type(self).model_fields.items():
            if name != "kind" and name not in USED[self.kind] and getattr(self, name) != field.default:
                raise ValueError(f"{name} has no meaning for scaling kind {self.kind}; leave it out")
        if self.kind == "llama3" and self.high_factor <= self.low_factor:
            raise ValueError("high_factor must be larger than low_factor")
        return self


NONE = Scaling()


def rotate(
    x: Float[Tensor, "rows heads token head_dim"],
    cos: Float[Tensor, "#rows token head_dim"],
    sin: Float[Tensor, "#rows token head_dim"],
) -> Float[Tensor, "rows heads token head_dim"]:
    """Every pair of numbers (i, i + head_dim/2) of a head turned by its angle (Su et al. 2021, eq. 34).

    A query and a key so turned meet in a product that knows only how far apart they stand. Halves, not
    neighbours, make the pairs, as in the files of Hugging Face.
    """
    # Whole rows, not halves: half as many products, which matters most where one token is decoded.
    a, b = x.chunk(2, dim=-1)
    c, s = cos[:, None].to(x.dtype), sin[:, None].to(x.dtype)
    return x * c + torch.cat([-b, a], dim=-1) * s


class Rotary(nn.Module):
    """Cosines and sines of the angles that ``rotate`` turns by; nothing here is trained.

        angle(p, i) = p / theta^(2i / head_dim), scaled                  (Su et al. 2021, eq. 15)

    Computed in float32 as published models were trained, whatever the type of the model's weights.

    >>> cos, sin = Rotary(8, 16)(torch.arange(5)[None])
    >>> cos.shape
    torch.Size([1, 5, 8])
    """

    rates: Tensor

    def __init__(
        self, head_dim: int, max_length: int, *, theta: float = 10000.0, scaling: Scaling = NONE
    ) -> None:
        super().__init__()
        self.head_dim, self.max_length, self.theta, self.scaling = head_dim, max_length, theta, scaling
        self.sharpness = _sharpness(scaling)
        self.register_buffer("rates", self._rates(), persistent=False)

    @property
    def reach(self) -> int:
        """How many positions there are: ``max_length``, or what ``dynamic`` stretches it to."""
        return (
            int(self.max_length * self.scaling.factor) if self.scaling.kind == "dynamic" else self.max_length
        )

    def forward(
        self, positions: Int[Tensor, "rows token"]
    ) -> tuple[Float[Tensor, "rows token head_dim"], Float[Tensor, "rows token head_dim"]]:
        """Cosine and sine for tokens at these positions, the second half of each a copy of the first."""
        rates = self._stretched(positions) if self.scaling.kind == "dynamic" else self.rates
        angles = positions[..., None].float() * rates
        angles = torch.cat([angles, angles], dim=-1)
        return angles.cos() * self.sharpness, angles.sin() * self.sharpness

    def _rates(self) -> Tensor:
        rates = _turns(self.head_dim, self.theta)
        slow = SLOWED.get(self.scaling.kind)
        return rates if slow is None else slow(rates, self)

    def _stretched(self, positions: Tensor) -> Tensor:
        """Rates for each row by its own length, so that no row depends on its mates."""
        factor, dim = self.scaling.factor, self.head_dim
        length = positions.amax(dim=1).add(1).clamp(min=self.max_length)
        grown = (factor * length / self.max_length - (factor - 1)) ** (dim / (dim - 2))
        theta = (self.theta * grown)[:, None, None]
        return _turns(dim, theta, positions.device)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Rotary:
        """A model that is cast or moved takes its angles along, but they stay exact."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.rates = self._rates().to(self.rates.device)
        return self

    def extra_repr(self) -> str:
        """The choices, for printing."""
        return f"{self.head_dim}, {self.max_length}, theta={self.theta}, scaling={self.scaling.kind}"


def _turns(dim: int, theta: Any, device: torch.device | None = None) -> Tensor:
    """By how much one position turns each pair."""
    powers = torch.arange(0, dim, 2, dtype=torch.float32, device=device) / dim
    rates: Tensor = 1.0 / theta**powers
    return rates


def _sharpness(scaling: Scaling) -> float:
    """What yarn multiplies queries and keys by (Peng et al. 2023, §3.4); one for every other kind."""
    if scaling.kind != "yarn":
        return 1.0
    if scaling.attention_factor is not None:
        return scaling.attention_factor
    if scaling.mscale and scaling.mscale_all_dim:
        return _mscale(scaling.factor, scaling.mscale) / _mscale(scaling.factor, scaling.mscale_all_dim)
    return _mscale(scaling.factor, 1.0)


def _mscale(factor: float, weight: float) -> float:
    return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0


# --- the kinds ---------------------------------------------------------------------------------------------


def _linear(rates: Tensor, of: Rotary) -> Tensor:
    return rates / of.scaling.factor


def _llama3(rates: Tensor, of: Rotary) -> Tensor:
    """Pairs that turn more than ``high`` times over a text of training kept, less than ``low`` slowed."""
    scaling = of.scaling
    low, high, factor = scaling.low_factor, scaling.high_factor, scaling.factor
    length = scaling.original_length or of.max_length
    wave = 2 * math.pi / rates
    kept = (length / wave - low) / (high - low)
    between = (1 - kept) * rates / factor + kept * rates
    slowed = torch.where(wave > length / low, rates / factor, between)
    return torch.where(wave < length / high, rates, slowed)


def _yarn(rates: Tensor, of: Rotary) -> Tensor:
    """Pairs before the one that turns ``beta_fast`` times kept, after that of ``beta_slow`` times slowed."""
    scaling = of.scaling
    length = scaling.original_length or of.max_length
    turns = (scaling.beta_fast, scaling.beta_slow)
    start, stop = (
        of.head_dim * math.log(length / (count * 2 * math.pi)) / (2 * math.log(of.theta)) for count in turns
    )
    if scaling.truncate:
        start, stop = math.floor(start), math.ceil(stop)
    start, stop = max(start, 0), min(stop, of.head_dim - 1)
    stop += 0.001 if start == stop else 0  # a ramp of no width would divide by zero
    pair = torch.arange(of.head_dim // 2, dtype=torch.float32)
    kept = 1 - ((pair - start) / (stop - start)).clamp(0, 1)
    powers = torch.arange(0, of.head_dim, 2, dtype=torch.float32) / of.head_dim
    slowed = 1.0 / (scaling.factor * of.theta**powers)
    return slowed * (1 - kept) + rates * kept


SLOWED: dict[str, Callable[[Tensor, Rotary], Tensor]] = {"linear": _linear, "llama3": _llama3, "yarn": _yarn}
