"""Lines in, translations out: in the order of the lines, in batches of like length, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, Protocol, runtime_checkable

import torch

from glassformer.base.errors import UserError
from glassformer.base.report import warn
from glassformer.decode.hypothesis import Hypothesis
from glassformer.decode.sample import sample
from glassformer.decode.search import search
from glassformer.decode.settings import Decoding
from glassformer.decode.shortlist import Shortlist
from glassformer.decode.state import Numbers, Rests, Translates, resting
from glassformer.decode.tokenizer import Tokenizers, Writes


@runtime_checkable
class Translator(Translates, Rests, Protocol):
    """A model that translates: a torch module with the ability and its numbers."""

    @property
    def config(self) -> Numbers:
        """Its configuration."""
        ...


@dataclass(frozen=True, slots=True)
class Translation:
    """The translation of one line, and what the model thinks of it.

    ``tokens``, ``logp`` and ``score`` are those of a Hypothesis (the end token is among the tokens unless
    the translation ran into its length limit); ``source_tokens`` is what the model read. ``alternatives``
    are the rest of the n-best list, or further draws. A blank line has an empty translation.
    """

    text: str
    tokens: tuple[int, ...] = ()
    logp: float = 0.0
    score: float = 0.0
    source_tokens: tuple[int, ...] = ()
    alternatives: tuple[Translation, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """One line that is to be translated, in numbers."""

    place: int
    number: int
    source: tuple[int, ...]
    prefix: tuple[int, ...]
    limit: int


def translate(
    model: Translator,
    tokenizers: Tokenizers,
    lines: Iterable[str],
    settings: Decoding | None = None,
    *,
    prefixes: Iterable[str] | None = None,
    tokens_per_batch: int = 4096,
    window: int = 1024,
    too_long: Literal["refuse", "cut"] = "refuse",
    shortlist: Shortlist | None = None,
    device: torch.device | str = "cpu",
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[Translation]:
    """The translation of each line, in order; a blank line gives an empty one.

    At most ``window`` lines are read ahead and sorted into batches of like length of at most
    ``tokens_per_batch`` source tokens (padding counted, at least one line); ``window=1`` answers every line
    before the next is read. ``prefixes`` gives each line a text its translation must begin with. A
    translation has at most ``settings.max_new_tokens`` tokens, or twice the source and ten more (beyond the
    prefix), and never more than the model's ``max_length``. With a ``shortlist`` only the tokens are
    scored that the words of a line bring into question. ``on_progress`` is told how many lines have just been
    done.

    Raises UserError for a source (or a prefix) that does not fit the model, with its line number, unless
    ``too_long`` is ``cut``, which warns and keeps the beginning; RunError when scores are not numbers.
    """
    settings = settings or Decoding()
    numbered = enumerate(zip(lines, _endless(prefixes), strict=False), start=1)
    while ahead := list(islice(numbered, max(window, 1))):
        done = [Translation("")] * len(ahead)
        todo = _encoded(model.config, tokenizers, ahead, settings, too_long)
        if on_progress and len(ahead) > len(todo):
            on_progress(len(ahead) - len(todo))
        for batch in _batches(todo, tokens_per_batch):
            with resting(model):
                lists = _decode(model, batch, settings, torch.device(device), shortlist)
            for line, listed in zip(batch, lists, strict=True):
                done[line.place] = _written(tokenizers.target, line, listed)
            if on_progress:
                on_progress(len(batch))
        yield from done


def _endless(prefixes: Iterable[str] | None) -> Iterator[str]:
    yield from prefixes or ()
    while True:
        yield ""


def _encoded(
    numbers: Numbers,
    tokenizers: Tokenizers,
    ahead: Sequence[tuple[int, tuple[str, str]]],
    settings: Decoding,
    too_long: Literal["refuse", "cut"],
) -> list[_Line]:
    """The lines with something to translate, as the model will read them."""
    full = [(place, *entry) for place, entry in enumerate(ahead) if entry[1][0].strip()]
    sources = tokenizers.source.encode_batch([line.rstrip("\r\n") for _, _, (line, _) in full])
    starts = tokenizers.target.encode_batch([start for _, _, (_, start) in full])
    found = []
    for (place, number, _), ids, start in zip(full, sources, starts, strict=True):
        if not ids:
            continue
        source = _fitted(ids, number, numbers, too_long)
        limit = min(settings.max_new_tokens or 2 * len(ids) + 10 + len(start), numbers.max_length)
        if len(start) >= limit:
            raise UserError(
                f"line {number}: the forced beginning has {len(start)} tokens and the translation "
                f"may have at most {limit}; shorten it or raise max_new_tokens"
            )
        found.append(_Line(place, number, source, tuple(start), limit))
    return found


def _fitted(
    ids: Sequence[int], number: int, numbers: Numbers, too_long: Literal["refuse", "cut"]
) -> tuple[int, ...]:
    room = numbers.max_length - 1
    if len(ids) > room and too_long == "refuse":
        raise UserError(
            f"line {number}: the source has {len(ids)} tokens but the model reads at most {room}; "
            "split the line, or let long lines be cut"
        )
    if len(ids) > room:
        warn(f"line {number}: the source has {len(ids)} tokens; only the first {room} are translated")
    return (*ids[:room], numbers.eos_id)


def _batches(lines: Sequence[_Line], tokens_per_batch: int) -> Iterator[list[_Line]]:
    """Lines of like length together, the longest first, so that too large a batch fails at once."""
    batch: list[_Line] = []
    for line in sorted(lines, key=lambda line: -len(line.source)):
        if batch and (len(batch) + 1) * len(batch[0].source) > tokens_per_batch:
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


@torch.inference_mode()
def _decode(
    model: Translator,
    batch: Sequence[_Line],
    settings: Decoding,
    device: torch.device,
    shortlist: Shortlist | None,
) -> list[list[Hypothesis]]:
    numbers = model.config
    longest = len(batch[0].source)
    rows = [[*line.source, *[numbers.pad_id] * (longest - len(line.source))] for line in batch]
    lengths = torch.tensor([[len(line.source)] for line in batch])
    source, keep = torch.tensor(rows).to(device), (torch.arange(longest) < lengths).to(device)
    state = model.start(source, keep)
    if shortlist is not None:
        state = shortlist.narrowed(state, source, keep, (line.prefix for line in batch))
    # What no target holds is never written, however the model was trained.
    never = {*settings.suppress_tokens, numbers.pad_id, numbers.start_id} - {numbers.eos_id}
    settings = settings.model_copy(update={"suppress_tokens": tuple(sorted(never))})
    limits = [line.limit for line in batch]
    prefix = [line.prefix for line in batch] if any(line.prefix for line in batch) else None
    if settings.do_sample:
        return sample(
            state,
            len(batch),
            bos_id=numbers.start_id,
            eos_id=numbers.eos_id,
            settings=settings,
            max_length=limits,
            prefix=prefix,
            streams=[line.number for line in batch],
            device=device,
        )
    return search(
        state,
        len(batch),
        bos_id=numbers.start_id,
        eos_id=numbers.eos_id,
        pad_id=numbers.pad_id,
        settings=settings,
        max_length=limits,
        prefix=prefix,
        device=device,
    )


def _written(target: Writes, line: _Line, listed: Sequence[Hypothesis]) -> Translation:
    first, *rest = (
        Translation(_one_line(target.decode(one.tokens)), one.tokens, one.logp, one.score, line.source)
        for one in listed
    )
    return replace(first, alternatives=tuple(rest))


def _one_line(text: str) -> str:
    """A model may have learned to write line ends; one line in is one line out."""
    return text.replace("\r", " ").replace("\n", " ")
