"""What every opened model has, whatever it can do: its parts, the decoding it asks for, and saving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError
from torch import nn

from glassformer.base import config
from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding
from glassformer.hub import folder as hub
from glassformer.hub import sentences
from glassformer.text.tokenizer import TokenizerPair

FOREIGN = {"num_beams": 1, "length_penalty": 1.0, "length_penalty_form": "power", "early_stopping": False}
"""How ``transformers`` decodes where nothing is said; so does every model that goes on with a text."""

KNOWN = ("num_beams", "length_penalty", "length_penalty_form", "early_stopping", "no_repeat_ngram_size")
"""What the folder of a model that translates always says."""

HONOURED = (
    *KNOWN,
    "num_return_sequences",
    "max_new_tokens",
    "min_new_tokens",
    "repetition_penalty",
    "suppress_tokens",
    "stop_strings",
    "do_sample",
    "temperature",
    "top_k",
    "top_p",
)
"""What is read of a generation_config.json, whoever wrote it."""

FOREIGN_TOP_K = 50  # of transformers, where sampling is asked for and nothing is said


class Opened:
    """A model on its device, in evaluation mode; ``tokenizers`` is None for a model that reads no text.

    ``source`` is the folder as it was read, where there is one: what is written back. ``model`` is what runs;
    on a CPU its weights may be laid out for speed alone (``nn.packed``), and those of ``source.model`` are
    the plain ones. ``objective`` is what it is measured by where its folder has no recipe.
    """

    objective: ClassVar[str]

    def __init__(
        self,
        model: nn.Module,
        tokenizers: TokenizerPair | None,
        decoding: Decoding,
        device: str,
        folder: Path,
        *,
        source: hub.Loaded | None = None,
    ) -> None:
        self.model = model.to(device).eval()
        self._tokenizers = tokenizers
        self.decoding = decoding
        self.device = device
        self.folder = folder
        self.source = source

    @property
    def tokenizers(self) -> TokenizerPair:
        """How it reads and writes text; UserError when there are none."""
        if self._tokenizers is None:
            raise UserError(f"{self.folder}: no tokenizer lies beside the model, and it needs one for text")
        return self._tokenizers

    def save(self, folder: str | Path) -> None:
        """Write the model folder; it opens here and, where the architecture exists there, in transformers."""
        source = self.source
        generation = {} if source is None else source.generation
        model: Any = self.model if source is None else source.model
        others = {key: value for key, value in generation.items() if key not in HONOURED}
        hub.save(
            Path(folder),
            model,
            self._tokenizers,
            generation=others | generation_of(self.decoding, model.abilities),
            recipe=None if source is None else source.recipe,
            preprocessor=None if source is None else source.preprocessor,
            kept=None if source is None else sentences.kept(source.folder),
        )


def decoding_of(opened: hub.Loaded) -> Decoding:
    """What the folder asks for, over the usual way of a model of its kind.

    Raises UserError for a generation_config.json that asks for what cannot be.
    """
    model: Any = opened.model
    foreign = not (opened.folder / hub.MANIFEST).exists()
    asked = _asked(opened.generation)
    if foreign and asked.get("do_sample"):
        asked = {"top_k": FOREIGN_TOP_K} | asked
    try:
        return Decoding.model_validate(_usual(model.abilities, foreign=foreign) | asked)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{key}: " for key in first["loc"][:1])
        said = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{opened.folder / hub.GENERATION}: {where}{said}") from None


def generation_of(decoding: Decoding, abilities: tuple[str, ...]) -> dict[str, Any]:
    """What generation_config.json has to say for a model of these abilities to be decoded so again."""
    if not {"translates", "generates"} & set(abilities):
        return {}
    usual = Decoding.model_validate(_usual(abilities)).model_dump(mode="json")
    asked = decoding.model_dump(mode="json", include=set(HONOURED))
    always = KNOWN if "translates" in abilities else ()
    return {key: value for key, value in asked.items() if key in always or value != usual[key]}


def _usual(abilities: tuple[str, ...], *, foreign: bool = False) -> dict[str, Any]:
    """The paper's beam search belongs to models that translate."""
    return {} if "translates" in abilities and not foreign else dict(FOREIGN)


def _asked(generation: Mapping[str, Any]) -> dict[str, Any]:
    asked = {key: generation[key] for key in HONOURED if generation.get(key) is not None}
    if asked.get("temperature") == 0:
        # Published files say so and mean that nothing is drawn.
        asked |= {"do_sample": False, "temperature": 1.0}
    return _listed(asked)


def _listed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A single stop string may stand without a list around it."""
    stop = settings.get("stop_strings")
    return {**settings, "stop_strings": [stop]} if isinstance(stop, str) else dict(settings)


def choose(base: Decoding, given: Mapping[str, Any]) -> Decoding:
    """``base`` with some settings replaced; UserError when they do not fit together."""
    settings = base.model_dump(mode="json") | _listed(given)
    written = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
    return config.load(Decoding, None, written, {})
