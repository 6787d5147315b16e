"""Prompts put to an opened model: which label it finds likeliest, by what it is able to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from glassformer.adapt.in_context import Case, Prompting
from glassformer.api.opened import Opened, choose
from glassformer.base.errors import UserError
from glassformer.decode.choices import asked, choices
from glassformer.decode.cloze import blanked, cloze, pieces_of
from glassformer.decode.score import Score

Prompt = tuple[Sequence[Case], Mapping[str, str]]
"""The examples that are shown, and the fields of the one that is asked."""
Advance = Callable[[int], None]


@runtime_checkable
class Asks(Protocol):
    """A model that can be asked."""

    longest: int

    def read(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
        """The prompts in tokens."""
        ...

    def size(self, row: Any) -> int:
        """How many tokens the model has to read for a prompt."""
        ...

    def scores(self, rows: Sequence[Any], advance: Advance | None) -> list[tuple[Score, ...]]:
        """For each prompt the score of every label."""
        ...


class Continuing:
    """A model that goes on with texts: the words of a label are what follows."""

    def __init__(self, opened: Any, prompting: Prompting) -> None:
        if opened.backward:
            raise UserError(f"{opened.folder}: this model reads from the end; take one that reads forward")
        self.opened, self.prompting = opened, prompting
        self.tokenizer = opened.tokenizers.target
        self.longest: int = opened.model.config.max_length

    def read(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
        """The prompts in tokens."""
        return asked(self.opened.model, self.tokenizer, [self.prompting.question(*one) for one in prompts])

    def size(self, row: Any) -> int:
        """How many tokens the model has to read for a prompt."""
        found: int = row.size
        return found

    def scores(self, rows: Sequence[Any], advance: Advance | None) -> list[tuple[Score, ...]]:
        """For each prompt the score of every label."""
        return choices(self.opened.model, rows, device=self.opened.device, on_progress=advance)

    def write(self, prompts: Sequence[Prompt], most: int, advance: Advance | None) -> list[str]:
        """For each prompt what the model writes itself, up to the separator or what the template has next."""
        after = {self.prompting.template.after(fields) for _, fields in prompts}
        stops = [text for text in (self.prompting.separator, *(after if len(after) == 1 else ())) if text]
        settings = choose(
            self.opened.decoding,
            {"stop_strings": stops, "max_new_tokens": most, "do_sample": False, "num_beams": 1},
        )
        contexts = [self.prompting.context(*one) for one in prompts]
        found = []
        for one in self.opened.generations(contexts, settings):
            found.append(one.text)
            if advance:
                advance(1)
        return found


class Blanking:
    """A model that fills blanks: the word of a label, of one piece, is what stands in one."""

    def __init__(self, opened: Any, prompting: Prompting) -> None:
        self.opened, self.prompting = opened, prompting
        self.tokenizer = opened.tokenizers.source
        self.longest: int = opened.model.config.max_length
        self.pieces: list[int] = []

    def read(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
        """The prompts in tokens, with the mask in their blanks."""
        texts = [self.prompting.cloze(*one) for one in prompts]
        if not self.pieces and texts:
            self.pieces = pieces_of(self.tokenizer, texts[0][0], tuple(self.prompting.words.values()))
        return blanked(self.opened.model, self.tokenizer, texts)

    def size(self, row: Any) -> int:
        """How many tokens the model has to read for a prompt."""
        return len(row)

    def scores(self, rows: Sequence[Any], advance: Advance | None) -> list[tuple[Score, ...]]:
        """For each prompt the score of every label."""
        words = tuple(self.prompting.words.values())
        model, mask = self.opened.model, self.tokenizer.mask_id
        return cloze(model, rows, words, self.pieces, mask, device=self.opened.device, on_progress=advance)


ASKERS: dict[str, type[Continuing] | type[Blanking]] = {"generates": Continuing, "encodes": Blanking}
"""For each ability of a model how it is asked."""


def asker(opened: Opened, prompting: Prompting) -> Continuing | Blanking:
    """The way to ask this model; UserError for one that neither goes on with texts nor fills blanks."""
    abilities: tuple[str, ...] = opened.model.abilities  # type: ignore[assignment]
    found = next((ASKERS[one] for one in abilities if one in ASKERS), None)
    if found is None:
        raise UserError(
            f"{opened.folder}: this model {' and '.join(abilities)}; take one that generates, or that "
            "fills blanks"
        )
    return found(opened, prompting)
