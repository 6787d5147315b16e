"""Translation between two recurrences: one vector alone, or attention to all that the encoder read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.models.seq2seq_decoder import Decoder, Parts, Source
from glassformer.nn.align import Score, Window
from glassformer.nn.cell import Cell, State
from glassformer.nn.dropout import Dropout
from glassformer.nn.embedding import Output
from glassformer.nn.init import begin
from glassformer.nn.names import Names
from glassformer.nn.recurrent import Recurrence, Recurrent


class Config(Settings):
    """Sizes and choices; ``PRESETS`` has those of the papers. A ``hidden_dim`` of 0 is ``dim``.

    ``context``   ``first``: the encoder's last state begins the decoder (Sutskever et al. 2014). ``every``:
                  it is also read at every step (Cho et al. 2014).
    ``attention`` how states are compared, or ``none``; ``window`` and ``reach`` are those of ``nn.align``.
    ``looks``     ``before`` the recurrence moves, which then reads what was seen (Bahdanau et al. 2015), or
                  ``after``, which lets the whole target be learned at once (Luong et al. 2015).
    ``input_feeding``  every step reads the hidden state that the last word was chosen by (Luong et al. 2015).
    ``bidirectional``  the encoder reads both ways. ``reverse_source``: it reads the source from its end.
    ``sampling``  in training, the constant share of target words that are replaced by what the model itself
                  would have written there (Bengio et al. 2015); a ramp would have to know the step.
    ``share``     which of source embedding, target embedding and output are one matrix, as in the
                  Transformer: ``all`` (needs one vocabulary), ``target`` or ``none``.

    Nothing in the model has a table of places: ``max_length`` only bounds what is read and written.
    """

    name: Literal["seq2seq"] = "seq2seq"
    cell: Cell = "gru"
    dim: int = Field(default=256, gt=0)
    hidden_dim: int = Field(default=0, ge=0)
    depth: int = Field(default=1, gt=0)
    decoder_depth: int | None = Field(default=None, gt=0)
    context: Literal["first", "every"] = "first"
    attention: Literal["none"] | Score = "general"
    looks: Literal["before", "after"] = "after"
    window: Window = "global"
    reach: int = Field(default=10, gt=0)
    input_feeding: bool = False
    bidirectional: bool = True
    reverse_source: bool = False
    sampling: float = Field(default=0.0, ge=0, le=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    share: Literal["all", "target", "none"] = "all"
    output_bias: bool = False
    max_length: int = Field(default=512, gt=0)
    vocab_size: int = Field(default=0, ge=0)
    target_vocab_size: int = Field(default=0, ge=0)
    pad_id: int = 0
    eos_id: int = 2
    start_id: int = 1

    @model_validator(mode="after")
    def _fits(self) -> Config:
        if self.share == "all" and self.vocab_size != self.target_vocab_size:
            raise ValueError("share: all needs one vocabulary; use share: target or tokenizer.shared: true")
        if self.attention == "dot" and self.bidirectional:
            raise ValueError(
                "attention: dot compares states of one size, and those of a bidirectional encoder are twice "
                "as wide; use attention: general or bidirectional: false"
            )
        if self.attention == "none":
            asked = {
                "looks: before": self.looks == "before",
                f"window: {self.window}": self.window != "global",
                "input_feeding": self.input_feeding,
            }
            for name, holds in asked.items():
                if holds:
                    raise ValueError(f"{name} needs attention, and attention is none")
        # A saved configuration names the default too.
        if self.window == "global" and self.reach != type(self).model_fields["reach"].default:
            raise ValueError(
                f"reach: {self.reach} needs a window, and window is global; use monotonic or predictive"
            )
        return self


def _simple(**others: Any) -> dict[str, Any]:
    return {"attention": "none", "bidirectional": False} | others


PRESETS: dict[str, dict[str, Any]] = {
    # Sutskever et al. 2014, §3, at a size for one machine: deep LSTMs, the source from its end.
    "context": {
        "cell": "lstm",
        "depth": 2,
        "attention": "none",
        "bidirectional": False,
        "reverse_source": True,
    },
    # Cho et al. 2014, §2: one layer of gated units, the context read at every step.
    "context-every": _simple(cell="gru", context="every"),
    # Bahdanau et al. 2015, §3.
    "bahdanau": {"cell": "gru", "attention": "additive", "looks": "before"},
    # Luong et al. 2015, §3 and §4.1: their best, with local attention at a predicted place.
    "luong": {
        "cell": "lstm",
        "depth": 2,
        "attention": "general",
        "window": "predictive",
        "input_feeding": True,
        "bidirectional": False,
        "reverse_source": True,
    },
}


class Model(nn.Module):
    """Reads a source, writes a target: abilities ``hidden`` (training) and ``start`` (decoding).

    ::

        source → embedding → encoder ─┬─ last state → decoder's first, context
                                      └─ memory ───────────┐
        target → embedding ──────────────────────────→ decoder → output → scores of the next token
    """

    abilities: ClassVar[tuple[str, ...]] = ("translates",)
    aligned: ClassVar[Literal["read", "written"]] = "written"
    """A state looks for the word that it is about to write (``decode.align.links``)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        dim, hidden_dim = config.dim, config.hidden_dim or config.dim
        self.source = nn.Embedding(config.vocab_size, dim)
        one = config.share == "all"
        self.target = self.source if one else nn.Embedding(config.target_vocab_size, dim)
        self.dropout = Dropout(config.dropout)
        self.encoder = Recurrence(
            dim,
            hidden_dim,
            config.depth,
            config.cell,
            dropout=config.dropout,
            both=config.bidirectional,
        )
        self.decoder = Decoder(_parts(config, self.encoder.width))
        self.bridge = _bridge(config, hidden_dim)
        tied: nn.Parameter = self.target.weight  # type: ignore[assignment]
        own = config.share == "none"
        self.output = Output(nn.Parameter(torch.empty_like(tied)) if own else tied, bias=config.output_bias)
        begin(self, dim)
        for part in self.modules():
            if isinstance(part, Recurrent):
                part.begin()
        if own:
            nn.init.normal_(self.output.weight, std=dim**-0.5)

    def read(
        self, source: Int[Tensor, "rows source"], keep: Bool[Tensor, "rows source"]
    ) -> tuple[Source, list[State]]:
        """What the decoder looks at, and the states that its layers begin with."""
        backward = self.config.reverse_source
        if backward:
            source, keep = source.flip(1), keep.flip(1)
        memory, last = self.encoder(self._vectors(self.source, source), keep=keep)
        states = self._bridged(last)
        sight = None
        if self.decoder.cross is not None:
            # The memory is told in the order of the source, whichever way it was read.
            told = (memory.flip(1), keep.flip(1)) if backward else (memory, keep)
            sight = self.decoder.cross.see(*told)
        return Source(sight, states[-1][0] if self.config.context == "every" else None), states

    def hidden(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows target dim"]:
        """The last hidden state of every target position under teacher forcing, for ``output``.

        Uses ``source``, ``source_keep`` and ``target`` (which begins with the start token) of the batch.
        """
        source, states = self.read(batch["source"], batch["source_keep"])
        if self.training and self.config.sampling > 0:
            return self._sampled(batch["target"], source, states)
        run = self.decoder.unrolled if self.decoder.feeds_back else self.decoder.whole
        return run(self._vectors(self.target, batch["target"]), source, states)

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "rows target vocab"]:
        """Scores of every next token under teacher forcing."""
        return self.output(self.hidden(batch))

    def start(self, source: Int[Tensor, "rows source"], keep: Bool[Tensor, "rows source"]) -> Writing:
        """Read the sources and stand ready for the first target token."""
        return Writing(self, source, keep)

    def _vectors(self, table: nn.Embedding, tokens: Tensor) -> Tensor:
        # Rows begin with variance 1/dim, as scores want them; the recurrence wants numbers about one.
        found: Tensor = self.dropout(table(tokens) * self.config.dim**0.5)
        return found

    def _bridged(self, last: list[State]) -> list[State]:
        """The states of the encoder's layers for those of the decoder: the top one for the top one.

        Layers that a deeper decoder has more than the encoder begin as the encoder's lowest ended.
        """
        depth = self.config.decoder_depth or self.config.depth
        chosen = [last[max(0, len(last) - depth + place)] for place in range(depth)]
        if self.bridge is None:
            return chosen
        turns: list[Any] = list(self.bridge)
        return [
            tuple(torch.tanh(turn(part)) for turn, part in zip(several, state, strict=True))
            for several, state in zip(turns, chosen, strict=True)
        ]

    def _sampled(self, target: Tensor, source: Source, states: list[State]) -> Tensor:
        """Hidden states of targets whose words are, by chance, those that the model would have written."""
        own = torch.rand(target.shape, device=target.device) < self.config.sampling

        def following(place: int, hidden: Tensor) -> Tensor:
            tokens = target[:, place]
            if place:
                with torch.no_grad():
                    written = self.output(hidden).argmax(-1)
                tokens = torch.where(own[:, place], written, tokens)
            return self._vectors(self.target, tokens)

        return self.decoder.chosen(target.shape[1], following, source, states)


