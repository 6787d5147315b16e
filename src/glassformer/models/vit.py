"""The Vision Transformer: an image read as a row of square patches (Dosovitskiy et al. 2021)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.nn.activation import Activation, read_activation, write_activation
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.dropout import Dropout
from glassformer.nn.init import begin_normal
from glassformer.nn.mask import Mask
from glassformer.nn.names import Form, Names
from glassformer.nn.patches import Patches, grid, stretched

Head = Literal["none", "pooler", "classifier"]

STD = 0.02


class Config(Settings):
    """Sizes and choices.

    ``pool``: the image is what the ``class`` token ends as, or the ``mean`` of the patches, which then stand
    without a class token (Beyer et al. 2022). ``head``: ``classifier`` scores, a ``pooler``, or ``none``.
    ``image_size`` is the size that places are learned for, one number or height and width; any other is read
    as well. Pixels of 0 to 1 come less ``mean`` and by ``std``, one number or one for each channel.
    ``labels``, ``channels`` and sizes of 0 come from the data; a model that is made before the data is known,
    to be counted, has one patch and one class.
    """

    name: Literal["vit"] = "vit"
    head: Head = "classifier"
    pool: Literal["class", "mean"] = "class"
    dim: int = Field(default=192, gt=0)
    depth: int = Field(default=12, gt=0)
    heads: int = Field(default=3, gt=0)
    mlp_dim: int = Field(default=768, gt=0)
    patch: int = Field(default=16, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    attention_dropout: float = Field(default=0.0, ge=0, lt=1)
    activation: Activation = "gelu"
    qkv_bias: bool = True
    eps: float = Field(default=1e-12, gt=0)
    image_size: int | tuple[int, int] = 0
    channels: int = Field(default=3, gt=0)
    classes: int = Field(default=0, ge=0)
    labels: tuple[str, ...] = ()
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)

    @model_validator(mode="after")
    def _fits(self) -> Config:
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} does not divide into {self.heads} heads")
        if self.image_size and min(self.size) < self.patch:
            raise ValueError(f"image_size {self.image_size} is smaller than a patch of {self.patch}")
        if self.labels and len(self.labels) != self.classes:
            raise ValueError(f"there are {len(self.labels)} labels for {self.classes} classes")
        if self.pool == "mean" and self.head == "pooler":
            raise ValueError("head: pooler reads the class token; use pool: class")
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images that the places are learned for."""
        one = self.image_size or self.patch
        return (one, one) if isinstance(one, int) else one


def _sizes(dim: int, depth: int, heads: int, patch: int, image_size: int = 224) -> dict[str, Any]:
    """All published sizes have an MLP of four times the width."""
    sizes = {"dim": dim, "depth": depth, "heads": heads, "mlp_dim": 4 * dim}
    return sizes | {"patch": patch, "image_size": image_size}


# Ti and S: Touvron et al. 2021; B, L and H: Dosovitskiy et al. 2021, table 1.
PRESETS: dict[str, dict[str, Any]] = {
    "digits": _sizes(64, 4, 4, 2, 8) | {"channels": 1},
    "small-images": _sizes(128, 6, 4, 4, 28) | {"channels": 1},
    "vit-ti16": _sizes(192, 12, 3, 16),
    "vit-s16": _sizes(384, 12, 6, 16),
    "vit-b16": _sizes(768, 12, 12, 16),
    "vit-b32": _sizes(768, 12, 12, 32),
    "vit-l16": _sizes(1024, 24, 16, 16),
    "vit-l32": _sizes(1024, 24, 16, 32),
    "vit-h14": _sizes(1280, 32, 16, 14),
}


