"""From a recipe's ``data`` to what training needs: texts for the tokenizer, and stores with their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from glassformer.base import files
from glassformer.base.errors import UserError
from glassformer.data.filter import Dropped
from glassformer.data.sources import DataConfig, files_of, settle
from glassformer.data.store import Encode, Store, cached, fingerprint

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


def settled(config: DataConfig, cache: Path | None = None) -> DataConfig:
    """The same recipe with standard input, where it has it, as a file.

    Call it once, before anything is read: the tokenizer and the stores both need the whole text. Raises
    ``UserError`` when standard input is asked for twice.
    """
    splits = {split: config.sources(split) for split in SPLITS}
    asked = sum(source.path == "-" for sources in splits.values() for source in sources)
    if asked > 1:
        raise UserError(
            "data: '-' is given more than once, but standard input can be read only once; use files"
        )
    if not asked:
        return config
    folder = (cache or files.cache_folder()) / "stdin"
    changed: dict[str, Any] = {
        split: tuple(one.model_copy(update={"path": settle(one.path, folder)}) for one in sources)
        for split, sources in splits.items()
        if sources
    }
    return config.model_copy(update=changed)


def pairs(config: DataConfig, split: Split = "train") -> Iterator[tuple[str, str]]:
    """The texts of a split, one source after the other, each once: what a tokenizer is trained on."""
    dropped = Dropped()
    for source in config.sources(split):
        for example in config.limits.examples(config.read(source.path, dropped), dropped):
            yield example.fields["source"], example.fields["target"]


def stores(
    config: DataConfig,
    split: Split,
    encode: Encode,
    settings: Mapping[str, Any],
    *,
    cache: Path | None = None,
) -> list[tuple[Store, float]]:
    """The encoded sources of a split with their weights, as ``Stream`` takes them; each is encoded only once.

    ``settings`` names what ``encode`` depends on, in plain values: the fingerprints of the tokenizers, the
    objective. Raises ``UserError`` for unusable files and when a source has no usable example.
    """
    made = []
    for source in config.sources(split):
        parts = [Path(part) for part in files_of(source.path)]
        about = {
            "encode": settings,
            "fields": [config.source, config.target],
            "kind": [part.suffixes for part in parts],
            "limits": asdict(config.limits),
        }
        dropped = Dropped()
        examples = partial(config.read, source.path, dropped)
        name, what = fingerprint(parts, about), f"encoding {split}"
        store = cached(name, examples, encode, cache=cache, limits=config.limits, dropped=dropped, what=what)
        made.append((store, source.weight))
    return made
