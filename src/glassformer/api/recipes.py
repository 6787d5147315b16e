"""The recipes that come with the package: listing, showing and copying them; none is run here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from glassformer.base.errors import UserError
from glassformer.base.files import write_text
from glassformer.base.plugins import suggest

_ENDING = ".yaml"


@dataclass(frozen=True)
class Shipped:
    """One recipe: its name (``translation/small``), its opening comment line by line, and its file."""

    name: str
    about: tuple[str, ...]
    path: Path

    def as_json(self) -> dict[str, object]:
        """Plain values for machines."""
        return asdict(self)


def folder() -> Path:
    """Where the recipes lie: inside an installed package, beside ``src`` in a checkout. Raises UserError."""
    package = Path(str(resources.files("glassformer")))
    for place in (package / "recipes", package.parents[1] / "recipes"):
        if place.is_dir():
            return place
    raise UserError(f"{package}: the recipes are not in this installation; install glassformer again")


def ls() -> list[Shipped]:
    """Every recipe, by name."""
    root = folder()
    found = sorted(path for path in root.rglob(f"*{_ENDING}") if path.is_file())
    return [Shipped(_name(path, root), tuple(_opening(path)), path) for path in found]


def find(name: str) -> Shipped:
    """The recipe called ``translation/small``, ``recipes/translation/small.yaml``, or just ``small``.

    Raises UserError, with a suggestion, when there is none or when several have that last part.
    """
    known = {recipe.name: recipe for recipe in ls()}
    wanted = name.replace(os.sep, "/").removeprefix("./").removeprefix("recipes/").removesuffix(_ENDING)
    if wanted in known:
        return known[wanted]
    # A file that was named with its ending is looked for where it was said to be, not anywhere.
    last = "" if name.endswith(_ENDING) else wanted
    ending = [recipe for recipe in known.values() if recipe.name.rpartition("/")[2] == last]
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise UserError(f"{name} is ambiguous; say {' or '.join(recipe.name for recipe in ending)}")
    hint = suggest(wanted, known) or _suggest_last(wanted, known) or f"; known are {', '.join(known)}"
    raise UserError(f"no recipe of the package is called {name!r}{hint}")


def show(name: str) -> str:
    """The text of a recipe; UserError as for ``find``."""
    return find(name).path.read_text(encoding="utf-8")


def copy(name: str, destination: str | Path = ".") -> Path:
    """Copy a recipe to a file, or into a folder under its own name, and give the path of the copy.

    Raises UserError when something stands there already, RunError when the disk refuses.
    """
    recipe = find(name)
    target = Path(destination)
    if target.is_dir() or str(destination).endswith(("/", os.sep)):
        target = target / recipe.path.name
    if os.path.lexists(target):
        raise UserError(f"{target}: is there already and is not overwritten; choose another name")
    write_text(target, show(name))
    return target


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix().removesuffix(_ENDING)


def _suggest_last(wanted: str, known: Iterable[str]) -> str:
    return suggest(wanted, [name.rpartition("/")[2] for name in known])


def _opening(path: Path) -> Iterator[str]:
    """The lines of the comment that a recipe begins with."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").strip()
