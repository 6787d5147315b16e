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
from glassformer.hub.card import Bent, architecture_of
from glassformer.hub.manifest import MANIFEST, as_json, read_json, read_manifest
from glassformer.nn.adapter import Adapter, adapter_of, keep_base, learns, note
from glassformer.nn.folding import folded
from glassformer.nn.headed import LAYERS, Head, Headed, bare, body_of, head_of

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


def told_of(folder: Path, model: nn.Module) -> Bent | None:
    """What the model card in ``folder`` tells of the base; None for a model that is whole."""
    adapter = adapter_of(model)
    if adapter is None:
        return None
    form, head = FORMS[adapter.name], head_of(model)
    known = form.known(head) and architecture_of(heads.described(model)) is not None
    labels = 0 if head is None else head.outputs
    return Bent(_seen_from(folder, adapter.base), form.PEFT if known else None, labels)


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
    weights = huggingface.read_file(told.folder / WEIGHTS)
    model, known = _headed(base, told, weights)
    names = heads.names_of(model)
    told.form.put_on(model, names, told, weights)
    left = {_bare(name): weights.pop(name) for name in [*weights]}
    beside = {str(names.to_file(name)): place for name, place in _beside(model, told.form).items()}
    for name, place in beside.items():
        if name in left:
            pour(left.pop(name), place, name, told)
        elif name.rpartition(".")[0] not in known:
            raise UserError(f"{told.folder / WEIGHTS}: {name} is missing; the adapter is not whole")
    if left:
        raise UserError(
            f"{told.folder / WEIGHTS}: {next(iter(left))} has no place in the base {base_folder}; a head is "
            f"known by task_type SEQ_CLS, TOKEN_CLS or QUESTION_ANS, and {told.peft.get('task_type')} is said"
        )
    settings = told.own.get("adapt")
    settings = settings if isinstance(settings, dict) else {"name": told.form.NAME}
    note(model, Adapter(name=told.form.NAME, base=address, fingerprint=_print(told), settings=settings))
    return model


def _bare(name: str) -> str:
    """The name of a weight as the base's own files have it."""
    return name.removeprefix(PREFIX).removeprefix("base_model.")


def _headed(base: nn.Module, told: Told, weights: Mapping[str, Any]) -> tuple[nn.Module, set[str]]:
    """The base's body, under the head that the adapter has, and the names of layers that the base gave it."""
    body: Any = body_of(base)
    keep_base(body)
    head = _head(base, told, weights)
    if head is None:
        return body, set()
    parts = dict(body.named_children())  # the head takes some of them off
    body.config = bare(body.config)
    model = Headed(body, head, heads.native_of(body.config, head))
    return model, set() if isinstance(told.own.get("config"), dict) else _inherited(model, base, parts)


def _head(base: nn.Module, told: Told, weights: Mapping[str, Any]) -> Head | None:
    """The head that our file tells of; of others' that of the base, or of the family by peft's task."""
    body: Any = body_of(base)
    written, where = told.own.get("config"), told.folder / OWN
    if isinstance(written, dict):
        return heads.read_head(written, body.config, where)
    if head_of(base) is not None:
        return head_of(base)
    shapes = {_bare(name): len(one) for name, one in weights.items()}
    for ability, native in heads.natives(body.config).items():
        size = shapes.get(f"{native.output}.weight")
        if size is not None and TASKS.get(ability) == told.peft.get("task_type"):
            labels = {str(number): f"LABEL_{number}" for number in range(size)}
            said = {"architectures": [native.architecture], "id2label": labels}
            return heads.read_head(said, body.config, where)
    return None


def _inherited(model: Headed, base: nn.Module, parts: Mapping[str, nn.Module]) -> set[str]:
    """Fill a head with what the base has of it: its own head, or the layer that its family goes on from.

    Gives the names of these layers in files; an adapter need not hold them.
    """
    native = model.native
    inherits = None if native is None or native.inherits is None else parts.get(native.inherits)
    found = {name: getattr(base, name, None) for name in LAYERS} if head_of(base) else {"dense": inherits}
    names = heads.names_of(model)
    known = set()
    for name, layer in found.items():
        if layer is not None and hasattr(model, name):
            getattr(model, name).load_state_dict(layer.state_dict())
            known.add(str(names.to_file(f"{name}.weight")).rpartition(".")[0])
    return known


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
