"""Adapter folders in peft's form: what was put into a model and learned, without the weights of its base."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from glassformer.base import files
from glassformer.base.errors import UserError
from glassformer.hub import (
    adapter_lora,
    adapter_prefix,
    adapter_probe,
    adapter_prompt,
    heads,
    huggingface,
    installed,
    remote,
)
from glassformer.hub.adapter_form import CONFIG, OWN, PREFIX, WEIGHTS, Form, Told, pour
from glassformer.hub.manifest import MANIFEST, as_json, read_json, read_manifest
from glassformer.nn.adapter import Adapter, adapter_of, keep_base, learns, note
from glassformer.nn.folding import folded
from glassformer.nn.headed import Headed, body_of

FORMAT_VERSION = 1
FORMS: dict[str, Form] = {
    form.NAME: form for form in (adapter_lora, adapter_probe, adapter_prompt, adapter_prefix)
}
"""How adapters of each way look in files, by the name of the way."""
TASKS = {
    "generates": "CAUSAL_LM",
    "translates": "SEQ_2_SEQ_LM",
    "encodes": "FEATURE_EXTRACTION",
    "classifies": "SEQ_CLS",
    "tags": "TOKEN_CLS",
    "answers": "QUESTION_ANS",
}
"""What peft calls a task, by the ability of a model."""


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no whole model."""
    return (folder / CONFIG).is_file() and not (folder / "config.json").is_file()


def fingerprint(folder: Path) -> str:
    """What a model's weights are told from others by: the sha256 of their files.

    A manifest beside them has it already; else they are read.
    """
    if folder.is_file():
        return files.sha256(folder)
    listed = read_manifest(folder)["files"] if (folder / MANIFEST).is_file() else {}
    paths = sorted(huggingface.weight_files(folder))
    found = [listed[one.name]["sha256"] if one.name in listed else files.sha256(one) for one in paths]
    return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()


def whole(model: nn.Module) -> nn.Module:
    """A model without an adapter that computes the same: what stands beside its matrices is folded into them.

    The model stays as it is. Raises UserError for what no matrix can hold.
    """
    adapter = adapter_of(model)
    if adapter is None:
        return model
    if not FORMS[adapter.name].FOLDS:
        raise UserError(
            f"adapt: {adapter.name} stands before the text, not beside a matrix, so no whole model holds it; "
            "keep the adapter folder beside its base"
        )
    plain = folded(model)
    note(plain, None)
    return plain


# --- out ---------------------------------------------------------------------------------------------------


def write(folder: Path, model: nn.Module) -> None:
    """Write configuration and weights of the adapter of ``model``; the base's path is told as seen from here.

    Raises RunError when the disk refuses.
    """
    adapter = adapter_of(model)
    assert adapter is not None
    form, names = FORMS[adapter.name], heads.names_of(model)
    beside = _beside(model, form)
    prefix = PREFIX if form.BESIDE else PREFIX.removesuffix("model.")
    weights = form.weights(model, names)
    weights |= {f"{prefix}{names.to_file(name)}": place for name, place in beside.items()}
    ability: Any = model.abilities
    told = {
        "peft_type": form.PEFT,
        "task_type": TASKS.get(ability[0]),
        "base_model_name_or_path": _seen_from(folder, adapter.base),
        "revision": None,
        "inference_mode": True,
        **form.told(model, names, adapter),
    }
    if beside:
        told["modules_to_save"] = sorted({str(names.to_file(name)).rpartition(".")[0] for name in beside})
    files.write_text(folder / CONFIG, as_json(told))
    files.write_text(folder / OWN, as_json(_own(model, adapter) | form.own(model, names)))
    plain = {name: one.detach().to("cpu", torch.float32).contiguous() for name, one in weights.items()}
    huggingface.write_file(folder / WEIGHTS, plain)


def _own(model: nn.Module, adapter: Adapter) -> dict[str, Any]:
    """What peft has no word for."""
    return {
        "format_version": FORMAT_VERSION,
        "adapt": adapter.settings,
        "base": {"fingerprint": adapter.fingerprint},
        "config": heads.described(model),
    }


