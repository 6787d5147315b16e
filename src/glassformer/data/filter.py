"""Which examples are left out, and an account of it: how many, for which reason, in which lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from glassformer.data.example import Example, Features

SHOWN = 3
"""How many places are remembered for each reason."""


@dataclass
class Dropped:
    """The examples left out so far, counted by reason, with the first few places (``file:line``) of each."""

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many examples were left out."""
        return sum(self.counts.values())

    def note(self, reason: str, where: str) -> None:
        """Count one example that was left out."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        places = self.places.setdefault(reason, [])
        if len(places) < SHOWN:
            places.append(where)

    def sentence(self) -> str:
        """What was left out in one sentence, or an empty string when nothing was.

        >>> dropped = Dropped()
        >>> dropped.note("blank", "a.tsv:3")
        >>> dropped.sentence()
        '1 example was dropped: 1 blank (a.tsv:3)'
        """
        if not self.counts:
            return ""
        reasons = sorted(self.counts, key=lambda reason: -self.counts[reason])
        subject = "1 example was" if self.total == 1 else f"{self.total:,} examples were"
        return f"{subject} dropped: " + "; ".join(self._reason(reason) for reason in reasons)

    def _reason(self, reason: str) -> str:
        places = self.places[reason]
        more = ", …" if self.counts[reason] > len(places) else ""
        return f"{self.counts[reason]:,} {reason} ({', '.join(places)}{more})"

    def to_json(self) -> dict[str, Any]:
        """Counts and places as plain values that ``from_json`` reads back."""
        return {
            "counts": dict(self.counts),
            "places": {reason: list(at) for reason, at in self.places.items()},
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Dropped:
        """The account that ``to_json`` wrote."""
        return cls(dict(value["counts"]), {reason: list(at) for reason, at in value["places"].items()})


@dataclass(frozen=True)
class Limits:
    """How long an example may be, and how unequal its two sides.

    ``max_characters`` is tested when a line is read and spares the tokenizer; ``max_length`` and
    ``max_ratio`` (longer side over shorter side) are tested in tokens, as the model will see them. ``None``
    means no limit.
    """

    max_characters: int | None = None
    max_length: int | None = None
    max_ratio: float | None = None

    def examples(self, examples: Iterable[Example], dropped: Dropped) -> Iterator[Example]:
        """The examples short enough to be encoded."""
        for example in examples:
            longest = max((len(text) for text in example.fields.values() if isinstance(text, str)), default=0)
            if self.max_characters is not None and longest > self.max_characters:
                dropped.note(f"longer than {self.max_characters:,} characters", example.where)
            else:
                yield example

    def features(
        self, features: Sequence[Features], examples: Sequence[Example], dropped: Dropped
    ) -> list[Features]:
        """Of the encoded ``examples``, those within the limits in tokens."""
        kept = []
        for one, example in zip(features, examples, strict=True):
            reason = self._reason(one)
            if reason is None:
                kept.append(one)
            else:
                dropped.note(reason, example.where)
        return kept

    def _reason(self, features: Features) -> str | None:
        if self.max_length is not None and features.size > self.max_length:
            return f"longer than {self.max_length:,} tokens"
        if self.max_ratio is not None:
            shortest = min(len(array) for array in features.arrays.values())
            if features.size > self.max_ratio * shortest:
                return f"one side more than {self.max_ratio:g} times as long as the other"
        return None
