"""Changing images by chance without changing what they show: shifts, mirror images, crops, erased patches."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from pydantic import Field

from glassformer.base.config import Settings

_SMALLEST, _LARGEST, _NARROWEST = 0.02, 0.4, 0.3


class Augment(Settings):
    """How training images are changed; what is left out is not done.

    ``shift``: moved by up to so many pixels both ways, black coming in at the edge. ``flip``: every second
    image is mirrored left to right; not for digits and letters. ``crop``: a part of at least this share of
    the area, of any aspect between 3:4 and 4:3, is stretched to the whole (Szegedy et al. 2015, §6).
    ``erase``: how many images have a rectangle of 2 to 40 % of their area replaced by noise (Zhong et al.
    2020, algorithm 1).
    """

    shift: int = Field(0, ge=0)
    flip: bool = False
    crop: float = Field(1.0, gt=0, le=1)
    erase: float = Field(0.0, ge=0, le=1)


def augmented(
    images: UInt8[np.ndarray, "rows height width channels"], rng: np.random.Generator, settings: Augment
) -> UInt8[np.ndarray, "rows height width channels"]:
    """Other views of the images, drawn from ``rng`` alone; the images themselves stay as they are.

    >>> images = np.zeros((2, 8, 8, 1), dtype=np.uint8)
    >>> augmented(images, np.random.default_rng(0), Augment(shift=1, flip=True)).shape
    (2, 8, 8, 1)
    """
    views = _cropped(images, rng, settings.crop) if settings.crop < 1 else images
    if settings.shift or settings.flip:
        views = _moved(views, rng, settings)
    return _erased(views, rng, settings.erase) if settings.erase else views


def _moved(
    images: UInt8[np.ndarray, "rows height width channels"], rng: np.random.Generator, settings: Augment
) -> UInt8[np.ndarray, "rows height width channels"]:
    """Shifts and mirror images in one go: each pixel is fetched from where it was."""
    count, height, width, _ = images.shape
    shift = settings.shift
    down, right = rng.integers(-shift, shift + 1, (2, count, 1))
    rows, columns = np.arange(height) - down, np.arange(width) - right
    if settings.flip:
        mirrored = rng.random((count, 1)) < 0.5
        columns = np.where(mirrored, width - 1 - columns, columns)
    found = _fetched(images, rows.clip(0, height - 1), columns.clip(0, width - 1))
    inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
    found[~inside] = 0
    return found


def _within(places: Int[np.ndarray, "rows size"], size: int) -> Bool[np.ndarray, "rows size"]:
    found: np.ndarray = (places >= 0) & (places < size)
    return found


def _fetched(
    images: UInt8[np.ndarray, "rows height width channels"],
    rows: Int[np.ndarray, "rows height"],
    columns: Int[np.ndarray, "rows width"],
) -> UInt8[np.ndarray, "rows height width channels"]:
    """The pixels at the crossings of these rows and columns, others for each image."""
    found: np.ndarray = images[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return found


def _cropped(
    images: UInt8[np.ndarray, "rows height width channels"], rng: np.random.Generator, least: float
) -> UInt8[np.ndarray, "rows height width channels"]:
    """A part of each image, stretched to the whole by bilinear interpolation."""
    count, height, width, _ = images.shape
    area = rng.uniform(least, 1, count)
    aspect = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3), count))
    sizes = np.sqrt(area * aspect).clip(max=1), np.sqrt(area / aspect).clip(max=1)
    above, share_down = _places(rng, height, sizes[0])
    left, share_right = _places(rng, width, sizes[1])
    below, right = np.minimum(above + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = share_down[:, :, None, None], share_right[:, None, :, None]
    upper = _fetched(images, above, left) * (1 - across) + _fetched(images, above, right) * across
    lower = _fetched(images, below, left) * (1 - across) + _fetched(images, below, right) * across
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def _places(
    rng: np.random.Generator, size: int, shares: Float[np.ndarray, " rows"]
) -> tuple[Int[np.ndarray, "rows size"], Float[np.ndarray, "rows size"]]:
    """Where each pixel of a stretched part lies: the pixel before it, and how far it is to the next."""
    part = shares[:, None] * size
    start = rng.random((len(shares), 1)) * (size - part)
    # Pixels have their middle at a half.
    places = (start + (np.arange(size) + 0.5) * part / size - 0.5).clip(0, size - 1)
    before = np.floor(places).astype(np.int64)
    return before, places - before


def _erased(
    images: UInt8[np.ndarray, "rows height width channels"], rng: np.random.Generator, share: float
) -> UInt8[np.ndarray, "rows height width channels"]:
    count, height, width, _ = images.shape
    area = rng.uniform(_SMALLEST, _LARGEST, count)
    aspect = np.exp(rng.uniform(np.log(_NARROWEST), -np.log(_NARROWEST), count))
    rows = _stretch(rng, height, np.sqrt(area * aspect))
    columns = _stretch(rng, width, np.sqrt(area / aspect))
    chosen = np.less(rng.random(count), share)
    gone = rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]
    found = images.copy()
    found[gone] = rng.integers(0, 256, (int(gone.sum()), images.shape[3]), dtype=np.uint8)
    return found


def _stretch(
    rng: np.random.Generator, size: int, shares: Float[np.ndarray, " rows"]
) -> Bool[np.ndarray, "rows size"]:
    """True on a random stretch of a share of the places, of one place at least."""
    length = np.rint(shares.clip(max=1) * size).astype(np.int64).clip(1, size)
    start = rng.integers(0, size - length + 1)[:, None]
    places = np.arange(size)
    found: np.ndarray = (places >= start) & (places < start + length[:, None])
    return found
