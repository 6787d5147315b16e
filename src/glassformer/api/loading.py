"""A model folder opened for use: translate, align, save."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from glassformer.base import config, machine
from glassformer.base.errors import UserError
from glassformer.decode.align import Link, align
from glassformer.decode.settings import Decoding
from glassformer.decode.translate import Translation, translate
from glassformer.hub import folder as hub
from glassformer.nn.attention import recording
from glassformer.text.tokenizer import TokenizerPair

FOREIGN = {"num_beams": 1, "length_penalty": 1.0, "length_penalty_form": "power", "early_stopping": False}
KNOWN = ("num_beams", "length_penalty", "length_penalty_form", "early_stopping", "no_repeat_ngram_size")


class Translator:
    """A model that translates, with its tokenizers and the decoding it asks for.

    >>> import glassformer as gf                                    # doctest: +SKIP
    >>> gf.load("runs/demo").translate(["어제 카페 갔었어."])         # doctest: +SKIP
    ['I went to the café yesterday.']
    """

    def __init__(
        self, model: nn.Module, tokenizers: TokenizerPair, decoding: Decoding, device: str, folder: Path
    ) -> None:
        self.model = model.to(device).eval()
        self.tokenizers = tokenizers
        self.decoding = decoding
        self.device = device
        self.folder = folder

    def translate(self, lines: str | Sequence[str], **settings: Any) -> list[str]:
        """The best translation of each line; settings are those of ``Decoding`` (``num_beams=5``, …).

        Raises UserError for a setting that is not one and for a line that does not fit the model.
        """
        several = [lines] if isinstance(lines, str) else list(lines)
        chosen = choose(self.decoding, settings)
        return [translation.text for translation in self.translations(several, chosen)]

    def translations(
        self, lines: Iterable[str], settings: Decoding | None = None, **options: Any
    ) -> Iterator[Translation]:
        """Each line's translation with its scores, in order; options are those of ``decode.translate``."""
        model: Any = self.model
        chosen = settings or self.decoding
        return translate(model, self.tokenizers, lines, chosen, device=self.device, **options)

    def align(self, pairs: Iterable[tuple[str, str]], layer: int = -2) -> Iterator[list[Link]]:
        """Which source word each target word came from, read from the cross-attention of one layer."""
        numbers: Any = self.model.config
        options: dict[str, Any] = {"layer": layer, "max_length": numbers.max_length, "device": self.device}
        return align(self._attend, numbers, self.tokenizers, pairs, **options)

    @torch.inference_mode()
    def _attend(self, source: Tensor, keep: Tensor, target: Tensor) -> list[Tensor]:
        model: Any = self.model
        with recording(model) as kept:
            model.hidden({"source": source, "source_keep": keep, "target": target})
        return [weights[0] for name, weights in kept.items() if name.endswith(".cross")]

    def save(self, folder: str | Path) -> None:
        """Write the model folder; it opens here and, where the architecture exists there, in transformers."""
        generation = self.decoding.model_dump(include=set(KNOWN))
        hub.save(Path(folder), self.model, self.tokenizers, generation=generation)


def load(
    folder: str | Path,
    *,
    device: str = "auto",
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
) -> Translator:
    """Opens a model folder or the folder of a training run; ``auto`` is the fastest device, and float32.

    Raises UserError when it cannot be used.
    """
    found = machine.look()
    place = _place(device, found)
    machine.prepare(found)
    opened = hub.load(folder)
    if opened.tokenizers is None:
        raise UserError(f"{opened.folder}: no tokenizer lies beside the model; a translator needs one")
    if not hasattr(opened.model, "start"):
        raise UserError(f"{opened.folder}: this model does not translate")
    model = opened.model.to(torch.bfloat16) if dtype == "bfloat16" else opened.model
    return Translator(model, opened.tokenizers, decoding_of(opened), place, opened.folder)


def decoding_of(opened: hub.Loaded) -> Decoding:
    """What the folder asks for; one that was not written here is decoded as ``transformers`` would."""
    asked = {key: value for key, value in opened.generation.items() if key in KNOWN and value is not None}
    if not (opened.folder / hub.MANIFEST).exists():
        asked = FOREIGN | asked
    try:
        return Decoding.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise UserError(f"{opened.folder / hub.GENERATION}: {where}: {first['msg']}") from None


def choose(base: Decoding, given: Mapping[str, Any]) -> Decoding:
    """``base`` with some settings replaced; UserError when they do not fit together."""
    settings = base.model_dump(mode="json") | dict(given)
    written = [f"{name}={json.dumps(value)}" for name, value in settings.items()]
    return config.load(Decoding, None, written, {})


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
