"""How files of sentence-transformers say that a text is told by one vector; nothing is computed here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassformer.base import files
from glassformer.base.errors import UserError
from glassformer.hub.manifest import INNER, read_json
from glassformer.nn.headed import Pool

MODULES, CONFIG = "modules.json", "config.json"
POOLING = Path(INNER).parent.name
KEPT = (MODULES, INNER, "sentence_bert_config.json", "config_sentence_transformers.json")
"""What such a folder has beside a model's own files."""
POOLS: Mapping[str, Pool] = {
    "cls_token": "first",
    "cls": "first",
    "mean_tokens": "mean",
    "mean": "mean",
    "max_tokens": "max",
    "max": "max",
    "lasttoken": "last",
}
"""What their names of poolings are here."""
MODE = "pooling_mode"


@dataclass(frozen=True)
class Vectors:
    """The hidden states that a text's vector is made of (``pool``), and whether its length is made 1."""

    pool: Pool
    normalize: bool


def told(folder: Path) -> Vectors | None:
    """What a folder says of the vectors of texts; None where it says nothing.

    Raises UserError for a pooling, or a module behind it, that is not computed here.
    """
    if (folder / MODULES).is_file():
        return _of_modules(folder)
    path = folder / INNER
    return Vectors(_pool(path), normalize=False) if path.is_file() else None


def kept(folder: Path) -> dict[str, bytes]:
    """The files of such a folder that go with its model, by name."""
    return {name: (folder / name).read_bytes() for name in KEPT if (folder / name).is_file()}


def _of_modules(folder: Path) -> Vectors | None:
    """What the modules behind the model say, in their order."""
    listed = {kind: place for kind, place in _modules(folder / MODULES) if kind != "Transformer"}
    for kind in listed:
        if kind not in ("Pooling", "Normalize"):
            raise UserError(
                f"{folder / MODULES}: asks for {kind} behind the model, which is not computed here; known "
                "are Pooling and Normalize"
            )
    if "Pooling" not in listed:
        return None
    return Vectors(
        _pool(files.inside(folder, f"{listed['Pooling']}/{CONFIG}")), normalize="Normalize" in listed
    )


def _modules(path: Path) -> list[tuple[str, str]]:
    """The kind of each module, and the folder that it has within the model's."""
    try:
        listed = json.loads(path.read_text("utf-8"))
        return [(str(one["type"]).rpartition(".")[2], str(one["path"])) for one in listed]
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise UserError(f"{path}: should be a list of modules with type and path ({error})") from None


def _pool(path: Path) -> Pool:
    """The one pooling that a file asks for, in either form of theirs."""
    asked = _asked(read_json(path))
    if len(asked) != 1 or asked[0] not in POOLS:
        raise UserError(
            f"{path}: asks for the pooling {' and '.join(asked) or 'of nothing'}, which is not computed "
            "here; one of mean, cls, max and lasttoken is"
        )
    return POOLS[asked[0]]


def _asked(said: Mapping[str, Any]) -> list[str]:
    """The names of what is pooled: ``pooling_mode: mean``, or ``pooling_mode_mean_tokens: true``."""
    if MODE in said:
        return [str(said[MODE])]
    return [name.removeprefix(f"{MODE}_") for name, on in said.items() if name.startswith(f"{MODE}_") and on]
