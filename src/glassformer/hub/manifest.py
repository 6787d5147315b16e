"""The manifest of a model folder: what was written, with which versions, and whether it is still so."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import glassformer
from glassformer.base import files, report
from glassformer.base.errors import UserError
from glassformer.text.tokenizer import TokenizerPair

CARD = "README.md"
CONFIG = "config.json"
RECIPE = "recipe.yaml"
GENERATION = "generation_config.json"
MANIFEST = "manifest.json"
FORMAT_VERSION = 1

INNER = "1_Pooling/config.json"
"""The one file of a model that lies deeper: how sentence-transformers makes one vector of a text."""

# What a person may well edit; a change of these files is no damage.
EDITABLE = (CARD, RECIPE, GENERATION)


def write_manifest(
    folder: Path, tokenizers: TokenizerPair | None, data: Mapping[str, Any], parents: Sequence[str]
) -> None:
    """Write the manifest of everything that stands in the folder, after all else."""
    within = [*folder.iterdir(), folder / INNER]
    paths = sorted(path for path in within if path.is_file() and path.name != MANIFEST)
    manifest = {
        "format_version": FORMAT_VERSION,
        "glassformer": glassformer.__version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "files": {path.relative_to(folder).as_posix(): facts(path) for path in paths},
        "tokenizers": None if tokenizers is None else tokenizers.fingerprint,
        "data": dict(data),
        "parents": list(parents),
    }
    files.write_text(folder / MANIFEST, as_json(manifest))


def facts(path: Path) -> dict[str, Any]:
    """Size and sha256 of a file, its entry in a manifest."""
    return {"bytes": path.stat().st_size, "sha256": files.sha256(path)}


def check_replaceable(folder: Path) -> None:
    """Refuse, by UserError, to replace a folder in which anything was not written with a model."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"{folder}: a file with this name is in the way; choose another folder")
    there = {path.name for path in folder.iterdir()}
    inner = folder / INNER
    if inner.parent.is_dir() and [*inner.parent.iterdir()] == [inner]:
        there = there - {inner.parent.name} | {INNER}
    known = {MANIFEST, *read_manifest(folder).get("files", {})} if MANIFEST in there else set()
    foreign = sorted(there - known)
    if foreign:
        raise UserError(
            f"{folder}: holds {foreign[0]}, which was not written with a model and would be lost; "
            "choose another folder"
        )


def check(folder: Path, *, thorough: bool = False) -> None:
    """Compare the sizes of a folder's files with its manifest, and with ``thorough`` every sha256.

    A folder without a manifest passes. Without ``thorough`` the files that people edit (README.md,
    recipe.yaml, generation_config.json) may differ. Raises UserError naming the first file
    that is not as it was written.
    """
    if not (folder / MANIFEST).is_file():
        return
    listed = read_manifest(folder)["files"]
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) if thorough else 0
    with report.weighing(size, f"checking {folder.name}") as seen:
        for name, entry in listed.items():
            if thorough or name not in EDITABLE:
                path = files.inside(folder, name)
                _check_one(path, entry, thorough=thorough)
                seen(path.stat().st_size)


def _check_one(path: Path, entry: Mapping[str, Any], *, thorough: bool) -> None:
    if not path.is_file():
        raise UserError(f"{path}: missing although {MANIFEST} lists it; copy the folder again")
    if path.stat().st_size != entry["bytes"] or (thorough and files.sha256(path) != entry["sha256"]):
        raise UserError(
            f"{path}: differs from what {MANIFEST} says was written; copy it again, or remove {MANIFEST} "
            "if the change is meant"
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder; UserError when it is none, or of a later version."""
    path = folder / MANIFEST
    manifest = read_json(path)
    version = manifest.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise UserError(f"{path}: written by a newer Glassformer (format {version}); upgrade glassformer")
    listed = manifest.get("files")
    if not isinstance(listed, dict) or not all(_is_entry(entry) for entry in listed.values()):
        raise UserError(f"{path}: not a manifest of a model folder; remove it to open the folder unchecked")
    return manifest


def rewrite(folder: Path, name: str, text: str) -> None:
    """Replace a file of a model folder, and its entry in the manifest where there is one."""
    files.write_text(folder / name, text)
    if (folder / MANIFEST).is_file():
        manifest = read_manifest(folder)
        manifest["files"][name] = facts(folder / name)
        files.write_text(folder / MANIFEST, as_json(manifest))


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and {"bytes", "sha256"} <= entry.keys()


def as_json(value: Mapping[str, Any]) -> str:
    """A JSON file as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def read_json(path: Path) -> dict[str, Any]:
    """Keys and values of a JSON file; UserError when it is anything else."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: should hold keys and values")
    return value
