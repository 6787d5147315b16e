"""Full fine-tuning: every weight learns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from glassformer.base.config import Settings


class Config(Settings):
    """All weights learn, those of a new model or of the one that ``init`` names.

    ``layer_decay`` is what the learning rate is multiplied with from one layer to the one below it, from the
    head down. With ``unfreeze_every`` the head alone learns at first, and every so many steps one layer more
    (Howard & Ruder 2018, §3.2, §3.3).
    """

    name: Literal["full"] = "full"
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    unfreeze_every: int = Field(default=0, ge=0)
