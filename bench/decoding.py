"""Translating, in sentences a second: Glassformer, CTranslate2 and transformers, with equal weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch

from bench import contest, peers
from bench.contest import OURS, Task, Wanted
from bench.ctranslate import Translating
from bench.kinds import CERTAIN
from bench.measure import Maker, opened, timed
from bench.work import SEED, Size, make
from glassformer.api.loading import load
from glassformer.decode.settings import Decoding
from glassformer.decode.translate import translate
from glassformer.hub import folder as hub
from glassformer.nn.attention import Attention

SIZES = {
    "small": Size("small (256/4/1024/3+3)", {"dim": 256, "depth": 3, "heads": 4, "mlp_dim": 1024}),
    "base": Size(
        "base (512/8/2048/6+6)",
        {"dim": 512, "depth": 6, "heads": 8, "mlp_dim": 2048},
        vocab_size=16_000,
        pairs=60_000,
    ),
}
BEAMS = (1, 5)
MANY = 128
"""Sentences in a batch of those that peers are given when there are more.

Measured with `small`, greedy: transformers is faster with it than with 32 and 64, CTranslate2 within 4 % of
the best of 32, 64, 128 and 256.
"""
SHARP = 20.0
"""By how much queries are multiplied: untrained attention is a mean, and all that is written alike."""


class Glass:
    """Glassformer's ``translate`` with what it does by default."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.model = cache(lambda size, precision: load(folders[size], dtype=precision))

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Translates the lines, ``rows`` of them at a time."""
        one, lines, rows = self.model(wanted["size"], precision), wanted["lines"], wanted["rows"]
        settings = Decoding(
            num_beams=wanted["beams"],
            max_new_tokens=wanted["most"],
            length_penalty=1.0,
            length_penalty_form="power",
            early_stopping=False,
        )
        written: list[list[int]] = []

        def work() -> None:
            for start in range(0, len(lines), rows):
                done = translate(one.model, one.tokenizers, lines[start : start + rows], settings)
                written.extend(list(line.tokens) for line in done)

        return timed(work) | {"written": written}


class Marian:
    """The same weights in ``MarianMTModel.generate``, with PyTorch's own settings."""

    def __init__(self, folders: dict[str, Path]) -> None:
        transformers = peers.transformers()
        self.kind, read = transformers.GenerationConfig, transformers.MarianMTModel.from_pretrained
        self.model = cache(
            lambda size, precision: read(folders[size], dtype=getattr(torch, precision)).eval()
        )
        self.tokenizers = {name: hub.load(folder).tokenizers for name, folder in folders.items()}

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Translates the lines, ``rows`` of them at a time; of like length together where there are more."""
        size, lines, rows = wanted["size"], wanted["lines"], wanted["rows"]
        model, tokenizers = self.model(size, precision), self.tokenizers[size]
        settings = self._settings(model.config, wanted)
        written: list[list[int]] = [[]] * len(lines)

        def work() -> None:
            for start in range(0, len(lines), rows):
                ids = tokenizers.source.encode_batch(lines[start : start + rows])
                ordered = sorted(range(len(ids)), key=lambda place: -len(ids[place]))
                for first in range(0, len(ids), MANY):
                    chosen = ordered[first : first + MANY]
                    found = _generated(model, [ids[place] for place in chosen], settings)
                    for place, row in zip(chosen, found, strict=True):
                        written[start + place] = row
            for row in written:
                tokenizers.target.decode(row)

        return timed(work) | {"written": written}

    def _settings(self, config: Any, wanted: Wanted) -> Any:
        never = sorted({config.pad_token_id, config.decoder_start_token_id} - {config.eos_token_id})
        return self.kind(
            num_beams=wanted["beams"], max_new_tokens=wanted["most"], length_penalty=1.0,
            early_stopping=False, do_sample=False, suppress_tokens=never,
            pad_token_id=config.pad_token_id, eos_token_id=config.eos_token_id,
            decoder_start_token_id=config.decoder_start_token_id,
        )  # fmt: skip


def _generated(model: Any, ids: list[list[int]], settings: Any) -> list[list[int]]:
    end, pad = settings.eos_token_id, settings.pad_token_id
    longest = max(map(len, ids)) + 1
    source = torch.tensor([[*row, end] + [pad] * (longest - len(row) - 1) for row in ids])
    keep = torch.tensor([[1] * (len(row) + 1) + [0] * (longest - len(row) - 1) for row in ids])
    with torch.inference_mode():
        found = model.generate(source, attention_mask=keep, generation_config=settings)
    return [row[: row.index(end) + 1] if end in row else row for row in found[:, 1:].tolist()]


def offered() -> tuple[str, ...]:
    """The precisions in which Glassformer opens a model."""
    return tuple(one for one in get_args(get_type_hints(load)["dtype"]) if one != "auto")


def systems(folders: dict[str, Path], scratch: Path) -> tuple[dict[str, Maker], dict[str, tuple[str, ...]]]:
    """Who translates, and in which precisions."""
    makers: dict[str, Maker] = {OURS: partial(Glass, folders)}
    offers = {OURS: offered()}
    if peers.has("ctranslate2"):
        makers["CTranslate2"] = partial(Translating, folders, scratch)
        offers["CTranslate2"] = ("float32", "int8")
    if peers.has("transformers"):
        makers["transformers"] = partial(Marian, folders)
        offers["transformers"] = ("float32",)
    return makers, offers


def measure(
    scratch: Path,
    *,
    sizes: dict[str, Size] = SIZES,
    amounts: dict[int, tuple[int, int, int]],
    apart: bool,
    clock: str,
) -> dict[str, Any]:
    """Sentences a second, greedy and with five beams.

    ``amounts`` maps the size of a batch to sentences, tokens written for each, and turns.
    """
    works = {name: make(size, scratch / name, batches=1) for name, size in sizes.items()}
    folders = {name: work.folder for name, work in works.items()}
    tasks = {}
    for work in works.values():
        certain(work.folder)
    makers, offers = systems(folders, scratch)
    with opened(makers, apart=apart) as there:
        for size, work in works.items():
            for rows, (count, most, repetitions) in amounts.items():
                for beams in BEAMS:
                    chosen = work.sentences[:count]
                    name = f"{size}, {'greedy' if beams == 1 else f'beam {beams}'}, batch {rows:,}"
                    wanted = {
                        "size": size, "lines": chosen, "rows": rows, "beams": beams, "most": most,
                        "end": work.tokenizers.target.eos_id, "batch": MANY,
                    }  # fmt: skip
                    short = {"lines": chosen[: min(rows, MANY)], "most": min(most, 8)}
                    task = Task(name, wanted, len(chosen), contest.entries(offers), repetitions, short)
                    tasks[name] = contest.measure(there, task, clock)
    written = {str(rows): most for rows, (_, most, _) in amounts.items()}
    return {"sizes": {name: size.name for name, size in sizes.items()}, "written": written, "tasks": tasks}


def certain(folder: Path, how: Mapping[str, Any] | None = None) -> None:
    """Clear choices, as a trained model's, and no end: all write as many tokens. ``how`` it decodes."""
    held = hub.load(folder)
    model: Any = held.model
    with torch.no_grad():
        last = model.decoder[-1].mlp_norm.weight
        # The table that reads a token also scores it: without other signs a token is followed by itself.
        signs = torch.rand(last.shape, generator=torch.Generator().manual_seed(SEED)) < 0.5
        last *= CERTAIN * torch.where(signs, 1.0, -1.0)
        for part in model.modules():
            if isinstance(part, Attention):
                part.q.weight *= SHARP
        # All other scores are far above zero somewhere, so a score of zero is never the greatest.
        model.output.weight[[model.config.pad_id, model.config.eos_id, model.config.start_id]] = 0.0
    hub.save(folder, model, held.tokenizers, generation=how)


def rows(found: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """The table: one line a task and system."""
    return contest.rows(found["tasks"], "sentences")
