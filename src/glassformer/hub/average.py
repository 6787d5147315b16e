"""The mean of several models of one kind, usually a run's last checkpoints (Vaswani et al. 2017, §6.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from glassformer.base.errors import UserError
from glassformer.hub.adapters import is_adapter
from glassformer.hub.folder import CONFIG, Loaded, load, save
from glassformer.nn.adapter import adapter_of, learns


def average(folders: Sequence[str | Path], output: str | Path) -> None:
    """Write a model folder whose weights are the mean of the folders' weights, summed in float64.

    Card and manifest name the parents. Raises UserError when there are fewer than two, or when they differ in
    configuration or tokenizer.
    """
    if len(folders) < 2:
        raise UserError("an average needs at least two model folders")
    parents = [load(folder) for folder in folders]
    for other in parents[1:]:
        _check_alike(parents[0], other)
    mean = parents[0]
    bent = adapter_of(mean.model) is not None
    for places in zip(*(_weights(parent.model, bent=bent) for parent in parents), strict=True):
        places[0].data = _mean([place.detach() for place in places])
    names = [f"{parent.folder.resolve().parent.name}/{parent.folder.resolve().name}" for parent in parents]
    save(
        Path(output),
        mean.model,
        mean.tokenizers,
        recipe=mean.recipe,
        generation=mean.generation,
        data=mean.data,
        parents=names,
    )


def last_steps(run: str | Path, count: int | None = None) -> list[Path]:
    """The last ``count`` model folders ``step-N`` of a run, oldest first, or all that it kept.

    Raises UserError when it kept fewer, or fewer than the two that an average needs.
    """
    run = Path(run)
    if not run.is_dir():
        raise UserError(f"{run}: there is no such folder; give the folder of a training run")
    steps = [(re.fullmatch(r"step-(\d+)", path.name), path) for path in run.iterdir()]
    whole = sorted((int(match[1]), path) for match, path in steps if match and _is_model(path))
    count = max(2, len(whole)) if count is None else count
    if len(whole) < count:
        raise UserError(
            f"{run}: kept {len(whole)} checkpoints and {count} are needed; train with keep_last: {count}"
        )
    return [path for _, path in whole[-count:]]


def _is_model(path: Path) -> bool:
    return (path / CONFIG).is_file() or is_adapter(path)


def _weights(model: nn.Module, *, bent: bool) -> list[nn.Parameter]:
    """All weights of a model; of adapters those alone that are not their base's."""
    return [*learns(model).values()] if bent else [*model.parameters()]


def _mean(weights: Sequence[torch.Tensor]) -> torch.Tensor:
    total = weights[0].to(torch.float64)
    for weight in weights[1:]:
        total += weight
    return (total / len(weights)).to(weights[0].dtype)


def _check_alike(first: Loaded, other: Loaded) -> None:
    bent = [adapter_of(one.model) for one in (first, other)]
    bases = [adapter and (adapter.name, adapter.fingerprint) for adapter in bent]
    shapes = [[(name, one.shape) for name, one in learns(kind.model).items()] for kind in (first, other)]
    if bases[0] != bases[1] or (bent[0] and shapes[0] != shapes[1]):
        raise UserError(
            f"{first.folder} and {other.folder} are adapters of different kinds or bases; averages need "
            "models of one kind"
        )
    if first.config != other.config:
        ours, theirs = first.config.model_dump(), other.config.model_dump()
        key = next((key for key in ours if ours[key] != theirs.get(key)), "name")
        raise UserError(
            f"{first.folder} and {other.folder} differ in {key}; averages need models of one kind"
        )
    prints = [None if one.tokenizers is None else one.tokenizers.fingerprint for one in (first, other)]
    if prints[0] != prints[1]:
        raise UserError(f"{first.folder} and {other.folder} have different tokenizers and cannot be averaged")
