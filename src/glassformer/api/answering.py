"""Text in, answers out: translations with their scores, alternatives and alignments, ready to be printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, repeat
from pathlib import Path
from typing import Any, Literal

from glassformer.api.lines import lines_of, paired
from glassformer.api.shortlisting import open_shortlist
from glassformer.api.translator import Translator
from glassformer.decode.align import Link, pharaoh
from glassformer.decode.settings import Decoding
from glassformer.decode.translate import Translation


@dataclass(frozen=True, slots=True)
class Answer:
    """What one line of text became: ``found`` is its n-best list, the best first.

    ``number`` counts lines from 0. ``links`` has the alignment of each of ``found``, or is empty.
    """

    number: int
    source: str
    found: tuple[Translation, ...]
    links: tuple[Sequence[Link], ...]
    listed: bool

    def as_json(self) -> dict[str, Any]:
        """``source``, ``translation``, ``logp``, ``score``; if asked for ``alignment``, ``alternatives``."""
        first, *others = (self._record(index) for index in range(len(self.found)))
        return {"source": self.source, **first, **({"alternatives": others} if self.listed else {})}

    def _record(self, index: int) -> dict[str, Any]:
        one = self.found[index]
        record: dict[str, Any] = {"translation": one.text, "logp": one.logp, "score": one.score}
        if self.links:
            record["alignment"] = [list(link) for link in self.links[index]]
        return record

    def lines(self) -> Iterator[str]:
        """The translation; of an n-best list each as ``number ||| translation ||| logp ||| score``.

        The alignment, if asked for, is one more part at the end. A blank line stays blank unless numbered.
        """
        if not self.listed and not self.source.strip():
            yield ""
            return
        for index, one in enumerate(self.found):
            parts = [one.text]
            if self.listed:
                parts = [str(self.number), one.text, f"{one.logp:.4f}", f"{one.score:.4f}"]
            if self.links:
                parts.append(pharaoh(self.links[index]))
            yield " ||| ".join(parts)


def answers(
    model: Translator,
    path: str = "-",
    settings: Decoding | None = None,
    *,
    prefix: str | None = None,
    alignment: bool = False,
    too_long: Literal["refuse", "cut"] = "refuse",
    shortlist: str | Path | None = None,
    window: int = 1024,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[Answer]:
    """An answer to each line of a file (``-``: stdin), in order and in constant memory.

    ``window`` lines are read ahead; ``prefix`` is what every translation begins with; ``shortlist`` is a
    file of which tokens may stand for which. Raises UserError for text that is not UTF-8, for lines that do
    not fit the model, with their numbers, and for the shortlist of another model.
    """
    chosen = settings or model.decoding
    translated = partial(
        model.translations,
        settings=chosen,
        prefixes=None if prefix is None else repeat(prefix),
        too_long=too_long,
        shortlist=None if shortlist is None else open_shortlist(model, shortlist),
        window=window,
        on_progress=on_progress,
    )
    found = paired(lines_of(path), translated)
    number = 0
    while ahead := [(source, (one, *one.alternatives)) for source, one in islice(found, window)]:
        links = _links(model, ahead) if alignment else repeat(())
        for (source, several), aligned in zip(ahead, links, strict=False):
            yield Answer(number, source, several, tuple(aligned), chosen.num_return_sequences > 1)
            number += 1


def _links(
    model: Translator, ahead: Iterable[tuple[str, tuple[Translation, ...]]]
) -> Iterator[list[list[Link]]]:
    """The alignments of each line's translations, all read together."""
    lines = list(ahead)
    every = model.align((source, one.text) for source, several in lines for one in several)
    for _, several in lines:
        yield list(islice(every, len(several)))
