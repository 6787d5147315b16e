"""Labelled images as a recipe names them: what is read, which classes there are, and what is streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Integer
from pydantic import Field, model_validator

from glassformer.base.errors import UserError
from glassformer.data.augment import Augment, augmented
from glassformer.data.example import Example, Features
from glassformer.data.intact import BLOCK
from glassformer.data.pictures import Album, Mode, Picture, album, resized
from glassformer.data.sources import Divided, Sources, Split
from glassformer.data.store import Encode, Store, cached, fingerprint


class Config(Divided):
    """Which images are trained on (the recipe's ``data``, ``name: images``).

    A path is a folder with one folder of images for each class, an ``.npz`` file with ``x`` and ``y``, of
    which ``file.npz:train`` is the part ``x_train`` and ``y_train``, or ``generated:digits``, scikit-learn's
    handwritten digits, with ``…/valid`` and ``…/test``. A share such as ``file.npz:train[:90%]`` is drawn
    evenly. All images must have one size and be all gray or all in color, unless ``image_size`` (one number
    or height and width) with ``resize``, and ``mode``, say what is made of them. ``crop`` keeps the aspect
    and cuts at the edges. A step takes ``batch_size`` images, over all ranks together. ``augment`` changes
    training images by chance.
    """

    name: Literal["images"] = "images"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    image_size: int | tuple[int, int] | None = None
    resize: Literal["crop", "stretch"] | None = None
    mode: Mode | None = None
    augment: Augment = Augment()
    batch_size: int = Field(64, ge=1)
    workers: int = Field(1, ge=0, le=64)

    @model_validator(mode="after")
    def _size_to_resize_to(self) -> Config:
        if self.resize is not None and self.image_size is None:
            raise ValueError("resize needs image_size, the size that images are brought to")
        if self.image_size is not None and min(np.atleast_1d(self.image_size)) < 1:
            raise ValueError("image_size counts pixels, at least 1")
        return self

    @property
    def tokens_per_batch(self) -> int:
        """What a step may cost: an image costs 1."""
        return self.batch_size


class Pictures:
    """The rows of a store of images, each of which counts as one in a batch."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, row: int) -> Features:
        return self.store[row]

    @property
    def lengths(self) -> Integer[np.ndarray, " rows"]:
        """1 for each image, a single number behind every place."""
        return np.broadcast_to(np.int64(1), (len(self.store),))

    @property
    def fingerprint(self) -> str:
        """That of the store."""
        return self.store.fingerprint

    @property
    def folder(self) -> Path:
        """Where the store is."""
        return self.store.folder


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str, ...]]:  # noqa: ARG001
    """No tokenizer learns from images."""
    return iter(())


def augmentation(config: Config) -> Any:
    """What changes training images by chance: a function of a batch of them and ``rng``, or None."""
    return None if config.augment == Augment() else partial(augmented, settings=config.augment)


def facts(config: Config, cache: Path | None = None) -> dict[str, Any]:
    """Sizes that only the data knows, of the training images.

    ``classes`` and their ``labels``, ``image_size`` (one number for a square, else height and width),
    ``channels``, and ``mean`` and ``std`` of each channel, black being 0 and white 1. The images are read
    once, into the stores that training reads. Raises UserError for images that do not fit each other.
    """
    wanted = _wanted(config)
    labels, (height, width, channels) = wanted.labels, wanted.form.pixels.shape
    made = [_store(wanted, source.path, "train", cache) for source in config.sources("train")]
    mean, std = mean_and_std(made, channels)
    return {
        "classes": len(labels),
        "labels": labels,
        "image_size": height if height == width else (height, width),
        "channels": channels,
        "mean": mean,
        "std": std,
    }


def stores(
    config: Config,
    split: Split,
    encode: Encode,  # noqa: ARG001 - a byte is its own number
    settings: Mapping[str, Any],  # noqa: ARG001
    *,
    cache: Path | None = None,
) -> list[tuple[Pictures, float]]:
    """The images of a split with their weights, as ``Stream`` takes them; each source is read only once.

    Features are ``image``, the bytes of height × width × channels, and ``label``, the number of the class
    among those of the training images; there is nothing to encode, so that ``facts`` can look at them before
    there is a model. Raises UserError for images that cannot be used.
    """
    if not config.sources(split):
        return []
    wanted = _wanted(config)
    return [
        (Pictures(_store(wanted, source.path, split, cache)), source.weight)
        for source in config.sources(split)
    ]


