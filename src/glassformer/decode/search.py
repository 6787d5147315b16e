"""Beam search over a State: the sequences of highest score; with one beam it is greedy search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glassformer.base.errors import RunError
from glassformer.decode.constrain import Constraints
from glassformer.decode.hypothesis import (
    NOT_NUMBERS,
    Ends,
    First,
    Hypothesis,
    Over,
    Run,
    end_tokens,
    finished,
    first_tokens,
    normalise,
    row_limits,
)
from glassformer.decode.rank import best
from glassformer.decode.settings import Decoding
from glassformer.decode.state import State


def searching(
    state: State,
    rows: int,
    *,
    bos_id: First,
    eos_id: Ends,
    pad_id: int,
    settings: Decoding,
    max_length: Sequence[int] | int,
    prefix: Sequence[Sequence[int]] | None = None,
    context: Sequence[Sequence[int]] | None = None,
    over: Over | None = None,
    device: torch.device | str = "cpu",
) -> Run:
    """A search under way: each step gives the beams still running, the end the n-best list of each row.

    Lists are best first (Graves 2012; Sutskever et al. 2014, §3.2). ``bos_id`` is read and not written;
    ``context`` is all that the rows have read, ``bos_id`` included, for the filters that look back; ``over``
    ends texts for reasons of its own. ``eos_id`` may be several tokens. ``max_length`` bounds the tokens of
    each row, end token and forced ``prefix`` included; what is still running then counts as it stands. Each
    step ranks ``2 · num_beams`` extensions, or ``num_beams`` more for each further end token, so that
    ``num_beams`` can go on even when every beam ends; equal scores go to the better beam, then to the lower
    token id. A row that is settled leaves the batch. Nothing of one row depends on
    another. When the filters forbid every extension of every beam before anything has ended, the best of
    these beams is given unfinished.

    Raises RunError when the model's scores are not numbers, UserError for impossible limits or prefixes.
    """
    device = torch.device(device)
    limits = row_limits(max_length, rows, prefix)
    constraints = Constraints(settings, eos_id=eos_id, prefix=prefix, context=context, device=device)
    shelves = [_Shelf(settings, limit) for limit in limits]
    beams = _Beams.fresh(rows, device)
    bounds = torch.tensor(limits, device=device)
    ends = torch.tensor(end_tokens(eos_id), device=device)
    # Every beam may end in each way; greedy search leaves at the first end instead.
    many = settings.num_beams * (1 + len(ends)) if settings.num_beams > 1 else 1
    tokens = first_tokens(bos_id, rows, device)
    while beams.sentences:
        # Not around the whole: the mode would be on while the caller looks at a step.
        with torch.inference_mode():
            scores = state.step(tokens).float()
            logp = torch.log_softmax(scores, dim=-1)
            broken = _broken(logp, beams)
            sentence = beams.sentence.repeat_interleave(beams.width)
            ranked = constraints.penalised(scores, logp, beams.written, sentence)
            ranked = constraints.apply(ranked, beams.written, sentence)
            found = _extend(logp, ranked, beams, many)
            step = _part(found, settings.num_beams, _ends(found, beams, ends, bounds, over))
            done = _settle(step, broken, beams, shelves)
            origin, tokens = beams.advance(step, done, pad_id)
            # Greedy search keeps its order, so the cache is only touched when a sentence has left.
            if beams.sentences and (settings.num_beams > 1 or any(done)):
                state.select(origin)
        yield beams.written
    return [shelf.hypotheses() for shelf in shelves]


search = finished(searching)
"""The n-best list of each row: what ``searching`` ends with."""


@dataclass
class _Found:
    """The ranked extensions of each sentence; ``rank`` is ``logp`` after the repetition penalty."""

    rank: Float[Tensor, "sentences ranked"]
    logp: Float[Tensor, "sentences ranked"]
    beam: Int[Tensor, "sentences ranked"]
    token: Int[Tensor, "sentences ranked"]

    def texts(self, beams: _Beams) -> Int[Tensor, "sentences ranked length"]:
        """The extensions as they would stand."""
        return torch.cat((beams.written[beams.row(self.beam)], self.token.unsqueeze(2)), dim=2)


@dataclass
class _Step:
    """Which extensions end, and what is ``running``: the ranks of those that go on, −∞ where there is none.

    ``chosen`` says where these stand among the ranked.
    """

    found: _Found
    ends: Bool[Tensor, "sentences ranked"]
    running: Float[Tensor, "sentences beams"]
    chosen: Int[Tensor, "sentences beams"]


@dataclass
class _Beams:
    """What is being written: ``width`` hypotheses for each sentence still in the batch, best first.

    They are ranked by ``running``, which is ``logp`` after the repetition penalty.
    """

    sentences: list[int]
    sentence: Int[Tensor, " sentences"]
    running: Float[Tensor, "sentences beams"]
    logp: Float[Tensor, "sentences beams"]
    written: Int[Tensor, "rows length"]

    @classmethod
    def fresh(cls, rows: int, device: torch.device) -> _Beams:
        written = torch.empty(rows, 0, dtype=torch.long, device=device)
        nothing = torch.zeros(rows, 1, device=device)
        return cls(list(range(rows)), torch.arange(rows, device=device), nothing, nothing, written)

    @property
    def width(self) -> int:
        return self.running.size(1)

    def row(self, beam: Int[Tensor, "sentences chosen"]) -> Int[Tensor, "sentences chosen"]:
        """Where the beams of each sentence stand among the rows of the state."""
        return beam + torch.arange(len(beam), device=beam.device).unsqueeze(1) * self.width

    def advance(
        self, step: _Step, done: list[bool], pad_id: int
    ) -> tuple[Int[Tensor, " rows"], Int[Tensor, " rows"]]:
        """Take what goes on and let settled sentences leave; the rows it comes from and the new tokens."""
        running, chosen, found = step.running, step.chosen, step.found
        origin, token = self.row(found.beam.gather(1, chosen)), found.token.gather(1, chosen)
        logp = found.logp.gather(1, chosen)
        token = token.masked_fill(running == -torch.inf, pad_id)
        if any(done):
            stay = [place for place, left in enumerate(done) if not left]
            self.sentences = [self.sentences[place] for place in stay]
            index = torch.tensor(stay, dtype=torch.long, device=running.device)
            running, logp, origin, token = running[index], logp[index], origin[index], token[index]
            self.sentence = self.sentence[index]
        self.running, self.logp = running, logp
        origin, token = origin.flatten(), token.flatten()
        self.written = torch.cat((self.written[origin], token.unsqueeze(1)), dim=1)
        return origin, token


def _broken(logp: Float[Tensor, "rows vocab"], beams: _Beams) -> Bool[Tensor, " sentences"]:
    """Whether a living beam's scores are not numbers: one NaN or +∞ makes its every log-probability NaN."""
    spoilt = logp[:, 0].isnan().view_as(beams.running)
    return (spoilt & (beams.running > -torch.inf)).any(dim=1)


