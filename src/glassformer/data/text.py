"""Running text as a recipe names it: what is read, what a tokenizer learns from, and what is streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from glassformer.base.errors import UserError
from glassformer.data import documents
from glassformer.data.blocks import Blocks
from glassformer.data.characters import Meter
from glassformer.data.example import Example
from glassformer.data.sources import Divided, Sources, Split, no_facts
from glassformer.data.store import Encode, Store, cached, fingerprint

TOKENIZER = "tokenizer"
"""The folder in a prepared store with the tokenizer that it was made with."""

facts = no_facts


class Config(Divided):
    """Which text is trained on and how it is cut into rows (the recipe's ``data``, ``name: text``).

    A path is plain text, JSON lines with a field ``text``, a TSV or CSV file whose ``column`` is named, ``-``
    for stdin, any of them perhaps compressed with gzip; a folder that ``glassformer data prepare`` wrote; or
    ``generated:python-docs``, the reference of the running Python. ``play.txt[:90%]`` is the beginning of a
    file and ``play.txt[90%:]`` its end, so that one file can be for training and for validation.
    ``documents`` says what parts documents in plain text: ``blank`` lines (with nothing in them), every
    ``line``, or nothing (``file``). A row predicts ``block`` tokens, a step takes ``batch_size`` rows, over
    all ranks together.
    """

    name: Literal["text"] = "text"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    documents: Literal["blank", "line", "file"] = "blank"
    field: str = Field("text", min_length=1)
    column: str | None = Field(None, min_length=1)
    block: int = Field(128, ge=1)
    batch_size: int = Field(32, ge=1)
    workers: int = Field(1, ge=0, le=64)

    @property
    def max_length(self) -> int:
        """The most tokens that a model reads at once."""
        return self.block

    @property
    def tokens_per_batch(self) -> int:
        """What a step may cost, in tokens to predict."""
        return self.block * self.batch_size

    def read(self, path: str, meter: Meter | None = None) -> Iterator[Example]:
        """The pieces of the documents at one path."""
        return documents.read(
            path, documents=self.documents, field=self.field, column=self.column, meter=meter
        )


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str]]:
    """The pieces of every document of a split: what a tokenizer is trained on.

    A prepared store has no text any more; it is opened to see that it is sound, and gives nothing.
    Raises ``UserError`` for unusable files.
    """
    for source in config.sources(split):
        if is_prepared(source.path):
            Store(Path(source.path))
            continue
        for example in config.read(source.path):
            # The space in front belongs to the cut between two pieces; a tokenizer puts one there itself.
            yield (example.fields["text"].removeprefix("" if example.fields["first"] else " "),)


def tokenizer_folder(config: Config) -> Path | None:
    """Where the tokenizer lies that a prepared training store was made with, and no other can read.

    None when no training source is one: then a tokenizer is learned.
    """
    stores = [Path(source.path) for source in config.sources("train") if is_prepared(source.path)]
    return stores[0] / TOKENIZER if stores else None


def is_prepared(path: str) -> bool:
    """Whether a path is a folder that ``glassformer data prepare`` wrote."""
    return (Path(path) / "store.json").is_file()


def stores(
    config: Config,
    split: Split,
    encode: Encode,
    settings: Mapping[str, Any],
    *,
    cache: Path | None = None,
) -> list[tuple[Blocks, float]]:
    """The encoded sources of a split in blocks with their weights, as ``Stream`` takes them.

    Those for training are cropped (see ``Blocks``). ``settings`` names what ``encode`` depends on, in plain
    values, among them under ``tokenizers`` a fingerprint that a prepared store must share. Raises
    ``UserError`` for unusable files, too little text, and a store of another tokenizer.
    """
    made = []
    for source in config.sources(split):
        if is_prepared(source.path):
            store = _prepared(Path(source.path), settings)
        else:
            store = _encoded(config, source.path, encode, settings, cache=cache, what=f"encoding {split}")
        blocks = Blocks(store, config.block, cropped=split == "train")
        if not len(blocks):
            raise UserError(f"{source.path}: a single token is no text to learn from or to measure with")
        made.append((blocks, source.weight))
    return made


def _encoded(
    config: Config,
    path: str,
    encode: Encode,
    settings: Mapping[str, Any],
    *,
    cache: Path | None,
    what: str,
) -> Store:
    name, share = documents.file_behind(path)
    about = {
        "encode": settings,
        "documents": config.documents,
        "field": config.field,
        "column": config.column,
        "piece": documents.PIECE,
        "kind": Path(name).suffixes[-2:],
        "share": str(share),
    }
    meter = Meter(documents.size([path]))
    known = fingerprint([Path(name)], about)
    read = partial(config.read, path, meter)
    return cached(known, read, encode, cache=cache, meter=meter, what=what)


def _prepared(folder: Path, settings: Mapping[str, Any]) -> Store:
    store = Store(folder)
    if store.about.get("kind") != "text":
        raise UserError(f"{folder}: this store does not hold text; write one with 'glassformer data prepare'")
    if store.about.get("tokenizers") != settings.get("tokenizers"):
        raise UserError(
            f"{folder}: this store was prepared with another tokenizer than the model's; "
            f"prepare it again with --tokenizer and the folder of that model"
        )
    return store