class Model(nn.Module):
    """Sees an image (Dosovitskiy et al. 2021, §3.1).

    ::

        image → patches → [class token] + places → blocks → norm → class token or mean ┬ output → scores
                                                                                       └ pooler
    """

    abilities: ClassVar[tuple[str, ...]] = ("sees",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        down, across = grid(*config.size, config.patch)
        first = config.pool == "class"
        self.patches = Patches(config.channels, dim, config.patch)
        self.class_token = nn.Parameter(torch.empty(dim)) if first else None
        self.places = nn.Parameter(torch.empty(down * across + first, dim))
        self.dropout = Dropout(config.dropout)
        self.blocks = _stack(config)
        self.norm = nn.LayerNorm(dim, eps=config.eps)
        if config.head == "pooler":
            self.pooler = nn.Linear(dim, dim)
        if config.head == "classifier":
            self.output = nn.Linear(dim, max(1, config.classes))
        begin_normal(self, STD)
        for weight in (self.patches.weight, self.class_token, self.places):
            if weight is not None:
                nn.init.normal_(weight, std=STD)

    def encode(self, images: Float[Tensor, "rows channels height width"]) -> Float[Tensor, "rows token dim"]:
        """The last state of the class token, where there is one, and of every patch after it.

        Raises UserError for images of other channels than the model's or smaller than a patch.
        """
        x = self.patches(images)
        if self.class_token is not None:
            x = torch.cat([self.class_token.expand(len(x), 1, -1), x], dim=1)
        x = self.dropout(x + self._placed(images.shape[2], images.shape[3]))
        mask = Mask()
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)

    def _placed(self, height: int, width: int) -> Float[Tensor, "token dim"]:
        first = int(self.class_token is not None)
        trained = grid(*self.config.size, self.config.patch)
        places = stretched(self.places[first:], trained, grid(height, width, self.config.patch))
        return torch.cat([self.places[:first], places])

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows dim"]:
        """One vector an image, of the class token or the mean of the patches; uses ``images``, normalised."""
        x = self.encode(batch["images"])
        return x.mean(dim=1) if self.config.pool == "mean" else x[:, 0]

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows scores"]:
        """Scores of every class; the hidden vectors of a model without a classifier."""
        hidden = self.hidden(batch)
        return self.output(hidden) if self.config.head == "classifier" else hidden

    def pooled(self, hidden: Float[Tensor, "rows dim"]) -> Float[Tensor, "rows dim"]:
        """tanh(W h + b) of a hidden vector, as it was pre-trained; UserError without a pooler."""
        if self.config.head != "pooler":
            raise UserError(f"this model has no pooler (head: {self.config.head}); take its hidden vectors")
        return torch.tanh(self.pooler(hidden))


def _stack(config: Config) -> nn.ModuleList:
    block = BlockConfig(
        dim=config.dim,
        heads=config.heads,
        mlp_dim=config.mlp_dim,
        norm="pre",
        activation=config.activation,
        attention_bias=config.qkv_bias,
        out_bias=True,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        eps=config.eps,
    )
    return nn.ModuleList(Block(block) for _ in range(config.depth))


# --- files -------------------------------------------------------------------------------------------------

OWN_TYPE = "glassformer-vit"
MODEL_TYPES = ("vit", OWN_TYPE)
CLASSES: dict[str, Head] = {"ViTForImageClassification": "classifier", "ViTModel": "pooler"}

PARTS = [
    ("class_token", "embeddings.cls_token"),
    ("places", "embeddings.position_embeddings"),
    ("patches", "embeddings.patch_embeddings.projection"),
    ("norm", "layernorm"),
    ("pooler", "pooler.dense"),
]
# Our part of a layer, its name in files, and the name that transformers 5 gives it in memory.
LAYER = [
    ("attention.q", "attention.attention.query", "attention.q_proj"),
    ("attention.k", "attention.attention.key", "attention.k_proj"),
    ("attention.v", "attention.attention.value", "attention.v_proj"),
    ("attention.out", "attention.output.dense", "attention.o_proj"),
    ("attention_norm", "layernorm_before", "layernorm_before"),
    ("mlp_norm", "layernorm_after", "layernorm_after"),
    ("mlp.up", "intermediate.dense", "mlp.fc1"),
    ("mlp.down", "output.dense", "mlp.fc2"),
]
PARTS += [(f"blocks.*.{ours}", f"encoder.layer.*.{file}") for ours, file, _ in LAYER]
PARTS += [(f"blocks.*.{ours}", f"layers.*.{memory}") for ours, _, memory in LAYER]


def names(config: Config) -> Names:
    """Every weight's name in memory and in a file, which has a prefix where it has a classifier."""
    prefixes = ("vit.", "") if config.head == "classifier" else ("", "vit.")
    pairs = [(ours, prefix + file) for prefix in prefixes for ours, file in PARTS]
    pairs += [("output", "classifier")] if config.head == "classifier" else []
    row = Form(to_file=lambda places: places[None], to_memory=lambda places: places[0])
    token = Form(to_file=lambda token: token[None, None], to_memory=lambda token: token[0, 0])
    return Names(pairs, {"places": row, "class_token": token})


