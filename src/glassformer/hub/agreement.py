"""Whether ``transformers``, where it is installed, computes from a model folder what is computed here."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glassformer.base.errors import RunError
from glassformer.hub.card import architecture_of

TOLERANCE = 1e-3
ROWS, LENGTH = 3, 16

Batch = dict[str, Tensor]
Outputs = tuple[Tensor, ...]


def oracle() -> Any | None:
    """The package ``transformers``, None where it cannot be imported."""
    try:
        import transformers
    except ImportError:
        return None
    return transformers


def probe(model: nn.Module) -> Batch:
    """A small batch for a model of any ability, the same every time; its texts are of unlike lengths."""
    config: Any = model.config
    chance = torch.Generator().manual_seed(0)
    ability = _ability(model)
    if ability == "sees":
        height, width = _sides(config)
        return {"images": torch.randn(ROWS, config.channels, height, width, generator=chance)}
    length = min(getattr(config, "max_length", LENGTH), LENGTH)
    # GPT-2 has no padding, or one beyond the vocabulary; whatever fills a row up is not looked at.
    pad_id = config.pad_id if config.pad_id in range(config.vocab_size) else 0
    tokens, keep = _texts(config.vocab_size, pad_id, length, chance)
    if ability == "translates":
        target, _ = _texts(config.target_vocab_size, pad_id, max(1, length - 2), chance, full=True)
        return {"source": tokens, "source_keep": keep, "target": target}
    batch = {"tokens": tokens, "keep": keep}
    if getattr(config, "segments", 0) > 1:
        batch["segments"] = (torch.arange(length) >= length // 2).long().expand(ROWS, length).contiguous()
    return batch


def _texts(
    vocab_size: int, pad_id: int, length: int, chance: torch.Generator, *, full: bool = False
) -> tuple[Tensor, Tensor]:
    """Random ids, none of them padding, and which of them are text: the rows are filled up on the right."""
    drawn = torch.randint(0, max(1, vocab_size - 1), (ROWS, length), generator=chance)
    tokens = torch.where(drawn >= pad_id, drawn + 1, drawn).clamp(max=vocab_size - 1)
    lengths = torch.tensor([length, max(1, length // 2), max(1, length - 3)])
    keep = torch.arange(length) < (torch.full_like(lengths, length) if full else lengths)[:, None]
    return torch.where(keep, tokens, pad_id), keep


def _sides(config: Any) -> tuple[int, int]:
    size = config.image_size
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _ability(model: Any) -> str:
    return str(model.abilities[0])


@torch.inference_mode()
def here(model: nn.Module, batch: Batch) -> Outputs:
    """What this model says of the batch: scores or hidden states, and what its other heads say."""
    asked: Any = model
    head = getattr(model.config, "head", None)
    outputs = [asked(batch)]
    if head in ("pooler", "pretraining"):
        pooled = asked.pooled(asked.hidden(batch))
        outputs.append(asked.next_sentence(pooled) if head == "pretraining" else pooled)
    return tuple(_on_text(output.float(), batch) for output in outputs)


@torch.inference_mode()
def there(transformers: Any, folder: Path, written: Mapping[str, Any], batch: Batch) -> Outputs:
    """What ``transformers`` says of the batch, with the class that ``written``, a config.json, names.

    Raises whatever it raises for a folder that it cannot open.
    """
    options = {"add_pooling_layer": False} if written.get("add_pooling_layer") is False else {}
    with _quiet(transformers):
        kind = getattr(transformers, str(architecture_of(written)))
        model = kind.from_pretrained(folder, dtype=torch.float32, local_files_only=True, **options).eval()
        said = model(**_named(model, batch))
    if said.get("start_logits") is not None:
        return (_on_text(torch.stack([said["start_logits"], said["end_logits"]], dim=-1).float(), batch),)
    names = ("logits", "prediction_logits", "last_hidden_state")
    outputs = [next(said[name] for name in names if said.get(name) is not None)]
    outputs += [
        said[name] for name in ("pooler_output", "seq_relationship_logits") if said.get(name) is not None
    ]
    if "images" in batch and outputs[0].ndim == 3:
        outputs[0] = outputs[0][:, 0]
    return tuple(_on_text(output.float(), batch) for output in outputs)


def _named(model: Any, batch: Batch) -> Batch:
    """The batch as ``transformers`` calls it."""
    if "images" in batch:
        return {"pixel_values": batch["images"]}
    if "source" in batch:
        named = {"input_ids": batch["source"], "attention_mask": batch["source_keep"].long()}
        return named | {"decoder_input_ids": batch["target"]}
    named = {"input_ids": batch["tokens"], "attention_mask": batch["keep"].long()}
    takes_segments = "token_type_ids" in inspect.signature(model.forward).parameters
    if "segments" in batch and takes_segments:
        named["token_type_ids"] = batch["segments"]
    return named


def _on_text(output: Tensor, batch: Batch) -> Tensor:
    """What stands on padding is nobody's business."""
    return output[batch["keep"]] if "keep" in batch and output.ndim == 3 else output


def difference(ours: Outputs, theirs: Outputs) -> float:
    """The largest absolute difference; infinite when the outputs are of unlike sizes or not numbers.

    >>> difference((torch.tensor([1.0, 2.0]),), (torch.tensor([1.5, 2.0]),))
    0.5
    """
    if [one.shape for one in ours] != [other.shape for other in theirs]:
        return float("inf")
    largest = [float((one - other).abs().max()) for one, other in zip(ours, theirs, strict=True)]
    return max(one if one == one else float("inf") for one in largest)  # noqa: PLR0124 - NaN is not itself


def check(what: str, found: float) -> None:
    """Raise RunError when ``found``, the difference of ``what``, is above the tolerance."""
    if not found <= TOLERANCE:
        raise RunError(
            f"{what}: scores differ by {found:.3g}, more than {TOLERANCE:g}; nothing was kept, since the "
            "result would be another model"
        )


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Its own words about loading would stand among ours."""
    level, bars = transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        transformers.logging.set_verbosity(level)
        if bars:
            transformers.logging.enable_progress_bar()