def _extend(
    logp: Float[Tensor, "rows vocab"], ranked: Float[Tensor, "rows vocab"], beams: _Beams, many: int
) -> _Found:
    """The ``many`` best extensions of all beams of each sentence."""
    vocab = logp.size(1)
    total = ranked.add_(beams.running.view(-1, 1)).view(len(beams.sentences), -1)
    rank, place = best(total, min(many, total.size(1)))
    beam, token = place // vocab, place % vocab
    if ranked is logp:
        return _Found(rank, rank, beam, token)
    own = beams.logp.gather(1, beam) + logp.view(len(beams.sentences), -1).gather(1, place)
    return _Found(rank, own, beam, token)


def _ends(
    found: _Found, beams: _Beams, tokens: Int[Tensor, " ends"], bounds: Int[Tensor, "all"], over: Over | None
) -> Bool[Tensor, "sentences ranked"]:
    """Which extensions end: by an end token, for want of room, or because ``over`` says so."""
    full = bounds[beams.sentence] <= beams.written.size(1) + 1
    ends = torch.isin(found.token, tokens) | full.unsqueeze(1)
    if over is None:
        return ends
    sentence = beams.sentence.unsqueeze(1).expand_as(ends)
    return ends | over(found.texts(beams).flatten(0, 1), sentence.flatten()).view_as(ends)


