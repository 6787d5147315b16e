"""Translation speed in sentences a second: transformers' ``generate`` against ``decode.translate``."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench import same
from bench.learning import has_transformers
from bench.measure import Maker, Spread, in_turn, opened, ratios
from bench.work import Work
from glassformer.api.loading import load
from glassformer.decode.settings import Decoding
from glassformer.decode.translate import translate
from glassformer.hub import folder as hub

BASE = "transformers generate"
END = 2


class Glass:
    """Glassformer's ``translate`` with what it does by default, in float32."""

    def __init__(self, folder: Path) -> None:
        opened = load(folder)
        self.model, self.tokenizers = opened.model, opened.tokenizers

    def turn(self, lines: list[str], rows: int, beams: int, most: int) -> dict[str, Any]:
        """Translates the lines, ``rows`` of them at a time."""
        settings = Decoding(
            num_beams=beams,
            max_new_tokens=most,
            length_penalty=1.0,
            length_penalty_form="power",
            early_stopping=False,
        )
        written: list[tuple[int, ...]] = []
        began = time.perf_counter()
        for start in range(0, len(lines), rows):
            chosen = lines[start : start + rows]
            done = translate(self.model, self.tokenizers, chosen, settings, tokens_per_batch=1 << 20)
            written += [one.tokens for one in done]
        return {"seconds": time.perf_counter() - began, "written": [list(one) for one in written]}


class Marian:
    """The same weights in ``MarianMTModel.generate``, float32, with PyTorch's own settings."""

    def __init__(self, folder: Path) -> None:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.model: Any = transformers.MarianMTModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.kind = transformers.GenerationConfig
        self.tokenizers = hub.load(folder).tokenizers

    def turn(self, lines: list[str], rows: int, beams: int, most: int) -> dict[str, Any]:
        """Translates the lines, ``rows`` of them at a time."""
        config = self.model.config
        never = sorted({config.pad_token_id, config.decoder_start_token_id} - {config.eos_token_id})
        settings = self.kind(
            num_beams=beams, max_new_tokens=most, length_penalty=1.0, early_stopping=False, do_sample=False,
            suppress_tokens=never, pad_token_id=config.pad_token_id, eos_token_id=config.eos_token_id,
            decoder_start_token_id=config.decoder_start_token_id,
        )  # fmt: skip
        written: list[list[int]] = []
        began = time.perf_counter()
        for start in range(0, len(lines), rows):
            written += self._batch(
                lines[start : start + rows], settings, config.eos_token_id, config.pad_token_id
            )
        return {"seconds": time.perf_counter() - began, "written": written}

    def _batch(self, lines: list[str], settings: Any, end: int, pad: int) -> list[list[int]]:
        ids = [[*row, end] for row in self.tokenizers.source.encode_batch(lines)]
        longest = max(map(len, ids))
        source = torch.tensor([row + [pad] * (longest - len(row)) for row in ids])
        keep = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
        with torch.inference_mode():
            found = self.model.generate(source, attention_mask=keep, generation_config=settings)
        rows = [row[: row.index(end) + 1] if end in row else row for row in found[:, 1:].tolist()]
        for row in rows:
            self.tokenizers.target.decode(row)
        return rows


def measure(work: Work, *, lines: dict[int, int], most: int, repetitions: int, apart: bool) -> dict[str, Any]:
    """Sentences a second, greedy and with four beams, for each batch size in ``lines`` (size → sentences)."""
    makers: dict[str, Maker] = {BASE: partial(Marian, work.folder)} if has_transformers() else {}
    makers["Glassformer"] = partial(Glass, work.folder)
    tasks = {}
    with opened(makers, apart=apart) as systems:
        for rows, count in lines.items():
            for beams in (1, 4):
                chosen = work.sentences[:count]
                name = f"{'greedy' if beams == 1 else f'beam {beams}'}, batch {rows}"
                ask = partial(_ask, lines=chosen, rows=rows, beams=beams, most=most)
                in_turn(systems, 1, partial(_ask, lines=chosen[:rows], rows=rows, beams=beams, most=most))
                turns = in_turn(systems, repetitions, ask)
                same.outputs(name, {system: found[-1]["written"] for system, found in turns.items()})
                tasks[name] = {
                    "sentences": len(chosen),
                    "tokens_written": sum(len(row) for row in turns["Glassformer"][-1]["written"]),
                    "rates": {
                        system: [len(chosen) / turn["seconds"] for turn in found]
                        for system, found in turns.items()
                    },
                }
    return {"max_new_tokens": most, "repetitions": repetitions, "tasks": tasks}


def rows(found: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """The table: one line a task."""
    systems = list(next(iter(found["tasks"].values()))["rates"])
    headers = ["sentences/s", *systems]
    if BASE in systems:
        headers.append(f"÷ {BASE}")
    lines: list[list[object]] = []
    for name, task in found["tasks"].items():
        cells: list[object] = [name, *(str(Spread.of(task["rates"][system])) for system in systems)]
        if BASE in systems:
            cells.append(str(ratios(task["rates"], BASE)["Glassformer"]))
        lines.append(cells)
    return headers, lines


def _ask(system: Any, *, lines: list[str], rows: int, beams: int, most: int) -> Any:
    return system.call("turn", lines, rows, beams, most)
