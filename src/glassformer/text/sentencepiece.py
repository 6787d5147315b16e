"""The tokenizers of an OPUS translation folder: two sentencepiece models and one table of ids."""

from pathlib import Path

from glassformer.text.fast import FastTokenizer


def is_marian(folder: Path) -> bool:
    """Whether the folder holds sentencepiece models for two languages."""
    return (folder / "source.spm").exists()


def load(folder: Path) -> tuple[FastTokenizer, FastTokenizer]:
    """Placeholder until the next commit."""
    raise NotImplementedError(folder)