def fitted(config: Config, held: Collection[str]) -> Config:
    """The configuration without the pooler where a file with these names has none."""
    if config.head == "pooler" and not any("pooler.dense" in name for name in held):
        return config.model_copy(update={"head": "none"})
    return config


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model: ViT's, or our own type where the mean of the patches is read."""
    labels = config.labels or tuple(f"LABEL_{number}" for number in range(config.classes))
    size = config.size
    written = {
        "architectures": ["ViTForImageClassification" if config.head == "classifier" else "ViTModel"],
        "model_type": "vit",
        "hidden_size": config.dim,
        "num_hidden_layers": config.depth,
        "num_attention_heads": config.heads,
        "intermediate_size": config.mlp_dim,
        "hidden_act": write_activation(config.activation),
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.attention_dropout,
        "initializer_range": STD,
        "layer_norm_eps": config.eps,
        "image_size": size[0] if size[0] == size[1] else list(size),
        "patch_size": config.patch,
        "num_channels": config.channels,
        "qkv_bias": config.qkv_bias,
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    if config.head == "none":
        written["add_pooling_layer"] = False  # ours: transformers is told so by whoever opens the folder
    if config.pool == "mean":
        own = {"architectures": ["GlassformerViT"], "model_type": OWN_TYPE, "head": config.head}
        return written | own
    return written


def preprocessor(config: Config) -> dict[str, Any]:
    """The ``preprocessor_config.json`` of this model: what an image goes through before it."""
    height, width = config.size
    return {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": height, "width": width},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": _each(config.mean, config.channels),
        "image_std": _each(config.std, config.channels),
    }


def _each(values: tuple[float, ...], channels: int) -> list[float]:
    return list(values) if len(values) == channels else [values[0]] * channels


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``.

    Raises UserError, naming the key, for what this model would compute otherwise.
    """
    own = written["model_type"] == OWN_TYPE
    labels = _labels(written)
    return Config(
        head=written["head"] if own else _head(written),
        pool="mean" if own else "class",
        dim=written["hidden_size"],
        depth=written["num_hidden_layers"],
        heads=written["num_attention_heads"],
        mlp_dim=written["intermediate_size"],
        patch=_square("patch_size", written.get("patch_size", 16)),
        dropout=written.get("hidden_dropout_prob", 0.0),
        attention_dropout=written.get("attention_probs_dropout_prob", 0.0),
        activation=read_activation(written, "hidden_act", "gelu"),
        qkv_bias=written.get("qkv_bias", True),
        eps=written.get("layer_norm_eps", 1e-12),
        image_size=written.get("image_size", 224),
        channels=written.get("num_channels", 3),
        classes=len(labels),
        labels=() if all(label == f"LABEL_{number}" for number, label in enumerate(labels)) else labels,
        mean=_one(written.get("image_mean")),
        std=_one(written.get("image_std")),
    )


def _one(values: list[float] | None) -> tuple[float, ...]:
    """What preprocessor_config.json says of the channels, one number where all are equal."""
    found = tuple(values or (0.5,))
    return found[:1] if len(set(found)) == 1 else found


def _head(written: Mapping[str, Any]) -> Head:
    named = next(iter(written.get("architectures") or ()), "ViTModel")
    if named not in CLASSES:
        raise UserError(
            f"config.json: architectures names {named}, whose head is not known here; "
            f"known are {', '.join(CLASSES)}"
        )
    if CLASSES[named] == "classifier":
        return "classifier"
    if not written.get("add_pooling_layer", True):
        return "none"
    act, wide = written.get("pooler_act", "tanh"), written.get("pooler_output_size")
    if act != "tanh" or wide not in (None, written["hidden_size"]):
        raise UserError(
            f"config.json: pooler_act {act!r} and pooler_output_size {wide} ask for a pooler that is not "
            "known here; known is tanh of the model's own width"
        )
    return "pooler"


def _labels(written: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the classes in order; as in transformers there are two where none are named."""
    told = written.get("id2label")
    if told is None:
        return tuple(f"LABEL_{number}" for number in range(written.get("num_labels", 2)))
    named = {int(number): str(label) for number, label in told.items()}
    if sorted(named) != list(range(len(named))):
        raise UserError(f"config.json: id2label should number {len(named)} classes from 0 without a gap")
    return tuple(named[number] for number in range(len(named)))


def _square(key: str, value: Any) -> Any:
    one, *more = value if isinstance(value, list) else [value]
    if any(other != one for other in more):
        raise UserError(f"config.json: {key} is {value}; patches here are square")
    return one
