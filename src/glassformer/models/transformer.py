"""The encoder-decoder Transformer of "Attention Is All You Need" (Vaswani et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.nn.activation import Activation, read_activation, write_activation
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.cache import Growing
from glassformer.nn.embedding import Embedding, Output
from glassformer.nn.init import begin
from glassformer.nn.mask import Mask
from glassformer.nn.names import Form, Names
from glassformer.nn.order import Order
from glassformer.nn.position import Positions


class Config(Settings):
    """Sizes and choices. ``norm: post`` and ``positions: sinusoidal`` are the paper's and Marian's.

    ``share`` says which of source embedding, target embedding and output are one matrix: ``all`` (needs one
    vocabulary), ``target`` (target embedding and output) or ``none``. Sizes of 0 come from the tokenizer.
    """

    name: Literal["transformer"] = "transformer"
    dim: int = Field(256, gt=0)
    depth: int = Field(3, gt=0)
    decoder_depth: int | None = Field(None, gt=0)
    heads: int = Field(4, gt=0)
    decoder_heads: int | None = Field(None, gt=0)
    head_dim: int | None = Field(None, gt=0)
    mlp_dim: int = Field(1024, gt=0)
    decoder_mlp_dim: int | None = Field(None, gt=0)
    dropout: float = Field(0.1, ge=0, lt=1)
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    activation_dropout: float = Field(0.0, ge=0, lt=1)
    activation: Activation = "relu"
    norm: Literal["post", "pre"] = "post"
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    share: Literal["all", "target", "none"] = "all"
    scale_embedding: bool = True
    output_bias: bool = False
    max_length: int = Field(512, gt=0)
    vocab_size: int = Field(0, ge=0)
    target_vocab_size: int = Field(0, ge=0)
    pad_id: int = 0
    eos_id: int = 2
    start_id: int = 1

    @model_validator(mode="after")
    def _fits(self) -> Config:
        for heads in (self.heads, self.decoder_heads or self.heads):
            if self.head_dim is None and self.dim % heads:
                raise ValueError(
                    f"dim {self.dim} does not divide into {heads} heads; give head_dim or other heads"
                )
        if self.positions == "sinusoidal" and self.dim % 2:
            raise ValueError(f"sinusoidal positions need an even dim, not {self.dim}")
        if self.share == "all" and self.vocab_size != self.target_vocab_size:
            raise ValueError("share: all needs one vocabulary; use share: target or tokenizer.shared: true")
        return self


PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"dim": 128, "depth": 2, "heads": 4, "mlp_dim": 512},
    "small": {"dim": 256, "depth": 3, "heads": 4, "mlp_dim": 1024},
    "base": {"dim": 512, "depth": 6, "heads": 8, "mlp_dim": 2048},
    "big": {"dim": 1024, "depth": 6, "heads": 16, "mlp_dim": 4096, "dropout": 0.3},
}


class Model(nn.Module):
    """Reads a source, writes a target: abilities ``hidden`` (training) and ``start`` (decoding).

    ::

        source → embedding → encoder blocks ─ memory ─┐
        target → embedding → decoder blocks (self, cross, mlp) → output → scores of the next token
    """

    abilities: ClassVar[tuple[str, ...]] = ("translates",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        table = nn.Embedding(config.vocab_size, dim)
        target_table = table if config.share == "all" else nn.Embedding(config.target_vocab_size, dim)
        scale = dim**0.5 if config.scale_embedding else 1.0
        self.source = Embedding(table, self._positions(), scale=scale, dropout=config.dropout)
        self.target = Embedding(target_table, self._positions(), scale=scale, dropout=config.dropout)
        self.encoder = _stack(config, cross=False)
        self.decoder = _stack(config, cross=True)
        self.encoder_norm = nn.LayerNorm(dim) if config.norm == "pre" else nn.Identity()
        self.decoder_norm = nn.LayerNorm(dim) if config.norm == "pre" else nn.Identity()
        tied: nn.Parameter = target_table.weight  # type: ignore[assignment]
        own = config.share == "none"
        self.output = Output(nn.Parameter(torch.empty_like(tied)) if own else tied, bias=config.output_bias)
        self._begin()

    def _positions(self) -> Positions:
        return Positions(self.config.positions, self.config.max_length, self.config.dim)

    def _begin(self) -> None:
        begin(self, self.config.dim)
        if self.config.share == "none":
            nn.init.normal_(self.output.weight, std=self.config.dim**-0.5)
        for part in (self.source.positions, self.target.positions):
            if self.config.positions == "learned":
                nn.init.normal_(part.weight, std=self.config.dim**-0.5)

    def encode(
        self, source: Int[Tensor, "rows source"], keep: Bool[Tensor, "rows source"]
    ) -> tuple[Float[Tensor, "rows source dim"], Mask]:
        """What the decoder looks at, and who of it may be looked at."""
        mask = Mask(keep=keep)
        x = self.source(source)
        for block in self.encoder:
            x = block(x, mask)
        return self.encoder_norm(x), mask

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows target dim"]:
        """The last hidden state of every target position under teacher forcing, for ``output``.

        Uses ``source``, ``source_keep`` and ``target`` (which begins with the start token) of the batch.
        """
        memory, memory_mask = self.encode(batch["source"], batch["source_keep"])
        mask = Mask(causal=True)
        x = self.target(batch["target"])
        for block in self.decoder:
            x = block(x, mask, memory=memory, memory_mask=memory_mask)
        return self.decoder_norm(x)

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows target vocab"]:
        """Scores of every next token under teacher forcing."""
        return self.output(self.hidden(batch))

    def start(self, source: Int[Tensor, "rows source"], keep: Bool[Tensor, "rows source"]) -> Writing:
        """Read the sources and stand ready for the first target token."""
        return Writing(self, source, keep)


class Writing:
    """Translations being written, one a row: what decoding steps through (a ``decode.State``).

    Keys and values of a source are made once, at the first step, and as many rows as stand side by side share
    them: beams of one source. Reordering beams within a source copies only the targets that are wanted twice.
    """

    def __init__(self, model: Model, source: Tensor, keep: Tensor) -> None:
        self.model = model
        self.output = model.output
        self.memory, self.mask = model.encode(source, keep)
        self.length = 0
        self.slots = [Growing() for _ in model.decoder]
        self.memory_slots = [Growing() for _ in model.decoder]
        self.order = Order(len(source))
        self.sharing = 1  # so many rows, side by side, have one source

    def step(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append one token to every row and give the scores of what may follow."""
        x = self.model.target(self.order.placed(tokens)[:, None], self.length)
        mask = Mask(causal=True)
        layers = zip(self.model.decoder, self.slots, self.memory_slots, strict=True)
        for block, slot, memory_slot in layers:
            x = block(
                x, mask, memory=self.memory, memory_mask=self.mask, cache=slot, memory_cache=memory_slot
            )
        self.length += 1
        hidden = self.order.listed(self.model.decoder_norm(x[:, 0]))
        return self.output(hidden).float()

    def narrow(self, tokens: Int[Tensor, " chosen"]) -> None:
        """Give scores of these tokens only from now on, in this order."""
        self.output = self.model.output.only(tokens)

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        moves = self.order.moves(rows, self.sharing)
        if moves is not None:
            for slot in self.slots if moves else ():
                slot.move(moves)
            return
        places = self.order.restart(rows)
        for slot in self.slots:
            slot.select(places)
        self._select_sources(places // self.sharing)

    def _select_sources(self, sources: Int[Tensor, " rows"]) -> None:
        """The sources of these rows; of one for each of several rows side by side."""
        self.sharing = _alike(sources.tolist())
        chosen = sources[:: self.sharing]
        if torch.equal(chosen, torch.arange(len(self.memory), device=chosen.device)):
            return
        for slot in self.memory_slots:
            slot.select(chosen)
        self.memory = self.memory.index_select(0, chosen)
        if self.mask.keep is not None:
            self.mask = Mask(keep=self.mask.keep.index_select(0, chosen))


def _alike(numbers: list[int]) -> int:
    """The length of the runs of equal numbers, where all are of one length; else one."""
    runs = {len(list(run)) for _, run in groupby(numbers)}
    return runs.pop() if len(runs) == 1 else 1


def _stack(config: Config, *, cross: bool) -> nn.ModuleList:
    depth, heads, mlp_dim = config.depth, config.heads, config.mlp_dim
    if cross:
        depth = config.decoder_depth or depth
        heads = config.decoder_heads or heads
        mlp_dim = config.decoder_mlp_dim or mlp_dim
    block = BlockConfig(
        dim=config.dim,
        heads=heads,
        head_dim=config.head_dim,
        mlp_dim=mlp_dim,
        norm=config.norm,
        activation=config.activation,
        cross=cross,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        activation_dropout=config.activation_dropout,
    )
    return nn.ModuleList(Block(block) for _ in range(depth))


# --- files -------------------------------------------------------------------------------------------------

OWN_TYPE = "glassformer-transformer"
MODEL_TYPES = ("marian", OWN_TYPE)


def is_marian(config: Config) -> bool:
    """Whether transformers' MarianMTModel computes this very function."""
    return config.norm == "post" and config.positions == "sinusoidal" and config.head_dim is None


def names(config: Config) -> Names:
    """Every weight's name in memory and in a Marian-style file."""
    source = "model.shared" if config.share == "all" else "model.encoder.embed_tokens"
    pairs = [
        ("source.table", source),
        ("source.table", "model.encoder.embed_tokens"),  # a second copy in older files
        ("target.table", "model.decoder.embed_tokens"),
        ("source.positions", "model.encoder.embed_positions"),
        ("target.positions", "model.decoder.embed_positions"),
        ("encoder_norm", "model.encoder.layer_norm"),
        ("decoder_norm", "model.decoder.layer_norm"),
        ("output.bias", "final_logits_bias"),
        ("output.weight", "lm_head.weight"),
    ]
    parts = [
        ("attention.q", "self_attn.q_proj"),
        ("attention.k", "self_attn.k_proj"),
        ("attention.v", "self_attn.v_proj"),
        ("attention.out", "self_attn.out_proj"),
        ("attention_norm", "self_attn_layer_norm"),
        ("cross.q", "encoder_attn.q_proj"),
        ("cross.k", "encoder_attn.k_proj"),
        ("cross.v", "encoder_attn.v_proj"),
        ("cross.out", "encoder_attn.out_proj"),
        ("cross_norm", "encoder_attn_layer_norm"),
        ("mlp.up", "fc1"),
        ("mlp.down", "fc2"),
        ("mlp_norm", "final_layer_norm"),
    ]
    for side in ("encoder", "decoder"):
        pairs += [(f"{side}.*.{memory}", f"model.{side}.layers.*.{file}") for memory, file in parts]
    row = Form(to_file=lambda bias: bias[None], to_memory=lambda bias: bias[0])
    return Names(pairs, {"output.bias": row})


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model: Marian's where Marian can say it, our own type otherwise."""
    decoder_heads = config.decoder_heads or config.heads
    written = {
        "architectures": ["MarianMTModel"],
        "model_type": "marian",
        "is_encoder_decoder": True,
        "d_model": config.dim,
        "encoder_layers": config.depth,
        "decoder_layers": config.decoder_depth or config.depth,
        "encoder_attention_heads": config.heads,
        "decoder_attention_heads": decoder_heads,
        "encoder_ffn_dim": config.mlp_dim,
        "decoder_ffn_dim": config.decoder_mlp_dim or config.mlp_dim,
        "dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "activation_dropout": config.activation_dropout,
        "activation_function": write_activation(config.activation),
        "max_position_embeddings": config.max_length,
        "static_position_embeddings": True,
        "scale_embedding": config.scale_embedding,
        "share_encoder_decoder_embeddings": config.share == "all",
        "tie_word_embeddings": config.share != "none",
        "vocab_size": config.vocab_size,
        "decoder_vocab_size": config.target_vocab_size,
        "pad_token_id": config.pad_id,
        "eos_token_id": config.eos_id,
        "bos_token_id": config.start_id,
        "decoder_start_token_id": config.start_id,
        "forced_eos_token_id": None,
        "output_bias": config.output_bias,  # ours; a Marian file without the key has one
    }
    if is_marian(config):
        return written
    own = {"norm": config.norm, "positions": config.positions, "head_dim": config.head_dim}
    return written | {"architectures": ["GlassformerTransformer"], "model_type": OWN_TYPE} | own


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``.

    Raises UserError for an activation that is not known here.
    """
    own = written.get("model_type") == OWN_TYPE
    vocab_size = written["vocab_size"]
    tied = written.get("tie_word_embeddings", True)
    shared = written.get("share_encoder_decoder_embeddings", True)
    return Config(
        dim=written["d_model"],
        depth=written["encoder_layers"],
        decoder_depth=written["decoder_layers"],
        heads=written["encoder_attention_heads"],
        decoder_heads=written["decoder_attention_heads"],
        head_dim=written["head_dim"] if own else None,
        mlp_dim=written["encoder_ffn_dim"],
        decoder_mlp_dim=written["decoder_ffn_dim"],
        dropout=written.get("dropout", 0.1),
        attention_dropout=written.get("attention_dropout", 0.0),
        activation_dropout=written.get("activation_dropout", 0.0),
        activation=read_activation(written, "activation_function", "gelu"),
        norm=written["norm"] if own else "post",
        positions=written["positions"] if own else "sinusoidal",
        share="none" if not tied else "all" if shared else "target",
        scale_embedding=written.get("scale_embedding", False),
        output_bias=written.get("output_bias", True),
        max_length=written.get("max_position_embeddings", 1024),
        vocab_size=vocab_size,
        target_vocab_size=written.get("decoder_vocab_size") or vocab_size,
        pad_id=written["pad_token_id"],
        eos_id=written["eos_token_id"],
        start_id=written["decoder_start_token_id"],
    )
