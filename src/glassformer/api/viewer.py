"""A model that sees images, opened for use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from glassformer.api.classifier import Labelled
from glassformer.api.lines import paired
from glassformer.api.opened import Opened
from glassformer.base.errors import RunError, UserError
from glassformer.data import pictures

AT_ONCE = 64
MODES: dict[int, pictures.Mode] = {1: "gray", 3: "color"}
DEEP = ("I", "F")  # how pillow's modes of more than a byte a pixel begin
MEAN = STD = 0.5  # of folders that say nothing, as the Vision Transformer's


class Viewer(Opened):
    """A model that tells what an image shows (ViT).

    An image is the path of a file, an image of pillow, or an array of bytes (``uint8``), height × width,
    perhaps × 1 or 3 channels.

    >>> import glassformer as gf                            # doctest: +SKIP
    >>> gf.load("runs/digits").predict("seven.png")[0][0]   # doctest: +SKIP
    ('7', 0.9983)
    """

    objective: ClassVar[str] = "image"

    def predict(self, images: Any, top_k: int = 5) -> list[list[tuple[str, float]]]:
        """The ``top_k`` likeliest labels of each image with their probabilities, best first.

        Images are brought to the size and mode that the model was trained with. Raises UserError for what is
        no image or has more than a byte a pixel, and for a model without classes.
        """
        return list(self.predictions([images] if _is_one(images) else images, top_k))

    def predictions(self, images: Iterable[Any], top_k: int = 5) -> Iterator[list[tuple[str, float]]]:
        """The same in order, a few images in memory at a time."""
        if top_k < 1:
            raise UserError(f"top_k is {top_k}; an image has at least 1 label")
        if getattr(self.model, "output", None) is None:
            raise UserError(f"{self.folder}: this model has no classifier, so it has no labels to give")
        numbered = enumerate(images, start=1)
        while some := list(islice(numbered, AT_ONCE)):
            shares = self._shares(torch.stack([self._normal(image, number) for number, image in some]))
            for share in shares:
                order = share.argsort(descending=True, stable=True)[:top_k].tolist()
                yield [(self._labels[place], share[place].item()) for place in order]

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Labelled]:
        """The image of each path with its labels; blank lines name none."""
        named = (line for line in lines if line.strip())
        for path, labels in paired(named, lambda paths: self.predictions(paths, top_k)):
            yield Labelled("image", path, tuple(labels))

    @torch.inference_mode()
    def _shares(self, images: Float[Tensor, "rows channels height width"]) -> Float[Tensor, "rows classes"]:
        model: Any = self.model
        like = next(model.parameters())
        shares: Tensor = model({"images": images.to(like)}).double().softmax(dim=1).cpu()
        if shares.isnan().any():
            raise RunError("the model gives scores that are not numbers; its weights are damaged")
        return shares

    def _normal(self, image: Any, number: int) -> Float[Tensor, "channels height width"]:
        pixels = self._sized(_pixels(image, self._mode, number))
        values = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() * self._form.scale
        return (values - self._form.mean) / self._form.std

    def _sized(self, pixels: np.ndarray) -> np.ndarray:
        form = self._form
        if form.shortest is not None:
            height, width = pixels.shape[:2]
            short = min(height, width)
            scaled = form.shortest * height // short, form.shortest * width // short
            pixels = _brought(pixels, scaled, form.filter)
            pixels = _center(pixels, form.size)
        return _brought(pixels, form.size, form.filter)

    @cached_property
    def _form(self) -> Form:
        told = None if self.source is None else self.source.preprocessor
        return Form(self.model.config, told or {}, str(self.folder))

    @property
    def _mode(self) -> pictures.Mode:
        return MODES[self._form.channels]

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        numbers: Any = self.model.config
        return numbers.labels or tuple(f"LABEL_{place}" for place in range(numbers.classes))


class Form:
    """What an image has to be before the model: what preprocessor_config.json says, in numbers.

    ``shortest`` is what the shorter side becomes before ``size`` is cut out of the middle, where that is
    asked for; other images are stretched to ``size``, height and width. A byte times ``scale``, less
    ``mean``, by ``std``. Raises UserError for what cannot be read so.
    """

    def __init__(self, numbers: Any, told: Mapping[str, Any], where: str) -> None:
        self.channels: int = numbers.channels
        if self.channels not in MODES:
            raise UserError(
                f"{where}: the model sees images of {self.channels} channels; files of images have 1 or 3"
            )
        try:
            self.size, self.shortest = _sizes(told, numbers.image_size)
            self.filter = int(told.get("resample") or pictures.BILINEAR)
            rescales = told.get("do_rescale", True)
            self.scale = float(told.get("rescale_factor", 1 / 255)) if rescales else 1.0
            normal = told.get("do_normalize", True)
            self.mean = _channels(told.get("image_mean", MEAN) if normal else 0.0, self.channels)
            self.std = _channels(told.get("image_std", STD) if normal else 1.0, self.channels)
        except (TypeError, ValueError, KeyError, RuntimeError) as error:
            raise UserError(f"{where}: preprocessor_config.json cannot be followed ({error})") from None


def _sizes(told: Mapping[str, Any], trained: int | Sequence[int]) -> tuple[tuple[int, int], int | None]:
    """Height and width for the model, and what the shorter side becomes before these are cut out."""
    asked = told.get("size", trained)
    shortest = asked.get("shortest_edge") if isinstance(asked, dict) else None
    if told.get("do_center_crop"):
        whole = _pair(asked) if shortest is None else None
        return _pair(told.get("crop_size", trained)), shortest if whole is None else min(whole)
    return _pair(trained if shortest is not None else asked), None


def _pair(size: Any) -> tuple[int, int]:
    if isinstance(size, dict):
        return int(size["height"]), int(size["width"])
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def _channels(values: Any, channels: int) -> Float[Tensor, "channels 1 1"]:
    """A number for each channel, where one may stand for all."""
    return torch.tensor(values, dtype=torch.float32).reshape(-1).expand(channels)[:, None, None]


def _brought(pixels: np.ndarray, size: tuple[int, int], filter: int) -> np.ndarray:
    return pixels if pixels.shape[:2] == size else pictures.resized(pixels, *size, "stretch", filter)


def _center(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle of an image, as much of ``size`` as it has."""
    top, left = (max(have - want, 0) // 2 for have, want in zip(pixels.shape, size, strict=False))
    return pixels[top : top + size[0], left : left + size[1]]


def _is_one(images: Any) -> bool:
    """Whether it is one image and no list: an array of rows of gray images is a list of them."""
    if isinstance(images, np.ndarray):
        return images.ndim == 2 or (images.ndim == 3 and images.shape[2] in MODES)
    return isinstance(images, str | Path) or _is_pillow(images)


def _is_pillow(image: Any) -> bool:
    return hasattr(image, "convert") and hasattr(image, "has_transparency_data")


def _pixels(image: Any, mode: pictures.Mode, number: int) -> np.ndarray:
    """The bytes of an image in ``mode``, height × width × channels."""
    where = f"image {number}"
    if isinstance(image, str | Path):
        where = str(image)
        _check_path(Path(image))
        image = pictures.opened(Path(image))
    if _is_pillow(image):
        if image.mode.startswith(DEEP):
            raise UserError(
                f"{where}: has the mode {image.mode}, more than a byte a pixel; save it with 8 bits"
            )
        return pictures.plain(image, mode, where)
    if not isinstance(image, np.ndarray):
        kind = type(image).__name__
        raise UserError(f"{where}: is a {kind}; give a path, an image of pillow or an array of uint8")
    if image.dtype != np.uint8:
        raise UserError(f"{where}: is an array of {image.dtype}; give bytes from 0 to 255 (uint8)")
    image = image[:, :, None] if image.ndim == 2 else image
    if image.ndim != 3 or image.shape[2] not in MODES or not image.size:
        raise UserError(
            f"{where}: has the shape {image.shape}; an image is height × width, perhaps × 1 or 3 channels"
        )
    return pictures.converted(image, mode)


def _check_path(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name the images in it")
    if not path.exists():
        raise UserError(f"{path}: no such file")
