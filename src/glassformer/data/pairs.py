"""Pairs of texts as a recipe names them: what is read, what a tokenizer learns from, and what is streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from glassformer.base.errors import UserError
from glassformer.data.check import Report
from glassformer.data.check import check as check_pairs
from glassformer.data.example import Example
from glassformer.data.filter import Dropped, Limits
from glassformer.data.sources import (
    Divided,
    Sources,
    Split,
    files_of,
    no_facts,
    no_tokenizer,
    read,
    storing,
)


class Config(Divided):
    """Which texts are trained on and how they are cut into batches (the recipe's ``data``).

    A path is a TSV or JSON-lines file, ``a.ko+a.en`` for two files with one text a line, or ``-`` for a TSV
    on stdin, any of them perhaps compressed with gzip; or ``generated:korean-english``, the package's own
    text. ``source`` and ``target`` are the names of the two fields; they may be left out where the file has
    only two texts. ``max_length`` and ``max_ratio`` (longer side over shorter side) are in tokens.
    ``tokens_per_batch`` bounds rows times the longest row, padding included, of each side, over all ranks
    together.
    """

    name: Literal["pairs"] = "pairs"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    source: str | None = None
    target: str | None = None
    max_length: int = Field(256, ge=4)
    max_ratio: float | None = Field(None, gt=1)
    max_characters: int = Field(10_000, ge=1)
    tokens_per_batch: int = Field(4096, ge=1)
    workers: int = Field(1, ge=0, le=64)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Config:
        if (self.source is None) != (self.target is None):
            raise ValueError("give both 'source' and 'target', or neither")
        return self

    @property
    def limits(self) -> Limits:
        """The limits on single examples."""
        return Limits(self.max_characters, self.max_length, self.max_ratio)

    def read(self, path: str, dropped: Dropped | None = None) -> Iterator[Example]:
        """The examples at one path, with the field names of this recipe."""
        return read(path, self.source, self.target, dropped=dropped)


facts = no_facts
tokenizer_folder = no_tokenizer


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str, str]]:
    """Both sides of each pair of a split, one source after the other: what a tokenizer is trained on.

    Raises ``UserError`` for unusable files, and at the end when the split has sources but no usable pair.
    """
    dropped, found = Dropped(), False
    for source in config.sources(split):
        for example in config.limits.examples(config.read(source.path, dropped), dropped):
            found = True
            yield example.fields["source"], example.fields["target"]
    if not found and config.sources(split):
        names = ", ".join(source.path for source in config.sources(split))
        raise UserError(f"{names}: there is no usable sentence pair; a line needs a source and a target text")


def check(config: Config, splits: Mapping[str, Sequence[str]], max_characters: int) -> Report:
    """What is wrong with the pairs of each split; see ``data.check``."""
    return check_pairs(splits, config.source, config.target, max_characters=max_characters)


def _behind(path: str) -> tuple[list[Path], dict[str, Any]]:
    parts = [Path(part) for part in files_of(path)]
    return parts, {"kind": [part.suffixes for part in parts]}


stores = storing(
    lambda config: {"fields": [config.source, config.target], "limits": asdict(config.limits)},
    _behind,
    lambda config: {"limits": config.limits},
)
