"""Looking for what would spoil training in files of sentence pairs, before any training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glassformer.base.errors import UserError
from glassformer.data import check as corpus
from glassformer.data.sources import files_of


def check(
    train: str | Sequence[str],
    *,
    valid: str | Sequence[str] = (),
    test: str | Sequence[str] = (),
    source: str | None = None,
    target: str | None = None,
    max_characters: int = 10_000,
) -> corpus.Report:
    """What is wrong with the pairs of each split, and which held-out pairs stand in the training files.

    Paths are as in a recipe's ``data``: TSV, JSON lines, ``a.ko+a.en``, with or without gzip. ``source`` and
    ``target`` name the two fields where a file has more than two texts. Raises UserError for a file that
    cannot be read at all; whatever is wrong with its lines is in the report.
    """
    if (source is None) != (target is None):
        raise UserError("give the names of both fields, source and target, or of neither")
    given = {"train": _listed(train), "valid": _listed(valid), "test": _listed(test)}
    splits = {split: paths for split, paths in given.items() if paths}
    if not splits:
        raise UserError("there is no file to check")
    for part in (part for paths in splits.values() for path in paths for part in files_of(path)):
        if part != "-" and not Path(part).exists():
            raise UserError(f"{part}: no such file")
    return corpus.check(splits, source, target, max_characters=max_characters)


def _listed(paths: str | Sequence[str]) -> list[str]:
    return [paths] if isinstance(paths, str) else list(paths)
