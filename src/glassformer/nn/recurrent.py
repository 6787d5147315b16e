"""Recurrent layers: one, and stacks of them in one direction or both, over rows with padding or documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from glassformer.nn.cell import GATES, Cell, Kernel, State, Weights, fastest
from glassformer.nn.dropout import Dropout


class Recurrent(nn.Module):
    """One layer in one direction: an LSTM, a GRU or a simple RNN (``nn.cell`` has the equations).

    Every gate has one bias; the library's second would add the same numbers again. A GRU has one more,
    ``candidate``, inside its reset gate. ``kernel`` may be swapped, as that of attention.

    >>> out, (h, c) = Recurrent(8, 16, "lstm")(torch.zeros(2, 5, 8))
    >>> out.shape, h.shape, c.shape
    (torch.Size([2, 5, 16]), torch.Size([2, 16]), torch.Size([2, 16]))
    """

    def __init__(self, dim: int, hidden_dim: int, cell: Cell = "lstm") -> None:
        super().__init__()
        self.cell, self.hidden_dim = cell, hidden_dim
        self.input = nn.Linear(dim, GATES[cell] * hidden_dim)
        self.hidden = nn.Linear(hidden_dim, GATES[cell] * hidden_dim, bias=False)
        self.candidate = nn.Parameter(torch.zeros(hidden_dim)) if cell == "gru" else None
        self.kernel: Kernel = fastest
        self.begin()

    def begin(self) -> None:
        """First weights, gate by gate: Xavier-uniform of the input, orthogonal of the state, biases zero.

        The forget gate's bias is one, so that an LSTM begins by remembering (Gers et al. 2000; Jozefowicz
        et al. 2015). (Glorot & Bengio 2010; Saxe et al. 2014)
        """
        with torch.no_grad():
            nn.init.zeros_(self.input.bias)
            if self.cell == "lstm":
                self.input.bias[self.hidden_dim : 2 * self.hidden_dim].fill_(1.0)
            if self.candidate is not None:
                nn.init.zeros_(self.candidate)
            for gate in torch.split(self.input.weight, self.hidden_dim):
                nn.init.xavier_uniform_(gate)
            for gate in torch.split(self.hidden.weight, self.hidden_dim):
                nn.init.orthogonal_(gate)

    def zeros(self, x: Float[Tensor, "rows token dim"]) -> State:
        """The state before the first token of every row of ``x``."""
        blank = x.new_zeros(x.shape[0], self.hidden_dim)
        return (blank, blank) if self.cell == "lstm" else (blank,)

    def forward(
        self,
        x: Float[Tensor, "rows token dim"],
        state: State | None = None,
        lengths: Int[Tensor, " rows"] | None = None,
    ) -> tuple[Float[Tensor, "rows token hidden"], State]:
        """h after every token, and the state after the last of each row.

        Rows have ``lengths`` tokens (all of them without), and none may have none. What is given past a row's
        length is not defined.
        """
        weights = Weights(self.input.weight, self.input.bias, self.hidden.weight, self.candidate)
        return self.kernel(self.cell, weights, x, self.zeros(x) if state is None else state, lengths)


class Recurrence(nn.Module):
    """Layers one upon another, with dropout between them; with ``both`` each reads in both directions.

    ::

        tokens → layer → dropout → layer → … → out [rows, token, width]

    ``width`` is hidden_dim, or twice that with ``both``, forward before backward, of the outputs and of every
    part of the state (Schuster & Paliwal 1997).

    A state is a tuple for every layer, (h, c) of an LSTM and (h,) of others, each [rows, width].
    """

    def __init__(
        self,
        dim: int,
        hidden_dim: int,
        depth: int = 1,
        cell: Cell = "lstm",
        *,
        dropout: float = 0.0,
        both: bool = False,
    ) -> None:
        super().__init__()
        self.hidden_dim, self.both = hidden_dim, both
        self.width = 2 * hidden_dim if both else hidden_dim
        sizes = [dim] + [self.width] * (depth - 1)
        self.layers = nn.ModuleList(Recurrent(size, hidden_dim, cell) for size in sizes)
        self.back = nn.ModuleList(Recurrent(size, hidden_dim, cell) for size in sizes if both)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "rows token dim"],
        state: Sequence[State] | None = None,
        *,
        keep: Bool[Tensor, "rows token"] | None = None,
        documents: Int[Tensor, "rows token"] | None = None,
    ) -> tuple[Float[Tensor, "rows token width"], list[State]]:
        """The last layer's h after every token, and the state of every layer after each row's last token.

        ``keep`` is False on padding, wherever it stands: it is passed over, and given zeros. ``documents``
        numbers the document of each token; each begins anew, the first of a row with ``state``.
        """
        layout = _layout(x, keep, documents)
        if layout is None:
            return self._run(x, state, None)
        begun = None if state is None else [tuple(map(layout.begin, parts)) for parts in state]
        out, after = self._run(layout.cut(x), begun, layout.lengths)
        return layout.join(out), [tuple(part[layout.last] for part in parts) for parts in after]

    def each(
        self,
        x: Float[Tensor, "rows token dim"],
        *,
        keep: Bool[Tensor, "rows token"] | None = None,
        documents: Int[Tensor, "rows token"] | None = None,
    ) -> list[Float[Tensor, "rows token width"]]:
        """What every layer gives, the lowest first."""
        layout = _layout(x, keep, documents)
        if layout is None:
            return self._outputs(x, None, None)[0]
        return [layout.join(out) for out in self._outputs(layout.cut(x), None, layout.lengths)[0]]

    def _run(
        self, x: Tensor, state: Sequence[State] | None, lengths: Tensor | None
    ) -> tuple[Tensor, list[State]]:
        outputs, after = self._outputs(x, state, lengths)
        return outputs[-1], after

    def _outputs(
        self, x: Tensor, state: Sequence[State] | None, lengths: Tensor | None
    ) -> tuple[list[Tensor], list[State]]:
        outputs: list[Tensor] = []
        after: list[State] = []
        for place in range(len(self.layers)):
            x, last = self._layer(place, x, None if state is None else state[place], lengths)
            outputs.append(x)
            after.append(last)
            x = self.dropout(x)
        return outputs, after

    def _layer(
        self, place: int, x: Tensor, state: State | None, lengths: Tensor | None
    ) -> tuple[Tensor, State]:
        onward = self.layers[place]
        if not self.both:
            found: tuple[Tensor, State] = onward(x, state, lengths)
            return found
        first, second = (None, None) if state is None else _halves(state, self.hidden_dim)
        out, last = onward(x, first, lengths)
        back, begin = self.back[place](reverse(x, lengths), second, lengths)
        ends = (torch.cat(pair, dim=-1) for pair in zip(last, begin, strict=True))
        return torch.cat([out, reverse(back, lengths)], dim=-1), tuple(ends)


def _halves(state: State, width: int) -> tuple[State, State]:
    return tuple(part[:, :width] for part in state), tuple(part[:, width:] for part in state)


def reverse(
    x: Float[Tensor, "rows token dim"], lengths: Int[Tensor, " rows"] | None = None
) -> Float[Tensor, "rows token dim"]:
    """Each row from its end; what stands past its length stays where it is."""
    if lengths is None:
        return x.flip(1)
    place = torch.arange(x.shape[1], device=x.device)
    order = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
    return x.take_along_dim(order[..., None], dim=1)


# --- rows with padding and documents -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    """How rows with gaps are cut into stretches that each fill a row of their own from its left.

    ::

        . . a b c      a b c        d e | f . g      d e
        (padding)                   (documents)      f g

    ``home`` is where each kept token goes among the cells of the stretches, ``from_`` where it stood among
    those of the rows. Every row has a stretch, be it of no token: ``first`` and ``last`` are those of a row.
    """

    shape: tuple[int, int]
    lengths: Int[Tensor, " stretches"]
    first: Int[Tensor, " rows"]
    last: Int[Tensor, " rows"]
    home: Int[Tensor, " kept"]
    from_: Int[Tensor, " kept"]
    widest: int

    def cut(self, x: Tensor) -> Tensor:
        """The stretches, filled up with zeros."""
        kept = x.flatten(0, 1).index_select(0, self.from_)
        cells = x.new_zeros(len(self.lengths) * self.widest, x.shape[-1])
        return cells.index_copy(0, self.home, kept).view(len(self.lengths), self.widest, x.shape[-1])

    def join(self, x: Tensor) -> Tensor:
        """The rows again; zeros where padding stands."""
        kept = x.flatten(0, 1).index_select(0, self.home)
        cells = x.new_zeros(self.shape[0] * self.shape[1], x.shape[-1])
        return cells.index_copy(0, self.from_, kept).view(*self.shape, x.shape[-1])

    def begin(self, part: Tensor) -> Tensor:
        """A row's state for its first stretch, zeros for the others."""
        return part.new_zeros(len(self.lengths), part.shape[1]).index_copy(0, self.first, part)