def _seen_from(folder: Path, base: str) -> str:
    """The path of the base from an adapter's folder, so that both can be moved together."""
    if is_address(base):
        return base
    try:
        return Path(os.path.relpath(Path(base).resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return str(Path(base).resolve())


def is_address(base: str) -> bool:
    """Whether a base is named by where it can be had, and not by a path."""
    return remote.is_remote(base) or installed.is_installed(base)


# --- in ----------------------------------------------------------------------------------------------------


def read(folder: Path, dtype: torch.dtype) -> Told:
    """What an adapter folder says; UserError for what is damaged, or of a kind that is not known here."""
    told = read_json(folder / CONFIG)
    known = {form.PEFT: form for form in FORMS.values()}
    form = known.get(str(told.get("peft_type")))
    if form is None:
        raise UserError(
            f"{folder / CONFIG}: peft_type {told.get('peft_type')!r} is not known here; known are "
            f"{', '.join(known)}"
        )
    own = read_json(folder / OWN) if (folder / OWN).is_file() else {}
    version = own.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise UserError(f"{folder / OWN}: written by a newer Glassformer; upgrade glassformer")
    return Told(folder, form, told, own, dtype)


def base_of(told: Told) -> str:
    """Where the base lies: its folder, or an address; UserError where it is not."""
    path = told.folder / CONFIG
    asked = told.peft.get("base_model_name_or_path")
    if not isinstance(asked, str) or not asked or not asked.isprintable():
        raise UserError(
            f"{path}: names no base, and an adapter is nothing without one; write the path of the model "
            "folder that it was trained on as base_model_name_or_path"
        )
    if is_address(asked):
        return asked
    # The copy of the best adapter in the run's own folder says what that in best/ says.
    beside = (told.folder, told.folder / "best", Path())
    for place in dict.fromkeys(os.path.normpath(folder / asked) for folder in beside):
        if Path(place).exists():
            return place
    raise UserError(
        f"{path}: its base {asked!r} is not there; put the model there, or write where it is as "
        "base_model_name_or_path"
    )


def put_on(base: nn.Module, base_folder: Path, address: str, told: Told) -> nn.Module:
    """Bend a loaded base as its adapter says, and fill in what was learned.

    Raises UserError for an adapter of another base, or one that does not fit this one.
    """
    _check_base(base_folder, told)
    path = told.folder / OWN
    body, written = body_of(base), told.own.get("config")
    config: Any = body.config
    head = heads.read_head(written, config, path) if isinstance(written, dict) else None
    keep_base(body)
    model: nn.Module = body if head is None else Headed(body, head, heads.native_of(config, head))
    weights = huggingface.read_file(told.folder / WEIGHTS)
    names = heads.names_of(model)
    told.form.put_on(model, names, told, weights)
    left = {name.removeprefix(PREFIX).removeprefix("base_model."): weights.pop(name) for name in [*weights]}
    beside = {str(names.to_file(name)): place for name, place in _beside(model, told.form).items()}
    for name, place in beside.items():
        if name not in left:
            raise UserError(f"{told.folder / WEIGHTS}: {name} is missing; the adapter is not whole")
        pour(left.pop(name), place, name, told)
    if left:
        raise UserError(f"{told.folder / WEIGHTS}: {next(iter(left))} has no place in the base {base_folder}")
    settings = told.own.get("adapt")
    settings = settings if isinstance(settings, dict) else {"name": told.form.NAME}
    note(model, Adapter(name=told.form.NAME, base=address, fingerprint=_print(told), settings=settings))
    return model


def _beside(model: nn.Module, form: Form) -> dict[str, nn.Parameter]:
    """What learns and is not of the adapter itself: a head, above all."""
    own = set(form.PARTS)
    return {name: one for name, one in learns(model).items() if not own & set(name.split("."))}


def _print(told: Told) -> str | None:
    base = told.own.get("base")
    found = base.get("fingerprint") if isinstance(base, Mapping) else None
    return found if isinstance(found, str) else None


def _check_base(base: Path, told: Told) -> None:
    if _print(told) not in (None, fingerprint(base)):
        raise UserError(
            f"{told.folder}: this adapter was trained on another base than {base}, whose weights differ; "
            "give it the very model that it was trained on"
        )
