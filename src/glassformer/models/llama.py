"""LLaMA (Touvron et al. 2023a) and the models built like it: Llama 2 and 3, Mistral, SmolLM and Qwen2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.models import llama_heads, llama_rotary
from glassformer.nn.activation import Activation, read_activation, write_activation
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.cache import Slot
from glassformer.nn.embedding import Output
from glassformer.nn.headed import Native
from glassformer.nn.init import begin_normal
from glassformer.nn.mask import Mask
from glassformer.nn.names import Names
from glassformer.nn.position import counted, fits
from glassformer.nn.rotary import Rotary, Scaling
from glassformer.nn.writing import Writing

STD = 0.02


class Config(Settings):
    """Sizes and choices. Several query heads share each of ``kv_heads`` (left out: each has its own).

    ``window`` lets a token look at so many last tokens only, itself among them (Jiang et al. 2023).
    ``theta`` and ``scaling`` are those of the rotary positions. ``attention_bias`` says which projections of
    attention have one: ``none``, ``qkv`` (Qwen2) or ``all``. ``tied``: reading and writing words is one
    matrix. ``also_ends`` are tokens that end an answer beside ``eos_id``. Sizes of 0 come from the tokenizer.
    """

    name: Literal["llama"] = "llama"
    dim: int = Field(default=256, gt=0)
    depth: int = Field(default=6, gt=0)
    heads: int = Field(default=8, gt=0)
    kv_heads: int | None = Field(default=None, gt=0)
    head_dim: int | None = Field(default=None, gt=0)
    mlp_dim: int = Field(default=688, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    attention_dropout: float = Field(default=0.0, ge=0, lt=1)
    activation: Activation = "silu"
    eps: float = Field(default=1e-5, gt=0)
    theta: float = Field(default=10000.0, gt=1)
    scaling: Scaling = Scaling()
    window: int | None = Field(default=None, gt=0)
    attention_bias: Literal["none", "qkv", "all"] = "none"
    mlp_bias: bool = False
    tied: bool = False
    max_length: int = Field(default=2048, gt=0)
    vocab_size: int = Field(default=0, ge=0)
    pad_id: int = Field(default=0, ge=0)
    eos_id: int = Field(default=2, ge=0)
    start_id: int = Field(default=1, ge=0)
    also_ends: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Config:
        if self.head_dim is None and self.dim % self.heads:
            raise ValueError(
                f"dim {self.dim} does not divide into {self.heads} heads; give head_dim or other heads"
            )
        if self.heads % self.keys:
            raise ValueError(f"{self.heads} heads cannot share {self.keys} kv_heads evenly")
        if self.width % 2:
            raise ValueError(f"rotary positions turn pairs, so head_dim must be even, not {self.width}")
        if self.scaling.kind == "dynamic" and self.width == 2:
            raise ValueError("dynamic scaling needs a head_dim larger than 2")
        return self

    @property
    def keys(self) -> int:
        """How many heads have keys and values of their own."""
        return self.kv_heads or self.heads

    @property
    def width(self) -> int:
        """Numbers in a head."""
        return self.head_dim or self.dim // self.heads


LLAMA_7B: dict[str, Any] = {"dim": 4096, "depth": 32, "heads": 32, "mlp_dim": 11008, "vocab_size": 32000}
LLAMA_65B = LLAMA_7B | {"dim": 8192, "depth": 80, "heads": 64, "mlp_dim": 22016}
SHARED = LLAMA_7B | {"kv_heads": 8, "mlp_dim": 14336}
LLAMA3: dict[str, Any] = {"theta": 500000.0, "vocab_size": 128256}
LONGER: dict[str, Any] = {"kind": "llama3", "factor": 32.0, "original_length": 8192}

PRESETS: dict[str, dict[str, Any]] = {
    # On a laptop; the stories are those of the llama2.c project.
    "stories-260k": {
        "dim": 64, "depth": 5, "heads": 8, "kv_heads": 4, "mlp_dim": 172, "tied": True, "max_length": 512,
    },
    "stories-15m": {"dim": 288, "depth": 6, "heads": 6, "mlp_dim": 768, "tied": True, "max_length": 256},
    "small": {
        "dim": 256, "depth": 6, "heads": 8, "kv_heads": 4, "mlp_dim": 688, "tied": True, "max_length": 512,
    },
    # Touvron et al. 2023a, Table 2.
    "llama-7b": LLAMA_7B | {"eps": 1e-6},
    "llama-13b": LLAMA_7B | {"dim": 5120, "depth": 40, "heads": 40, "mlp_dim": 13824, "eps": 1e-6},
    "llama-65b": LLAMA_65B,
    # Touvron et al. 2023b, Table 1.
    "llama2-7b": LLAMA_7B | {"max_length": 4096},
    "llama2-70b": LLAMA_65B | {"kv_heads": 8, "mlp_dim": 28672, "max_length": 4096},
    # Grattafiori et al. 2024, Table 3, and the small one of version 3.2 as published.
    "llama3-8b": SHARED | LLAMA3 | {"max_length": 8192},
    "llama3.2-1b": SHARED | LLAMA3 | {
        "dim": 2048, "depth": 16, "mlp_dim": 8192, "scaling": LONGER, "tied": True, "max_length": 131072,
    },
    # Jiang et al. 2023, Table 1.
    "mistral-7b": SHARED | {"window": 4096, "max_length": 32768},
    "smollm-135m": {
        "dim": 576, "depth": 30, "heads": 9, "kv_heads": 3, "mlp_dim": 1536, "tied": True,
        "vocab_size": 49152,
    },
}  # fmt: skip


class Model(nn.Module):
    """Writes on: abilities ``hidden`` (training) and ``start`` (decoding).

    ::

        tokens → embedding → blocks (rms norm, rotary positions, gated MLP) → norm → output → scores
    """

    abilities: ClassVar[tuple[str, ...]] = ("generates",)
    first: int = 0
    """The position of a text's first token; an adapter may have keys before it."""
    scoring: ClassVar[tuple[str, ...]] = ("output",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.table = nn.Embedding(config.vocab_size, config.dim)
        self.rotary = Rotary(config.width, config.max_length, theta=config.theta, scaling=config.scaling)
        self.blocks = _stack(config)
        self.norm = nn.RMSNorm(config.dim, eps=config.eps)
        tied: nn.Parameter = self.table.weight  # type: ignore[assignment]
        self.output = Output(tied if config.tied else nn.Parameter(torch.empty_like(tied)), bias=False)
        begin_normal(self, STD)

    def run(
        self,
        tokens: Int[Tensor, "rows token"],
        mask: Mask,
        positions: int | Int[Tensor, "#rows token"],
        slots: Sequence[Slot] | None = None,
    ) -> Float[Tensor, "rows token dim"]:
        """The last hidden state of every token, after all that ``slots`` remember (``nn.writing.Causal``)."""
        if isinstance(positions, int):
            positions = torch.arange(positions, positions + tokens.shape[1], device=tokens.device)[None]
        x = self.table(tokens)
        cos, sin = self.rotary(positions + self.first)
        rotary = cos.to(x.dtype), sin.to(x.dtype)
        for block, slot in zip(self.blocks, slots or repeat(None), strict=False):
            x = block(x, mask, cache=slot, rotary=rotary)
        return self.norm(x)

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows token dim"]:
        """The last hidden state of every token, for ``output``.

        Uses ``tokens`` of the batch and, where they are there, ``keep`` (False on padding, on either side)
        and ``documents`` (tokens see those of their own document alone). Raises UserError for a text that is
        longer than the model.
        """
        tokens, keep = batch["tokens"], batch.get("keep")
        longest, reach = tokens.shape[1], self.rotary.reach - self.first
        if keep is not None and longest > reach:
            longest = int(keep.sum(dim=1).max())
        fits(longest, reach)
        mask = Mask(causal=True, keep=keep, documents=batch.get("documents"))
        return self.run(tokens, mask, 0 if keep is None else counted(keep))

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
        held = None if fixed is None else fixed + self.first
        return Writing(self, tokens, keep, max_length=self.rotary.reach - self.first, fixed=held)


def _stack(config: Config) -> nn.ModuleList:
    block = BlockConfig(
        dim=config.dim,
        heads=config.heads,
        kv_heads=config.keys,
        head_dim=config.width,
        mlp_dim=config.mlp_dim,
        norm="pre",
        normalizer="rms",
        activation=config.activation,
        gated=True,
        bias=config.mlp_bias,
        attention_bias=config.attention_bias != "none",
        out_bias=config.attention_bias == "all",
        window=config.window,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        eps=config.eps,
    )
    return nn.ModuleList(Block(block) for _ in range(config.depth))


# --- files -------------------------------------------------------------------------------------------------

OWN_TYPE = "glassformer-llama"
MODEL_TYPES = ("llama", "mistral", "qwen2", OWN_TYPE)
CLASSES = {"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM"}

# What transformers takes where a config.json of this kind says nothing.
UNSAID: dict[str, dict[str, Any]] = {
    "llama": {"max_position_embeddings": 2048},
    "mistral": {"max_position_embeddings": 131072, "num_key_value_heads": 8, "sliding_window": 4096},
    "qwen2": {"max_position_embeddings": 32768, "num_key_value_heads": 32, "sliding_window": 4096},
    OWN_TYPE: {},
}

# What older files also hold: rotary rates, which are computed here.
IGNORED = ("model.layers.*.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq")


def names(config: Config) -> Names:  # noqa: ARG001 - every model is asked with its configuration
    """Every weight's name in memory and in a file; a file of the bare model lacks the prefix."""
    parts = [
        ("attention.q", "self_attn.q_proj"),
        ("attention.k", "self_attn.k_proj"),
        ("attention.v", "self_attn.v_proj"),
        ("attention.out", "self_attn.o_proj"),
        ("attention_norm", "input_layernorm"),
        ("mlp.gate", "mlp.gate_proj"),
        ("mlp.up", "mlp.up_proj"),
        ("mlp.down", "mlp.down_proj"),
        ("mlp_norm", "post_attention_layernorm"),
    ]
    pairs = [("table", "embed_tokens"), ("norm", "norm")]
    pairs += [(f"blocks.*.{memory}", f"layers.*.{file}") for memory, file in parts]
    both = [(memory, prefix + file) for prefix in ("model.", "") for memory, file in pairs]
    return Names([*both, ("output.weight", "lm_head.weight")], ignored=IGNORED)


def heads(config: Config) -> dict[str, Native]:
    """How the kind that writes this model's files builds a head for each ability; our own has none."""
    kind = _kind(config)
    return llama_heads.heads(kind, CLASSES[kind].removesuffix("ForCausalLM")) if kind in CLASSES else {}


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model, of the first kind that transformers computes so, or of our own."""
    kind = _kind(config)
    written: dict[str, Any] = {
        "architectures": [CLASSES.get(kind, "GlassformerLlama")],
        "model_type": kind,
        "hidden_size": config.dim,
        "num_hidden_layers": config.depth,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.keys,
        "head_dim": config.width,
        "intermediate_size": config.mlp_dim,
        "hidden_act": write_activation(config.activation),
        "rms_norm_eps": config.eps,
        "max_position_embeddings": config.max_length,
        "attention_dropout": config.attention_dropout,
        "hidden_dropout": config.dropout,  # ours; transformers has none here
        "initializer_range": STD,
        "tie_word_embeddings": config.tied,
        "vocab_size": config.vocab_size,
        "pad_token_id": config.pad_id,
        "bos_token_id": config.start_id,
        "eos_token_id": (config.eos_id, *config.also_ends) if config.also_ends else config.eos_id,
    }
    rotary = llama_rotary.write(config.theta, config.scaling, config.max_length)
    return written | _written_bias(kind, config) | _written_window(kind, config) | rotary


def _kind(config: Config) -> str:
    biased = config.attention_bias != "none" or config.mlp_bias
    if config.attention_bias == "qkv":
        return OWN_TYPE if config.mlp_bias else "qwen2"
    if config.window is None and config.dim % config.heads == 0:
        return "llama"
    return OWN_TYPE if biased else "mistral"


def _written_bias(kind: str, config: Config) -> dict[str, Any]:
    if kind == "llama":
        return {"attention_bias": config.attention_bias == "all", "mlp_bias": config.mlp_bias}
    if kind == OWN_TYPE:
        return {"attention_bias": config.attention_bias, "mlp_bias": config.mlp_bias}
    return {}


def _written_window(kind: str, config: Config) -> dict[str, Any]:
    if kind == "qwen2":
        windowed = config.window is not None
        return {"use_sliding_window": windowed, "sliding_window": config.window, "max_window_layers": 0}
    return {} if kind == "llama" else {"sliding_window": config.window}


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``.

    Raises UserError, naming the key, for what this model would compute otherwise.
    """
    kind = written["model_type"]
    said = UNSAID[kind] | dict(written)
    _refuse(said)
    theta, scaling = llama_rotary.read(said)
    return Config(
        dim=said["hidden_size"],
        depth=said["num_hidden_layers"],
        heads=said["num_attention_heads"],
        kv_heads=said.get("num_key_value_heads"),
        head_dim=said.get("head_dim"),
        mlp_dim=said["intermediate_size"],
        dropout=said.get("hidden_dropout", 0.0),
        attention_dropout=said.get("attention_dropout") or 0.0,
        activation=read_activation(said, "hidden_act", "silu"),
        eps=said.get("rms_norm_eps", 1e-6),
        theta=theta,
        scaling=scaling,
        window=_read_window(kind, said),
        **_read_bias(kind, said),
        tied=said.get("tie_word_embeddings", False),
        max_length=said["max_position_embeddings"],
        vocab_size=said["vocab_size"],
        **_read_marks(kind, said),
    )


def _refuse(said: Mapping[str, Any]) -> None:
    """What would be computed otherwise, by the key that asks for it."""
    if said.get("quantization_config"):
        raise UserError("config.json: quantization_config asks for quantized weights; take the plain folder")
    for name in said.get("architectures") or ():
        if not name.endswith((*llama_heads.KNOWN, "GlassformerLlama")):
            raise UserError(
                f"config.json: architectures names {name}, whose head is not known here; take a folder of "
                "the model that generates"
            )


def _read_bias(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    if kind == OWN_TYPE:
        return {"attention_bias": said["attention_bias"], "mlp_bias": said["mlp_bias"]}
    if kind == "llama":
        bias = "all" if said.get("attention_bias") else "none"
        return {"attention_bias": bias, "mlp_bias": bool(said.get("mlp_bias"))}
    return {"attention_bias": "qkv" if kind == "qwen2" else "none"}


def _read_window(kind: str, said: Mapping[str, Any]) -> int | None:
    """The window of all layers, which is how transformers reads each kind; Llama's has none."""
    window: int | None = None if kind == "llama" else said.get("sliding_window")
    if kind != "qwen2" or window is None:
        return window
    if not said.get("use_sliding_window"):
        return None
    depth, first = said["num_hidden_layers"], said.get("max_window_layers", 28)
    layers = said.get("layer_types") or ["sliding_attention"] * (depth - first)
    sliding = layers.count("sliding_attention")
    if sliding not in (0, depth):
        key = "layer_types" if said.get("layer_types") else "max_window_layers"
        raise UserError(
            f"config.json: {key} gives {sliding} of {depth} layers a window; here all layers have it or none"
        )
    return window if sliding else None


def _read_marks(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens that begin, end and fill texts; where a file names none, that which ends them serves."""
    ends = said.get("eos_token_id")
    end, *others = (ends or [2]) if isinstance(ends, list | tuple) else [2 if ends is None else ends]
    start = said.get("bos_token_id", None if kind == "qwen2" else 1)
    pad = said.get("pad_token_id")
    return {
        "start_id": end if start is None else start,
        "eos_id": end,
        "also_ends": tuple(others),
        "pad_id": end if pad is None or pad < 0 else pad,
    }
