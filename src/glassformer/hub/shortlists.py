"""The file of a shortlist: for every source token the target tokens in question, and of which tokenizers."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.hub.huggingface import read_said, write_file

LIKELY, ALWAYS, TOKENIZERS = "likely", "always", "tokenizers"


def write(path: Path, likely: Tensor, always: Tensor, tokenizers: str) -> None:
    """Write a shortlist of the tokenizers with this fingerprint, in safetensors; RunError if that fails."""
    write_file(path, {LIKELY: likely.int(), ALWAYS: always.int()}, {TOKENIZERS: tokenizers})


def read(path: Path, sizes: tuple[int, int], tokenizers: str) -> tuple[Tensor, Tensor]:
    """What ``write`` wrote, for vocabularies of these sizes and the tokenizers with this fingerprint.

    Raises UserError for a file that is missing, damaged, no shortlist, or one of other tokenizers.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; `glassformer shortlist` makes one")
    held, said = read_said(path)
    if set(held) != {LIKELY, ALWAYS}:
        raise UserError(f"{path}: this is no shortlist; `glassformer shortlist` makes one")
    if said.get(TOKENIZERS) != tokenizers:
        raise UserError(f"{path}: this shortlist was made for other tokenizers; make one for this model")
    likely, always = held[LIKELY], held[ALWAYS]
    if (
        likely.dim() != 2
        or len(likely) != sizes[0]
        or not (_within(likely, -1, sizes[1]) and _within(always, 0, sizes[1]))
    ):
        raise UserError(f"{path}: damaged, as it names tokens that the model has not; make it again")
    return likely, always


def _within(ids: Tensor, least: int, size: int) -> bool:
    whole = ids.dtype == torch.int32
    return whole and bool(((ids >= least) & (ids < size)).all())
