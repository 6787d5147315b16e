"""Files and folders that are whole or absent: atomic writing, safe names, and text read line by line."""

import errno
import gzip
import hashlib
import io
import itertools
import os
import re
import shutil
import socket
import stat
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn, cast

from glassformer.base.errors import RunError, UserError

# A name that begins so, on this host, by a process that has ended, is what a kill left behind.
# Nothing else is ever removed.
_OURS = ".glassformer-tmp-"
_OLD, _NEW = ".glassformer-old-", ".glassformer-new-"
_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
_LEFTOVER = re.compile(re.escape(f"{_OURS}{_HOST}-") + r"(\d+)-(\d+)(\.\w+)?")
_numbers = itertools.count(1)
_in_use: set[str] = set()

# A swap takes two renames; a reader that comes between them looks this often, this many seconds apart.
_LOOKS, _BETWEEN_LOOKS = 5, 0.02

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space or choose another place",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another place",
    errno.EACCES: "no permission; choose a place you may write to",
    errno.EPERM: "no permission; choose a place you may write to",
    errno.EROFS: "this file system is read-only; choose another place",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EISDIR: "a folder with this name is in the way; move it or choose another name",
    errno.ENOTDIR: "a part of this path is a file, not a folder; choose another path",
    errno.EEXIST: "a file with this name is in the way; move it or choose another name",
    errno.EFBIG: "the file would be larger than allowed here; choose another place",
    errno.EXDEV: "the two places are on different disks; choose places on the same one",
    errno.ENOENT: "a folder of this path does not exist or was removed meanwhile",
}

_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)


def cache_folder() -> Path:
    """Where what can be computed again is kept: ``$GLASSFORMER_CACHE``, or ``~/.cache/glassformer``."""
    folder = Path(os.path.expanduser(os.environ.get("GLASSFORMER_CACHE") or "~/.cache/glassformer"))  # noqa: PTH111
    # A user without a home, as in many containers, keeps the tilde: Path.expanduser would raise.
    return Path(tempfile.gettempdir()) / "glassformer" if folder.parts[:1] == ("~",) else folder


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write a file to; on leaving, flush it to disk and rename it to ``path``.

    Missing folders are made. After any failure ``path`` is as it was and the temporary file is gone. An
    OSError becomes a RunError that says what to do. Devices and pipes are written to directly.
    """
    with _advising(path):
        final = path.resolve() if path.is_symlink() else path
        if final.exists() and not stat.S_ISREG(final.stat().st_mode):
            if final.is_dir():
                raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
            yield final
            return
        with _temporary(final) as temporary:
            yield temporary
            if final.exists():
                shutil.copymode(final, temporary)
            _flush(temporary)
            temporary.replace(final)
            _flush(final.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that at every moment, even after a kill, it is the old one or the new one, whole."""
    with writing(path) as temporary, temporary.open("wb") as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text, line ends as they are, as ``write_bytes`` does."""
    write_bytes(path, content.encode("utf-8"))


@contextmanager
def building(final: Path) -> Iterator[Path]:
    """Give an empty temporary folder to fill; on leaving, it takes the place of ``final`` in one step.

    After a failure ``final`` is as it was. Raises RunError with advice when the disk refuses.
    """
    with _advising(final), _temporary(final) as temporary:
        temporary.mkdir()
        yield temporary
        replace_folder(temporary, final)


def replace_folder(new: Path, final: Path) -> None:
    """Let the finished folder ``new`` take the place of ``final``, which may exist; both on the same disk.

    A kill at any moment leaves the old or the new folder whole, here or under the names from which
    ``recover_folder`` brings it back:  final → old,  new → final,  remove old.
    """
    with _advising(final):
        final = final.resolve() if final.is_symlink() else final
        if final.exists() and not final.is_dir():
            raise FileExistsError(errno.EEXIST, "is a file", str(final))
        recover_folder(final)
        staged, old = _beside(final)
        _flush_tree(new)
        new.rename(staged)
        if final.exists():
            final.rename(old)
        try:
            staged.rename(final)
        except OSError:
            # Somebody who only reads may have finished the swap, which is as good.
            if staged.exists() or not final.exists():
                if old.exists():
                    old.rename(final)
                staged.rename(new)
                raise
        _flush(final.parent)
        _remove(old)


def recover_folder(final: Path) -> None:
    """Finish or undo a swap that was cut short, and do nothing when none was.

    Where ``final`` is missing the new folder takes its place, or the old one returns; where it stands, what
    is left beside it goes. To be called only while no other process writes there.
    """
    with _advising(final):
        final = final.resolve() if final.is_symlink() else final
        staged, old = _beside(final)
        for candidate in (staged, old):
            if candidate.exists() and not final.exists():
                candidate.rename(final)
        _remove(staged)
        _remove(old)


def standing(final: Path) -> Path:
    """Where the content of ``final`` is at this moment, for those who only read: nothing is moved.

    A swap that is going on is over in a moment and is waited for; of one that was cut short the new folder is
    given, else the old one. Without any of them it is ``final`` itself, which then does not exist.
    """
    beside = _beside(final.resolve() if final.is_symlink() else final)
    for _ in range(_LOOKS):
        if final.exists() or not any(candidate.exists() for candidate in beside):
            return final
        time.sleep(_BETWEEN_LOOKS)
    return next((candidate for candidate in beside if candidate.exists()), final)


def link_or_copy(source: Path, target: Path) -> None:
    """Make ``target`` the same file as ``source`` by a hard link, or a copy where links are not possible."""
    if not source.is_file():
        raise UserError(f"{source}: no such file")
    with writing(target) as temporary:
        try:
            os.link(source.resolve(), temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        if target.exists() and target.samefile(temporary):
            # Renaming a file onto another name of itself does nothing and would leave the temporary name.
            target.unlink()


def sha256(path: Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits; UserError when it cannot be read."""
    with _reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(folder: Path, name: str) -> Path:
    """``folder / name`` for a name from an untrusted file; UserError when it leads out of the folder."""
    path = folder / name
    parts = re.split(r"[\\/]", name)
    bad = (
        not name
        or "\0" in name
        or ".." in parts
        or Path(name).is_absolute()
        or re.match(r"[A-Za-z]:|[\\/]", name)
    )
    if bad or not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{folder}: the name {name!r} leads out of this folder and is refused")
    return path


