"""A matrix that stays as it is beside a product of two narrow ones that learns (LoRA)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.dropout import Dropout


class LowRank(nn.Linear):
    """A linear layer with an update of low rank beside its matrix (Hu et al. 2022, §4.1, eq. 3).

        W x + b + s B A dropout(x),        A [rank, in], B [out, rank]

    ``weight`` and ``bias`` are those of the layer it was made from, the same tensors under the same names.
    B begins with zeros, so that nothing has changed before anything was learned. ``scale`` is s: alpha / rank
    in the paper, alpha / √rank where it is to stay of one size for large ranks (Kalajdzievski 2023, eq. 5).

    >>> linear = nn.Linear(8, 4)
    >>> bent = LowRank(linear, rank=2, scale=1.0)
    >>> x = torch.ones(1, 8)
    >>> torch.equal(bent(x), linear(x))
    True
    """

    def __init__(self, linear: nn.Linear, rank: int, scale: float, dropout: float = 0.0) -> None:
        size = linear.in_features, linear.out_features
        super().__init__(*size, bias=linear.bias is not None, device="meta")
        self.weight, self.bias = linear.weight, linear.bias
        self.rank, self.scale = rank, scale
        place = linear.weight.device
        self.lora_A = nn.Linear(size[0], rank, bias=False, device=place)
        self.lora_B = nn.Linear(rank, size[1], bias=False, device=place)
        self.dropout = Dropout(dropout)
        self._aside: tuple[Tensor, ...] = ()
        nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Float[Tensor, "*rows in"]) -> Float[Tensor, "*rows out"]:
        """The layer's own result and the update's, which may be in the matrix already."""
        if self.merged:
            return functional.linear(x, self.weight, self.bias)
        update: Tensor = self.lora_B(self.lora_A(self.dropout(x)))
        return functional.linear(x, self.weight, self.bias) + update * self.scale

    def folded(self) -> nn.Linear:
        """A plain layer with the update in its matrix, summed in float64."""
        plain = nn.Linear(self.in_features, self.out_features, bias=self.bias is not None, device="meta")
        plain.weight, plain.bias = self._whole(), self.bias
        return plain.train(self.training)

    @property
    def merged(self) -> bool:
        """Whether the update is in the matrix."""
        return bool(self._aside)

    def merge(self) -> None:
        """Put the update into the matrix, whose first values are kept aside; merged already, it stays so."""
        if not self.merged:
            self._aside, self.weight = (self.weight,), self._whole()

    def unmerge(self) -> None:
        """Put back the very matrix that was there before, on the device where the layer is now."""
        if self.merged:
            (before,), self._aside = self._aside, ()
            before.data = before.data.to(self.weight.device)
            self.weight = before

    def _whole(self) -> Tensor:
        if self.merged:
            return self.weight
        with torch.no_grad():
            update = self.lora_B.weight.double() @ self.lora_A.weight.double()
            whole = (self.weight.double() + self.scale * update).to(self.weight.dtype)
        return nn.Parameter(whole, requires_grad=False)

    def extra_repr(self) -> str:
        """The sizes, for printing."""
        return f"{super().extra_repr()}, rank={self.rank}, scale={self.scale:g}"


def put(body: nn.Module, name: str, part: nn.Module) -> None:
    """Put ``part`` in the place of the module of this name; all other names stay."""
    owner, _, last = name.rpartition(".")
    setattr(body.get_submodule(owner) if owner else body, last, part)


def low_rank_parts(model: nn.Module) -> dict[str, LowRank]:
    """The layers with such an update, by their names."""
    return {name: part for name, part in model.named_modules() if isinstance(part, LowRank)}


def merge(model: nn.Module) -> None:
    """Put every update into its matrix, in place: nothing learns then, and nothing more is computed.

    The matrices of before are kept, as much memory again; ``nn.folding`` makes a twin without them.
    """
    for part in low_rank_parts(model).values():
        part.merge()


def unmerge(model: nn.Module) -> None:
    """Undo ``merge``: every matrix is bit for bit what it was, and its update stands beside it again."""
    for part in low_rank_parts(model).values():
        part.unmerge()
