"""The characters of a text file in blocks of bounded size: UTF-8, perhaps gzip, stdin, or only a share."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from glassformer.base import files
from glassformer.base.errors import UserError

BLOCK = 1 << 18
"""How many bytes are read at a time."""

_SHARE = re.compile(r"(.+)\[([\d.]*%?):([\d.]*%?)\]")
_NUMBER = re.compile(r"\d+|\d+(?:\.\d+)?%|")


@dataclass
class Meter:
    """How far reading has come, in bytes of the files; ``total`` is None where nobody knows it."""

    total: int | None = None
    done: int = 0


@dataclass(frozen=True)
class Share:
    """A part of a whole, as in ``[:90%]`` or ``[1000:]``: from ``first`` up to ``last``; None: its ends."""

    first: int | Fraction | None
    last: int | Fraction | None

    def of(self, count: int) -> tuple[int, int]:
        """Where the part begins and ends in a whole of ``count``; fractions are rounded down.

        >>> Share(None, Fraction(9, 10)).of(1_115_394)
        (0, 1003854)
        """
        first, last = (
            end if isinstance(end, int) else count * end.numerator // end.denominator
            for end in (
                0 if self.first is None else self.first,
                Fraction(1) if self.last is None else self.last,
            )
        )
        return min(first, count), min(last, count)


def parted(path: str) -> tuple[str, Share | None]:
    """A path without its share, and the share: ``play.txt[:90%]``, ``play.txt[90%:]``, ``play.txt[:5000]``.

    Ends are counted or given in percent; a file that really has such a name is itself. Raises UserError for
    ends that are not numbers.
    """
    match = _SHARE.fullmatch(path)
    if match is None or Path(path).exists():
        return path, None
    name, first, last = match.groups()
    if not (_NUMBER.fullmatch(first) and _NUMBER.fullmatch(last)):
        raise UserError(
            f"{path}: a share is written [FROM:TO] in percent or numbers, such as [:90%] or [90%:]"
        )
    share = Share(_end(first), _end(last))
    if any(isinstance(end, Fraction) and end > 1 for end in (share.first, share.last)):
        raise UserError(f"{path}: a share has at most 100%")
    return name, share


def _end(text: str) -> int | Fraction | None:
    if not text:
        return None
    return Fraction(text[:-1]) / 100 if text.endswith("%") else int(text)


def characters(name: str, meter: Meter) -> Iterator[str]:
    """The text of a file in blocks; a byte order mark is dropped and ``\r\n`` becomes ``\\n``."""
    decode = _Decoder(files.shown(name))
    held = ""
    for block in _blocks(name, meter):
        text = held + decode(block)
        held = "\r" if text.endswith("\r") else ""
        if whole := text.removesuffix(held).replace("\r\n", "\n"):
            yield whole
    if rest := held + decode(b"", final=True):
        yield rest


class _Decoder:
    """UTF-8 a block at a time; knows the line and column of what is not UTF-8."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.line, self.column = 1, 0
        self.rest = b""
        self.begun = False

    def __call__(self, block: bytes, final: bool = False) -> str:
        if not self.begun and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            advice = "convert it, for example with iconv -f UTF-16 -t UTF-8"
            raise UserError(f"{self.name}:1: this is UTF-16, not UTF-8; {advice}")
        data = self.rest + block
        try:
            text, used = codecs.utf_8_decode(data, "strict", final)
        except UnicodeDecodeError as error:
            self._advance(data[: error.start])
            raise UserError(
                f"{self.name}:{self.line}: not valid UTF-8 (byte 0x{data[error.start]:02x} at column "
                f"{self.column + 1}); convert the file, for example with iconv -f CP949 -t UTF-8"
            ) from None
        self._advance(data[:used])
        self.rest = data[used:]
        if self.begun or not text:
            return text
        self.begun = True
        return text.removeprefix("\ufeff")

    def _advance(self, read: bytes) -> None:
        lines = read.count(b"\n")
        self.line += lines
        self.column = len(read) - read.rfind(b"\n") - 1 if lines else self.column + len(read)


def _blocks(name: str, meter: Meter) -> Iterator[bytes]:
    with opened(name, meter) as file:
        while block := file.read(BLOCK):
            yield block


class _Counted(io.RawIOBase):
    """A file that tells a meter what was read of it, before it is unzipped."""

    def __init__(self, file: io.BufferedIOBase, meter: Meter) -> None:
        self.file, self.meter = file, meter

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read, and count."""
        count = self.file.readinto(buffer) or 0
        self.meter.done += count
        return count


@contextmanager
def opened(name: str, meter: Meter) -> Iterator[io.BufferedIOBase]:
    """The bytes of a file or of stdin, unzipped where they are gzip; UserError when they cannot be read."""
    if os.path.isdir(name):  # noqa: PTH112 - unlike Path.is_dir, never raises
        raise UserError(
            f"{name}: is a folder, neither a text nor a store of 'glassformer data prepare'; name files"
        )
    with files.opened(name, lambda file: io.BufferedReader(_Counted(file, meter), BLOCK)) as file:
        yield file


def shared(name: str, share: Share, meter: Meter) -> Iterator[str]:
    """The characters of a share, which are those that Python counts; the file is read once to count them."""
    count = sum(len(block) for block in characters(name, meter))
    first, last = share.of(count)
    at = 0
    for block in characters(name, meter):
        if part := block[max(first - at, 0) : max(last - at, 0)]:
            yield part
        at += len(block)