def stop(where: str, problem: str) -> NoReturn:
    """What is done with a line that cannot be used, unless the caller knows better: raises UserError."""
    raise UserError(f"{where}: {problem}")


def open_lines(path: Path | str, bad: Callable[[str, str], None] = stop) -> Iterator[tuple[int, str]]:
    """The lines of UTF-8 text with their numbers from 1, without line ends; may be gzip; ``-`` is stdin.

    Only ``\\n`` and ``\\r\\n`` end a line, so that line 17 here is line 17 in every editor and in ``wc``. A
    byte order mark is dropped. A line that is not UTF-8 is handed to ``bad`` as ``file:line`` and what is
    wrong; when that does not raise, the line comes with U+FFFD for what cannot be read. Raises UserError for
    a file that cannot be read at all.
    """
    name, number = shown(path), 0
    with opened(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                yield number, _decoded(line, number, name, bad)
        except _DAMAGED:
            raise UserError(
                f"{name}:{number + 1}: the gzip file is damaged or cut short here; copy it again"
            ) from None


def _decoded(line: bytes, number: int, name: str, bad: Callable[[str, str], None]) -> str:
    body = line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
    if number == 1:
        if body.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UserError(
                f"{name}:1: this is UTF-16, not UTF-8; convert it, for example with iconv -f UTF-16 -t UTF-8"
            )
        body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{body[error.start]:02x} at column {error.start + 1}"
        advice = "convert the file, for example with iconv -f CP949 -t UTF-8"
    bad(f"{name}:{number}", f"not valid UTF-8 ({byte}); {advice}")
    return body.decode("utf-8", errors="replace")


def standard_input() -> io.BufferedIOBase:
    """The bytes of standard input; UserError when it is closed."""
    if sys.stdin is None:
        raise UserError("standard input is closed; pipe text into it, or name a file")
    return cast(io.BufferedIOBase, sys.stdin.buffer)


def shown(path: Path | str) -> str:
    """How a file is called in a message."""
    return "standard input" if str(path) == "-" else str(path)


def whole(text: str, what: str) -> str:
    """The text; UserError for half a character, which JSON and arguments can hold and no file in UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(f"{what} holds half a character (a lone surrogate)") from None
    return text


@contextmanager
def opened(
    path: Path | str, through: Callable[[io.BufferedIOBase], io.BufferedIOBase] | None = None
) -> Iterator[io.BufferedIOBase]:
    """The bytes of a file, or for ``-`` of standard input, unzipped where they are gzip.

    ``through`` is put around the file as it lies on the disk. Raises UserError when it cannot be read.
    """
    try:
        with _reading(Path(shown(path))), ExitStack() as held:
            file = standard_input() if str(path) == "-" else held.enter_context(Path(path).open("rb"))
            yield _unzipped(file if through is None else through(file))
    except _DAMAGED:
        raise UserError(f"{shown(path)}: the gzip file is damaged or cut short; copy it again") from None


def _unzipped(file: io.BufferedIOBase) -> io.BufferedIOBase:
    peekable = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, file))
    zipped = peekable.peek(2)[:2] == b"\x1f\x8b"
    return gzip.GzipFile(fileobj=peekable) if zipped else peekable


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn the ways in which a file cannot be read into UserError."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder, not a file") from None
    except gzip.BadGzipFile:
        raise
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None


@contextmanager
def _advising(path: Path) -> Iterator[None]:
    """Turn the ways in which a disk refuses into RunError with advice."""
    try:
        yield
    except OSError as error:
        _advise(path, error.errno, error.strerror or str(error))
    except UserError:
        raise
    except Exception as error:
        # safetensors and torch report a full disk in words of their own.
        number = re.search(r"(?:os error |code: )(\d+)", str(error))
        if number is None:
            raise
        _advise(path, int(number[1]), str(error))


def _advise(path: Path, number: int | None, reason: str) -> NoReturn:
    advice = _ADVICE.get(number or 0, reason[:1].lower() + reason[1:])
    shown = str(path) if len(str(path)) <= 200 else str(path)[:200] + "…"
    raise RunError(f"cannot write {shown}: {advice}") from None


@contextmanager
def _temporary(final: Path) -> Iterator[Path]:
    """A name of our own in the folder of ``final``; whatever stands there on leaving is removed."""
    final.parent.mkdir(parents=True, exist_ok=True)
    _sweep(final.parent)
    suffix = final.suffix if len(final.suffix) <= 16 and final.suffix[1:].isalnum() else ""
    temporary = final.parent / f"{_OURS}{_HOST}-{os.getpid()}-{next(_numbers)}{suffix}"
    _in_use.add(temporary.name)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            _remove(temporary)
        _in_use.discard(temporary.name)


def _sweep(folder: Path) -> None:
    """Remove what our own processes left in a folder when they were killed."""
    names: list[str] = []
    with suppress(OSError):
        names = os.listdir(folder)  # noqa: PTH208 - the names are all that is needed
    for name in names:
        match = _LEFTOVER.fullmatch(name)
        if match and name not in _in_use and not _alive(int(match[1])):
            with suppress(OSError):
                _remove(folder / name)


def _alive(process: int) -> bool:
    """Whether another process with this number runs; our own names are known from ``_in_use``."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _beside(final: Path) -> tuple[Path, Path]:
    return final.parent / (_NEW + final.name), final.parent / (_OLD + final.name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Ask the disk to keep a file or the names in a folder; a file system that cannot is not an error."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)


def _flush_tree(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        for name in files:
            _flush(Path(parent) / name)
        _flush(Path(parent))
