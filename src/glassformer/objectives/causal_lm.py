"""The language model: the next token of running text, given all before it, in either direction."""

from __future__ import annotations

from typing import Literal

import numpy as np

from glassformer.base.config import Settings
from glassformer.data.batch import pad
from glassformer.data.example import Batch
from glassformer.nn.cross_entropy import IGNORED
from glassformer.objectives.foretelling import Foretelling
from glassformer.objectives.rows import Rows


class Config(Settings):
    """``separate`` lets no token look into another document; documents are told by their end."""

    name: Literal["causal_lm"] = "causal_lm"
    direction: Literal["forward", "backward"] = "forward"
    separate: bool = False


class Objective(Foretelling, Rows):
    """The summed cross-entropy of every token given those before it, or backward given those after it.

    ::

        row        the  cat  sleeps  </s>  a  dog
        forward    the  cat  sleeps  </s>  a            backward   dog  a     </s>    sleeps  cat
        labels     cat  sleeps </s>  a     dog          labels     a    </s>  sleeps  cat     the
        documents  0    0    0       1     1                       0    0     1       1       1

    Backward is the same over the row from its end, so that a backward model scores a row as the forward model
    of the same weights scores it reversed (Peters et al. 2018, §3.1). The end of a document stands with what
    is read after it: there, both directions begin a text with ``</s>``.
    """

    def _batch(self, rows: list[np.ndarray]) -> Batch:
        if self.config.direction == "backward":
            rows = [row[::-1] for row in rows]
        # Padding stands on the right, where nothing that comes before it looks; it needs no mask.
        tensors = {
            "tokens": pad([row[:-1] for row in rows], self.pad_id),
            "labels": pad([row[1:] for row in rows], IGNORED),
        }
        if self.config.separate:
            tensors["documents"] = (tensors["tokens"] == self.eos_id).long().cumsum(1)
        return Batch(tensors, sum(len(row) - 1 for row in rows))
