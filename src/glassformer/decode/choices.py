"""How likely each of a few continuations is after a context; what contexts have in common is read once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glassformer.base.errors import RunError, UserError
from glassformer.decode.hypothesis import NOT_NUMBERS
from glassformer.decode.score import Foretells, Score, encoded
from glassformer.decode.state import Forks, resting
from glassformer.decode.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Question:
    """A context and what may follow it."""

    context: str
    choices: tuple[str, ...]


@runtime_checkable
class Continues(Foretells, Protocol):
    """A model that foretells texts, and reads on from any place of one in several ways."""

    def start(
        self,
        tokens: Int[Tensor, "rows prompt"],
        keep: Bool[Tensor, "rows prompt"] | None,
        *,
        fixed: int | None = None,
    ) -> Forks:
        """Read the prompts and stand ready for what follows."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in tokens, and its ``choices`` as text.

    ::

        common         what is read before any choice is told apart from another
        tails[n]       what follows in choice n; of these the last counts[n] tokens are its own
    """

    choices: tuple[str, ...]
    common: tuple[int, ...]
    tails: tuple[tuple[int, ...], ...]
    counts: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many tokens the model has to read for it; the last of a choice is only foretold."""
        return len(self.common) + max(map(len, self.tails)) - 1


def asked(model: Foretells, tokenizer: Tokenizer, questions: Sequence[Question]) -> list[Asked]:
    """The questions in tokens, each context and choice cut together as they would be if they were read.

    Raises UserError for a choice that is no token.
    """
    pairs = [(one.context, choice) for one in questions for choice in one.choices]
    rows = iter(encoded(model.config.start_id, tokenizer, pairs))
    return [_asked(one, [next(rows) for _ in one.choices]) for one in questions]


