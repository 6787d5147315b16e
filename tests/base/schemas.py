"""Settings of all kinds that the tests of recipes are read into."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from glassformer.base.config import Choice, DataPath, Settings


class Optim(Settings):
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.98)
    kind: Literal["adamw", "sgd"] = "adamw"
    warmup: int = Field(default=10, ge=0)
    fused: bool = False

    @field_validator("lr")
    @classmethod
    def _is_positive(cls, value: float) -> float:
        if value <= 0:
            raise ValueError("the learning rate must be above zero")
        return value


class Weighted(Settings):
    path: DataPath
    weight: float = 1.0


class Data(Settings):
    train: DataPath | list[DataPath | Weighted] = "-"
    notes: str | None = None


class Recipe(Settings):
    optim: Optim = Optim()
    data: Data = Data()
    seed: int = 1


class Garden(Settings):
    flower: Annotated[Settings, Choice("flowers")]
    second: Annotated[Settings, Choice("flowers", default="tulip")] | None = None
