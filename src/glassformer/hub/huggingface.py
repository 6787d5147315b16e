"""Weight files in Hugging Face's form: written from a model and read into one, by the model's names."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from glassformer.base import files, report
from glassformer.base.errors import UserError
from glassformer.nn.names import Names

SAFE = "model.safetensors"
PICKLED = "pytorch_model.bin"
SHARD_BYTES = 5_000_000_000

# Position vectors that a file holds although they are computed here may be rounded to half precision there.
ROUNDING = 1e-3


# --- out ---------------------------------------------------------------------------------------------------


def weights_of(model: nn.Module, names: Names) -> dict[str, Tensor]:
    """The model's weights under their names in a file, float32, each tied weight once, fused ones joined.

    Raises ValueError when ``names`` has no place for one of them, which is a mistake in the model's file.
    """
    found: dict[str, dict[str, Tensor]] = {}
    for name, place in _unique(model):
        file_name = names.to_file(name)
        if file_name is None:
            raise ValueError(f"names() of the model has no file name for {name}")
        found.setdefault(file_name, {})[name] = place.detach().to("cpu", torch.float32)
    return {file_name: _joined(file_name, parts, names) for file_name, parts in found.items()}


def _joined(file_name: str, parts: Mapping[str, Tensor], names: Names) -> Tensor:
    """The tensor of a file that holds these weights."""
    wanted = names.to_memory(file_name) or ()
    if set(wanted) != set(parts):
        raise ValueError(f"names() of the model takes {file_name} for {wanted}, and the model has {[*parts]}")
    first, *others = (parts[name] for name in wanted)
    whole = torch.cat([first, *others]) if others else first
    return names.form(wanted[0]).to_file(whole).contiguous()


def write(folder: Path, weights: Mapping[str, Tensor], *, shard_bytes: int = SHARD_BYTES) -> None:
    """Write ``model.safetensors``, or numbered shards and an index where it would pass ``shard_bytes``.

    Raises RunError when the disk refuses.
    """
    shards = _shards(weights, shard_bytes)
    size = sum(map(_bytes, weights.values()))
    where: dict[str, str] = {}
    with report.weighing(size, "writing weights") as done:
        for number, shard in enumerate(shards, start=1):
            several = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
            file_name = several if len(shards) > 1 else SAFE
            write_file(folder / file_name, shard)
            where |= dict.fromkeys(shard, file_name)
            done(sum(map(_bytes, shard.values())))
    if len(shards) == 1:
        return
    index = {"metadata": {"total_size": size}, "weight_map": where}
    files.write_text(folder / f"{SAFE}.index.json", json.dumps(index, indent=2) + "\n")


def _shards(weights: Mapping[str, Tensor], limit: int) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    filled = 0
    for name, weight in weights.items():
        if shards[-1] and filled + _bytes(weight) > limit:
            shards.append({})
            filled = 0
        shards[-1][name] = weight
        filled += _bytes(weight)
    return shards


def _bytes(weight: Tensor) -> int:
    return weight.numel() * weight.element_size()


def write_file(path: Path, weights: dict[str, Tensor], said: Mapping[str, str] | None = None) -> None:
    """Write one file of weights and what is ``said`` of them, whole or not at all.

    Raises RunError when the disk refuses.
    """
    with files.writing(path) as temporary:
        save_file(weights, temporary, metadata={"format": "pt", **(said or {})})


# --- in ----------------------------------------------------------------------------------------------------


def weight_files(folder: Path) -> list[Path]:
    """The files with the folder's weights: one, or shards by their index; safetensors before older pickles.

    Raises UserError when there are none, when a shard is missing, or when a name leads out of the folder.
    """
    for name in (SAFE, PICKLED):
        if (folder / name).is_file():
            return [folder / name]
        index = folder / f"{name}.index.json"
        if index.is_file():
            return _indexed(folder, index)
    raise UserError(f"{folder}: no weights here; a model folder has {SAFE} or, in older form, {PICKLED}")


def _indexed(folder: Path, index: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{index}: not an index of weight files; copy the folder again") from None
    paths = [files.inside(folder, str(name)) for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths:
        raise UserError(f"{index}: weight files are missing ({_some(missing)}); copy the folder again")
    return paths


def read(folder: Path) -> dict[str, Tensor]:
    """All weights of a folder by their names in the file, mapped from disk, so that nothing is read yet.

    Raises UserError for files that are missing, damaged or hold anything but weights.
    """
    weights: dict[str, Tensor] = {}
    for path in weight_files(folder):
        weights |= read_file(path) if path.suffix == ".safetensors" else _read_pickled(path)
    return weights


def read_file(path: Path) -> dict[str, Tensor]:
    """The weights of one file, mapped from disk; UserError where it is missing or damaged."""
    return read_said(path)[0]


def read_said(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The same, and what the file says of them."""
    if not path.is_file():
        raise UserError(f"{path}: missing; copy the folder again")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path}: damaged or cut short ({error}); copy it again") from None


