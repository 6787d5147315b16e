"""Templates: a text with named fields in braces, one of which is the label that a model is to find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

LABEL = "label"


@dataclass(frozen=True)
class Template:
    """Text in which ``{name}`` stands for a field of an example and ``{label}`` for its answer.

    A brace that is meant is written twice. Raises ValueError for braces that do not match and for a template
    without ``{label}`` or with several.

    >>> Template("{text} It was {label}.").before({"text": "Dull"})
    'Dull It was '
    """

    written: str

    def __post_init__(self) -> None:
        labels = [name for _, name in self._parts if name == LABEL]
        if len(labels) != 1:
            said = "has no {label}" if not labels else f"has {{label}} {len(labels)} times"
            raise ValueError(f"the template {said}; write it once, where the answer stands")

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it names beside the label, each once."""
        return tuple(dict.fromkeys(name for _, name in self._parts if name not in (None, LABEL)))

    def before(self, fields: Mapping[str, str]) -> str:
        """What stands before the answer."""
        return self._filled(fields, 0, self._place) + self._parts[self._place][0]

    def after(self, fields: Mapping[str, str]) -> str:
        """What stands behind the answer."""
        return self._filled(fields, self._place + 1, len(self._parts))

    def whole(self, fields: Mapping[str, str], word: str) -> str:
        """The text with its answer."""
        return self.before(fields) + word + self.after(fields)

    @property
    def lead(self) -> str:
        """The words between the last field before the answer and the answer: how it is asked for."""
        return self._parts[self._place][0]

    @cached_property
    def _parts(self) -> list[tuple[str, str | None]]:
        """Words, each with the field behind them, where there is one."""
        try:
            found = list(Formatter().parse(self.written))
        except ValueError:
            raise ValueError(
                "a brace of the template has no partner; write {{ or }} for one that is meant"
            ) from None
        for _, name, form, turned in found:
            if name is not None and (not name.isidentifier() or form or turned):
                shown = name + (f"!{turned}" if turned else "") + (f":{form}" if form else "")
                raise ValueError(
                    f"{{{shown}}} is not the name of a field; write {{{{ or }}}} for braces that are meant"
                )
        return [(words, name) for words, name, _, _ in found]

    @cached_property
    def _place(self) -> int:
        return next(place for place, (_, name) in enumerate(self._parts) if name == LABEL)

    def _filled(self, fields: Mapping[str, str], first: int, last: int) -> str:
        pieces = (words + ("" if name is None else fields[name]) for words, name in self._parts[first:last])
        return "".join(pieces)
