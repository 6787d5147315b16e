"""Prompts in, continuations out: in the order of the prompts and in batches, or shown while they grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.base.report import warn
from glassformer.decode.hypothesis import Hypothesis, Over, Run, exhausted
from glassformer.decode.reading import Reading, Showing, told
from glassformer.decode.sample import sampling
from glassformer.decode.search import searching
from glassformer.decode.settings import Decoding
from glassformer.decode.state import Generates, Numbers, Rests, State, resting
from glassformer.decode.tokenizer import Tokenizer

MOST_NEW_TOKENS = 256
"""How many tokens are written unless ``max_new_tokens`` says it."""

TooLong = Literal["refuse", "cut"]
Stopped = Literal["eos", "length", "stop string"]


@runtime_checkable
class Generator(Generates, Rests, Protocol):
    """A model that generates: a torch module with the ability and its numbers."""

    @property
    def config(self) -> Numbers:
        """Its configuration."""
        ...


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model wrote after one prompt, and what it thinks of it.

    ``text`` goes on where the prompt ends and stops before a stop string. ``tokens``, ``logp`` and ``score``
    are those of a Hypothesis: the end token is among the tokens when that is what ``stopped`` it, and so are
    those of a stop string and of what came with it. ``prompt_tokens`` is what the model read.
    ``alternatives`` are the rest of the n-best list, or further draws.
    """

    text: str
    tokens: tuple[int, ...]
    logp: float
    score: float
    stopped: Stopped
    prompt_tokens: tuple[int, ...]
    alternatives: tuple[Generation, ...] = ()


@dataclass(frozen=True, slots=True)
class _Prompt:
    """One prompt in numbers; ``limit`` is how much may be written after it."""

    place: int
    number: int
    tokens: tuple[int, ...]
    limit: int


