"""Prompts in, texts out: continuations with their scores and alternatives, ready to be printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from glassformer.api.generator import Generator
from glassformer.api.lines import lines_of, paired
from glassformer.decode.generate import Generation
from glassformer.decode.settings import Decoding


@dataclass(frozen=True, slots=True)
class Completion:
    """What one prompt became: ``found`` is its n-best list or its draws, the best or first at the head.

    ``number`` counts prompts from 0; ``backward`` texts stand before their prompts.
    """

    number: int
    prompt: str
    found: tuple[Generation, ...]
    listed: bool
    backward: bool = False

    def as_json(self) -> dict[str, Any]:
        """``prompt``, ``text``, the number of ``tokens``, ``logp``, ``score``, ``stopped``.

        If asked for, ``alternatives``.
        """
        first, *others = (_record(one) for one in self.found)
        return {"prompt": self.prompt, **first, **({"alternatives": others} if self.listed else {})}

    def lines(self, *, with_prompt: bool = False) -> Iterator[str]:
        """The text on one line, with ``\\n`` for a line break in it.

        Of a list each as ``number ||| text ||| logp ||| score``.
        """
        for one in self.found:
            text = one_line(self.whole(one.text) if with_prompt else one.text)
            scores = f"{one.logp:.4f} ||| {one.score:.4f}"
            yield f"{self.number} ||| {text} ||| {scores}" if self.listed else text

    def whole(self, text: str) -> str:
        """A text together with its prompt."""
        return text + self.prompt if self.backward else self.prompt + text


def _record(one: Generation) -> dict[str, Any]:
    return {
        "text": one.text,
        "tokens": len(one.tokens),
        "logp": one.logp,
        "score": one.score,
        "stopped": one.stopped,
    }


def one_line(text: str) -> str:
    """The text with ``\\n`` and ``\\r`` written where it breaks lines."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


def completions(
    model: Generator, source: str | Sequence[str] = "-", settings: Decoding | None = None, **options: Any
) -> Iterator[Completion]:
    """A completion of each line of a file (``-``: stdin), or of each prompt of a list, in constant memory.

    An empty line is an empty prompt. Options are those of ``decode.generate``: ``too_long``, ``window``,
    ``on_progress``. Raises UserError for text that is not UTF-8 and for prompts that do not fit the model.
    """
    chosen = settings or model.decoding
    listed = chosen.num_return_sequences > 1
    found = paired(lines_of(source), lambda prompts: model.generations(prompts, chosen, **options))
    for number, (prompt, one) in enumerate(found):
        yield Completion(number, prompt, (one, *one.alternatives), listed, model.backward)
