"""What a kind of data says of one example to whoever looks at it: its texts, its labels, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """One example as a person sees it; ``look(config, example)`` of each kind of data gives it.

    ``texts`` are what a model reads and ``answer`` all that it is to tell, as text; two examples are the same
    when both are. ``labels`` are those of the answer, one by one, where they are of a few kinds or numbers.
    ``wrong`` are findings of this example alone: a kind, of
    ``data.check.KINDS``, and a sentence.
    """

    texts: tuple[str, ...]
    answer: str
    labels: tuple[str, ...] = ()
    wrong: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """All that is read, in one line."""
        return " / ".join(" ".join(text.split()) for text in self.texts)
