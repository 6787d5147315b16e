"""What a run is measured by, during training and at its end: translations by themselves, others by losses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from glassformer.api import measuring_answers, measuring_losses, measuring_translations
from glassformer.api.measured import Measured
from glassformer.api.preparing import Parts
from glassformer.train.validate import Judging, Measure


@runtime_checkable
class Measuring(Protocol):
    """A way to measure runs."""

    def watching(self, parts: Parts) -> Measure | None:
        """What is measured beside the validation loss while training, where there is anything."""
        ...

    def judging(self, parts: Parts) -> Judging | None:
        """The figures of what is told of the validation set, in the same pass as its loss, if any."""
        ...

    def decoding(self, parts: Parts) -> dict[str, Any]:
        """What the model folder says about decoding."""
        ...

    def unmeasured(self) -> dict[str, None]:
        """The figures that every run measured so tells, before anything was measured."""
        ...

    def measure(self, parts: Parts, folder: Path) -> Measured | None:
        """The best model on the test set, or on the validation set; None where the recipe has neither."""
        ...


def measuring(parts: Parts) -> Measuring:
    """How a run of this ability is measured."""
    return WAYS.get(parts.ability, measuring_losses)


WAYS: Mapping[str, Measuring] = {"translates": measuring_translations, "answers": measuring_answers}
"""What is measured otherwise than by losses, by what the model can do."""