class Writing:
    """Translations being written, one a row: what decoding steps through (a ``decode.State``).

    Keys of the source are made once. Beams of one source share them, so reordering beams within a sentence
    moves only the states.
    """

    def __init__(self, model: Model, source: Tensor, keep: Tensor) -> None:
        self.model = model
        self.output = model.output
        self.source, states = model.read(source, keep)
        self.carried = model.decoder.begin(states)
        self.length = 0
        self.sources = torch.arange(source.shape[0], device=source.device)

    def step(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append one token to every row and give the scores of what may follow."""
        x = self.model._vectors(self.model.target, tokens)
        hidden, self.carried = self.model.decoder.step(x, self.source, self.carried, self.length)
        self.length += 1
        return self.output(hidden).float()

    def narrow(self, tokens: Int[Tensor, " chosen"]) -> None:
        """Give scores of these tokens only from now on, in this order."""
        self.output = self.model.output.only(tokens)

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        self.carried = self.carried.select(rows)
        sources = self.sources[rows]
        if not torch.equal(sources, self.sources):
            self.source, self.sources = self.source.select(rows), sources


def _parts(config: Config, memory_dim: int) -> Parts:
    return Parts(
        cell=config.cell,
        dim=config.dim,
        hidden_dim=config.hidden_dim or config.dim,
        depth=config.decoder_depth or config.depth,
        memory_dim=memory_dim,
        attention=config.attention,
        looks=config.looks,
        window=config.window,
        reach=config.reach,
        every=config.context == "every",
        input_feeding=config.input_feeding,
        dropout=config.dropout,
    )


def _bridge(config: Config, hidden_dim: int) -> nn.ModuleList | None:
    """From the two last states of a bidirectional encoder to one, for every part of every layer's state."""
    if not config.bidirectional:
        return None
    parts = 2 if config.cell == "lstm" else 1
    return nn.ModuleList(
        nn.ModuleList(nn.Linear(2 * hidden_dim, hidden_dim) for _ in range(parts))
        for _ in range(config.decoder_depth or config.depth)
    )


# --- files -------------------------------------------------------------------------------------------------

MODEL_TYPES = ("glassformer-seq2seq",)
_SAME = (
    *("cell", "dim", "depth", "decoder_depth", "context", "attention", "looks", "window", "reach"),
    *("input_feeding", "bidirectional", "reverse_source", "sampling", "dropout", "share", "output_bias"),
)


def names(config: Config) -> Names:  # noqa: ARG001 - every configuration has the same names
    """Every weight is called in files as it is in memory: no other program has this model."""
    parts = ("source", "target", "encoder", "bridge", "decoder", "output")
    return Names([(part, part) for part in parts])


def write(config: Config) -> dict[str, Any]:
    """The ``config.json`` of this model: a type of our own, ids and lengths under Hugging Face's names."""
    return {
        "architectures": ["GlassformerSeq2Seq"],
        "model_type": MODEL_TYPES[0],
        "is_encoder_decoder": True,
        **{name: getattr(config, name) for name in _SAME},
        "hidden_dim": config.hidden_dim or config.dim,
        "tie_word_embeddings": config.share != "none",
        "max_position_embeddings": config.max_length,
        "vocab_size": config.vocab_size,
        "decoder_vocab_size": config.target_vocab_size,
        "pad_token_id": config.pad_id,
        "eos_token_id": config.eos_id,
        "bos_token_id": config.start_id,
        "decoder_start_token_id": config.start_id,
    }


def read(written: Mapping[str, Any]) -> Config:
    """The configuration in a ``config.json``."""
    return Config(
        **{name: written[name] for name in _SAME},
        hidden_dim=written["hidden_dim"],
        max_length=written["max_position_embeddings"],
        vocab_size=written["vocab_size"],
        target_vocab_size=written["decoder_vocab_size"],
        pad_id=written["pad_token_id"],
        eos_id=written["eos_token_id"],
        start_id=written["decoder_start_token_id"],
    )
