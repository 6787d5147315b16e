"""How likely a text is: log-probabilities of its tokens after a context, perplexity, bits per byte."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from glassformer.base.errors import RunError, UserError
from glassformer.decode.hypothesis import NOT_NUMBERS
from glassformer.decode.state import Numbers, Rests, resting
from glassformer.decode.tokenizer import Tokenizer

_SCORES_AT_ONCE = 1 << 22


@runtime_checkable
class Foretells(Rests, Protocol):
    """A model that gives each position of a text a hidden state of what came before, and its scores."""

    @property
    def config(self) -> Numbers:
        """Its configuration."""
        ...

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token dim"]:
        """The hidden state at each of ``tokens``."""
        ...

    def output(self, hidden: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens vocab"]:
        """The scores of what may follow."""
        ...


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The negative log-likelihood, in ``nats``, of text of so many tokens, UTF-8 bytes and characters.

    Figures of several texts add up. Those without a token, byte or character to divide by are NaN.
    """

    nats: float = 0.0
    tokens: int = 0
    bytes: int = 0
    characters: int = 0

    def __add__(self, other: Likelihood) -> Likelihood:
        """Both texts together."""
        return Likelihood(
            self.nats + other.nats,
            self.tokens + other.tokens,
            self.bytes + other.bytes,
            self.characters + other.characters,
        )

    @property
    def loss(self) -> float:
        """Mean negative log-likelihood per token, in nats."""
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def perplexity(self) -> float:
        """exp(loss), per token of this tokenizer; infinite where a float cannot hold it."""
        return math.exp(self.loss) if not self.loss >= 709.0 else math.inf

    @property
    def bits_per_byte(self) -> float:
        """Bits per UTF-8 byte, which compares models whose tokenizers differ."""
        return self.nats / math.log(2) / self.bytes if self.bytes else math.nan

    @property
    def bits_per_character(self) -> float:
        """Bits per character, which compares models, but not languages, whose tokenizers differ."""
        return self.nats / math.log(2) / self.characters if self.characters else math.nan


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a text is after its context: its tokens and the natural log-probability of each."""

    text: str
    tokens: tuple[int, ...]
    logps: tuple[float, ...]

    @property
    def logp(self) -> float:
        """The log-probability of the text."""
        return math.fsum(self.logps)

    @property
    def likelihood(self) -> Likelihood:
        """What perplexity and bits per byte are made of."""
        return Likelihood(-self.logp, len(self.tokens), len(self.text.encode()), len(self.text))


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of one text that the model reads at once, of which it scores the ``last`` tokens."""

    place: int
    tokens: tuple[int, ...]
    last: int


def score(
    model: Foretells,
    tokenizer: Tokenizer,
    texts: Iterable[str],
    *,
    contexts: Iterable[str] | None = None,
    stride: int | None = None,
    tokens_per_batch: int = 4096,
    window: int = 1024,
    device: torch.device | str = "cpu",
    on_progress: Callable[[int], None] | None = None,
    on_share: Callable[[float], None] | None = None,
) -> Iterator[Score]:
    """How likely the model finds each text, in order; ``contexts`` gives each what stands before it.

    Context and text are cut into tokens together, as they would be if they were read; a token that is partly
    context counts with the text. The first of all tokens is foretold from the tokenizer's opening, or from
    the model's start token where it has none. A text longer than the model is read in windows of
    ``max_length`` tokens, each of which scores the next ``stride`` tokens (half the model's length unless
    given), so that none has less before it than ``max_length - stride`` tokens. At most ``window`` texts are
    read ahead and batched by length, of at most ``tokens_per_batch`` tokens. ``on_progress`` is told how many
    texts have just been done, and ``on_share`` after each batch which share it was of what was read ahead.

    Raises UserError for a stride that the model cannot take and when texts and contexts are not as many,
    RunError when scores are not numbers.
    """
    longest = model.config.max_length
    stride = max(longest // 2, 1) if stride is None else stride
    if not 1 <= stride <= longest:
        raise UserError(
            f"stride {stride} does not fit the model, which reads {longest} tokens; give 1 to {longest}"
        )
    pairs = iter(_paired(texts, contexts))
    while ahead := list(islice(pairs, max(window, 1))):
        rows = encoded(model.config.start_id, tokenizer, ahead)
        windows = [one for place, row in enumerate(rows) for one in _windows(place, *row, longest, stride)]
        logps: list[list[tuple[int, list[float]]]] = [[] for _ in rows]
        for batch in _batches(list(enumerate(windows)), tokens_per_batch):
            with resting(model):
                found = _logps(model, [one for _, one in batch], torch.device(device))
            for (order, one), values in zip(batch, found, strict=True):
                logps[one.place].append((order, values))
            if on_share:
                on_share(sum(one.last for _, one in batch) / sum(one.last for one in windows))
        for (_, text), (tokens, begin), pieces in zip(ahead, rows, logps, strict=True):
            in_order = tuple(value for _, piece in sorted(pieces) for value in piece)
            yield Score(text, tokens[begin:], in_order)
        if on_progress:
            on_progress(len(ahead))


def _paired(texts: Iterable[str], contexts: Iterable[str] | None) -> Iterator[tuple[str, str]]:
    if contexts is None:
        yield from (("", text) for text in texts)
        return
    try:
        yield from zip(contexts, texts, strict=True)
    except ValueError as error:
        raise UserError(
            "there are not as many contexts as texts; give each text one, if only an empty one"
        ) from error


def encoded(
    start_id: int, tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]
) -> list[tuple[tuple[int, ...], int]]:
    """All tokens of each context and text, and where those of the text begin."""
    head = tuple(tokenizer.opening) or (start_id,)
    contexts = list(dict.fromkeys(context for context, _ in pairs))
    before = dict(zip(contexts, tokenizer.encode_batch(contexts), strict=True))
    both = tokenizer.encode_batch([context + text for context, text in pairs])
    found = []
    for (asked, _), whole in zip(pairs, both, strict=True):
        context = before[asked]
        matched = zip(context, whole, strict=False)
        same = next(
            (at for at, (one, two) in enumerate(matched) if one != two), min(len(context), len(whole))
        )
        found.append(((*head, *whole), len(head) + same))
    return found


