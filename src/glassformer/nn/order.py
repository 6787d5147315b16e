"""Rows of a batch put in another order by copying only those that are wanted more than once."""

from __future__ import annotations

from collections import defaultdict
from copy import copy

import torch
from jaxtyping import Int
from torch import Tensor


class Order:
    """Where each row of a batch stands in memories whose rows stay where they are as long as they can.

    ::

        rows              0  1  2  3          after select([0, 0, 3, 1])     0  1  2  3
        stand at place    0  1  2  3                                         0  2  3  1

    Only place 0 was copied, to place 2, which nobody wanted any more. Beams change so at every step: most go
    on where they are, a few are given up for copies of better ones.
    """

    def __init__(self, rows: int) -> None:
        self._places = list(range(rows))
        self._there: tuple[Tensor, Tensor] | None = None

    def fork(self) -> Order:
        """The same for a second batch, which goes on by itself."""
        return copy(self)

    def moves(self, rows: Int[Tensor, " chosen"], group: int | None = None) -> list[tuple[int, int]] | None:
        """Which place must be copied to which so that the batch consists of these rows; no place is in both.

        With ``group``, places are copied only within groups of so many. None where it cannot be done so, as
        the number of rows changes or a group has no place, and on a GPU, where many copies take longer than
        one of everything.
        """
        if len(rows) != len(self._places) or rows.device.type != "cpu":
            return None
        wanted = [self._places[row] for row in rows.tolist()]
        size, free = group or len(wanted), defaultdict(list)
        for place in set(range(len(wanted))).difference(wanted):
            free[place // size].append(place)
        copies, seen, places = [], set(), []
        for place in wanted:
            if place in seen:
                if not free[place // size]:
                    return None
                copies.append((place, free[place // size].pop()))
                places.append(copies[-1][1])
            else:
                seen.add(place)
                places.append(place)
        self._stand(places, rows.device)
        return copies

    def restart(self, rows: Int[Tensor, " chosen"]) -> Int[Tensor, " chosen"]:
        """The places of these rows, which the memories now take as they are, in this order."""
        places = rows if self._there is None else self._there[0].index_select(0, rows)
        self._places, self._there = list(range(len(rows))), None
        return places

    def placed(self, x: Tensor) -> Tensor:
        """What belongs to the rows, in the order of their places."""
        return x if self._there is None else x.index_select(0, self._there[1])

    def listed(self, x: Tensor) -> Tensor:
        """What belongs to the places, in the order of the rows that stand there."""
        return x if self._there is None else x.index_select(0, self._there[0])

    def _stand(self, places: list[int], device: torch.device) -> None:
        if places != self._places:
            self._places = places
            at = torch.tensor(places, device=device)
            self._there = None if places == sorted(places) else (at, at.argsort())
