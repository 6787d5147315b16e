"""The encoders of BERT, RoBERTa and DistilBERT: a text read with what stands on both sides of each word."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.models import bert_names
from glassformer.nn.activation import ACTIVATIONS, Activation, read_activation, write_activation
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.dropout import Dropout
from glassformer.nn.embedding import Output
from glassformer.nn.headed import Native
from glassformer.nn.init import begin_normal
from glassformer.nn.mask import Mask
from glassformer.nn.names import Names
from glassformer.nn.position import counted, fits

Kind = Literal["bert", "roberta", "distilbert"]
Head = Literal["none", "pooler", "masked_lm", "pretraining"]

BARE = ("none", "pooler")  # heads without scores of masked words
STD = 0.02


class Config(Settings):
    """Sizes and choices. ``kind`` says whose habits the model has, which is also the kind of its files.

    ``bert`` (Devlin et al. 2019); ``roberta`` (Liu et al. 2019) counts positions over what is not padding and
    begins at ``pad_id`` + 1; ``distilbert`` (Sanh et al. 2019) has no segments. ``head`` says what stands on
    the stack: a ``pooler`` of the first token, the ``masked_lm`` scores, both and the next-sentence scores
    (``pretraining``), or ``none``. Sizes of 0 come from the tokenizer.
    """

    name: Literal["bert"] = "bert"
    kind: Kind = "bert"
    head: Head = "masked_lm"
    dim: int = Field(default=256, gt=0)
    depth: int = Field(default=4, gt=0)
    heads: int = Field(default=4, gt=0)
    mlp_dim: int = Field(default=1024, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    attention_dropout: float = Field(default=0.1, ge=0, lt=1)
    activation: Activation = "gelu"
    eps: float = Field(default=1e-12, gt=0)
    segments: int = Field(default=2, ge=0)
    max_length: int = Field(default=512, gt=0)
    vocab_size: int = Field(default=0, ge=0)
    pad_id: int = Field(default=0, ge=0)
    start_id: int | None = None
    eos_id: int | None = None

    @model_validator(mode="after")
    def _fits(self) -> Config:
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} does not divide into {self.heads} heads")
        heads = " or ".join(CLASSES[self.kind])
        if self.head not in CLASSES[self.kind]:
            raise ValueError(f"head: {self.head} does not suit kind: {self.kind}; take {heads}")
        if (self.segments == 0) != (self.kind == "distilbert"):
            raise ValueError(
                f"segments: {self.segments} does not suit kind: {self.kind}; only distilbert has 0"
            )
        if self.kind == "distilbert" and self.eps != DISTILBERT_EPS:
            raise ValueError(f"eps: {self.eps} does not suit kind: distilbert, whose files mean 1e-12")
        return self

    @property
    def places(self) -> int:
        """Rows of the table of positions; RoBERTa's first ones stand for padding and for nothing."""
        return self.max_length + (self.pad_id + 1 if self.kind == "roberta" else 0)


DISTILBERT_EPS = 1e-12
BASE: dict[str, Any] = {"dim": 768, "depth": 12, "heads": 12, "mlp_dim": 3072}

# Tiny to medium: Turc et al. 2019; base and large: Devlin et al. 2019.
PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"dim": 128, "depth": 2, "heads": 2, "mlp_dim": 512},
    "mini": {"dim": 256, "depth": 4, "heads": 4, "mlp_dim": 1024},
    "small": {"dim": 512, "depth": 4, "heads": 8, "mlp_dim": 2048},
    "medium": {"dim": 512, "depth": 8, "heads": 8, "mlp_dim": 2048},
    "base": BASE,
    "large": {"dim": 1024, "depth": 24, "heads": 16, "mlp_dim": 4096},
    "roberta-base": BASE | {"kind": "roberta", "eps": 1e-5, "segments": 1, "pad_id": 1},
    "distilbert-base": BASE | {"kind": "distilbert", "depth": 6, "segments": 0},
}


