"""From any model folder that is read here to a clean one of ours, with nothing lost on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from glassformer.base import files, report
from glassformer.base.errors import RunError, UserError
from glassformer.hub import adapters, agreement, folder, huggingface, remote, sentences
from glassformer.hub.adapter_form import CONFIG as ADAPTER_CONFIG
from glassformer.hub.adapter_form import OWN, WEIGHTS
from glassformer.hub.card import architecture_of, plain_card
from glassformer.hub.heads import described
from glassformer.text import sentencepiece

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

TOKENIZER = ("tokenizer.json", "tokenizer_target.json", "tokenizer_config.json", "special_tokens_map.json")
KEPT = (
    "chat_template.jinja",
    "chat_template.json",
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
    folder.GENERATION,
)

# Files whose content is in the new folder under another name or in another form.
OF_A_RUN = re.compile(r"best|last|step-\d+|train_state|metrics\.jsonl")
"""What a run keeps beside its best model; nobody expects it of a model folder."""
REPLACED = {
    "vocab.txt",
    "vocab.json",
    "target_vocab.json",
    "merges.txt",
    "tokenizer.model",
    "added_tokens.json",
}
REPLACED |= {*TOKENIZER, *KEPT, *sentences.KEPT, sentences.POOLING, "source.spm", "target.spm"}
REPLACED |= {
    folder.CONFIG,
    folder.CARD,
    folder.RECIPE,
    folder.MANIFEST,
    folder.PREPROCESSOR,
    ".gitattributes",
}

ADAPTER = (ADAPTER_CONFIG, OWN, WEIGHTS)
"""Folded into the weights of the new folder."""

# Older folders say in config.json how to decode.
DECODING = (
    "num_beams", "max_length", "min_length", "length_penalty", "early_stopping", "do_sample", "temperature",
    "top_k", "top_p", "repetition_penalty", "no_repeat_ngram_size", "bad_words_ids", "forced_eos_token_id",
)  # fmt: skip


@dataclass(frozen=True)
class Converted:
    """What became of a conversion.

    ``source_difference`` and ``difference`` are the largest absolute differences between scores here and in
    ``transformers``, of the source and of the new folder, None where it could not be asked; ``rounding`` is
    that between source and new folder, both here. ``left_out`` are files of the source that are not carried
    over.
    """

    folder: Path
    model_type: str
    parameters: int
    dtype: str
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    source_difference: float | None
    difference: float | None
    rounding: float


def convert(
    source: str | Path,
    target: Path,
    *,
    dtype: str = "float32",
    shard_bytes: int = huggingface.SHARD_BYTES,
) -> Converted:
    """Write what ``source`` holds into the model folder ``target`` in one step, and compare the two.

    ``source`` is a folder, ``hf://owner/name`` or a GGUF file. Raises UserError for a source that is not
    whole or of which something would be lost, and for a ``target`` that holds anything else; RunError when
    the disk refuses or when the scores of source and target, here and in ``transformers``, differ; then
    nothing is kept.
    """
    folder.check_replaceable(target)
    opened = folder.load(source, verify=True)
    opened = replace(opened, model=adapters.whole(opened.model))
    if target.exists() and target.resolve() == opened.folder.resolve():
        raise UserError(f"{target}: is the folder that is converted; choose another folder for the result")
    _check_whole(opened)
    parent = _name(source, opened.folder)
    with files.building(target) as new:
        folder.write_folder(
            new,
            opened.model,
            opened.tokenizers,
            card=_card(opened, parent, dtype),
            recipe=opened.recipe,
            generation=opened.generation or _decoding(opened.written),
            data=opened.data,
            parents=[parent],
            preprocessor=opened.preprocessor,
            kept=_kept(opened.folder),
            dtype=DTYPES[dtype],
            shard_bytes=shard_bytes,
        )
        found = _compare(opened, new, parent, target)
        if dtype == "float32":
            agreement.check(f"{parent} and {target}", found["rounding"])
        names = tuple(sorted(path.name for path in new.iterdir()))
    return Converted(
        folder=target,
        model_type=str(opened.written["model_type"]),
        parameters=sum(weight.numel() for weight in opened.model.parameters()),
        dtype=dtype,
        files=names,
        left_out=_left_out(opened.folder),
        **found,
    )


# --- what would be lost ------------------------------------------------------------------------------------


def _check_whole(opened: folder.Loaded) -> None:
    """Refuse a source whose tokenizer is in a form that is not read; opening has checked the rest."""
    config: Any = opened.config
    if opened.tokenizers is None and hasattr(config, "vocab_size"):
        others = [path.name for path in sorted(opened.folder.glob("*.model"))]
        others += [name for name in ("tekken.json", "vocab.bpe") if (opened.folder / name).exists()]
        if others:
            raise UserError(
                f"{opened.folder}: its tokenizer {others[0]} is in a form that is not read here and would be "
                "lost; add a tokenizer.json"
            )


def _kept(source: Path) -> dict[str, bytes]:
    """Files that come along as they are: of the tokenizer too where it has today's form already."""
    names = [*KEPT, *sentences.KEPT] if source.is_dir() else []
    if names and not sentencepiece.is_marian(source) and (source / TOKENIZER[0]).is_file():
        names += TOKENIZER
    return {name: (source / name).read_bytes() for name in names if (source / name).is_file()}


