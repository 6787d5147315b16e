"""Repeatable choices: the same seed makes the same choices on every platform and Python version."""

import random
import zlib
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Dice:
    """A source of choices built only on ``Random.random()``, the one method Python promises not to change."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, count: int) -> int:
        """A number from 0 to ``count - 1``."""
        return int(self._random() * count)

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[int(self._random() * len(items))]

    def chance(self, percent: int) -> bool:
        """True in ``percent`` of a hundred cases."""
        return self._random() * 100 < percent

    def weighted(self, items: Sequence[tuple[Item, int]]) -> Item:
        """One of the items, each as likely as its weight."""
        point = self._random() * sum(weight for _, weight in items)
        for item, weight in items:
            point -= weight
            if point < 0:
                return item
        return items[-1][0]


def stable_hash(*words: str) -> int:
    """A number that depends on the words alone, the same everywhere and always."""
    return zlib.crc32("\x1f".join(words).encode()) * 2654435761 % 2**32 >> 8