class Transform(nn.Module):
    """What stands between the last hidden state and the scores of masked words: norm(f(W h + b))."""

    def __init__(self, dim: int, activation: str, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(dim, dim)
        self.activation = ACTIVATIONS[activation]
        self.norm = nn.LayerNorm(dim, eps=eps)

    def forward(self, hidden: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows dim"]:
        """The hidden states, ready for ``output``."""
        return self.norm(self.activation(self.dense(hidden)))


class Model(nn.Module):
    """Reads a text in both directions at once (Devlin et al. 2019).

    ::

        token + position + segment → norm → blocks ┬ transform → output → scores of masked words
                                                   └ first token → pooler → next_sentence

    ``head`` decides which of the parts after the blocks there are.
    """

    abilities: ClassVar[tuple[str, ...]] = ("encodes",)
    first: int = 0
    """The position of a text's first token; an adapter may have keys before it."""
    scoring: ClassVar[tuple[str, ...]] = ("transform", "output", "pooler", "next_sentence")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        if config.head in BARE:
            self.abilities = ("compares", *self.abilities)  # type: ignore[misc]
        dim, eps = config.dim, config.eps
        self.table = nn.Embedding(config.vocab_size, dim)
        self.positions = nn.Embedding(config.places, dim)
        if config.segments:
            self.segments = nn.Embedding(config.segments, dim)
        self.norm = nn.LayerNorm(dim, eps=eps)
        self.dropout = Dropout(config.dropout)
        self.blocks = _stack(config)
        if config.head in ("pooler", "pretraining"):
            self.pooler = nn.Linear(dim, dim)
        if config.head not in BARE:
            activation = "gelu" if config.kind == "roberta" else config.activation
            self.transform = Transform(dim, activation, eps)
            weight: nn.Parameter = self.table.weight  # type: ignore[assignment]
            self.output = Output(weight, bias=True)
        if config.head == "pretraining":
            self.next_sentence = nn.Linear(dim, 2)
        begin_normal(self, STD)

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token dim"]:
        """The last hidden state of every token.

        Uses ``tokens`` and, where the batch has them, ``keep`` (False on padding), ``segments`` and
        ``documents`` (each token sees its own document only). Raises UserError for a text that is longer
        than the model.
        """
        keep = batch.get("keep")
        mask = Mask(keep=keep, documents=batch.get("documents"))
        x = self._embedded(batch["tokens"], keep, batch.get("segments"))
        for block in self.blocks:
            x = block(x, mask)
        return x

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token scores"]:
        """Scores of the word at every place; the last hidden states without a head for masked words."""
        hidden = self.hidden(batch)
        if self.config.head in BARE:
            return hidden
        return self.output(self.transform(hidden))

    def pooled(self, hidden: Float[Tensor, "rows token dim"]) -> Float[Tensor, "rows dim"]:
        """One vector a text: tanh(W h₀ + b) of its first token; UserError without a pooler."""
        if self.config.head not in ("pooler", "pretraining"):
            raise UserError(
                f"this model has no pooler (head: {self.config.head}); take the mean of its tokens"
            )
        return torch.tanh(self.pooler(hidden[:, 0]))

    def _embedded(
        self,
        tokens: Int[Tensor, "rows token"],
        keep: Bool[Tensor, "rows token"] | None,
        segments: Int[Tensor, "rows token"] | None,
    ) -> Float[Tensor, "rows token dim"]:
        x = self.table(tokens)
        if self.config.segments:
            x = x + (self.segments.weight[0] if segments is None else self.segments(segments))
        x = x + self.positions(self._places(tokens, keep))
        return self.dropout(self.norm(x))

    def _places(
        self, tokens: Int[Tensor, "rows token"], keep: Bool[Tensor, "rows token"] | None
    ) -> Int[Tensor, "#rows token"]:
        """The row of the position table for every token, counted over real tokens where padding is known."""
        unused = self.config.places - self.config.max_length  # rows that stand for no position
        fits(tokens.shape[1], self.positions.num_embeddings - unused - self.first)
        if self.config.kind == "roberta":
            real = tokens != self.config.pad_id
            real = real if keep is None else real & keep
            return (real.cumsum(dim=1) + self.first) * real + self.config.pad_id
        if keep is None:
            return torch.arange(tokens.shape[1], device=tokens.device)[None] + self.first
        return counted(keep) + self.first


def _stack(config: Config) -> nn.ModuleList:
    block = BlockConfig(
        dim=config.dim,
        heads=config.heads,
        mlp_dim=config.mlp_dim,
        norm="post",
        activation=config.activation,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        eps=config.eps,
    )
    return nn.ModuleList(Block(block) for _ in range(config.depth))


# --- files -------------------------------------------------------------------------------------------------

MODEL_TYPES = ("bert", "roberta", "distilbert")

# Which class of transformers has which head.
CLASSES: dict[str, dict[str, str]] = {
    "bert": {
        "pooler": "BertModel",
        "none": "BertModel",
        "masked_lm": "BertForMaskedLM",
        "pretraining": "BertForPreTraining",
    },
    "roberta": {"pooler": "RobertaModel", "none": "RobertaModel", "masked_lm": "RobertaForMaskedLM"},
    "distilbert": {"none": "DistilBertModel", "masked_lm": "DistilBertForMaskedLM"},
}

# Our field, its key in BERT's and RoBERTa's config.json, and in DistilBERT's.
KEYS = [
    ("dim", "hidden_size", "dim"),
    ("depth", "num_hidden_layers", "n_layers"),
    ("heads", "num_attention_heads", "n_heads"),
    ("mlp_dim", "intermediate_size", "hidden_dim"),
    ("dropout", "hidden_dropout_prob", "dropout"),
    ("attention_dropout", "attention_probs_dropout_prob", "attention_dropout"),
]


def names(config: Config) -> Names:
    """Every weight's name in memory and in a file of this kind."""
    return bert_names.names(config.kind, config.head)


def heads(config: Config) -> dict[str, Native]:
    """How this kind of encoder builds a head for each ability."""
    return bert_names.heads(config.kind)


def fitted(config: Config, held: Collection[str]) -> Config:
    """The configuration with the head that a file with these names holds, where ``config.json`` says less.

    Google's BERT folders name BertForMaskedLM and hold all of BertForPreTraining; some that name BertModel
    lack the pooler.
    """
    has = {
        part: any(f"{part}.weight" in name for name in held) for part in ("pooler.dense", "seq_relationship")
    }
    if config.head == "pooler" and not has["pooler.dense"]:
        return config.model_copy(update={"head": "none"})
    if config.kind == "bert" and config.head == "masked_lm" and all(has.values()):
        return config.model_copy(update={"head": "pretraining"})
    return config


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model, as transformers writes it for the same kind."""
    small = config.kind == "distilbert"
    written: dict[str, Any] = {
        "architectures": [CLASSES[config.kind][config.head]],
        "model_type": config.kind,
        **{distil if small else bert: getattr(config, ours) for ours, bert, distil in KEYS},
        "activation" if small else "hidden_act": write_activation(config.activation),
        "max_position_embeddings": config.places,
        "initializer_range": STD,
        "tie_word_embeddings": True,
        "vocab_size": config.vocab_size,
        "pad_token_id": config.pad_id,
        "bos_token_id": config.start_id,
        "eos_token_id": config.eos_id,
    }
    if small:
        return written | {"sinusoidal_pos_embds": False}
    if config.head == "none":
        written["add_pooling_layer"] = False  # ours: transformers is told so by whoever opens the folder
    return written | {"type_vocab_size": config.segments, "layer_norm_eps": config.eps}


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``.

    Raises UserError, naming the key, for what this model would compute otherwise.
    """
    kind: Kind = written["model_type"]
    small, roberta = kind == "distilbert", kind == "roberta"
    head = _head(kind, written)
    _refuse(written, head)
    pad_id = written.get("pad_token_id", 1 if roberta else 0)
    sizes = {ours: written[distil if small else bert] for ours, bert, distil in KEYS}
    return Config(
        kind=kind,
        head=head,
        **sizes,
        activation=read_activation(written, "activation" if small else "hidden_act", "gelu"),
        eps=DISTILBERT_EPS if small else written.get("layer_norm_eps", 1e-12),
        segments=0 if small else written.get("type_vocab_size", 2),
        max_length=written["max_position_embeddings"] - (pad_id + 1 if roberta else 0),
        vocab_size=written["vocab_size"],
        pad_id=pad_id,
        start_id=written.get("bos_token_id", 0 if roberta else None),
        eos_id=written.get("eos_token_id", 2 if roberta else None),
    )


def _head(kind: str, written: Mapping[str, Any]) -> Head:
    """The head by the class that ``architectures`` names; the bare class where nothing is named."""
    bare: Head = "none" if kind == "distilbert" or not written.get("add_pooling_layer", True) else "pooler"
    named = next(iter(written.get("architectures") or ()), CLASSES[kind][bare])
    heads: dict[str, Head] = {name: head for head, name in CLASSES[kind].items()}  # type: ignore[misc]
    if named in (native.architecture for native in bert_names.heads(kind).values() if native.output):
        return "none"  # what stands on the encoder is no part of it
    if named not in heads:
        known = ", ".join(sorted(heads))
        raise UserError(
            f"config.json: architectures names {named}, whose head is not known here; known are {known}"
        )
    return bare if named == CLASSES[kind][bare] else heads[named]


REFUSED = {
    "is_decoder": "a model that does not see what follows",
    "add_cross_attention": "attention to a second text",
    "pruned_heads": "layers with fewer heads than others",
}


def _refuse(written: Mapping[str, Any], head: Head) -> None:
    """What code of these models elsewhere can be told to do and this code does not."""
    for key, what in REFUSED.items():
        if written.get(key):
            raise UserError(f"config.json: {key} asks for {what}, which an encoder here does not have")
    positions = written.get("position_embedding_type") or "absolute"
    if positions != "absolute":
        raise UserError(
            f"config.json: position_embedding_type is {positions!r}; only 'absolute' is known here"
        )
    if head not in BARE and written.get("tie_word_embeddings") is False:
        raise UserError(
            "config.json: tie_word_embeddings is false; word vectors and output are one matrix here"
        )