def _asked(question: Question, rows: Sequence[tuple[tuple[int, ...], int]]) -> Asked:
    for (tokens, begin), choice in zip(rows, question.choices, strict=True):
        if begin >= len(tokens):
            raise UserError(f"the tokenizer writes {choice!r} with no token after its context; take another")
    same = min(_shared([tokens for tokens, _ in rows]), *(begin for _, begin in rows))
    return Asked(
        question.choices,
        rows[0][0][:same],
        tuple(tokens[same:] for tokens, _ in rows),
        tuple(len(tokens) - begin for tokens, begin in rows),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What follows in one choice: for every token its log-probability, and whether it is the likeliest."""

    logps: tuple[float, ...]
    likeliest: tuple[bool, ...]


def choices(
    model: Continues,
    rows: Sequence[Asked],
    *,
    tokens_per_batch: int = 8192,
    device: torch.device | str = "cpu",
    on_progress: Callable[[int], None] | None = None,
) -> list[tuple[Score, ...]]:
    """For every question the score of each choice: the log-probabilities of its tokens after the context.

    It is what ``decode.score`` gives for each context and choice alone. Options and errors are those of
    ``foretold``.
    """
    found = foretold(model, rows, tokens_per_batch=tokens_per_batch, device=device, on_progress=on_progress)
    return [tuple(_scores(row, told)) for row, told in zip(rows, found, strict=True)]


def foretold(
    model: Continues,
    rows: Sequence[Asked],
    *,
    tokens_per_batch: int = 8192,
    device: torch.device | str = "cpu",
    on_progress: Callable[[int], None] | None = None,
) -> list[tuple[Told, ...]]:
    """For every question what the model makes of the tokens of each choice's tail.

    What all questions begin with is read once, what the choices of a question have in common once for all. A
    batch holds at most ``tokens_per_batch`` tokens, those that are shared counted for each row.
    ``on_progress`` is told how many questions have just been done.

    Raises UserError for a question longer than the model, RunError when scores are not numbers.
    """
    if not rows:
        return []
    longest, most = max(one.size for one in rows), model.config.max_length
    if longest > most:
        raise UserError(f"a prompt of {longest} tokens is longer than the model, which reads {most}")
    found: list[tuple[Told, ...]] = [()] * len(rows)
    shared, device = shared_by(rows), torch.device(device)
    windowed = getattr(model.config, "window", None) is not None
    with resting(model), torch.inference_mode():
        begun = torch.tensor([rows[0].common[:shared]], dtype=torch.long, device=device)
        start = model.start(begun, None)
        for places in _batches(rows, tokens_per_batch, even=windowed):
            batch = [rows[place] for place in places]
            for place, told in zip(places, _told(model, start, shared, batch, device), strict=True):
                found[place] = tuple(told)
            if on_progress:
                on_progress(len(places))
    return found


def shared_by(rows: Sequence[Asked]) -> int:
    """How many tokens all questions begin with; at least one of each is left to be read for itself."""
    return min(_shared([one.common for one in rows]), *(len(one.common) - 1 for one in rows))


def _shared(rows: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all rows begin with: as many as the first and the last in order have in common."""
    first, last = min(rows), max(rows)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def _batches(rows: Sequence[Asked], most: int, *, even: bool) -> Iterator[list[int]]:
    """Questions of like length together, the longest first; with ``even`` only those of one length.

    A window is counted over places, so that padding between a context and its choices would narrow it.
    """
    batch: list[int] = []
    for place in sorted(range(len(rows)), key=lambda place: -len(rows[place].common)):
        if batch:
            longest = len(rows[batch[0]].common)
            full = (len(batch) + 1) * (longest + 1) > most
            if full or (even and len(rows[place].common) != longest):
                yield batch
                batch = []
        batch.append(place)
    if batch:
        yield batch


def _scores(row: Asked, told: Sequence[Told]) -> Iterator[Score]:
    for choice, tail, count, one in zip(row.choices, row.tails, row.counts, told, strict=True):
        yield Score(choice, tail[len(tail) - count :], one.logps[len(tail) - count :])


def _told(
    model: Continues, start: Forks, shared: int, batch: Sequence[Asked], device: torch.device
) -> list[list[Told]]:
    """What the model makes of every token in the tails of each question."""
    state = start.fork()
    state.select(torch.zeros(len(batch), dtype=torch.long, device=device))
    tokens, keep = _filled([one.common[shared:] for one in batch], device)
    hidden = state.take(tokens, keep)[torch.arange(len(batch), device=device), keep.sum(dim=1) - 1]
    first = _normed(model, hidden)
    found: list[list[Told]] = [[] for _ in batch]
    for number in range(max(len(one.tails) for one in batch)):
        tails = {row: one.tails[number] for row, one in enumerate(batch) if number < len(one.tails)}
        begun = _of(first[list(tails)], [tail[0] for tail in tails.values()])
        rest = _rest(
            model, state, len(batch), {row: tail for row, tail in tails.items() if len(tail) > 1}, device
        )
        for place, row in enumerate(tails):
            after = rest.get(row, Told((), ()))
            logps = (begun.logps[place], *after.logps)
            found[row].append(Told(logps, (begun.likeliest[place], *after.likeliest)))
    if not all(math.isfinite(value) for row in found for tail in row for value in tail.logps):
        raise RunError(NOT_NUMBERS)
    return found


def _rest(
    model: Continues, state: Forks, size: int, tails: Mapping[int, Sequence[int]], device: torch.device
) -> dict[int, Told]:
    """What it makes of all but the first token of the tails of some of the ``size`` rows."""
    if not tails:
        return {}
    branch = state.fork()
    if len(tails) < size:
        branch.select(torch.tensor(list(tails), device=device))
    hidden = branch.take(*_filled([tail[:-1] for tail in tails.values()], device))
    lines = enumerate(tails.items())
    return {row: _of(_normed(model, hidden[line, : len(tail) - 1]), tail[1:]) for line, (row, tail) in lines}


def _of(logps: Float[Tensor, "tokens vocab"], answers: Sequence[int]) -> Told:
    """The figures of one answer in each row."""
    chosen = torch.tensor(list(answers), device=logps.device)
    values = logps.gather(1, chosen[:, None])[:, 0]
    return Told(tuple(values.tolist()), tuple((logps.argmax(dim=1) == chosen).tolist()))


def _normed(model: Continues, hidden: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens vocab"]:
    return model.output(hidden).float().log_softmax(dim=1)


def _filled(
    rows: Sequence[Sequence[int]], device: torch.device
) -> tuple[Int[Tensor, "rows width"], Bool[Tensor, "rows width"]]:
    """Rows side by side, filled up on the right, and where they hold tokens."""
    width = max(map(len, rows))
    tokens = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=device)
    keep = (
        torch.arange(width, device=device) < torch.tensor([len(row) for row in rows], device=device)[:, None]
    )
    return tokens, keep
