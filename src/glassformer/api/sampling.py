"""Writing the corpus that the package generates as files that look like a user's own."""

from __future__ import annotations

from pathlib import Path

from glassformer.base import files, report
from glassformer.base.errors import UserError
from glassformer.data import samples
from glassformer.decode.align import pharaoh

HEADER = "ko\ten"


def write_samples(
    output: str | Path, *, train: int = 50_000, valid: int = 1_000, test: int = 1_000, seed: int = 1
) -> dict[str, int]:
    """Write ``train.tsv``, ``valid.tsv`` and ``test.tsv`` (header ``ko``, ``en``) and ``test.align``.

    The last has the gold word alignment of each test pair in Pharaoh's notation (``0-0 1-2``). Gives how many
    pairs each split has. Raises UserError when one of the files is there already, or when so few training
    pairs cannot hold the words of the others.
    """
    folder = Path(output)
    names = [*(f"{split}.tsv" for split in ("train", "valid", "test")), "test.align"]
    for name in names:
        if (folder / name).exists():
            raise UserError(
                f"{folder / name}: is there already and is not overwritten; choose another folder"
            )
    report.say("generating sentence pairs")
    try:
        splits = samples.splits(train=train, valid=valid, test=test, seed=seed)
    except ValueError as error:
        raise UserError(str(error)) from None
    for split, pairs in splits.items():
        lines = [HEADER, *(f"{pair.source}\t{pair.target}" for pair in pairs)]
        files.write_text(folder / f"{split}.tsv", "".join(f"{line}\n" for line in lines))
    gold = (pharaoh(pair.alignment) for pair in splits["test"])
    files.write_text(folder / "test.align", "".join(f"{line}\n" for line in gold))
    return {split: len(pairs) for split, pairs in splits.items()}
