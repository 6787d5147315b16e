"""Plug-ins by file name: which files of a room they are, how one is found, what a misspelt name meant."""

import difflib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

from glassformer.base.errors import UserError

PACKAGE = "glassformer"


def names(room: str, mark: str = "Config") -> tuple[str, ...]:
    """The plug-ins of a room in alphabetical order, found by reading its files, importing none of them.

    A plug-in is a file with a line that begins with ``class`` and ``mark``; every other file of the room is
    infrastructure.
    """
    return _names(PACKAGE, room, mark)


def find(room: str, name: str, mark: str = "Config") -> ModuleType:
    """The module ``glassformer.<room>.<name>``; UserError when there is none or it needs a package."""
    known = names(room, mark)
    if name not in known:
        kind = room.rpartition(".")[2].removesuffix("s").replace("_", " ")
        hint = suggest(name, known) or (f"; known are {', '.join(known)}" if known else "; there are none")
        raise UserError(f"unknown {kind} '{name}'{hint}")
    try:
        return importlib.import_module(f"{PACKAGE}.{room}.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == PACKAGE:
            raise
        raise UserError(f"'{name}' needs the package '{error.name}', which is not installed") from error


def likeliest(room: str, said: str) -> tuple[str, ...]:
    """The plug-ins of a room, those first whose files hold ``said``, so that not all need be imported."""
    return tuple(
        sorted(names(room), key=lambda name: (said.encode() not in _text(PACKAGE, room, name), name))
    )


def suggest(word: str, options: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the option nearest to ``word``, or nothing when none is near."""
    by_lower = {option.lower(): option for option in options}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean '{by_lower[near[0]]}'?" if near else ""


@cache
def _names(package: str, room: str, mark: str) -> tuple[str, ...]:
    files = [file for file in _files(package, room) if not file.stem.startswith("_")]
    return tuple(sorted({sys.intern(file.stem) for file in files if _defines(file, mark)}))


def _files(package: str, room: str) -> list[Path]:
    spec = importlib.util.find_spec(f"{package}.{room}")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return [file for folder in folders for file in Path(folder).glob("*.py")]


def _text(package: str, room: str, name: str) -> bytes:
    return next((file.read_bytes() for file in _files(package, room) if file.stem == name), b"")


def _defines(file: Path, mark: str) -> bool:
    """Whether a line begins so; to take files apart would cost a tenth of a second at every start."""
    return re.search(rf"^class {mark}\b".encode(), file.read_bytes(), re.MULTILINE) is not None
