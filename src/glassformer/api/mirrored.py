"""A tokenizer for models that read from the end: texts in a mirror, so that decoding need not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glassformer.text.tokenizer import Tokenizer


def mirrored(text: str) -> str:
    """The text letter by letter from its end."""
    return text[::-1]


@dataclass(frozen=True)
class Mirrored:
    """Reads and writes mirrored texts as rows of ids from the end.

    ::

        text        the cat sleeps      mirrored    speels tac eht
        ids         the cat sleeps      ids         sleeps cat the

    What stands after a mirrored text stands before the text, so that everything which goes on with a text,
    or scores it after a context, does so towards the beginning.
    """

    inner: Tokenizer

    @property
    def opening(self) -> tuple[int, ...]:
        """None: a model that is trained backward reads running text without a frame."""
        return ()

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text that is seen in the mirror, the last first."""
        return [row[::-1] for row in self.inner.encode_batch([mirrored(text) for text in texts])]

    def decode(self, ids: Sequence[int]) -> str:
        """The mirrored text of ids that begin at its end."""
        return mirrored(self.inner.decode(list(ids)[::-1]))
