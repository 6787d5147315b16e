"""What the recipe says under ``train``: how long, how often, how exactly; no behaviour."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from glassformer.base.config import Settings

Metric = Literal[
    "loss",
    "bleu",
    "chrf",
    "accuracy",
    "macro_f1",
    "weighted_f1",
    "macro_precision",
    "macro_recall",
    "matthews",
    "calibration_error",
    "brier",
    "entity_f1",
    "entity_precision",
    "entity_recall",
    "entity_macro_f1",
    "pearson",
    "spearman",
    "squared_error",
    "absolute_error",
    "micro_f1",
    "micro_precision",
    "micro_recall",
    "exact_set",
    "f1",
    "exact_match",
    "answerable_f1",
    "answerable_exact_match",
    "unanswerable_f1",
    "best_f1",
]
"""Figures that can choose the best model; ``tests/contracts`` holds every figure of a judge to it."""

LOWER = frozenset({"loss", "calibration_error", "brier", "squared_error", "absolute_error"})
"""Those of which less is better."""


class EarlyStopping(Settings):
    """Ends the run after ``patience`` evaluations in a row without a better ``metric``."""

    metric: Metric = "loss"
    patience: int = Field(default=5, ge=1)


class TrainConfig(Settings):
    """The length and the rhythm of a run.

    The run ends at ``steps`` or after ``epochs``, whichever comes first, or at ``time_limit`` (minutes, per
    start). ``evaluate_every``, ``save_every`` and ``log_every`` count steps; 0 means only at the end.
    ``accumulate`` is the number of batches whose gradients are summed to one step. ``keep_last`` model
    folders stay beside ``best`` and ``last``. ``best`` is the figure of the validation that chooses
    ``best/``. ``evaluate_first`` also measures before the first step. ``gradient_checkpointing`` keeps only
    the input of every Transformer block and computes the rest again on the way back: the same gradients with
    less memory, in about a third more time.
    """

    steps: int | None = Field(default=None, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    evaluate_every: int = Field(default=500, ge=0)
    save_every: int = Field(default=500, ge=0)
    log_every: int = Field(default=10, ge=0)
    keep_last: int = Field(default=3, ge=0)
    accumulate: int = Field(default=1, ge=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: Literal["auto"] | bool = "auto"
    seed: int = Field(default=1, ge=0)
    best: Metric = "loss"
    early_stopping: EarlyStopping | None = None
    time_limit: float | None = Field(default=None, gt=0)
    deterministic: bool = False
    gradient_checkpointing: bool = False
    evaluate_first: bool = True

    @model_validator(mode="after")
    def _has_an_end(self) -> TrainConfig:
        if self.steps is None and self.epochs is None and self.time_limit is None:
            raise ValueError("a run needs an end: set steps, epochs or time_limit")
        return self
