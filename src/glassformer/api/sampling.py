"""Writing the corpus that the package generates as files that look like a user's own."""

from __future__ import annotations

from pathlib import Path

from glassformer.base import files, report
from glassformer.base.errors import UserError
from glassformer.data import samples
from glassformer.data.generated import table
from glassformer.decode.align import pharaoh


def write_samples(
    output: str | Path, *, train: int = 50_000, valid: int = 1_000, test: int = 1_000, seed: int = 1
) -> dict[str, int]:
    """Write ``train.tsv``, ``valid.tsv`` and ``test.tsv`` (header ``ko``, ``en``) and ``test.align``.

    The last has the gold word alignment of each test pair in Pharaoh's notation (``0-0 1-2``). Gives how many
    pairs each split has. Raises UserError when a file of another content has one of these names, or when so
    few training pairs cannot hold the words of the others.
    """
    report.say("generating sentence pairs")
    try:
        splits = samples.splits(train=train, valid=valid, test=test, seed=seed)
    except ValueError as error:
        raise UserError(str(error)) from None
    texts = {f"{split}.tsv": table(pairs) for split, pairs in splits.items()}
    texts["test.align"] = "".join(f"{pharaoh(pair.alignment)}\n" for pair in splits["test"])
    for name, text in texts.items():
        path = Path(output) / name
        if path.exists() and not _holds(path, text):
            raise UserError(f"{path}: is there already and is not overwritten; choose another folder")
    for name, text in texts.items():
        files.write_text(Path(output) / name, text)
    return {split: len(pairs) for split, pairs in splits.items()}


def _holds(path: Path, text: str) -> bool:
    """Whether this is what a run that was cut short has written."""
    return path.is_file() and path.read_bytes() == text.encode()
