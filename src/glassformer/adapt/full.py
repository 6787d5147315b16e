"""Full fine-tuning: every weight learns."""

from __future__ import annotations

from typing import Literal

from glassformer.base.config import Settings


class Config(Settings):
    """All weights learn, those of a new model or of the one that ``init`` names."""

    name: Literal["full"] = "full"
