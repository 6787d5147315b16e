"""A model that translates, opened for use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from glassformer.api.opened import Opened, choose
from glassformer.base.errors import UserError
from glassformer.decode.align import Link, align
from glassformer.decode.settings import Decoding
from glassformer.decode.translate import Translation, translate
from glassformer.nn.attention import recording


class Translator(Opened):
    """A model that translates, with its tokenizers and the decoding it asks for.

    >>> import glassformer as gf                                    # doctest: +SKIP
    >>> gf.load("runs/demo").translate(["어제 카페 갔었어."])         # doctest: +SKIP
    ['I went to the café yesterday.']
    """

    objective: ClassVar[str] = "translation"

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
        """Which source word each target word came from, read from the cross-attention of one layer.

        Raises UserError for a layer that the model does not have, and for a model without attention.
        """
        numbers: Any = self.model.config
        options: dict[str, Any] = {"layer": layer, "max_length": numbers.max_length, "device": self.device}
        options["at"] = getattr(self.model, "aligned", "read")
        return align(self._attend, numbers, self.tokenizers, pairs, **options)

    @torch.inference_mode()
    def _attend(self, source: Tensor, keep: Tensor, target: Tensor) -> list[Tensor]:
        model: Any = self.model
        with recording(model) as kept:
            model.hidden({"source": source, "source_keep": keep, "target": target})
        # What goes word by word looks once for each; what reads the target at once looks once for all.
        found = [torch.cat(calls, dim=2) for name, calls in kept.items() if name.endswith(".cross")]
        if not found:
            raise UserError(
                "this model reads a source into one vector and looks at no word of it, so it cannot align "
                "words; use one with attention"
            )
        return found
