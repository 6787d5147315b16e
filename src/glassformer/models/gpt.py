"""GPT, the decoder-only Transformer: GPT-1 (``norm: post``), GPT-2 and GPT-3 (``norm: pre``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.nn.activation import Activation, read_activation, write_activation
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.cache import Slot
from glassformer.nn.embedding import Embedding, Output
from glassformer.nn.headed import Native
from glassformer.nn.init import begin_normal
from glassformer.nn.mask import Mask
from glassformer.nn.names import Form, Names
from glassformer.nn.position import Positions, counted
from glassformer.nn.writing import Writing

STD = 0.02  # of first weights (Radford et al. 2018, §4.1)


class Config(Settings):
    """Sizes and choices. ``norm: pre`` is GPT-2 and GPT-3 (Radford et al. 2019, §2.3), ``post`` is GPT-1.

    An ``mlp_dim`` of 0 is 4·dim; other sizes of 0 come from the tokenizer. ``dropout`` falls on what every
    part adds to the residual sum, ``embedding_dropout`` (the same where it is not given) on the embeddings.
    """

    name: Literal["gpt"] = "gpt"
    dim: int = Field(default=256, gt=0)
    depth: int = Field(default=6, gt=0)
    heads: int = Field(default=4, gt=0)
    head_dim: int | None = Field(default=None, gt=0)
    mlp_dim: int = Field(default=0, ge=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    embedding_dropout: float | None = Field(default=None, ge=0, lt=1)
    attention_dropout: float = Field(default=0.1, ge=0, lt=1)
    norm: Literal["post", "pre"] = "pre"
    activation: Activation = "gelu_tanh"
    tied: bool = True
    eps: float = Field(default=1e-5, gt=0)
    max_length: int = Field(default=256, gt=0)
    vocab_size: int = Field(default=0, ge=0)
    pad_id: int = 0
    eos_id: int = 2
    start_id: int = 1

    @model_validator(mode="after")
    def _fits(self) -> Config:
        if self.head_dim is None and self.dim % self.heads:
            raise ValueError(
                f"dim {self.dim} does not divide into {self.heads} heads; give head_dim or other heads"
            )
        return self


def _published(dim: int, depth: int, heads: int, max_length: int, **others: Any) -> dict[str, Any]:
    return {"dim": dim, "depth": depth, "heads": heads, "max_length": max_length} | others


PRESETS: dict[str, dict[str, Any]] = {
    # On a laptop.
    "nano": _published(48, 3, 3, 64),
    "mini": _published(128, 4, 4, 64),
    "tiny": _published(192, 6, 6, 256),
    "small": _published(384, 6, 6, 256),
    # Radford et al. 2018, §4.1.
    "gpt1": _published(768, 12, 12, 512, norm="post"),
    # Radford et al. 2019, Table 2.
    "gpt2": _published(768, 12, 12, 1024),
    "gpt2-medium": _published(1024, 24, 16, 1024),
    "gpt2-large": _published(1280, 36, 20, 1024),
    "gpt2-xl": _published(1600, 48, 25, 1024),
    # Brown et al. 2020, Table 2.1, without the sparse attention of every other layer. In the rows of 1.3 and
    # 13 billion the heads together are wider and narrower than dim.
    "gpt3-small": _published(768, 12, 12, 2048),
    "gpt3-medium": _published(1024, 24, 16, 2048),
    "gpt3-large": _published(1536, 24, 16, 2048),
    "gpt3-xl": _published(2048, 24, 24, 2048, head_dim=128),
    "gpt3-2.7b": _published(2560, 32, 32, 2048),
    "gpt3-6.7b": _published(4096, 32, 32, 2048),
    "gpt3-13b": _published(5140, 40, 40, 2048, head_dim=128),
    "gpt3-175b": _published(12_288, 96, 96, 2048),
}


class Model(nn.Module):
    """Writes on: abilities ``hidden`` (training) and ``start`` (decoding).

    ::

        tokens → embedding + positions → blocks → norm (with norm: pre) → output → scores of the next token
    """

    abilities: ClassVar[tuple[str, ...]] = ("generates",)
    first: int = 0
    """The position of a text's first token; an adapter may have keys before it."""
    scoring: ClassVar[tuple[str, ...]] = ("output",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        table = nn.Embedding(config.vocab_size, config.dim)
        rate = config.dropout if config.embedding_dropout is None else config.embedding_dropout
        positions = Positions("learned", config.max_length, config.dim)
        self.embedding = Embedding(table, positions, scale=1.0, dropout=rate)
        self.blocks = nn.ModuleList(Block(_block(config)) for _ in range(config.depth))
        pre = config.norm == "pre"
        self.norm = nn.LayerNorm(config.dim, eps=config.eps) if pre else nn.Identity()
        tied: nn.Parameter = table.weight  # type: ignore[assignment]
        self.output = Output(tied if config.tied else nn.Parameter(torch.empty_like(tied)), bias=False)
        begin_normal(self, STD, depth=config.depth if pre else None)

    def run(
        self,
        tokens: Int[Tensor, "rows token"],
        mask: Mask,
        positions: int | Int[Tensor, "rows token"],
        slots: Sequence[Slot] | None = None,
    ) -> Float[Tensor, "rows token dim"]:
        """The last hidden state of every token, after all that ``slots`` remember (``nn.writing.Causal``)."""
        x = self.embedding(tokens, positions + self.first)
        memories: Sequence[Slot | None] = slots or [None] * len(self.blocks)
        for block, slot in zip(self.blocks, memories, strict=True):
            x = block(x, mask, cache=slot)
        return self.norm(x)

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token dim"]:
        """The last hidden state of every token, for ``output``.

        Uses ``tokens`` of the batch and, where they are there, ``keep`` (False on padding, on either side)
        and ``documents`` (tokens see those of their own document alone).
        """
        keep = batch.get("keep")
        mask = Mask(causal=True, keep=keep, documents=batch.get("documents"))
        return self.run(batch["tokens"], mask, 0 if keep is None else counted(keep))

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token vocab"]:
        """Scores of what may follow every token."""
        return self.output(self.hidden(batch))

    def start(
        self,
        tokens: Int[Tensor, "rows width"],
        keep: Bool[Tensor, "rows width"] | None = None,
        *,
        fixed: int | None = None,
    ) -> Writing:
        """Read prompts, padded on the left where ``keep`` is False, and stand ready for the next token."""
        longest = self.embedding.positions.max_length - self.first
        held = None if fixed is None else fixed + self.first
        return Writing(self, tokens, keep, max_length=longest, fixed=held)


def _block(config: Config) -> BlockConfig:
    return BlockConfig(
        dim=config.dim,
        heads=config.heads,
        head_dim=config.head_dim,
        mlp_dim=config.mlp_dim or 4 * config.dim,
        norm=config.norm,
        activation=config.activation,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        eps=config.eps,
    )


# --- files -------------------------------------------------------------------------------------------------

GPT1, GPT2, OWN_TYPE = "openai-gpt", "gpt2", "glassformer-gpt"
MODEL_TYPES = (GPT1, GPT2, OWN_TYPE)
CLASSES = {GPT1: "OpenAIGPTLMHeadModel", GPT2: "GPT2LMHeadModel", OWN_TYPE: "GlassformerGPT"}
# What GPT-1's files call its function: their "gelu" is the approximation by tanh.
GPT1_ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
# What a file may ask for and this model does not do, with the value that asks for nothing.
REFUSED = {
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
}


def model_type(config: Config) -> str:
    """Whose ``transformers`` model computes this very function: GPT-1's, GPT-2's or none but our own."""
    if config.head_dim not in (None, config.dim // config.heads) or config.dim % config.heads:
        return OWN_TYPE
    if config.norm == "pre":
        return GPT2
    wide = config.mlp_dim in (0, 4 * config.dim)
    return GPT1 if wide and config.activation in GPT1_ACTIVATIONS.values() else OWN_TYPE


def names(config: Config) -> Names:
    """Every weight's name in memory and in a file of GPT-2, or of GPT-1 with ``norm: post``.

    Files of the bare stack lack the prefix, as the published ones of GPT-2 do.
    """
    post = config.norm == "post"
    parts = [
        ("embedding.table", "tokens_embed" if post else "wte"),
        ("embedding.positions", "positions_embed" if post else "wpe"),
        ("blocks.*.attention.out", "h.*.attn.c_proj"),
        ("blocks.*.attention_norm", "h.*.ln_1"),
        ("blocks.*.mlp.up", "h.*.mlp.c_fc"),
        ("blocks.*.mlp.down", "h.*.mlp.c_proj"),
        ("blocks.*.mlp_norm", "h.*.ln_2"),
        ("norm", "ln_f"),
    ]
    qkv = ("blocks.*.attention.q", "blocks.*.attention.k", "blocks.*.attention.v")
    prefixes = ("transformer.", "")
    turned = Form(to_file=torch.t, to_memory=torch.t)
    matrices = (*qkv, "blocks.*.attention.out", "blocks.*.mlp.up", "blocks.*.mlp.down")
    return Names(
        [(memory, prefix + file) for prefix in prefixes for memory, file in parts]
        + [("output.weight", "lm_head.weight")],
        {f"{matrix}.weight": turned for matrix in matrices},
        fused=[(qkv, f"{prefix}h.*.attn.c_attn") for prefix in prefixes],
        # The triangle of the causal mask, and the numbers of the positions.
        ignored=[
            prefix + file
            for prefix in prefixes
            for file in ("h.*.attn.bias", "h.*.attn.masked_bias", "position_ids")
        ],
    )


def heads(config: Config) -> dict[str, Native]:
    """How GPT-1 and GPT-2 build a head for each ability (Radford et al. 2018, §3.2); others have none."""
    kind = model_type(config)
    if kind == OWN_TYPE:
        return {}
    name = CLASSES[kind].removesuffix("LMHeadModel")
    found = {
        "classifies": Native(f"{name}ForSequenceClassification", "last", output="score", bias=False),
        "compares": Native(f"{name}Model", None, output=None),
    }
    if kind == GPT1:
        return found
    return found | {
        "tags": Native(f"{name}ForTokenClassification", "each", rate="classifier_dropout"),
        "answers": Native(f"{name}ForQuestionAnswering", "each", output="qa_outputs"),
    }


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model: that of GPT-2 or GPT-1 where they can say it, our own otherwise."""
    kind = model_type(config)
    rate = config.dropout if config.embedding_dropout is None else config.embedding_dropout
    written = {
        "architectures": [CLASSES[kind]],
        "model_type": kind,
        "n_embd": config.dim,
        "n_layer": config.depth,
        "n_head": config.heads,
        "n_positions": config.max_length,
        "vocab_size": config.vocab_size,
        "resid_pdrop": config.dropout,
        "embd_pdrop": rate,
        "attn_pdrop": config.attention_dropout,
        "layer_norm_epsilon": config.eps,
        "initializer_range": STD,
        "tie_word_embeddings": config.tied,
        "pad_token_id": config.pad_id,
        "bos_token_id": config.start_id,
        "eos_token_id": config.eos_id,
    }
    if kind == OWN_TYPE:
        own = {"norm": config.norm, "head_dim": config.head_dim, "activation": config.activation}
        return written | own | {"n_inner": config.mlp_dim or None}
    if kind == GPT1:
        return written | {"afn": write_activation(config.activation, GPT1_ACTIVATIONS)}
    called = write_activation(config.activation)
    return written | {"activation_function": called, "n_inner": config.mlp_dim or None}


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``.

    Raises UserError for what the file asks for and this model would compute otherwise.
    """
    kind = written["model_type"]
    for key, usual in REFUSED.items():
        if written.get(key, usual) != usual:
            raise UserError(f"config.json asks for {key}: {written[key]!r}, which gpt does not compute here")
    bos, eos = written.get("bos_token_id"), written.get("eos_token_id")
    if isinstance(eos, list):
        if len(eos) != 1:
            raise UserError(f"config.json asks for eos_token_id: {eos!r}; gpt ends a text with one token")
        (eos,) = eos
    pad = written.get("pad_token_id")
    eos = written["vocab_size"] - 1 if eos is None else eos  # where GPT-2's vocabulary has its end of text
    dropout = written.get("resid_pdrop", 0.1)
    embedding = written.get("embd_pdrop", 0.1)
    return Config(
        dim=written["n_embd"],
        depth=written["n_layer"],
        heads=written["n_head"],
        head_dim=written["head_dim"] if kind == OWN_TYPE else None,
        mlp_dim=written.get("n_inner") or 0,
        dropout=dropout,
        embedding_dropout=None if embedding == dropout else embedding,
        attention_dropout=written.get("attn_pdrop", 0.1),
        norm=written["norm"] if kind == OWN_TYPE else "post" if kind == GPT1 else "pre",
        activation=_activation(written, kind),
        tied=written.get("tie_word_embeddings", True),
        eps=written.get("layer_norm_epsilon", 1e-5),
        max_length=written["n_positions"],
        vocab_size=written["vocab_size"],
        pad_id=eos if pad is None else pad,
        eos_id=eos,
        start_id=eos if bos is None else bos,
    )


def _activation(written: Mapping[str, Any], kind: str) -> Activation:
    if kind == OWN_TYPE:
        activation: Activation = written["activation"]
        return activation
    if kind == GPT1:
        return read_activation(written, "afn", "gelu", GPT1_ACTIVATIONS)
    return read_activation(written, "activation_function", "gelu_new")
