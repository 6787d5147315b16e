"""The learning rate as a pure function of the step, and nothing else."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from glassformer.base.config import Settings
from glassformer.base.errors import UserError


class ScheduleConfig(Settings):
    """How the learning rate moves. Steps count from 1; ``lr`` of the optimiser is the peak, reached after
    ``warmup`` steps.

    ==============  =============================================================================
    inverse_sqrt    lr · min(step/warmup, √(warmup/step))
    noam            factor · dim^-½ · min(step^-½, step · warmup^-3/2)     (Vaswani et al. 2017, eq. 3)
    cosine          rises to lr, then half a cosine down to floor · lr     (Loshchilov & Hutter 2017)
    linear          rises to lr, then a straight line down to floor · lr
    constant        rises to lr and stays
    ==============  =============================================================================

    ``noam`` does not use ``lr``: it is ``inverse_sqrt`` with the peak lr = factor / √(dim · warmup). Cosine
    and linear reach their floor at ``steps``, or at the length of the run when that is 0.
    """

    name: Literal["inverse_sqrt", "noam", "cosine", "linear", "constant"] = "inverse_sqrt"
    warmup: int = Field(default=0, ge=0)
    floor: float = Field(default=0.0, ge=0, le=1)
    steps: int = Field(default=0, ge=0)
    factor: float = Field(default=1.0, gt=0)
    dim: int = Field(default=512, gt=0)


def rate(config: ScheduleConfig, step: int, *, peak: float, steps: int = 0) -> float:
    """The learning rate of the given step (the first is 1) in a run of ``steps`` steps."""
    warmup = max(config.warmup, 1)
    if config.name == "noam":
        return config.factor / math.sqrt(config.dim) * min(1 / math.sqrt(step), step * math.pow(warmup, -1.5))
    if config.name == "inverse_sqrt":
        return peak * min(step / warmup, math.sqrt(warmup / step))
    if step <= config.warmup:
        return peak * step / warmup
    if config.name == "constant":
        return peak
    return peak * _decay(config, step, config.steps or steps)


def _decay(config: ScheduleConfig, step: int, steps: int) -> float:
    """The share of the peak that cosine and linear keep after the warm-up."""
    done = min(1.0, (step - config.warmup) / max(1, steps - config.warmup))
    left = 1.0 - done if config.name == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
    return config.floor + (1.0 - config.floor) * left


def check(config: ScheduleConfig, steps: int | None) -> None:
    """Refuses a schedule that falls towards an end nobody has set (UserError)."""
    if config.name in ("cosine", "linear") and not (config.steps or steps):
        raise UserError(
            f"schedule: {config.name} falls to the end of the run, which train.epochs does not tell; "
            f"set schedule.steps or train.steps"
        )
