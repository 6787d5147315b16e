"""Data that the package makes itself, named ``generated:NAME`` where a recipe names a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from glassformer.base import files, report
from glassformer.base.config import GENERATED
from glassformer.base.errors import RunError, UserError
from glassformer.base.optional import needed
from glassformer.base.plugins import suggest
from glassformer.data import samples
from glassformer.data.permutation import permute
from glassformer.data.samples import AlignedPair

SPLITS = ("train", "valid", "test")
CORPORA: Mapping[str, Callable[[], Mapping[str, Sequence[AlignedPair]]]] = {"korean-english": samples.splits}
HELD = 200
"""How many of scikit-learn's digits are for validation, and how many for the test."""
_KEY = 2026


def is_generated(path: str) -> bool:
    """Whether ``path`` names data of the package and not a file.

    >>> is_generated("generated:korean-english/test")
    True
    """
    return path.startswith(GENERATED)


def file_of(path: str, cache: Path | None = None, kind: str = "pairs") -> str:
    """The file with what is called ``generated:NAME`` (to train on), or ``…/valid`` or ``…/test``.

    ``korean-english`` are pairs of sentences, ``python-docs`` is the reference of the running Python,
    ``hello`` is that word alone, ``digits`` are scikit-learn's images of handwritten digits. The file is
    written into ``cache`` (``files.cache_folder()``) when it is first asked for, and anew when what it is
    made from has changed.
    Raises UserError for a name that is not known, or is of another kind of data.
    """
    name, _, split = path.removeprefix(GENERATED).partition("/")
    _check(path, name, split, kind)
    folder = (cache or files.cache_folder()) / "generated" / f"{name}-{_grammar(name)}"
    if not folder.exists():
        report.say(f"writing the generated data {name}")
        try:
            _write(name, folder)
        except RunError:
            # Another process that wrote the same may have been faster, and so in the way.
            if not folder.exists():
                raise
    return str(folder / f"{split or 'train'}{ENDINGS[name]}")


def _check(path: str, name: str, split: str, kind: str) -> None:
    if name not in KINDS or (split or "train") not in SPLITS:
        known = [f"{GENERATED}{one}/{part}" for one in KINDS for part in SPLITS]
        hint = suggest(path, known) or "; known are " + ", ".join(known)
        raise UserError(f"{path}: no such generated text or images{hint}")
    if KINDS[name] != kind:
        raise UserError(f"{path}: this is data of the kind {KINDS[name]}, not {kind}; set data.name")


def _write(name: str, folder: Path) -> None:
    with files.building(folder) as new:
        if name == "digits":
            _write_digits(new)
        elif name == "python-docs":
            _write_topics(new)
        elif name == "hello":
            for split in SPLITS:
                files.write_text(new / f"{split}.txt", "hello\n")
        else:
            for part, pairs in CORPORA[name]().items():
                files.write_text(new / f"{part}.tsv", table(pairs))


def table(pairs: Sequence[AlignedPair]) -> str:
    """The pairs as a tab-separated file with a header."""
    return "".join(["ko\ten\n", *(f"{pair.source}\t{pair.target}\n" for pair in pairs)])


def topics() -> dict[str, str]:
    """The text of each topic of the reference that comes with Python."""
    try:
        import pydoc_data.topics
    except ImportError:
        raise UserError(
            f"{GENERATED}python-docs: this Python came without its documentation (pydoc_data); use a file"
        ) from None
    found: dict[str, str] = pydoc_data.topics.topics
    return found


def split_of(topic: str) -> str:
    """Which part a topic belongs to: drawn by its name, so that it is the same in every version of Python."""
    drawn = hashlib.sha256(topic.encode()).digest()[0] % 16
    return {0: "valid", 1: "test"}.get(drawn, "train")


def _write_topics(folder: Path) -> None:
    texts: dict[str, list[str]] = {split: [] for split in SPLITS}
    for topic, text in sorted(topics().items()):
        record = json.dumps({"topic": topic, "text": text}, ensure_ascii=False)
        texts[split_of(topic)].append(record + "\n")
    for split, lines in texts.items():
        files.write_text(folder / f"{split}.jsonl", "".join(lines))


def _sklearn(path: str) -> ModuleType:
    with needed(f"{path}: making it", "scikit-learn", "'glassformer[images]'"):
        import sklearn.datasets
    datasets: ModuleType = sklearn.datasets
    return datasets


def _write_digits(folder: Path) -> None:
    digits: Any = _sklearn(f"{GENERATED}digits").load_digits()
    # 17 shades of grey become 256.
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)
    order = permute(np.arange(len(images)), len(images), _KEY)
    ends = {"test": order[:HELD], "valid": order[HELD : 2 * HELD], "train": np.sort(order[2 * HELD :])}
    for split, rows in ends.items():
        with files.writing(folder / f"{split}.npz") as place, place.open("wb") as file:
            np.savez_compressed(file, x=images[rows], y=digits.target[rows].astype(np.uint8))


KINDS: Mapping[str, str] = {
    "korean-english": "pairs",
    "python-docs": "text",
    "hello": "text",
    "digits": "images",
}
ENDINGS: Mapping[str, str] = {
    "korean-english": ".tsv",
    "python-docs": ".jsonl",
    "hello": ".txt",
    "digits": ".npz",
}


def _grammar(name: str) -> str:
    """A name for what the data is made from as it is: the digest of the grammar, or of the text."""
    digest = hashlib.sha256()
    if name == "korean-english":
        for path in sorted(Path(samples.__file__).parent.glob("*.py")):
            digest.update(path.read_bytes())
    elif name == "python-docs":
        digest.update(json.dumps(topics(), sort_keys=True).encode())
    else:
        digest.update(b"1")
    return digest.hexdigest()[:12]