def _left_out(source: Path) -> tuple[str, ...]:
    if source.is_file():
        return ()
    bent = adapters.is_adapter(source)
    weights = set(ADAPTER) if bent else {path.name for path in huggingface.weight_files(source)}
    weights |= {f"{name}.index.json" for name in (huggingface.SAFE, huggingface.PICKLED)}
    names = {path.name for path in source.iterdir()} - REPLACED - weights
    return tuple(sorted(name for name in names if not OF_A_RUN.fullmatch(name)))


def _decoding(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: written[key] for key in DECODING if written.get(key) is not None}


# --- the new folder ----------------------------------------------------------------------------------------


def _name(source: str | Path, opened: Path) -> str:
    if remote.is_remote(source):
        name, revision = remote.parse(source)
        return f"hf://{name}" + (f"@{revision}" if revision else "")
    whole = opened.resolve()
    return f"{whole.parent.name}/{whole.name}"


def _card(opened: folder.Loaded, parent: str, dtype: str) -> str:
    """The source's own card, with its scores and its licence, and what was done to it."""
    path = opened.folder / folder.CARD
    if path.is_file():
        text = path.read_text("utf-8", errors="replace").rstrip()
        return f"{text}\n\n## Conversion\n\nConverted by Glassformer from {parent}, weights in {dtype}.\n"
    config: Any = opened.config
    model: Any = opened.model
    size = sum(one.numel() for one in model.parameters())
    return plain_card(config.name, described(model), size, [parent], model.abilities[0])


def _compare(opened: folder.Loaded, new: Path, parent: str, target: Path) -> dict[str, Any]:
    """The largest differences of scores: of the source there and here, of the result, and between the two."""
    batch = agreement.probe(opened.model)
    ours, result = agreement.here(opened.model, batch), agreement.here(folder.load(new).model, batch)
    found: dict[str, Any] = dict.fromkeys(("source_difference", "difference"))
    found["rounding"] = agreement.difference(ours, result)
    written = _json(new / folder.CONFIG)
    transformers = agreement.oracle()
    if architecture_of(written) is None:
        report.say("transformers has no such architecture, so the scores were compared here only")
        return found
    if transformers is None:
        report.say("transformers is not installed, so the scores were compared here only")
        return found
    asked = [("difference", new, result, str(target))]
    # Of a GGUF file transformers reads less: not how Llama 3 slows its rotary positions, for one.
    if opened.folder.is_dir() and not adapters.is_adapter(opened.folder):
        asked.insert(0, ("source_difference", opened.folder, ours, parent))
    with report.progress(len(asked), "comparing in transformers", brief=True) as bar:
        for key, where, mine, name in asked:
            found[key] = agreement.difference(mine, _asked(transformers, where, written, batch, name))
            agreement.check(f"{name}, here and in transformers", found[key])
            bar.advance()
    return found


def _asked(
    transformers: Any, where: Path, written: Mapping[str, Any], batch: agreement.Batch, name: str
) -> agreement.Outputs:
    try:
        return agreement.there(transformers, where, written, batch)
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).split("\n")[0][:160]
        raise RunError(f"{name}: transformers cannot open it ({reason}); nothing was kept") from None


def _json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value