def generate(
    model: Generator,
    tokenizer: Tokenizer,
    prompts: Iterable[str],
    settings: Decoding | None = None,
    *,
    tokens_per_batch: int = 16384,
    window: int = 1024,
    too_long: TooLong = "refuse",
    device: torch.device | str = "cpu",
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[Generation]:
    """The continuation of each prompt, in order; without ``settings`` the likeliest token each time.

    At most ``window`` prompts are read ahead and sorted into batches of like length of at most
    ``tokens_per_batch`` tokens (of prompts, of their padding and of what may be written; at least one
    prompt); ``window=1`` answers every prompt before the next is read. The model reads the tokenizer's
    opening and the prompt, or its own start token where both are empty. At most ``settings.max_new_tokens``
    tokens are written, or 256, and never more than what is left of the model's ``max_length``.
    ``on_progress`` is told how many prompts have just been done.

    Raises UserError for a prompt that leaves the model no room to write, with its number, unless ``too_long``
    is ``cut``, which warns and reads only its end, so much that what may be written has room (at most half
    of the model's length); RunError when scores are not numbers.
    """
    settings = settings or Decoding(num_beams=1)
    numbered = enumerate(prompts, start=1)
    while ahead := list(islice(numbered, max(window, 1))):
        done: list[Generation | None] = [None] * len(ahead)
        for batch in _batches(_encoded(model.config, tokenizer, ahead, settings, too_long), tokens_per_batch):
            readings = [Reading(tokenizer, prompt.tokens, settings.stop_strings) for prompt in batch]
            with resting(model):
                lists = exhausted(_run(model, batch, readings, settings, torch.device(device)))
            for prompt, reading, listed in zip(batch, readings, lists, strict=True):
                done[prompt.place] = _written(prompt, reading, listed, _ends(model.config))
            if on_progress:
                on_progress(len(batch))
        yield from (one for one in done if one is not None)


def stream(
    model: Generator,
    tokenizer: Tokenizer,
    prompt: str,
    settings: Decoding | None = None,
    *,
    too_long: TooLong = "refuse",
    device: torch.device | str = "cpu",
) -> Iterator[str]:
    """The text that ``generate`` gives for one prompt, in pieces as soon as they are certain.

    A piece never ends inside a Hangul syllable, a letter and its marks or an emoji, and what may become a
    stop string waits until it is none. Several beams know their text only at the end and give it whole; of
    several draws the first is shown. Raises what ``generate`` raises.
    """
    settings = (settings or Decoding(num_beams=1)).model_copy(update={"num_return_sequences": 1})
    (one,) = _encoded(model.config, tokenizer, [(1, prompt)], settings, too_long)
    reading = Reading(tokenizer, one.tokens, settings.stop_strings)
    showing = Showing(reading)
    with resting(model):
        run = _run(model, [one], [reading], settings, torch.device(device))
        while True:
            try:
                written = next(run)
            except StopIteration as end:
                (listed,) = end.value
                break
            if len(written) == 1 and (piece := showing.piece(written[0].tolist())):
                yield piece
    if rest := showing.rest(_written(one, reading, listed, _ends(model.config)).text):
        yield rest


def _encoded(
    numbers: Numbers,
    tokenizer: Tokenizer,
    ahead: Sequence[tuple[int, str]],
    settings: Decoding,
    too_long: TooLong,
) -> list[_Prompt]:
    """The prompts as the model will read them."""
    opening = tuple(tokenizer.opening)
    wanted = settings.max_new_tokens or MOST_NEW_TOKENS
    found = []
    for place, ((number, _), ids) in enumerate(
        zip(ahead, tokenizer.encode_batch([text for _, text in ahead]), strict=True)
    ):
        tokens = (*opening, *ids) or (numbers.start_id,)
        if len(tokens) >= numbers.max_length and too_long == "refuse":
            raise UserError(
                f"prompt {number}: it has {len(tokens)} tokens but the model reads at most "
                f"{numbers.max_length} together with what it writes; shorten it, or let long prompts be cut"
            )
        if too_long == "cut":
            tokens = _cut(tokens, number, len(opening), numbers.max_length, wanted)
        found.append(_Prompt(place, number, tokens, min(wanted, numbers.max_length - len(tokens))))
    return found


def _cut(tokens: tuple[int, ...], number: int, opening: int, max_length: int, wanted: int) -> tuple[int, ...]:
    """The opening and the end of a prompt that would leave no room for what is wanted."""
    room = max_length - min(wanted, max(max_length // 2, 1))
    if len(tokens) <= room:
        return tokens
    kept = max(room - opening, 1)
    warn(f"prompt {number}: it has {len(tokens) - opening} tokens; only the last {kept} are read")
    return (*tokens[:opening], *tokens[-kept:])


def _batches(prompts: Sequence[_Prompt], tokens_per_batch: int) -> Iterator[list[_Prompt]]:
    """Prompts of like length together, the longest first, so that too large a batch fails at once."""
    batch: list[_Prompt] = []
    longest = 0
    for prompt in sorted(prompts, key=lambda prompt: -len(prompt.tokens)):
        together = max(longest, len(prompt.tokens) + prompt.limit)
        if batch and (len(batch) + 1) * together > tokens_per_batch:
            yield batch
            batch, together = [], len(prompt.tokens) + prompt.limit
        batch.append(prompt)
        longest = together
    if batch:
        yield batch


def _run(
    model: Generator,
    batch: Sequence[_Prompt],
    readings: Sequence[Reading],
    settings: Decoding,
    device: torch.device,
) -> Run:
    """The search or sampling of one batch, about to begin."""
    state = _begun(model, batch, settings, device)
    numbers = model.config
    last = [prompt.tokens[-1] for prompt in batch]
    limits = [prompt.limit for prompt in batch]
    context = [prompt.tokens for prompt in batch]
    over = _over(readings) if settings.stop_strings else None
    if settings.do_sample:
        return sampling(
            state,
            len(batch),
            bos_id=last,
            eos_id=_ends(numbers),
            settings=settings,
            max_length=limits,
            context=context,
            over=over,
            streams=[prompt.number for prompt in batch],
            device=device,
        )
    return searching(
        state,
        len(batch),
        bos_id=last,
        eos_id=_ends(numbers),
        pad_id=numbers.pad_id,
        settings=settings,
        max_length=limits,
        context=context,
        over=over,
        device=device,
    )


@torch.inference_mode()
def _begun(model: Generator, batch: Sequence[_Prompt], settings: Decoding, device: torch.device) -> State:
    """The prompts read but for their last tokens, which the first step reads."""
    longest = max(len(prompt.tokens) for prompt in batch) - 1
    pad = model.config.pad_id
    rows = [[*[pad] * (longest + 1 - len(one.tokens)), *one.tokens[:-1]] for one in batch]
    tokens = torch.tensor(rows, dtype=torch.long).view(len(batch), longest)
    lengths = torch.tensor([[len(prompt.tokens) - 1] for prompt in batch])
    keep = torch.arange(longest) >= longest - lengths
    # Without padding there is nothing to hide, and attention is faster without a mask.
    hidden = None if keep.all() else keep.to(device)
    fixed = longest + max(prompt.limit for prompt in batch) if settings.cache == "fixed" else None
    return model.start(tokens.to(device), hidden, fixed=fixed)


def _ends(numbers: Numbers) -> tuple[int, ...]:
    """The tokens that end a text; a model that was taught to answer may have several (``also_ends``)."""
    return (numbers.eos_id, *getattr(numbers, "also_ends", ()))


def _over(readings: Sequence[Reading]) -> Over:
    """Whether texts have come to a stop string."""

    def over(texts: Int[Tensor, "lines length"], rows: Int[Tensor, " lines"]) -> Bool[Tensor, " lines"]:
        lines = zip(texts.tolist(), rows.tolist(), strict=True)
        return torch.tensor([readings[row].stops(text) for text, row in lines], device=texts.device).bool()

    return over


def _written(
    prompt: _Prompt, reading: Reading, listed: Sequence[Hypothesis], ends: Sequence[int]
) -> Generation:
    first, *rest = (_generation(prompt, reading, one, ends) for one in listed)
    return replace(first, alternatives=tuple(rest))


def _generation(prompt: _Prompt, reading: Reading, one: Hypothesis, ends: Sequence[int]) -> Generation:
    complete = bool(one.tokens) and one.tokens[-1] in ends
    text, cut = told(reading, one.tokens[:-1] if complete else one.tokens, complete=complete)
    stopped: Stopped = "stop string" if cut else "eos" if complete else "length"
    return Generation(text, one.tokens, one.logp, one.score, stopped, prompt.tokens)