def _layout(x: Tensor, keep: Tensor | None, documents: Tensor | None) -> _Layout | None:
    """None where the rows may be run as they stand."""
    padded = keep is not None and not bool(keep.all())
    if not x.shape[1] or (not padded and documents is None):
        return None
    rows, width = x.shape[:2]
    kept = keep if keep is not None else torch.ones(rows, width, dtype=torch.bool, device=x.device)
    return _stretches(kept, documents)


def _stretches(keep: Tensor, documents: Tensor | None) -> _Layout:
    rows, width = keep.shape
    # A stretch begins at a row's first cell, and at a kept token of another document than the last kept one.
    begins = torch.zeros_like(keep)
    begins[:, 0] = True
    if documents is not None:
        begins[:, 1:] |= _changes(documents, keep)[:, 1:]
    stretch = begins.flatten().long().cumsum(0) - 1
    from_ = keep.flatten().nonzero()[:, 0]
    of = stretch[from_]
    count = int(stretch[-1]) + 1
    lengths = torch.zeros(count, dtype=torch.long, device=keep.device)
    lengths = lengths.index_add(0, of, torch.ones_like(of))
    widest = max(1, int(lengths.max()))
    within = torch.arange(len(of), device=keep.device) - (lengths.cumsum(0) - lengths)[of]
    ends = stretch.view(rows, width)
    return _Layout((rows, width), lengths, ends[:, 0], ends[:, -1], of * widest + within, from_, widest)


def _changes(documents: Tensor, keep: Tensor) -> Tensor:
    """Where a kept token is of another document than the kept token before it in its row."""
    place = torch.arange(keep.shape[1], device=keep.device)
    latest = torch.where(keep, place, -1).cummax(dim=1).values
    before = torch.cat([torch.full_like(latest[:, :1], -1), latest[:, :-1]], dim=1)
    other = documents.gather(1, before.clamp(min=0)) != documents
    return keep & (before >= 0) & other
