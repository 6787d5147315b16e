"""Text encoded once and kept: a folder that training reads in the place of the files it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from glassformer.api.tokenizing import check_free, load_tokenizer
from glassformer.base.errors import UserError
from glassformer.data import documents
from glassformer.data.characters import Meter
from glassformer.data.example import Example
from glassformer.data.store import Store, build
from glassformer.data.text import TOKENIZER
from glassformer.objectives.rows import running
from glassformer.text.tokenizer import Tokenizer, TokenizerPair


@dataclass(frozen=True)
class Prepared:
    """What was written: the folder, how many documents and tokens it has, and how many bytes they take."""

    output: str
    documents: int
    tokens: int
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return asdict(self)

    def __str__(self) -> str:
        """The same for a reader."""
        size = f"{self.bytes / 1e6:,.1f} MB"
        return f"{self.output}: {self.documents:,} documents, {self.tokens:,} tokens, {size}"


def prepare_data(
    paths: Sequence[str],
    output: str | Path,
    tokenizer: str | Path,
    *,
    apart: documents.Apart = "blank",
    field: str = "text",
    processes: int = 1,
) -> Prepared:
    """Encode files of text into the new folder ``output``, which a recipe names in ``data.train``.

    A file is plain text, whose documents stand ``apart`` by ``blank`` lines, every ``line``, or the end of
    the ``file``; or JSON lines with a ``field``; either perhaps compressed; ``-`` is stdin. Memory does not
    grow with the text. ``tokenizer`` is the folder of a tokenizer or of a model; its tokenizer is kept with
    the store. The bytes are the same for any number of ``processes``, each of which takes one core; a single
    one lets the tokenizer use all cores where it can. When it is interrupted nothing is left behind.

    Raises UserError for files that cannot be read, a folder with two vocabularies, and an ``output`` that
    holds something; RunError when writing fails.
    """
    folder = Path(output)
    check_free(folder)
    pair = _pair(tokenizer)
    meter = Meter(documents.size(list(paths)))
    store = build(
        _read(paths, apart, field, meter),
        partial(running, tokenizers=pair, eos_id=pair.source.eos_id),
        folder,
        what="encoding",
        processes=processes,
        meter=meter,
        about={
            "kind": "text",
            "tokenizers": pair.fingerprint,
            "eos_id": pair.source.eos_id,
            "vocab_size": pair.source.vocab_size,
            "documents": apart,
        },
        beside=partial(_keep_tokenizer, pair),
    )
    return _described(store, pair.source)


def _read(paths: Sequence[str], apart: documents.Apart, field: str, meter: Meter) -> Iterator[Example]:
    return chain.from_iterable(
        documents.read(path, documents=apart, field=field, meter=meter) for path in paths
    )


def _pair(folder: str | Path) -> TokenizerPair:
    one, other = load_tokenizer(folder), load_tokenizer(folder, "target")
    if one.fingerprint != other.fingerprint:
        raise UserError(f"{folder}: has two vocabularies, for translation; running text is read with one")
    return TokenizerPair(one, one)


def _keep_tokenizer(pair: TokenizerPair, place: Path) -> None:
    pair.save(place / TOKENIZER)


def _described(store: Store, tokenizer: Tokenizer) -> Prepared:
    counts: np.ndarray = store.counts("tokens", tokenizer.vocab_size)
    return Prepared(
        output=str(store.folder),
        documents=int(counts[tokenizer.eos_id]),
        tokens=store.tokens("tokens"),
        bytes=sum(path.stat().st_size for path in store.folder.iterdir() if path.is_file()),
    )
