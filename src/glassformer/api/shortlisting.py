"""A shortlist for a model that translates: learned from pairs of sentences, and what it would leave out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassformer.api.loading import load
from glassformer.api.translator import Translator
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.data.sources import read
from glassformer.decode.lexicon import Lexicon, Pair, lexicon
from glassformer.decode.shortlist import Shortlist
from glassformer.hub import shortlists

ROUNDS = 4
APART, MOST_APART = 50, 1000  # every 50th pair is kept to measure by, at most a thousand
_TOGETHER = 1024


@dataclass(frozen=True)
class Shortlisted:
    """What was written, and what it is like on other pairs (None where there are too few).

    ``candidates`` is how many of ``vocabulary`` tokens are scored for a sentence, on the average; ``covered``
    the share of the tokens of its translation that are among them.
    """

    output: str
    pairs: int
    vocabulary: int
    held_out: int
    candidates: float | None
    covered: float | None

    def as_json(self) -> dict[str, object]:
        """Plain values for machines."""
        return asdict(self)

    def __str__(self) -> str:
        """The same for a reader."""
        learned = f"{self.output}: learned from {self.pairs:,} pairs"
        if self.candidates is None or self.covered is None:
            return f"{learned}; too few to measure it on others"
        return (
            f"{learned}; a sentence is written with {self.candidates:,.0f} of {self.vocabulary:,} tokens, "
            f"among which are {self.covered:.2%} of those in {self.held_out:,} other translations"
        )


def shortlist(
    folder: str | Path,
    pairs: str,
    output: str | Path,
    *,
    likely: int = 64,
    always: int = 256,
    source: str | None = None,
    target: str | None = None,
) -> Shortlisted:
    """Learn which tokens translate which from pairs of sentences, and write it for ``translate`` to use.

    ``pairs`` is a file as for training, best the one the model was trained on; ``source`` and ``target`` name
    its fields. For a source token the ``likely`` best target tokens by Model 1 (``decode.lexicon``) are kept,
    and for every sentence the ``always`` most frequent ones and the end token. Raises UserError for a model
    that does not translate and for files that cannot be read.
    """
    model: Translator = load(folder, able="translates", device="cpu", dtype="float32")
    encoded = _encoded(model, pairs, source, target)
    held_out = encoded[APART - 1 :: APART][:MOST_APART]
    learned = [
        pair for place, pair in enumerate(encoded) if (place + 1) % APART or place >= APART * MOST_APART
    ]
    sizes = _sizes(model)
    with report.progress(ROUNDS, "learning which tokens translate which", brief=True) as count:
        found = lexicon(learned, sizes, ROUNDS, count.advance)
    made = _made(model, found, learned, likely, always)
    shortlists.write(Path(output), made.likely, made.always, model.tokenizers.fingerprint)
    measured = _measured(made, held_out) if held_out else (None, None)
    return Shortlisted(str(output), len(learned), sizes[1], len(held_out), *measured)


def open_shortlist(model: Translator, path: str | Path) -> Shortlist:
    """A shortlist that was written for this model; UserError where it is of another or damaged."""
    sizes = _sizes(model)
    return Shortlist(*shortlists.read(Path(path), sizes, model.tokenizers.fingerprint), sizes[1])


def _numbers(model: Translator) -> Any:
    return model.model.config


def _sizes(model: Translator) -> tuple[int, int]:
    numbers = _numbers(model)
    return numbers.vocab_size, numbers.target_vocab_size


def _encoded(model: Translator, path: str, source: str | None, target: str | None) -> list[Pair]:
    """The pairs in ids, both sides with the end token; RAM holds them all."""
    both, numbers = model.tokenizers, _numbers(model)
    end, room = numbers.eos_id, numbers.max_length - 1
    examples = read(path, source, target)
    found: list[Pair] = []
    with report.progress(None, "reading pairs", brief=True) as count:
        while some := list(islice(examples, _TOGETHER)):
            sources = both.source.encode_batch([one.fields["source"] for one in some])
            targets = both.target.encode_batch([one.fields["target"] for one in some])
            found += [
                (_row(one, end, room), _row(other, end, room))
                for one, other in zip(sources, targets, strict=True)
            ]
            count.advance(len(some))
    if not found:
        raise UserError(f"{path}: no pairs to learn from")
    return found


def _row(ids: Sequence[int], end: int, room: int) -> np.ndarray:
    return np.array([*ids[:room], end], dtype=np.int32)


def _made(model: Translator, found: Lexicon, learned: Sequence[Pair], likely: int, always: int) -> Shortlist:
    size = found.sizes[1]
    counts = np.bincount(np.concatenate([target for _, target in learned]), minlength=size)
    counts[_numbers(model).eos_id] = counts.max() + 1
    frequent = np.argsort(-counts, kind="stable")[: max(min(always, int((counts > 0).sum())), 1)]
    best = torch.from_numpy(found.likeliest(likely))
    return Shortlist(best, torch.from_numpy(np.sort(frequent)), size)


def _measured(made: Shortlist, pairs: Sequence[Pair]) -> tuple[float, float]:
    """How many tokens a sentence may use, and the share of those it does use that are among them."""
    sizes, inside, tokens = 0, 0, 0
    for allowed, target in _allowed(made, pairs):
        sizes += int(allowed.sum())
        inside += int(allowed[torch.from_numpy(target).long()].sum())
        tokens += len(target)
    return sizes / len(pairs), inside / tokens


def _allowed(made: Shortlist, pairs: Sequence[Pair]) -> Iterator[tuple[Tensor, np.ndarray]]:
    for source, target in pairs:
        row = torch.from_numpy(source)[None].long()
        yield made.allowed(row, torch.ones_like(row, dtype=torch.bool))[0], target
