"""How much memory a model needs, in training and in use: counted from shapes, or felt out without weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

from glassformer.nn.cache import Slot
from glassformer.nn.cross_entropy import CHUNK
from glassformer.train.descent import optimizer
from glassformer.train.optim import ALIGN, OptimConfig

THOUSAND = 1000
FAKE = FakeTensorMode()


@dataclass(frozen=True)
class Batch:
    """How many rows of how many tokens a step computes with; of images only the rows are asked for."""

    rows: int
    length: int


@dataclass(frozen=True)
class Memory:
    """Bytes.

    ``training`` are the parts that stay from step to step, by what they are: the weights the model computes
    with, float32 masters where those are bfloat16, gradients, and each moment of the optimiser, exactly as
    ``train.optim.Optimizer`` lays them out. ``activations`` is what one batch adds: everything that the
    backward pass needs of the forward pass, kept at the same time, and the scores and gradients of the loss;
    None where the model cannot be felt out. ``weights`` are those in use, by type; ``cache`` is what
    decoding remembers of a thousand tokens (of the source and of the target, in translation), in float32, and
    ``state`` what it remembers of any text; both None for a model that does not decode.
    """

    dtype: str
    optimizer: str
    batch: Batch
    training: Mapping[str, int]
    activations: int | None
    weights: Mapping[str, int]
    cache: int | None
    state: int | None

    @property
    def total(self) -> int:
        """What training needs at once, without the program itself and the data."""
        return sum(self.training.values()) + (self.activations or 0)

    def lines(self) -> list[str]:
        """What people are told."""
        parts = [f"{name} {_said(size)}" for name, size in self.training.items()]
        rows, length = self.batch.rows, self.batch.length
        batch = f"{rows:,} row{'' if rows == 1 else 's'}" + (f" of {length:,} tokens" if length > 1 else "")
        if self.activations is None:
            told = [
                f"training: {_said(self.total)} and activations, which cannot be estimated for this model"
            ]
        else:
            parts.append(f"activations about {_said(self.activations)}")
            told = [
                f"training: about {_said(self.total)} ({self.optimizer}, {self.dtype}, batches of {batch})"
            ]
        told.append(f"  {', '.join(parts)}")
        told.append("in use: " + ", ".join(f"{_said(size)} in {name}" for name, size in self.weights.items()))
        if self.cache:
            told.append(
                f"  and {_said(self.cache)} for every thousand tokens of a text (float32; half in bfloat16)"
            )
        if self.state:
            told.append(f"  and {_said(self.state)} for every text, whatever its length (float32)")
        return told

    def as_json(self) -> dict[str, Any]:
        """The figures for machines, in bytes."""
        batch = {"rows": self.batch.rows, "tokens": self.batch.length}
        training = {**self.training, "activations": self.activations, "total": self.total}
        use = {"weights": dict(self.weights), "cache_per_1000_tokens": self.cache, "state": self.state}
        about = {"precision": self.dtype, "optimizer": self.optimizer, "batch": batch}
        return {"training": {**about, **training}, "use": use}


def memory(model: nn.Module, optim: OptimConfig, batch: Batch, *, bfloat16: bool) -> Memory:
    """What ``model``, which may be on the meta device, needs when it is trained on batches of this size.

    Activations are felt out by running the model on tensors that have shapes, types and a device but no
    numbers (PyTorch's fake tensors), on a processor and with dropout, and adding up what autograd keeps. The
    loss keeps none of its scores (``nn.cross_entropy``): a chunk of them and the gradient of the output's
    matrix are added. What the allocator rounds up, what the backward pass holds for a moment, and what a
    compiler saves is not in it: the peak of a real step was 1.05 to 1.19 times this (docs/parameters.md).
    """
    parts = held(model, optim, bfloat16=bfloat16)
    low = torch.bfloat16 if bfloat16 else torch.float32
    cache, state = _remembered(model)
    numbers = sum(weight.numel() for weight in {id(p): p for p in model.parameters()}.values())
    return Memory(
        dtype="bfloat16" if bfloat16 else "float32",
        optimizer=optim.name,
        batch=batch,
        training=parts,
        activations=_activations(model, batch, low),
        weights={"float32": 4 * numbers, "bfloat16": 2 * numbers},
        cache=cache,
        state=state,
    )


def _said(size: int) -> str:
    """Bytes as people say them, in powers of 1024."""
    power = min(3, int(math.log(max(size, 1), 1024)))
    value, unit = size / 1024**power, ("bytes", "KiB", "MiB", "GiB")[power]
    return f"{value:,.0f} {unit}" if value >= 100 or not power else f"{value:.3g} {unit}"


# --- what stays --------------------------------------------------------------------------------------------


def held(model: nn.Module, optim: OptimConfig, *, bfloat16: bool) -> dict[str, int]:
    """The bytes of each part that training keeps from step to step, by name.

    How many buffers there are and of what type is read off a real optimiser over one small weight, so that
    it is what training really does; their length is that of all parameters, each on a line of the cache.
    """
    probe = optimizer(nn.Linear(ALIGN, ALIGN, bias=False), optim, bfloat16=bfloat16)
    low = probe.master if probe.low is None else probe.low
    # Where gradients stay as they come they are of the weights' type, and at most as many.
    buffers: dict[str, Tensor | None] = {
        "gradients": probe.gradient if probe.dense else low,
        **probe.moments,
    }
    if probe.low is None:
        buffers["weights"] = probe.master
    else:
        buffers = {
            "weights": probe.low,
            "masters": probe.master,
            "low gradients": probe.low_gradient,
        } | buffers
    size = sum(-(-p.numel() // ALIGN) * ALIGN for p in model.parameters() if p.requires_grad)
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    found = {name: size * flat.element_size() for name, flat in buffers.items() if flat is not None}
    # Of what does not learn, training in bfloat16 keeps the rounded and the unrounded values.
    return found | ({"frozen": frozen * (6 if bfloat16 else 4)} if frozen else {})


# --- what a batch adds -------------------------------------------------------------------------------------


def _activations(model: nn.Module, batch: Batch, dtype: torch.dtype) -> int | None:
    """What autograd keeps of a batch and what the loss adds; None where running it needs numbers."""
    try:
        faked = _faked(model, dtype).train()
        with FAKE, _Full():
            kept = _kept(faked, _inputs(faked, batch))
    except UNKNOWABLE:
        return None
    return kept + _of_loss(model, batch, dtype)


class _Full(TorchFunctionMode):
    """Models ask whether rows are full, to spare themselves what padding costs; these are."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return True if func is Tensor.__bool__ else func(*args, **(kwargs or {}))


# Of running a model on tensors without numbers: an operation asks for one, or the model reads other names.
UNKNOWABLE = (RuntimeError, KeyError, AttributeError, TypeError, ValueError)


def _faked(model: nn.Module, dtype: torch.dtype) -> Any:
    """The model with weights of this type that have no numbers, what is tied staying tied."""
    faked = copy.deepcopy(model).to("meta")
    made: dict[int, Any] = {}
    for part in faked.modules():
        for places in (part._parameters, part._buffers):
            for name, tensor in places.items():
                if tensor is None:
                    continue
                kind = dtype if tensor.is_floating_point() and places is part._parameters else tensor.dtype
                with FAKE:
                    blank = torch.empty(tensor.shape, dtype=kind)
                    fresh = nn.Parameter(blank, tensor.requires_grad) if places is part._parameters else blank
                places[name] = made.setdefault(id(tensor), fresh)
    return faked


def _inputs(model: Any, batch: Batch) -> dict[str, Tensor]:
    tokens = torch.zeros((batch.rows, batch.length), dtype=torch.long)
    if "sees" in model.abilities:
        return {"images": torch.zeros((batch.rows, model.config.channels, *model.config.size))}
    keep = torch.ones((batch.rows, batch.length), dtype=torch.bool)
    return {"tokens": tokens, "source": tokens, "target": tokens.clone(), "source_keep": keep}


def _kept(model: Any, inputs: dict[str, Tensor]) -> int:
    """Bytes of all storages that the backward pass of ``hidden`` needs, each once, weights left out."""
    weights = {weight.untyped_storage()._cdata for weight in model.parameters()}
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            found[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = model.hidden(inputs)
    del result
    return sum(found.values())


def _of_loss(model: Any, batch: Batch, dtype: torch.dtype) -> int:
    """What the cross-entropy over a vocabulary holds at once, which autograd does not see."""
    output = getattr(model, "output", None)
    weight = getattr(output, "weight", None)
    if isinstance(output, nn.Embedding) or not isinstance(weight, Tensor):
        return 0  # no head that scores every word, or none at all
    (words, dim), size = weight.shape, dtype.itemsize
    answers = batch.rows * (1 if "sees" in model.abilities else batch.length)
    scores = min(max(1, CHUNK // words), answers) * words
    # Scores and their slopes; the gradients of the hidden states, and of the matrix summed and then scaled.
    return 2 * scores * size + answers * dim * size + 2 * words * dim * 4


# --- what decoding remembers -------------------------------------------------------------------------------


def _remembered(model: nn.Module) -> tuple[int | None, int | None]:
    """Bytes that decoding remembers of a thousand tokens in float32, and whatever the length of the text."""
    if not hasattr(model, "start"):
        return None, None
    try:
        faked = _faked(model, torch.float32).eval()
        with FAKE, _Full(), torch.no_grad():
            short, long = (_state(faked, tokens) for tokens in (2, 4))
    except UNKNOWABLE:
        return None, None
    each = (long - short) // 2
    return THOUSAND * each, short - 2 * each


def _state(model: Any, length: int) -> int:
    """The bytes of what a state holds that has read, and written where it translates, so many tokens."""
    tokens = torch.zeros((1, length), dtype=torch.long)
    if "translates" not in model.abilities:
        return _bytes(model.start(tokens))
    state = model.start(tokens, torch.ones_like(tokens, dtype=torch.bool))
    for _ in range(length):
        state.step(tokens[:, 0])
    return _bytes(state)


def _bytes(thing: Any) -> int:
    """The numbers with a fraction that can be reached from here, but for a model's own.

    Of a cache what it holds: the room that it keeps free depends on how it grew.
    """
    seen: dict[int, Any] = {}
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, nn.Module | str | bytes | type):
            continue
        seen[id(one)] = one
        if isinstance(one, Slot):
            waiting += one.held()
        elif isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list | tuple | set):
            waiting += one
        elif not isinstance(one, Tensor):
            waiting += [getattr(one, name) for name in _attributes(one)]
    tensors = [one for one in seen.values() if isinstance(one, Tensor) and one.is_floating_point()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _attributes(thing: Any) -> list[str]:
    """The names of what an object of ours holds."""
    if not type(thing).__module__.startswith(__package__.partition(".")[0]):
        return []
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return [name for name in (*getattr(thing, "__dict__", ()), *slots) if hasattr(thing, name)]
