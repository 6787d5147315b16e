"""Looking for what would spoil training in files of any kind of data with examples, before any training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glassformer.api.heading import tells_numbers
from glassformer.api.recipe import read_recipe
from glassformer.base import plugins
from glassformer.base.config import load
from glassformer.base.errors import UserError
from glassformer.data import check as corpus
from glassformer.data import check_answers
from glassformer.data.columns import shared_out
from glassformer.data.sources import SPLITS, Source, files_of


def check(
    train: str | Sequence[str],
    *,
    valid: str | Sequence[str] = (),
    test: str | Sequence[str] = (),
    source: str | None = None,
    target: str | None = None,
    kind: str = "pairs",
    settings: Sequence[str] = (),
    max_characters: int = 10_000,
) -> corpus.Report:
    """What is wrong with the examples of each split, and which held-out ones stand in the training files.

    ``kind`` and ``settings``, such as ``text=document``, are as in a recipe's ``data``; ``source`` and
    ``target`` name the two fields of pairs where a file has more than two texts. Instead of files ``train``
    may be a recipe, whose data is then checked. Raises UserError for a file that cannot be read at all;
    whatever is wrong with its lines is in the report.
    """
    if (source is None) != (target is None):
        raise UserError("give the names of both fields, source and target, or of neither")
    given = {"train": _listed(train), "valid": _listed(valid), "test": _listed(test)}
    if not any(given.values()):
        raise UserError("there is no file to check")
    numbers = None
    if recipe := [path for path in given["train"] if Path(path).suffix in (".yaml", ".yml")]:
        asked: Any = read_recipe(recipe[0], [f"data.{one}" for one in settings])
        data: Any = asked.data
        numbers = tells_numbers(asked.objective)
    else:
        module = plugins.find("data", kind)
        named = [f"{name}={value}" for name, value in (("source", source), ("target", target)) if value]
        paths = [f"{split}={json.dumps(paths)}" for split, paths in given.items() if paths]
        _there([path for paths in given.values() for path in paths])
        data = load(module.Config, None, [*paths, *named, *settings], {})
        as_given = {
            split: tuple(Source(path=one) for one in paths) for split, paths in given.items() if paths
        }
        data = data.model_copy(update=as_given)  # so that places are told with the names that were typed
    return _checked(data, max_characters, numbers)


def _checked(data: Any, max_characters: int, numbers: bool | None) -> corpus.Report:
    splits = {split: [one.path for one in data.sources(split)] for split in SPLITS if data.sources(split)}
    _there([path for paths in splits.values() for path in paths])
    module: Any = plugins.find("data", data.name)
    if hasattr(module, "check"):
        found: corpus.Report = module.check(data, splits, max_characters)
        return found
    if hasattr(module, "look"):
        return check_answers.check(module, data, numbers=numbers, max_characters=max_characters)
    raise UserError(f"data of the kind {data.name} has no examples with answers; there is nothing to check")


def _there(paths: Sequence[str]) -> None:
    """Raise UserError for a file that is not there."""
    for name in (shared_out(part)[0] for path in paths for part in files_of(path)):
        if name != "-" and not Path(name).exists():
            raise UserError(f"{name}: no such file")


def _listed(paths: str | Sequence[str]) -> list[str]:
    return [paths] if isinstance(paths, str) else list(paths)
