"""What a run is: this model, with this objective, on this data, adapted this way, trained so."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from glassformer.api import recipes
from glassformer.base.config import Choice, DataPath, Settings, load
from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding
from glassformer.text.train import TokenizerConfig
from glassformer.train.optim import OptimConfig
from glassformer.train.schedule import ScheduleConfig
from glassformer.train.settings import TrainConfig


class EvaluationConfig(Settings):
    """How translations are scored.

    During training ``sentences`` of the validation set (0: none) are decoded greedily; at the end the whole
    test set, or else the validation set, is decoded as ``decoding`` says.
    """

    sentences: int = Field(200, ge=0)
    decoding: Decoding = Decoding()


class Recipe(Settings):
    """Everything a run is made from. ``init`` is a model folder to go on from instead of new weights.

    ``adapt`` says how that model is bent to the task: what of it learns, or what is put into it and learns.
    ``embeddings`` is a file of word vectors, or a model folder, whose vectors the input tables begin with.
    """

    model: Annotated[Settings, Choice("models", default="transformer")] = Field(
        default_factory=dict, validate_default=True
    )
    tokenizer: TokenizerConfig = TokenizerConfig()
    objective: Annotated[Settings, Choice("objectives", default="translation")] = Field(
        default_factory=dict, validate_default=True
    )
    data: Annotated[Settings, Choice("data", default="pairs")]
    adapt: Annotated[Settings, Choice("adapt", default="full")] = Field(
        default_factory=dict, validate_default=True
    )
    optim: OptimConfig = OptimConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    train: TrainConfig
    evaluation: EvaluationConfig = EvaluationConfig()
    init: DataPath | None = None
    embeddings: DataPath | None = None


def read_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe at ``path``, or the package's own of that name, with overrides ``a.b=c`` laid over it.

    Raises UserError with file and line.
    """
    return load(Recipe, find_recipe(path), overrides)


def find_recipe(path: str | Path) -> Path:
    """The file at ``path``, or the package's own recipe of that name; UserError when there is neither."""
    if os.path.exists(path):  # noqa: PTH110 - unlike Path.exists, never raises for a senseless name
        return Path(path)
    try:
        return recipes.find(str(path)).path
    except UserError as error:
        raise UserError(f"{path}: no such recipe file, and {error}") from None