def mean_and_std(stores: Sequence[Store], channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over all images, to six digits, between 0 and 1.

    They are exact: how often each of the 256 values occurs is counted, block by block.
    """
    counts = np.zeros((channels, 256), dtype=np.int64)
    for store in stores:
        pixels = store.joined("image")
        step = BLOCK * channels
        for start in range(0, len(pixels), step):
            block = pixels[start : start + step].reshape(-1, channels)
            for channel in range(channels):
                counts[channel] += np.bincount(block[:, channel], minlength=256)
    values = np.arange(256) / 255
    total = counts.sum(1)
    mean = counts @ values / total
    spread = np.sqrt(np.maximum(counts @ values**2 / total - mean**2, 0))
    # Images of one shade leave nothing to divide by.
    spread[spread < 1e-6] = 1.0
    return tuple(np.round(mean, 6).tolist()), tuple(np.round(spread, 6).tolist())


@dataclass(frozen=True)
class _Wanted:
    """What every image must be like: of one of the classes, and of the form of the first."""

    config: Config
    labels: tuple[str, ...]
    form: Picture


def _wanted(config: Config) -> _Wanted:
    return _Wanted(config, _classes(config), _form(config))


def _classes(config: Config) -> tuple[str, ...]:
    """The classes of all training images; folders are joined by name, arrays by number."""
    found = [album(source.path).classes() for source in config.sources("train")]
    joined = {label: None for classes in found for label in classes}
    numbers = all(label.isdecimal() for label in joined)
    labels = tuple(sorted(joined, key=int if numbers else str))
    if len(labels) < 2:
        names = ", ".join(source.path for source in config.sources("train"))
        raise UserError(f"{names}: all images are of one class, {labels[0]}; telling apart needs two")
    return labels


def _form(config: Config) -> Picture:
    """The image that all others must be like: the first for training, brought to the size asked for."""
    first = next(album(config.sources("train")[0].path).read(config.mode), None)
    if first is None:
        raise UserError(f"{config.sources('train')[0].path}: this share has no images")
    return Picture(_fitted(first, config), first.label, first.where)


def _fitted(picture: Picture, config: Config) -> np.ndarray:
    """The image in the size asked for; UserError where it has another and must keep it."""
    if config.image_size is None:
        return picture.pixels
    one = config.image_size
    height, width = (one, one) if isinstance(one, int) else one
    if picture.pixels.shape[:2] == (height, width):
        return picture.pixels
    if config.resize is None:
        raise UserError(
            f"{picture.where}: is {_size(picture.pixels)} but data.image_size is {height}×{width}; "
            "set data.resize to crop or stretch"
        )
    return resized(picture.pixels, height, width, config.resize)


def _size(pixels: np.ndarray) -> str:
    height, width, channels = pixels.shape
    return f"{height}×{width} {'gray' if channels == 1 else 'color'}"


def _store(wanted: _Wanted, path: str, split: Split, cache: Path | None) -> Store:
    found = album(path)
    about = {
        "album": found.about(),
        "labels": wanted.labels,
        "form": wanted.form.pixels.shape,
        "resize": wanted.config.resize,
        "mode": wanted.config.mode,
    }
    read = partial(_examples, found, path, wanted)
    name = fingerprint(found.files(), about)
    return cached(name, read, _encode, cache=cache, what=f"reading images ({split})")


def _examples(found: Album, path: str, wanted: _Wanted) -> Iterator[Example]:
    numbers = {label: number for number, label in enumerate(wanted.labels)}
    form = wanted.form
    empty = True
    for picture in found.read(wanted.config.mode):
        empty = False
        if picture.label not in numbers:
            raise UserError(f"{picture.where}: the class {picture.label} has no training images")
        pixels = _fitted(picture, wanted.config)
        if pixels.shape != form.pixels.shape:
            raise UserError(
                f"{picture.where}: is {_size(pixels)} but {form.where} is {_size(form.pixels)}; make them "
                "alike, or set data.image_size with data.resize, and data.mode"
            )
        yield Example({"image": pixels, "label": numbers[picture.label]}, picture.where)
    if empty:
        raise UserError(f"{path}: this share has no images")


def _encode(examples: Sequence[Example]) -> list[Features]:
    return [
        Features({"image": one.fields["image"].reshape(-1), "label": np.array([one.fields["label"]])})
        for one in examples
    ]
