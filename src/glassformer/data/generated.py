"""Texts that the package writes itself, named ``generated:NAME`` where a recipe names a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from glassformer.base import files, report
from glassformer.base.config import GENERATED
from glassformer.base.errors import RunError, UserError
from glassformer.base.plugins import suggest
from glassformer.data import samples
from glassformer.data.samples import AlignedPair

SPLITS = ("train", "valid", "test")
CORPORA: Mapping[str, Callable[[], Mapping[str, Sequence[AlignedPair]]]] = {"korean-english": samples.splits}


def is_generated(path: str) -> bool:
    """Whether ``path`` names a text of the package and not a file.

    >>> is_generated("generated:korean-english/test")
    True
    """
    return path.startswith(GENERATED)


def file_of(path: str, cache: Path | None = None) -> str:
    """The file with the text called ``generated:korean-english`` (to train on), or ``…/valid`` or ``…/test``.

    It is written into ``cache`` (``files.cache_folder()``) when it is first asked for, and anew when the
    grammar has changed. Raises UserError for a name that is not known.
    """
    name, _, split = path.removeprefix(GENERATED).partition("/")
    known = [f"{GENERATED}{corpus}/{part}" for corpus in CORPORA for part in SPLITS]
    if name not in CORPORA or (split or "train") not in SPLITS:
        raise UserError(
            f"{path}: no such generated text{suggest(path, known) or '; known are ' + ', '.join(known)}"
        )
    folder = (cache or files.cache_folder()) / "generated" / f"{name}-{_grammar()}"
    if not folder.exists():
        report.say(f"writing the generated corpus {name}")
        try:
            _write(name, folder)
        except RunError:
            # Another process that wrote the same may have been faster, and so in the way.
            if not folder.exists():
                raise
    return str(folder / f"{split or 'train'}.tsv")


def _write(name: str, folder: Path) -> None:
    with files.building(folder) as new:
        for part, pairs in CORPORA[name]().items():
            files.write_text(new / f"{part}.tsv", table(pairs))


def table(pairs: Sequence[AlignedPair]) -> str:
    """The pairs as a tab-separated file with a header."""
    return "".join(["ko\ten\n", *(f"{pair.source}\t{pair.target}\n" for pair in pairs)])


def _grammar() -> str:
    """A name for the grammar as it is: the digest of its own text."""
    digest = hashlib.sha256()
    for path in sorted(Path(samples.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
