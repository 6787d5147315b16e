"""Reading labelled images: folders with one folder for each class, and arrays in ``.npz`` files."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from glassformer.base.errors import UserError
from glassformer.base.optional import needed
from glassformer.data.characters import Share, parted
from glassformer.data.generated import file_of, is_generated
from glassformer.data.permutation import permute

Mode = Literal["gray", "color"]
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"})
_KEY = 2026
_PART = re.compile(r"(.+\.npz):(\w+)")
_AT_A_TIME = 64
_PLAIN = {"L": "L", "1": "L", "RGB": "RGB", "P": "RGB"}
_NATIVE = {"gray": "L", "color": "RGB"}
BILINEAR = 2  # pillow's number

Pixels = UInt8[np.ndarray, "_ _ _"]
"""Height × width × channels, which change from step to step."""


@dataclass(frozen=True)
class Picture:
    """One image as bytes, the name of its class, and where it stands."""

    pixels: Pixels
    label: str
    where: str


@runtime_checkable
class Album(Protocol):
    """A place with labelled images."""

    def files(self) -> list[Path]:
        """The files that are read."""
        ...

    def about(self) -> dict[str, Any]:
        """What is read of these files, in plain values."""
        ...

    def classes(self) -> tuple[str, ...]:
        """The names of the classes in order."""
        ...

    def read(self, mode: Mode | None) -> Iterator[Picture]:
        """The images in order, gray or in color as they are, or all in ``mode``."""
        ...


def album(path: str) -> Album:
    """What a path of a recipe names: a folder, ``file.npz``, ``file.npz:train``, or ``generated:digits``.

    A share such as ``[:90%]`` at the end is drawn evenly, in a shuffled order that is always the same. Raises
    UserError for what is neither.
    """
    name, share = parted(path)
    if is_generated(name):
        name = file_of(name, kind="images")
    match = _PART.fullmatch(name)
    file, part = match.groups() if match and not Path(name).exists() else (name, "")
    if Path(file).is_dir():
        return Folder(Path(file), share)
    if not Path(file).exists():
        raise UserError(f"{file}: no such folder or file")
    if Path(file).suffix != ".npz":
        raise UserError(f"{file}: images come as a folder with a folder for each class, or as .npz arrays")
    return Arrays(Path(file), part, share)


def _chosen(count: int, share: Share | None) -> np.ndarray:
    """Which of ``count`` images are in the share."""
    if share is None:
        return np.ones(count, dtype=bool)
    first, last = share.of(count)
    places = permute(np.arange(count), max(count, 1), _KEY)
    return (places >= first) & (places < last)


# --- folders -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Folder:
    """``FOLDER/CLASS/image.png``: the folders in the folder are the classes."""

    folder: Path
    share: Share | None = None

    def files(self) -> list[Path]:
        """The images of the share, class by class, by name."""
        found = self._all()
        return [path for path, chosen in zip(found, _chosen(len(found), self.share), strict=True) if chosen]

    def _all(self) -> list[Path]:
        found = sorted(path for path in self.folder.glob("*/**/*") if _is_image(path))
        if not found:
            raise UserError(
                f"{self.folder}: no images here; they belong into a folder for each class, such as "
                f"{self.folder.name}/cat/1.png"
            )
        return found

    def about(self) -> dict[str, Any]:
        """The names, which say the classes."""
        return {"names": [str(path.relative_to(self.folder)) for path in self.files()]}

    def classes(self) -> tuple[str, ...]:
        """The names of the folders that have images."""
        return tuple(sorted({self._class(path) for path in self._all()}))

    def _class(self, path: Path) -> str:
        return path.relative_to(self.folder).parts[0]

    def read(self, mode: Mode | None) -> Iterator[Picture]:
        """Each image in turn; UserError for one that is damaged, or of a mode that is not plain."""
        for path in self.files():
            yield Picture(_opened(path, mode), self._class(path), str(path))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()


def _pillow(what: str) -> ModuleType:
    with needed(f"{what}: reading it", "pillow", "'glassformer[images]'"):
        import PIL.Image
        import PIL.ImageOps
    return PIL


def _opened(path: Path, mode: Mode | None) -> Pixels:
    return plain(opened(path), mode, str(path))


def opened(path: Path) -> Any:
    """The image in a file, upright, as pillow has it. Raises UserError for one that cannot be read."""
    pillow = _pillow(str(path))
    try:
        with pillow.Image.open(path) as file:
            file.load()
            return pillow.ImageOps.exif_transpose(file)
    except (OSError, ValueError, SyntaxError, pillow.Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable image ({error}); remove it or save it anew") from None


def plain(image: Any, mode: Mode | None, where: str) -> Pixels:
    """The bytes of an image of pillow, what is transparent on white; gray or color as it is, or in ``mode``.

    Raises UserError for an image that is neither where no mode is asked for.
    """
    pillow = _pillow(where)
    if mode is None and (image.mode not in _PLAIN or "transparency" in image.info):
        raise UserError(
            f"{where}: has the mode {image.mode}, neither plain gray nor plain color; "
            "set data.mode to gray or color and it will be converted"
        )
    if image.has_transparency_data:
        white = pillow.Image.new("RGBA", image.size, "white")
        image = pillow.Image.alpha_composite(white, image.convert("RGBA"))
    pixels = np.asarray(image.convert(_PLAIN[image.mode] if mode is None else _NATIVE[mode]), dtype=np.uint8)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def resized(
    pixels: Pixels, height: int, width: int, way: Literal["crop", "stretch"], filter: int = BILINEAR
) -> Pixels:
    """The image in another size: stretched, or scaled until it covers the new size and cut at the edges.

    ``filter`` is how pillow fills in between, by its number.
    """
    pillow = _pillow("data.resize")
    image = pillow.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    smooth = pillow.Image.Resampling(filter)
    if way == "crop":
        image = pillow.ImageOps.fit(image, (width, height), smooth)
    else:
        image = image.resize((width, height), smooth)
    found = np.asarray(image, dtype=np.uint8)
    return found[:, :, None] if found.ndim == 2 else found


def converted(pixels: Pixels, mode: Mode | None) -> Pixels:
    """The image in gray (ITU-R BT.601) or in color, as asked."""
    if mode == "color" and pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    if mode == "gray" and pixels.shape[2] == 3:
        return np.rint(pixels @ np.array([0.299, 0.587, 0.114]))[:, :, None].astype(np.uint8)
    return pixels


# --- arrays ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrays:
    """Images and labels in one ``.npz``: ``x_train`` and ``y_train``, ``train_images`` and ``train_labels``,
    or ``x`` and ``y``; images as bytes, count × height × width, perhaps × channels.
    """

    file: Path
    part: str = ""
    share: Share | None = None

    def files(self) -> list[Path]:
        """The one file."""
        return [self.file]

    def about(self) -> dict[str, Any]:
        """The names of the arrays, and the share."""
        return {"arrays": list(self._names()), "share": str(self.share)}

    def _names(self) -> tuple[str, str]:
        with _archive(self.file) as archive:
            there = [name.removesuffix(".npy") for name in archive.namelist()]
        spelt = {name.lower(): name for name in there}
        forms = [
            pair
            for part in ([self.part, "val"] if self.part == "valid" else [self.part])
            for pair in (
                [(f"x_{part}", f"y_{part}"), (f"{part}_images", f"{part}_labels"), (f"{part}_x", f"{part}_y")]
                if part
                else [("x", "y"), ("images", "labels")]
            )
        ]
        for images, labels in forms:
            if images in spelt and labels in spelt:
                return spelt[images], spelt[labels]
        wanted = " or ".join(f"{images} and {labels}" for images, labels in forms)
        advice = "" if self.part else f"; name a part, such as {self.file.name}:train"
        raise UserError(f"{self.file}: has the arrays {', '.join(there)}, but not {wanted}{advice}")

    def _labels(self) -> np.ndarray:
        name = self._names()[1]
        with _array(self.file, name) as (file, dtype, shape):
            if dtype.kind not in "iu" or len(shape) not in (1, 2) or shape[1:] not in ((), (1,)):
                raise UserError(
                    f"{self.file}: {name} is {dtype} of shape {shape}; labels are one whole number an image"
                )
            labels = np.frombuffer(file.read(), dtype=dtype)
        if not len(labels):
            raise UserError(f"{self.file}: {name} is empty; there are no images here")
        if int(labels.min()) < 0:
            raise UserError(f"{self.file}: {name} has the label {labels.min()}; classes count from 0")
        return labels.astype(np.int64)

    def classes(self) -> tuple[str, ...]:
        """The numbers of the classes as words; UserError where one of them has no image."""
        counts = np.bincount(self._labels())
        gaps = np.flatnonzero(counts == 0)
        if len(gaps):
            shown = ", ".join(map(str, gaps[:5])) + (", …" if len(gaps) > 5 else "")
            raise UserError(
                f"{self.file}: {self._names()[1]} goes up to {len(counts) - 1}, but no image has the label "
                f"{shown}; number the classes from 0 without gaps"
            )
        return tuple(map(str, range(len(counts))))

    def read(self, mode: Mode | None) -> Iterator[Picture]:
        """Each image in turn, a few in memory at a time."""
        labels, name = self._labels(), self._names()[0]
        chosen = _chosen(len(labels), self.share)
        with _array(self.file, name) as (file, dtype, shape):
            upright = _form(self.file, name, dtype, shape)
            if shape[0] != len(labels):
                raise UserError(
                    f"{self.file}: {name} has {shape[0]:,} images but there are {len(labels):,} labels"
                )
            size = int(np.prod(shape[1:]))
            for start in range(0, shape[0], _AT_A_TIME):
                count = min(_AT_A_TIME, shape[0] - start)
                block = np.frombuffer(file.read(count * size), dtype=np.uint8).reshape(count, *shape[1:])
                for at in np.flatnonzero(chosen[start : start + count]).tolist():
                    number = start + at
                    pixels = converted(upright(block[at]), mode)
                    yield Picture(pixels, str(labels[number]), f"{self.file}: {name}[{number}]")


def _form(file: Path, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Callable[[Any], Pixels]:
    """What makes height × width × channels of one image of such an array."""
    if dtype != np.uint8:
        raise UserError(f"{file}: {name} is {dtype}; images are bytes from 0 to 255 (uint8)")
    if len(shape) == 3:
        return lambda image: image[:, :, None]
    if len(shape) == 4 and shape[3] in (1, 3):
        return lambda image: image
    if len(shape) == 4 and shape[1] in (1, 3):
        return lambda image: image.transpose(1, 2, 0)
    raise UserError(
        f"{file}: {name} has the shape {shape}; images are count × height × width, perhaps × 1 or 3 channels"
    )


@contextmanager
def _archive(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise UserError(f"{file}: not a readable .npz file ({error}); copy it again") from None


@contextmanager
def _array(file: Path, name: str) -> Iterator[tuple[IO[bytes], np.dtype[Any], tuple[int, ...]]]:
    """An array of a ``.npz`` whose numbers are about to be read, with its type and shape."""
    with _archive(file) as archive, archive.open(f"{name}.npy") as member:
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        version = np.lib.format.read_magic(member)
        if version not in read:
            raise UserError(f"{file}: {name} is in a form of numpy that is not read here; save it anew")
        shape, columns_first, dtype = read[version](member)
        if columns_first and len(shape) > 1:
            raise UserError(f"{file}: {name} has its columns first; save numpy.ascontiguousarray of it")
        yield member, dtype, shape