def _part(found: _Found, num_beams: int, ends: Bool[Tensor, "sentences ranked"]) -> _Step:
    """Part the extensions that end from those that go on."""
    chosen = ends.to(torch.uint8).sort(dim=1, stable=True).indices[:, :num_beams]
    running = found.rank.masked_fill(ends, -torch.inf).gather(1, chosen)
    return _Step(found, ends, running, chosen)


def _settle(
    step: _Step, broken: Bool[Tensor, " sentences"], beams: _Beams, shelves: list[_Shelf]
) -> list[bool]:
    """Shelve what ended among the best ``num_beams``; for each sentence, whether nothing can change."""
    length = beams.written.size(1) + 1
    first = step.chosen.size(1)
    ended = step.found.rank[:, :first].masked_fill(~step.ends[:, :first], -torch.inf)
    # The one moment of a step at which results are waited for.
    report = torch.cat((broken.float().unsqueeze(1), step.running[:, :1], ended), dim=1).tolist()
    found = [
        (place, index, rank)
        for place, (_, _, *ranks) in enumerate(report)
        for index, rank in enumerate(ranks)
        if rank > -torch.inf
    ]
    if any(row[0] for row in report):
        raise RunError(NOT_NUMBERS)
    if found:
        _shelve(found, step, beams, shelves)
    done = []
    for place, (_, running, *_) in enumerate(report):
        shelf = shelves[beams.sentences[place]]
        if running == -torch.inf and not shelf.entries:
            rank, logp = beams.running[place, 0].item(), beams.logp[place, 0].item()
            shelf.put(rank, logp, beams.written, place * beams.width, length - 1)
        done.append(running == -torch.inf or shelf.settled(running, length))
    return done


def _shelve(ended: list[tuple[int, int, float]], step: _Step, beams: _Beams, shelves: list[_Shelf]) -> None:
    """Put what ended on its sentence's shelf; the tokens stay on the device until the search is over."""
    found = step.found
    places, indices, _ = zip(*ended, strict=True)
    at = (torch.tensor(places, device=found.beam.device), torch.tensor(indices, device=found.beam.device))
    texts = torch.cat((beams.written[beams.row(found.beam)[at]], found.token[at].unsqueeze(1)), dim=1)
    own = found.logp[at].tolist()
    for line, ((place, _, rank), logp) in enumerate(zip(ended, own, strict=True)):
        shelves[beams.sentences[place]].put(rank, logp, texts, line, texts.size(1))


@dataclass
class _Shelf:
    """The best finished hypotheses of one sentence, at most ``num_beams``."""

    settings: Decoding
    limit: int
    entries: list[tuple[float, float, Tensor, int]] = field(default_factory=list)

    def put(
        self, rank: float, logp: float, texts: Int[Tensor, "lines length"], line: int, length: int
    ) -> None:
        """Keep ``texts[line]`` if it is among the best; of equals the earlier stays ahead."""
        self.entries.append((normalise(rank, length, self.settings), logp, texts, line))
        self.entries.sort(key=lambda entry: -entry[0])
        del self.entries[self.settings.num_beams :]

    def settled(self, running: float, length: int) -> bool:
        """Whether the best running beam (its log-probability after ``length`` tokens) need not go on."""
        settings = self.settings
        exact = settings.early_stopping == "never"
        needed = settings.num_return_sequences if exact else settings.num_beams
        if len(self.entries) < needed or settings.early_stopping is True:
            return len(self.entries) >= needed
        # Log-probabilities only fall, so a beam scores best at the length whose penalty helps it most.
        longest = self.limit if settings.length_penalty > 0 else length + 1
        return normalise(running, longest if exact else length, settings) <= self.entries[needed - 1][0]

    def hypotheses(self) -> list[Hypothesis]:
        """The n-best list, best first."""
        listed = self.entries[: self.settings.num_return_sequences]
        return [Hypothesis(tuple(texts[line].tolist()), logp, score) for score, logp, texts, line in listed]