def _windows(place: int, tokens: tuple[int, ...], begin: int, longest: int, stride: int) -> Iterator[_Window]:
    """Stretches of which the model reads all but the last token, to foretell the tokens from ``begin`` on."""
    done = begin
    while done < len(tokens):
        # As much as fits is foretold from the beginning on; later windows move by the stride.
        end = min(longest + 1 if done <= longest else done + stride, len(tokens))
        yield _Window(place, tokens[max(0, end - 1 - longest) : end], end - done)
        done = end


def _batches(
    windows: Sequence[tuple[int, _Window]], tokens_per_batch: int
) -> Iterator[list[tuple[int, _Window]]]:
    """Windows of like length together, the longest first, so that too large a batch fails at once."""
    batch: list[tuple[int, _Window]] = []
    for one in sorted(windows, key=lambda one: -len(one[1].tokens)):
        if batch and (len(batch) + 1) * len(batch[0][1].tokens) > tokens_per_batch:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


@torch.inference_mode()
def _logps(model: Foretells, batch: Sequence[_Window], device: torch.device) -> list[list[float]]:
    """The log-probabilities of the last tokens of each window."""
    longest = max(len(one.tokens) for one in batch) - 1
    # Rows are filled up on the right, which nothing before it can see.
    rows = [[*one.tokens[:-1], *[model.config.pad_id] * (longest + 1 - len(one.tokens))] for one in batch]
    row = torch.tensor([row for row, one in enumerate(batch) for _ in range(one.last)])
    column = torch.tensor([len(one.tokens) - 1 - back for one in batch for back in range(one.last, 0, -1)])
    answers = torch.tensor([token for one in batch for token in one.tokens[len(one.tokens) - one.last :]])
    hidden = model.hidden({"tokens": torch.tensor(rows).to(device)})
    chosen = hidden[row.to(device), column.to(device)]
    values = _of_answers(model, chosen, answers.to(device)).tolist()
    if not all(map(math.isfinite, values)):
        raise RunError(NOT_NUMBERS)
    begins = [sum(one.last for one in batch[:place]) for place in range(len(batch))]
    return [values[begin : begin + one.last] for begin, one in zip(begins, batch, strict=True)]


def _of_answers(
    model: Foretells, hidden: Float[Tensor, "tokens dim"], answers: Int[Tensor, " tokens"]
) -> Float[Tensor, " tokens"]:
    """The log-probability of each answer; the scores of all words are never held for more than a few."""
    found = []
    some = 16
    while len(hidden):
        scores = model.output(hidden[:some]).float()
        found.append(scores.gather(1, answers[:some, None])[:, 0] - scores.logsumexp(dim=1))
        hidden, answers = hidden[some:], answers[some:]
        some = max(_SCORES_AT_ONCE // scores.size(1), 1)
    return torch.cat(found)
