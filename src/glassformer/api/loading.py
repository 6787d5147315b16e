"""A model folder opened for use, as what it can do."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch

from glassformer.api.opened import Opened, decoding_of
from glassformer.base import machine, report
from glassformer.base.errors import UserError
from glassformer.hub import folder as hub
from glassformer.hub.uses import USES
from glassformer.nn.folding import folded
from glassformer.nn.int8 import Integers
from glassformer.nn.packed import int8_pays, running

KINDS = {
    "translates": ("translator", "Translator"),
    "generates": ("generator", "Generator"),
    "encodes": ("filler", "Filler"),
    "sees": ("viewer", "Viewer"),
    "embeds": ("words", "WordModel"),
    "classifies": ("classifier", "Classifier"),
    "compares": ("embedder", "Embedder"),
    "tags": ("tagger", "Tagger"),
    "answers": ("answerer", "Answerer"),
    "contextualizes": ("contextualizer", "Contextualizer"),
}
"""For each ability of a model what it is opened as: a file of this room, and a class in it.

Only the one that is needed is imported; all of them together would take as long as opening a small model.
"""


def kind_of(ability: str) -> type[Opened]:
    """What a model is opened as whose first ability this is."""
    file, name = KINDS[ability]
    kind: type[Opened] = getattr(import_module(f"glassformer.api.{file}"), name)
    return kind


DTYPES = {
    "auto": torch.float32,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "int8": torch.int8,
}


def load(
    folder: str | Path,
    *,
    able: str | tuple[str, ...] | None = None,
    device: str = "auto",
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = "auto",
) -> Any:
    """Opens a model folder or the folder of a training run; ``auto`` is the fastest device, and float32.

    ``int8`` is for CPUs: products of large matrices in 8-bit integers (``nn.int8``), all else float32. Where
    that does not pay, a warning says what is used instead.

    What is given depends on what the model can do: a ``Translator``, a ``Generator`` (GPT, LLaMA), a
    ``Filler`` (BERT), an ``Embedder`` (an encoder that scores no words), a ``Viewer`` (ViT), a
    ``Contextualizer`` (ELMo), a ``WordModel`` (word2vec), under a head a ``Classifier``, a ``Tagger``, an
    ``Answerer`` or an ``Embedder``. ``able`` is an ability it must have, such as ``translates``, or several
    of which it must have one. Raises UserError when the folder cannot be used.
    """
    found = machine.look()
    place = _place(device, found)
    machine.prepare(found)
    precision = _precision(dtype, place, found)
    opened = hub.load(folder)
    model: Any = opened.model
    _check_able(model, able, folder)
    if opened.tokenizers is None and hasattr(opened.config, "vocab_size"):
        raise UserError(f"{opened.folder}: no tokenizer lies beside the model, and it needs one for text")
    kind = kind_of(model.abilities[0])
    model = running(model, precision) if place == "cpu" else folded(model).to(precision)
    if precision == torch.int8 and not any(isinstance(part, Integers) for part in model.modules()):
        report.warn(f"{opened.folder}: no matrix is so large that int8 pays; float32 is used instead")
    return kind(model, opened.tokenizers, decoding_of(opened), place, opened.folder, source=opened)


def _check_able(model: Any, wanted: str | tuple[str, ...] | None, folder: str | Path) -> None:
    abilities: tuple[str, ...] = model.abilities
    accepted = (wanted,) if isinstance(wanted, str) else wanted
    if accepted is not None and not set(accepted) & set(abilities):
        raise UserError(f"{folder}: this model {' and '.join(abilities)}; use {USES[abilities[0]].verbs}")


def _precision(dtype: str, place: str, found: machine.Machine) -> torch.dtype:
    """What is computed in; UserError for what is no precision."""
    if dtype not in DTYPES:
        raise UserError(f"dtype {dtype!r} is not known; known are {', '.join(DTYPES)}")
    if dtype != "int8":
        return DTYPES[dtype]
    if place == "cpu" and int8_pays(found):
        return torch.int8
    instead = machine.precision("auto", found) if place == found.device else "float32"
    why = f"{found.name} is no faster in int8" if place == "cpu" else f"int8 is for CPUs, not for {place}"
    report.warn(f"{why}; {instead} is used instead")
    return DTYPES[instead]


def _place(device: str, found: machine.Machine) -> str:
    """The device that was asked for; UserError when this machine does not have it."""
    if device == "auto":
        return found.device
    kind, colon, number = device.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if kind not in ("cpu", found.device) or (colon and not (number.isdecimal() and int(number) < count)):
        known = "auto or cpu" if found.device == "cpu" else f"auto, cpu or {found.device}"
        raise UserError(f"there is no device {device!r} here; choose {known}")
    return device
