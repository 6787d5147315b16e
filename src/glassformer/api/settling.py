"""What is chosen on the validation set when training is done, such as a threshold: chosen, and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from glassformer.api.preparing import Parts
from glassformer.api.streaming import stream_of
from glassformer.base import report
from glassformer.evaluate.sets import best_threshold
from glassformer.hub import folder as hub
from glassformer.nn.headed import head_of
from glassformer.objectives.objective import Told
from glassformer.train import parallel
from glassformer.train.validate import mean_loss


def settle(parts: Parts, folder: Path) -> None:
    """Choose the threshold of a model that tells several labels, and write it into the folders of the best.

    It is the one that gives the best weights the highest micro F1 on the validation set; nothing happens
    where the recipe has no such set, and for other models.
    """
    head = head_of(parts.model)
    if head is None or head.tells != "labels" or parts.valid is None:
        return
    objective: Any = parts.objective
    model: Any = hub.load(folder).model.to(next(parts.model.parameters()).device)
    whole = stream_of(parts.recipe.data, objective, [(store, 1.0) for store in parts.valid.stores])
    told: dict[int, Told] = {}
    mean_loss(model, objective, whole.once(), parallel.Group(), next(model.parameters()).device, told=told)
    true, share = (np.array([one[name] for one in told.values()]) for name in ("true", "share"))
    threshold, _ = best_threshold(true.astype(np.int64), share)
    model.head = model.head.model_copy(update={"threshold": min(1.0, max(0.0, threshold))})
    for place in (folder, folder / "best"):  # the same model; either may be the one that is copied away
        if (place / hub.CONFIG).is_file():
            hub.write_config(place, model)
    report.say(f"a label is told from a probability of {threshold:.3f} on")
