"""One recurrent layer over a sequence: the equations of its cells, and the kernels that compute them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

Cell = Literal["lstm", "gru", "rnn"]
State = tuple[Tensor, ...]
"""What a layer carries from token to token, each [rows, hidden]: (h, c) of an LSTM and (h,) of the others."""

GATES: dict[str, int] = {"lstm": 4, "gru": 3, "rnn": 1}
SHUT = 1e4  # added to a gate, leaves nothing of it


class Weights(NamedTuple):
    """The weights of a layer; the parts of its gates stand one after another, in the library's order.

    ``candidate`` is the bias that a GRU has inside its reset gate; other cells have none.
    """

    input: Float[Tensor, "gates dim"]
    bias: Float[Tensor, " gates"]
    hidden: Float[Tensor, "gates hidden"]
    candidate: Float[Tensor, " hidden"] | None


Kernel = Callable[[str, Weights, Tensor, State, Tensor | None], tuple[Tensor, State]]
"""Cell, weights, x [rows, token, dim], the state before and the lengths of the rows (None: all are full).

Gives h of every token and the state after each row's last. What it gives past a row's length is not defined.
"""

# --- the equations -----------------------------------------------------------------------------------------


def lstm(fed: Float[Tensor, "rows gates"], state: State, weights: Weights) -> State:
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with a forget gate (Gers et al. 2000).

    ::

        i, f, o = σ(W x + U h + b)      g = tanh(W x + U h + b)
        c' = f ∘ c + i ∘ g              h' = o ∘ tanh(c')

    ``fed`` is W x + b of all gates, in the order i, f, g, o.
    """
    h, c = state
    i, f, g, o = (fed + h @ weights.hidden.t()).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru(fed: Float[Tensor, "rows gates"], state: State, weights: Weights) -> State:
    """The gated recurrent unit (Cho et al. 2014), which resets after the product, as libraries do.

    ::

        r, z = σ(W x + U h + b)         n = tanh(W x + b + r ∘ (U h + b'))
        h' = (1 - z) ∘ n + z ∘ h

    ``fed`` is W x + b of all gates, in the order r, z, n.
    """
    (h,) = state
    r, z, n = fed.chunk(3, dim=-1)
    r_of_h, z_of_h, n_of_h = (h @ weights.hidden.t()).chunk(3, dim=-1)
    z = torch.sigmoid(z + z_of_h)
    inside = n_of_h if weights.candidate is None else n_of_h + weights.candidate
    n = torch.tanh(n + torch.sigmoid(r + r_of_h) * inside)
    return (n + z * (h - n),)


def rnn(fed: Float[Tensor, "rows hidden"], state: State, weights: Weights) -> State:
    """The simple recurrent network, h' = tanh(W x + U h + b) (Elman 1990)."""
    (h,) = state
    return (torch.tanh(fed + h @ weights.hidden.t()),)


STEPS: dict[str, Callable[[Tensor, State, Weights], State]] = {"lstm": lstm, "gru": gru, "rnn": rnn}

# --- kernels -----------------------------------------------------------------------------------------------


def explicit(
    cell: str,
    weights: Weights,
    x: Float[Tensor, "rows token dim"],
    state: State,
    lengths: Int[Tensor, " rows"] | None,
) -> tuple[Float[Tensor, "rows token hidden"], State]:
    """The equations, token after token."""
    step = STEPS[cell]
    fed = functional.linear(x, weights.input, weights.bias)
    states = [state]
    for one in fed.unbind(1):
        states.append(step(one, states[-1], weights))
    if len(states) == 1:
        return state[0].new_empty(*x.shape[:2], state[0].shape[-1]), state
    over = [torch.stack(parts, dim=1) for parts in zip(*states, strict=True)]
    return over[0][:, 1:], tuple(at(part, lengths) for part in over)


def at(
    over: Float[Tensor, "rows more hidden"], lengths: Int[Tensor, " rows"] | None
) -> Float[Tensor, "rows hidden"]:
    """The state after each row's last token, from the states before and after every token."""
    return over[:, -1] if lengths is None else over[torch.arange(len(over), device=over.device), lengths]


def fused(
    cell: str,
    weights: Weights,
    x: Float[Tensor, "rows token dim"],
    state: State,
    lengths: Int[Tensor, " rows"] | None,
) -> tuple[Float[Tensor, "rows token hidden"], State]:
    """The library's ``torch.lstm``, ``torch.gru`` and ``torch.rnn_tanh``.

    They give the state after the longest row alone. h after a shorter row stands in the output; an LSTM's c
    is held to the end by one number more of every input (``_holding``).
    """
    if not x.numel():
        return explicit(cell, weights, x, state, lengths)
    first = weights.input
    if lengths is not None and cell == "lstm":
        x, first = _holding(x, first, lengths)
    every = [first, weights.hidden, weights.bias, _hidden_bias(weights)]
    hx = [part[None].contiguous() for part in state]
    call = {"lstm": torch.lstm, "gru": torch.gru, "rnn": torch.rnn_tanh}[cell]
    back = torch.is_grad_enabled()  # without which a GPU's kernel keeps nothing for the way back
    out, *last = call(x, hx if cell == "lstm" else hx[0], every, True, 1, 0.0, back, False, True)  # type: ignore[operator]
    h, *others = (part[0] for part in last)
    if lengths is not None:
        h = at(torch.cat([state[0][:, None], out], dim=1), lengths)
    return out, (h, *others)


def _hidden_bias(weights: Weights) -> Tensor:
    """The library's second bias of every gate: zero, but for that inside a GRU's reset gate."""
    if weights.candidate is None:
        return torch.zeros_like(weights.bias)
    return torch.cat([weights.bias.new_zeros(2 * len(weights.candidate)), weights.candidate])


def _holding(x: Tensor, weight: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Input and weights with which a row past its length forgets nothing and takes nothing in.

    One more number, 1 past the end of a row, opens the forget gate and shuts the input gate for good: their
    sigmoids are then 1 and 0 exactly, so c stays as it is and so does its gradient.
    """
    over = torch.arange(x.shape[1], device=x.device) >= lengths[:, None]
    gates = weight.new_zeros(4, len(weight) // 4)
    gates[0], gates[1] = -SHUT, SHUT
    return torch.cat([x, over[..., None].to(x.dtype)], dim=2), torch.cat([weight, gates.view(-1, 1)], dim=1)


def fastest(
    cell: str,
    weights: Weights,
    x: Float[Tensor, "rows token dim"],
    state: State,
    lengths: Int[Tensor, " rows"] | None,
) -> tuple[Float[Tensor, "rows token hidden"], State]:
    """``explicit`` for a single token, ``fused`` for more."""
    return (fused if x.shape[1] > 1 else explicit)(cell, weights, x, state, lengths)


KERNELS: dict[str, Kernel] = {"fastest": fastest, "explicit": explicit, "fused": fused}
