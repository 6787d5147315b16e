"""LoRA in peft's adapter folders: narrow matrices by the names of those beside which they stand."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.hub.adapter_form import CONFIG, OWN, PREFIX, WEIGHTS, Told, pour
from glassformer.nn.adapter import Adapter
from glassformer.nn.headed import Head
from glassformer.nn.low_rank import LowRank, low_rank_parts, put
from glassformer.nn.names import SAME, Names

NAME, PEFT = "lora", "LORA"
FOLDS = BESIDE = True
PARTS: tuple[str, ...] = ("lora_A", "lora_B")

A, B = ".lora_A.weight", ".lora_B.weight"
REFUSED = {
    "use_dora": False,
    "use_qalora": False,
    "lora_bias": False,
    "layer_replication": None,
    "trainable_token_indices": None,
    "target_parameters": None,
    "alora_invocation_tokens": None,
    "arrow_config": None,
}
"""What a configuration may ask for that is not computed here, with the value that asks for nothing."""

Group = dict[str, LowRank | None]
"""The matrices that are one tensor in a file, in order, by their names; None where one has no update."""


def known(head: Head | None) -> bool:  # noqa: ARG001
    """Under every head."""
    return True


def _groups(model: nn.Module, names: Names) -> dict[str, Group]:
    """The updates by the name in a file of the matrix beside which they stand."""
    parts = low_rank_parts(model)
    found: dict[str, Group] = {}
    for name in parts:
        file = str(names.to_file(f"{name}.weight"))
        held = [one.removesuffix(".weight") for one in names.to_memory(file) or ()]
        found[file.removesuffix(".weight")] = {one: parts.get(one) for one in held}
    return found


def told(model: nn.Module, names: Names, adapter: Adapter) -> dict[str, Any]:
    """Rank, alpha and the names of the matrices; where those of a file differ, patterns say so."""
    groups = _groups(model, names)
    rooted = bool(adapter.settings.get("rslora", False))
    ranks = {file: sum(part.rank for part in group.values() if part) for file, group in groups.items()}
    alphas = {file: _alpha(group, ranks[file], rooted=rooted) for file, group in groups.items()}
    rank, alpha = (Counter(one.values()).most_common(1)[0][0] for one in (ranks, alphas))
    first = next(iter(low_rank_parts(model)))
    return {
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": next(iter(low_rank_parts(model).values())).dropout.rate,
        "target_modules": sorted(groups),
        "fan_in_fan_out": names.form(f"{first}.weight") is not SAME,
        "bias": "none",
        "use_rslora": rooted,
        "rank_pattern": {re.escape(file): one for file, one in ranks.items() if one != rank},
        "alpha_pattern": {re.escape(file): one for file, one in alphas.items() if one != alpha},
    }


def _alpha(group: Group, rank: int, *, rooted: bool) -> float | int:
    """The alpha whose share of the rank is the scale, for all parts of a tensor together."""
    scale = next(part.scale for part in group.values() if part)
    alpha = scale * (math.sqrt(rank) if rooted else rank)
    return round(alpha) if math.isclose(alpha, round(alpha)) else alpha


def own(model: nn.Module, names: Names) -> dict[str, Any]:
    """Which rank each part of a tensor of several parts has."""
    several = {file: [*group.values()] for file, group in _groups(model, names).items() if len(group) > 1}
    return {"ranks": {file: [part.rank if part else 0 for part in parts] for file, parts in several.items()}}


def weights(model: nn.Module, names: Names) -> dict[str, Tensor]:
    """A and B of each matrix; of several in one tensor A one below the other, B along a diagonal.

    ::

        W = [Wq; Wk; Wv]      A = [Aq; Ak; Av]      B = [Bq 0 0; 0 Bk 0; 0 0 Bv]
    """
    found: dict[str, Tensor] = {}
    for file, group in _groups(model, names).items():
        there = [part for part in group.values() if part is not None]
        found[f"{PREFIX}{file}{A}"] = torch.cat([part.lora_A.weight.detach() for part in there])
        rows = [_row(model.get_submodule(name), part, there) for name, part in group.items()]
        found[f"{PREFIX}{file}{B}"] = torch.cat(rows)
    return found


def _row(linear: Any, part: LowRank | None, there: list[LowRank]) -> Tensor:
    """The rows of B for one of the matrices: zeros but for its own columns."""
    blocks = []
    for other in there:
        wide = other.lora_B.weight.detach()
        blocks.append(wide if other is part else wide.new_zeros(linear.out_features, other.rank))
    return torch.cat(blocks, dim=1)


# --- in ----------------------------------------------------------------------------------------------------


def put_on(model: nn.Module, names: Names, told: Told, weights: dict[str, Tensor]) -> None:
    """Put the updates beside their matrices.

    Raises UserError for what is not computed here, and for matrices that the base does not have.
    """
    _refuse(told)
    where = told.folder / WEIGHTS
    found = [name.removesuffix(A) for name in weights if name.endswith(A)]
    if not found:
        raise UserError(f"{where}: holds no update of any matrix ({A.strip('.')})")
    for full in found:
        file = full.removeprefix(PREFIX)
        if full + B not in weights:
            raise UserError(f"{where}: {file}{B} is missing; the adapter is not whole")
        update = weights.pop(full + A), weights.pop(full + B)
        _put(model, _held(model, names, file, told), file, update, told)


def _held(model: nn.Module, names: Names, file: str, told: Told) -> list[str]:
    """The matrices that are one tensor in a file, by their names in memory."""
    held = [one.removesuffix(".weight") for one in names.to_memory(f"{file}.weight") or ()]
    known = dict(model.named_modules())
    if not held or not all(isinstance(known.get(name), nn.Linear) for name in held):
        raise UserError(
            f"{told.folder / WEIGHTS}: the base has no matrix {file}; the adapter is of another model"
        )
    return held


def _put(model: nn.Module, held: list[str], file: str, update: tuple[Tensor, Tensor], told: Told) -> None:
    """Split the update of a tensor over the matrices that it holds."""
    narrow, wide = update
    rank = narrow.shape[0] if narrow.ndim == 2 else 0
    own = _own_ranks(told, file)
    ranks = own or [rank] * len(held)
    linears: list[Any] = [model.get_submodule(name) for name in held]
    sizes = [linear.out_features for linear in linears]
    if not rank or wide.shape != (sum(sizes), rank) or (own and (sum(own), len(own)) != (rank, len(held))):
        raise UserError(
            f"{told.folder / WEIGHTS}: the update of {file} is {list(wide.shape)} by {list(narrow.shape)}, "
            f"which does not fit the base's {sum(sizes)} rows; the adapter is of another model"
        )
    scale = _scale(told.peft, file, rank, told.folder / CONFIG)
    dropout = _number(told.peft.get("lora_dropout", 0.0), "lora_dropout", told.folder / CONFIG)
    at = 0
    for name, linear, rows, size in zip(held, linears, _split(wide, sizes), ranks, strict=True):
        # Of ours each part has columns of its own; of others' each reads them all.
        columns = slice(at, at + size) if own else slice(None)
        at += size if own else 0
        if size:
            part = LowRank(linear, size, scale, dropout)
            pour(narrow[columns], part.lora_A.weight, file + A, told)
            pour(rows[:, columns], part.lora_B.weight, file + B, told)
            put(model, name, part)


def _split(whole: Tensor, sizes: list[int]) -> list[Tensor]:
    ends = list(accumulate(sizes))
    return [whole[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _own_ranks(told: Told, file: str) -> list[int] | None:
    """The rank of each part of a tensor of several parts; None where the folder was not written here."""
    said = told.own.get("ranks", {})
    found = said.get(file) if isinstance(said, dict) else said
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(one, int) and one >= 0 for one in found):
        raise UserError(f"{told.folder / OWN}: ranks is no list of ranks for {file}; copy the folder again")
    return found


def _scale(peft: Mapping[str, Any], file: str, rank: int, where: Path) -> float:
    usual = peft.get("lora_alpha", 8)
    alpha = _number(_of_pattern(peft.get("alpha_pattern"), file, usual, where), "lora_alpha", where)
    return alpha / (math.sqrt(rank) if peft.get("use_rslora") else rank)


def _number(value: Any, key: str, where: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{where}: {key} is {value!r} and should be a number")
    return float(value)


def _of_pattern(patterns: Any, file: str, usual: Any, where: Path) -> Any:
    """What the first pattern that fits the end of a name says, as peft reads them."""
    try:
        for pattern, value in (patterns or {}).items():
            if re.fullmatch(rf"(.*\.)?({pattern})", file):
                return value
    except (AttributeError, re.error):
        raise UserError(f"{where}: alpha_pattern is {patterns!r} and should give patterns values") from None
    return usual


def _refuse(told: Told) -> None:
    path = told.folder / CONFIG
    for key, usual in REFUSED.items():
        if told.peft.get(key, usual) not in (usual, [] if usual is None else usual):
            raise UserError(f"{path}: asks for {key}: {told.peft[key]!r}, which is not computed here")
    if told.peft.get("bias", "none") != "none":
        raise UserError(
            f"{path}: bias: {told.peft['bias']} trains biases of the base; only none is read here"
        )
