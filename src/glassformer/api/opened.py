"""What every opened model has, whatever it can do: its parts, the decoding it asks for, and saving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from glassformer.base import config
from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding
from glassformer.hub import folder as hub
from glassformer.text.tokenizer import TokenizerPair

FOREIGN = {"num_beams": 1, "length_penalty": 1.0, "length_penalty_form": "power", "early_stopping": False}
KNOWN = ("num_beams", "length_penalty", "length_penalty_form", "early_stopping", "no_repeat_ngram_size")


class Opened:
    """A model on its device, in evaluation mode; ``tokenizers`` is None for a model that reads no text."""

    def __init__(
        self,
        model: nn.Module,
        tokenizers: TokenizerPair | None,
        decoding: Decoding,
        device: str,
        folder: Path,
    ) -> None:
        self.model = model.to(device).eval()
        self._tokenizers = tokenizers
        self.decoding = decoding
        self.device = device
        self.folder = folder

    @property
    def tokenizers(self) -> TokenizerPair:
        """How it reads and writes text; UserError when there are none."""
        if self._tokenizers is None:
            raise UserError(f"{self.folder}: no tokenizer lies beside the model, and it needs one for text")
        return self._tokenizers

    def save(self, folder: str | Path) -> None:
        """Write the model folder; it opens here and, where the architecture exists there, in transformers."""
        generation = self.decoding.model_dump(include=set(KNOWN))
        hub.save(Path(folder), self.model, self._tokenizers, generation=generation)


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
