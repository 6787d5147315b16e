"""Patches are a convolution with its own stride, and places stretch as transformers stretches them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.nn.patches import Patches, grid, stretched


@pytest.mark.parametrize("size", [(8, 8), (4, 12), (9, 14), (4, 4)])
@pytest.mark.parametrize("channels", [1, 3])
def test_patches_are_what_a_convolution_gives(channels: int, size: tuple[int, int]) -> None:
    patches = Patches(channels, 6, 4)
    with torch.no_grad():
        for weight in patches.parameters():
            weight.normal_()
    images = torch.randn(2, channels, *size)
    expected = functional.conv2d(images, patches.weight, patches.bias, stride=4).flatten(2).transpose(1, 2)
    torch.testing.assert_close(patches(images), expected, rtol=0, atol=1e-5)


def test_patches_read_an_image_that_does_not_lie_in_one_piece() -> None:
    patches = Patches(3, 6, 4)
    torch.nn.init.normal_(patches.weight)
    images = torch.randn(2, 8, 8, 3).permute(0, 3, 1, 2)
    torch.testing.assert_close(patches(images), patches(images.contiguous()))


def test_images_of_other_channels_are_refused() -> None:
    with pytest.raises(UserError, match="images of 1 channels are given to a model of 3"):
        Patches(3, 6, 4)(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("size", [(3, 8), (8, 3)])
def test_an_image_smaller_than_a_patch_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="smaller than a patch of 4 × 4"):
        Patches(3, 6, 4)(torch.zeros(1, 3, *size))


def test_a_grid_counts_whole_patches() -> None:
    assert grid(9, 15, 4) == (2, 3)


def test_places_stay_as_they_are_on_the_grid_they_were_trained_for() -> None:
    places = torch.randn(6, 5)
    assert stretched(places, (2, 3), (2, 3)) is places


def test_rows_and_columns_of_places_keep_their_order() -> None:
    down = torch.arange(4.0).repeat_interleave(3)[:, None]
    across = torch.arange(3.0).repeat(4)[:, None]
    larger = stretched(torch.cat([down, across], dim=1), (4, 3), (8, 9)).view(8, 9, 2)
    torch.testing.assert_close(larger[:, 0, 0], larger[:, 8, 0])
    torch.testing.assert_close(larger[0, :, 1], larger[7, :, 1])
    assert bool((larger[1:, :, 0] > larger[:-1, :, 0]).all())
    assert bool((larger[:, 1:, 1] > larger[:, :-1, 1]).all())


def test_places_of_half_precision_are_stretched_in_full_precision() -> None:
    places = torch.randn(4, 5).bfloat16()
    exact = stretched(places.float(), (2, 2), (3, 5))
    larger = stretched(places, (2, 2), (3, 5))
    assert larger.dtype == torch.bfloat16
    assert torch.equal(larger, exact.bfloat16())
