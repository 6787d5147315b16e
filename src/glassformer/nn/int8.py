"""Products in 8-bit integers for inference on a CPU: weights rounded once, vectors as they come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Float, Int8, UInt8
from torch import Tensor

from glassformer.base import machine
from glassformer.nn.joint import Joint, Linear, Matrix, biases, weights

MIDDLE = 128  # the code of zero: the processor multiplies unsigned by signed bytes
FULL = 127  # the code of a row's largest magnitude, counted from the middle
READ, WRITTEN = 768, 3072  # of a matrix that is tried
MOST_PLAIN = 2**24  # numbers of a matrix of which there is a second copy; a larger one is read from memory
HALF = torch.tensor(MIDDLE + 0.5)  # what is cut off after it was added is rounded


class Integers(Joint):
    """Linear maps of the same vectors as one product of 8-bit integers.

    ::

        W ≈ diag(s) Q         s = max |row of W| / 127         Q = round(W / s)             once
        x ≈ a (u − 128)       a = max |x| / 127                u = ⌊x / a + 128.5⌋          for each row x
        W x + b ≈ a · diag(s) Q (u − 128) + b

    Sums are exact: they are made in 32-bit integers. Each row of vectors has a scale of its own, so that
    nothing else in a batch changes what it gives. A row of zeros gives b; one that holds a number that is
    not finite gives none that is.

    ``plain`` keeps a second copy of Q as it is, which a single row is multiplied by; without it where that is
    quicker on this machine (``plain_is_quick``).
    """

    def __init__(self, parts: Sequence[Linear], *, plain: bool | None = None) -> None:
        super().__init__(parts)
        matrix, scales = rounded(weights(parts, torch.float32))
        self.matrix = torch.ops.onednn.qlinear_prepack(matrix, None)
        plain = matrix.numel() <= MOST_PLAIN and plain_is_quick() if plain is None else plain
        self.plain = matrix.t() if plain else None
        self.scales = scales / FULL
        self.zeros = torch.zeros(len(scales), dtype=torch.int64)
        self.bias = biases(parts, torch.float32)

    def _product(self, x: Tensor) -> Tensor:
        codes, largest = encoded(x)
        if self.plain is not None and x.numel() == x.shape[-1]:
            product = self._of_one(codes, self.plain)
        else:
            product = self._of_many(codes)
        if self.bias is None:
            return product.mul_(largest)
        return torch.addcmul(self.bias, product, largest, out=product)

    def _of_many(self, codes: Tensor) -> Tensor:
        rest: Any = None, 1.0, 0, torch.float32, "none", [], ""
        found: Tensor = torch.ops.onednn.qlinear_pointwise(
            codes, 1.0, MIDDLE, self.matrix, self.scales, self.zeros, *rest
        )
        return found

    def _of_one(self, codes: Tensor, plain: Tensor) -> Tensor:
        """The same of a single row, by a call that costs less."""
        signed = codes.view(1, -1).bitwise_xor(MIDDLE).view(torch.int8)
        return (torch._int_mm(signed, plain) * self.scales).view(*codes.shape[:-1], -1)


@cache
def plain_is_quick() -> bool:
    """Whether matrices as they are give one row right and sooner than matrices laid out for many rows do.

    Measured once in a fifth of a second (``base.machine.decided``).
    """
    return hasattr(torch, "_int_mm") and machine.decided("int8_row", _plain_is_quicker, machine.look())


@torch.inference_mode()
def _plain_is_quicker() -> bool:
    x = torch.linspace(-1, 1, READ)[None]
    matrix = Matrix(torch.linspace(-1, 1, READ * WRITTEN).view(WRITTEN, READ))
    one, many = (Integers([matrix], plain=plain) for plain in (True, False))
    seconds = [machine.quickest(partial(form, x), "cpu", budget=0.1) for form in (one, many)]
    return torch.equal(one(x), many(x)) and seconds[0] < seconds[1]


def rounded(matrix: Float[Tensor, "out in"]) -> tuple[Int8[Tensor, "out in"], Float[Tensor, " out"]]:
    """Q and s: each row of a matrix in steps of its largest magnitude / 127."""
    # A row without numbers of any size may have any step.
    steps = (matrix.abs().amax(dim=1) / FULL).clamp_(min=torch.finfo(torch.float32).tiny)
    return (matrix / steps[:, None]).round_().to(torch.int8), steps


def encoded(x: Float[Tensor, "*rows dim"]) -> tuple[UInt8[Tensor, "*rows dim"], Float[Tensor, "*rows 1"]]:
    """u, and the largest magnitude of each row, 127 a.

    A row of zeros has codes of no meaning: they are multiplied by its largest magnitude.
    """
    largest = x.abs().amax(dim=-1, keepdim=True)
    return torch.addcmul(HALF, largest.reciprocal(), x, value=FULL).to(torch.uint8), largest


def can() -> bool:
    """Whether this PyTorch has the products."""
    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return there and hasattr(torch.ops.onednn, "qlinear_pointwise")


def exact() -> bool:
    """Whether the largest sums that can come about are right here.

    Processors without instructions for products of bytes may cut sums off at 16 bits.
    """
    matrix = torch.full((2, 512), FULL, dtype=torch.int8)
    matrix[1] = -FULL
    product = torch.ops.onednn.qlinear_pointwise(
        torch.full((1, 512), 255, dtype=torch.uint8), 1.0, 0, torch.ops.onednn.qlinear_prepack(matrix, None),
        torch.ones(2), torch.zeros(2, dtype=torch.int64), None, 1.0, 0, torch.float32, "none", [], "",
    )  # fmt: skip
    largest = 255 * FULL * 512
    return bool(product.flatten().tolist() == [largest, -largest])