def _read_pickled(path: Path) -> dict[str, Tensor]:
    """An older file, of which only tensors are read: torch refuses everything else that a pickle can hold."""
    try:
        # Torch warns of unusual pickle protocols; what it cannot read is an error all the same.
        with warnings.catch_warnings(action="ignore"):
            held = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError:
        raise UserError(f"{path}: damaged, or holds more than weights and is refused") from None
    # Bytes that are no pickle are run as one and fail in any of these ways.
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: damaged or cut short ({_first_line(error)}); copy it again") from None
    if not isinstance(held, dict) or not all(isinstance(weight, Tensor) for weight in held.values()):
        raise UserError(f"{path}: holds more than named weights; it is no model file")
    return held


def fill(
    model: nn.Module, names: Names, weights: Mapping[str, Tensor], where: Path, *, dtype: torch.dtype
) -> None:
    """Put weights from a file in the model's places, without a copy where their type is ``dtype`` already.

    Every place must be filled and every weight must have a place, unless ``names`` ignores it. Copies of a
    tied weight must agree with it, and so must position vectors that are computed here; a bias of zeros that
    the model lacks is dropped. Raises UserError, beginning with ``where``, for anything else and for numbers
    that are not finite.
    """
    places = _places(model)
    full: set[int] = set()
    extra = []
    for file_name, weight in _weighed(weights, model):
        held = names.to_memory(file_name)
        if held is None or not all(name in places for name in held):
            if not (held and file_name.endswith("bias") and not weight.any()):
                extra.append(file_name)
            continue
        if held:
            form = names.form(held[0])
            _check(file_name, weight, form.to_file(_shape([places[name] for name in held])), where)
            whole = form.to_memory(weight).to(dtype).contiguous()
            for name, part in zip(held, _split(whole, [places[name] for name in held]), strict=True):
                _put(part, name, places[name], full, where)
    unfilled = [str(names.to_file(name)) for name, place in _unique(model) if id(place) not in full]
    missing = list(dict.fromkeys(unfilled))
    if extra:
        raise UserError(f"{where}: the configuration is of a model without these weights: {_some(extra)}")
    if missing:
        raise UserError(f"{where}: weights that the configuration asks for are missing: {_some(missing)}")


def _weighed(weights: Mapping[str, Tensor], model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Names and weights, with a bar where the model is large: each is read when it is looked at, once."""
    with report.weighing(sum(map(_bytes, model.parameters())), "reading weights") as done:
        for name, weight in weights.items():
            yield name, weight
            done(_bytes(weight))


def _shape(places: list[Tensor]) -> Tensor:
    """A tensor without memory, shaped like these places one after another."""
    blanks = [torch.empty_like(place, device="meta") for place in places]
    return blanks[0] if len(blanks) == 1 else torch.cat(blanks)


def _split(whole: Tensor, places: list[Tensor]) -> Sequence[Tensor]:
    if len(places) == 1:
        return (whole,)
    ends = list(accumulate(len(place) for place in places))
    return [whole[end - len(place) : end] for end, place in zip(ends, places, strict=True)]


def _put(weight: Tensor, name: str, place: Tensor, full: set[int], where: Path) -> None:
    computed = not isinstance(place, nn.Parameter)
    if computed and not torch.allclose(weight.float(), place.float(), rtol=0, atol=ROUNDING):
        raise UserError(f"{where}: the fixed vectors {name} are not those that the model computes")
    if not computed and id(place) in full and not torch.equal(place, weight):
        raise UserError(f"{where}: config.json ties weights that differ in the file ({name})")
    if not computed:
        # The place stays the same object, so what is tied to it stays tied.
        place.data = weight
    full.add(id(place))


def _check(file_name: str, weight: Tensor, wanted: Tensor, where: Path) -> None:
    if weight.shape != wanted.shape:
        sizes = f"is {list(weight.shape)} in the file and {list(wanted.shape)} by config.json"
        raise UserError(f"{where}: {file_name} {sizes}; sizes or vocabulary are another model's")
    if not weight.is_floating_point():
        raise UserError(f"{where}: {file_name} is {weight.dtype}; only floating-point weights can be read")
    # The sum is finite when every number is, unless it overflows; only then each number is looked at.
    if not weight.sum(dtype=torch.float32).isfinite() and not weight.isfinite().all():
        raise UserError(f"{where}: {file_name} holds NaN or infinity; the model is broken, train it again")


def _unique(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters, each tied one once, under the name it first has."""
    return iter(model.named_parameters())


def _places(model: nn.Module) -> dict[str, Tensor]:
    return dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers())


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _first_line(error: Any) -> str:
    return str(error).strip().split("\n")[0][:120]
