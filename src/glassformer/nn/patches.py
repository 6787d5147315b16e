"""Images to vectors: squares of pixels as words, and a table of places that stretches to any image."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.errors import UserError


def grid(height: int, width: int, patch: int) -> tuple[int, int]:
    """Rows and columns of patches in an image; what is left over at the right and below is not looked at.

    Raises UserError for an image that is smaller than a patch.
    """
    if height < patch or width < patch:
        raise UserError(
            f"an image of {height} × {width} pixels is smaller than a patch of {patch} × {patch}; "
            "give larger images or train with a smaller model.patch"
        )
    return height // patch, width // patch


class Patches(nn.Module):
    """Each square of pixels as one vector, row by row (Dosovitskiy et al. 2021, eq. 1).

    The weight has the shape that a convolution with this stride has in files; as the squares do not overlap,
    one matrix product does the same, and faster on a CPU.

    >>> Patches(3, 8, 4)(torch.zeros(1, 3, 8, 12)).shape
    torch.Size([1, 6, 8])
    """

    def __init__(self, channels: int, dim: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.weight = nn.Parameter(torch.empty(dim, channels, patch, patch))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(
        self, images: Float[Tensor, "rows channels height width"]
    ) -> Float[Tensor, "rows patches dim"]:
        """One vector a patch; UserError for other channels than the weights', or an image below a patch."""
        count, channels, height, width = images.shape
        wanted, size = self.weight.shape[1], self.patch
        if channels != wanted:
            raise UserError(
                f"images of {channels} channels are given to a model of {wanted}; convert them first"
            )
        down, across = grid(height, width, size)
        # Images come in float32, weights may be narrower in training and in use.
        whole = images[:, :, : down * size, : across * size].to(self.weight.dtype)
        squares = whole.reshape(count, channels, down, size, across, size).permute(0, 2, 4, 1, 3, 5)
        return functional.linear(squares.flatten(3).flatten(1, 2), self.weight.flatten(1), self.bias)


def stretched(
    places: Float[Tensor, "patches dim"], trained: tuple[int, int], wanted: tuple[int, int]
) -> Float[Tensor, "wanted dim"]:
    """The vectors of a grid of places for another grid, interpolated (Dosovitskiy et al. 2021, §3.2).

    Bicubic, as the weights of transformers are stretched, and in float32.
    """
    if trained == wanted:
        return places
    picture = places.T.float().reshape(1, -1, *trained)
    larger = functional.interpolate(picture, size=wanted, mode="bicubic", align_corners=False)
    return larger[0].flatten(1).T.to(places.dtype)
