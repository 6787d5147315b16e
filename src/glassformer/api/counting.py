"""The arithmetic of a model's parameters, layer by layer, from their shapes; no weight is ever allocated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from glassformer.api.memory import Memory, memory
from glassformer.api.outline import outline
from glassformer.base import machine, report
from glassformer.nn.cell import GATES
from glassformer.nn.position import Positions
from glassformer.nn.prefix import Prefixes
from glassformer.nn.recurrent import Recurrent

TERMS = 8  # a sum of more terms is shown by its value alone
TIMES = " × "


@dataclass(frozen=True)
class Row:
    """One parameter: where it is, the kind of part it belongs to, its shape and the factors of its size.

    ``tied`` is the name of the parameter that it is the same as, which alone is counted. ``embedding`` says
    that its rows are looked up and never multiplied. ``learns`` is False for what training leaves as it is.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    factors: tuple[int, ...]
    tied: str | None = None
    embedding: bool = False
    learns: bool = True

    @property
    def formula(self) -> str:
        """``100 × 128``, or the name of what it is tied to."""
        return f"= {self.tied}" if self.tied else TIMES.join(f"{factor:,}" for factor in self.factors)

    @property
    def parameters(self) -> int:
        """How many numbers it adds to the model: none if they are counted elsewhere."""
        return 0 if self.tied else math.prod(self.shape)

    def as_json(self) -> dict[str, Any]:
        """The row for machines."""
        told: dict[str, Any] = {"name": self.name, "kind": self.kind, "shape": list(self.shape)}
        told |= {"formula": self.formula, "learns": self.learns}
        return told | {"parameters": self.parameters, "tied_to": self.tied, "embedding": self.embedding}


@dataclass(frozen=True)
class Line:
    """A line of the table: a row, or the head of a layer or of several that are alike.

    ``learned`` are those of its parameters that training changes.
    """

    depth: int
    name: str
    kind: str
    shape: str
    formula: str
    parameters: int
    learned: int


@dataclass(frozen=True)
class Counted:
    """A counted model: its parameters in order, what is assumed in the place of data, and the memory."""

    name: str
    rows: tuple[Row, ...]
    folded: tuple[Line, ...]
    assumed: tuple[str, ...]
    memory: Memory

    @property
    def parameters(self) -> int:
        """All of them, each tied one once."""
        return sum(row.parameters for row in self.rows)

    @property
    def embeddings(self) -> int:
        """Those of tables whose rows are looked up: of tokens, places and segments."""
        return sum(row.parameters for row in self.rows if row.embedding)

    @property
    def learned(self) -> int:
        """Those that training changes."""
        return sum(row.parameters for row in self.rows if row.learns)

    def as_json(self) -> dict[str, Any]:
        """Everything for machines; memory in bytes."""
        return {
            "name": self.name,
            "parameters": self.parameters,
            "embeddings": self.embeddings,
            "without_embeddings": self.parameters - self.embeddings,
            "learned": self.learned,
            "frozen": self.parameters - self.learned,
            "assumed": list(self.assumed),
            "rows": [row.as_json() for row in self.rows],
            "memory": self.memory.as_json(),
        }

    def table(self, *, layers: bool = False) -> str:
        """The table as people read it: layers that are alike as one, or each of them with ``layers``.

        Where not all of the model learns, the last column is the share that does.
        """
        lines = [_line(row) for row in self.rows] if layers else list(self.folded)
        figures = [f"{line.parameters:,}" for line in lines]
        width = max(map(len, [*figures, "parameters"]))
        cells: list[tuple[str, ...]] = [
            ("  " * line.depth + line.name, line.kind, line.shape, line.formula, figure.rjust(width))
            for line, figure in zip(lines, figures, strict=True)
        ]
        head = ["part", "kind", "shape", "formula", "parameters".rjust(width)]
        if self.learned != self.parameters:
            shares = ["" if not line.parameters else _share(line.learned, line.parameters) for line in lines]
            wide = max(map(len, [*shares, "learns"]))
            head.append("learns".rjust(wide))
            cells = [(*cell, share.rjust(wide)) for cell, share in zip(cells, shares, strict=True)]
        return report.table(head, cells)

    def sums(self) -> list[str]:
        """The totals with and without embeddings, as sums where the terms are few."""
        parts = [row for row in self.rows if not row.tied]
        inner, tables = ([row for row in parts if row.embedding == kind] for kind in (False, True))
        told = [f"without embeddings: {_sum([row.parameters for row in inner])}"]
        if tables:
            both = [*(row.parameters for row in tables), self.parameters - self.embeddings]
            told.append(f"with embeddings:    {_sum(both)}")
        if self.learned != self.parameters:
            share = _share(self.learned, self.parameters)
            told.append(f"learned: {self.learned:,} ({share}), frozen: {self.parameters - self.learned:,}")
        return told


def count_parameters(what: str | Path, settings: Sequence[str] = ()) -> Counted:
    """The parameters and the memory of a model that is not made: of a recipe, a model folder, or settings.

    ``what`` is the path or the name of a recipe, over which ``settings`` (``a.b=c``) are laid; a folder,
    where they are laid over its recipe; or a setting itself, as in ``model=gpt``, ``model.preset=gpt2``,
    ``model.vocab_size=50257``. No data is read but for its sizes. Raises UserError.
    """
    asked = outline(what, settings)
    model = asked.model
    low = machine.precision(asked.train.precision, machine.look()) == "bfloat16"
    rows = rows_of(model)
    needed = memory(model, asked.optim, asked.batch, bfloat16=low)
    return Counted(model.config.name, rows, folded(model), asked.assumed, needed)


def _share(part: int, whole: int) -> str:
    """A share in percent, to three digits.

    >>> _share(1, 3), _share(0, 3), _share(3, 3)
    ('33.3 %', '0 %', '100 %')
    """
    return f"{100 * part / whole:.3g} %"


def _sum(terms: Sequence[int]) -> str:
    total = f"{sum(terms):,}"
    few = 1 < len(terms) <= TERMS
    return f"{' + '.join(f'{term:,}' for term in terms)} = {total}" if few else total


# --- rows --------------------------------------------------------------------------------------------------


def rows_of(model: nn.Module) -> tuple[Row, ...]:
    """Every parameter of a model in order, under each name it has; the first name is where it is counted.

    >>> [row.formula for row in rows_of(nn.Linear(100, 128))]
    ['100 × 128', '128']
    """
    parts = dict(model.named_modules(remove_duplicate=False))
    first: dict[int, Row] = {}
    rows = []
    for name, parameter in model.named_parameters(remove_duplicate=False):
        place = name.rpartition(".")[0]
        owner, around = parts[place], parts[place.rpartition(".")[0]]
        before = first.get(id(parameter))
        row = Row(
            name,
            type(owner).__name__,
            tuple(parameter.shape),
            _factors(owner, parameter, gates=_gates(around)),
            None if before is None else before.name,
            _looked_up(owner, parameter),
            parameter.requires_grad,
        )
        first.setdefault(id(parameter), row)
        rows.append(row)
    return tuple(rows)


def _looked_up(owner: nn.Module, parameter: Tensor) -> bool:
    """Whether this is a table of vectors: one of the modules for it, or what stands beside parts.

    A matrix that is multiplied has a module of its own, which an adapter may put narrower ones into.
    """
    apart = next(owner.children(), None) is not None and not isinstance(owner, nn.Linear)
    return isinstance(owner, nn.Embedding | Positions | Prefixes) or (apart and parameter.ndim == 2)


def _factors(owner: nn.Module, parameter: Tensor, *, gates: int = 1) -> tuple[int, ...]:
    """The sizes whose product is that of the parameter: inputs before outputs, a table's rows first."""
    if _looked_up(owner, parameter) or not parameter.ndim:
        return tuple(parameter.shape) or (1,)
    outputs, *inputs = parameter.shape
    return (*inputs, gates, outputs // gates) if gates > 1 else (*inputs, outputs)


def _gates(part: nn.Module) -> int:
    """How many matrices of a cell lie in one."""
    return GATES[part.cell] if isinstance(part, Recurrent) else 1


# --- layers that are alike ---------------------------------------------------------------------------------


def _line(row: Row, name: str | None = None, depth: int = 0) -> Line:
    shape = TIMES.join(map(str, row.shape))
    learned = row.parameters if row.learns else 0
    called = row.name if name is None else name
    return Line(depth, called, row.kind, shape, row.formula, row.parameters, learned)


def folded(model: nn.Module) -> tuple[Line, ...]:
    """The lines of a model; of neighbours in a list that are alike, the first with how many there are."""
    return tuple(_lines(model, "", {row.name: row for row in rows_of(model)}))


def _lines(
    module: nn.Module, prefix: str, rows: Mapping[str, Row], depth: int = 0, shown: str = ""
) -> Iterator[Line]:
    """``prefix`` is the module's full name and ``shown`` what of it is not said by the lines above."""
    for name, _ in module.named_parameters(recurse=False, remove_duplicate=False):
        yield _line(rows[prefix + name], shown + name, depth)
    numbered = isinstance(module, nn.ModuleList)
    children = [(name, child) for name, child in module._modules.items() if child is not None]
    for _, group in groupby(children, lambda one: _signature(prefix, one[0], rows) if numbered else one[0]):
        alike = list(group)
        name, child = alike[0]
        begin = f"{prefix}{name}."
        mine = [row for row in rows.values() if row.name.startswith(begin)]
        if len(alike) == 1 and not (numbered and len({row.learns for row in mine}) > 1):
            yield from _lines(child, begin, rows, depth, f"{shown}{name}.")
            continue
        yield _head(mine, shown.removesuffix("."), [one for one, _ in alike], len(children), depth)
        yield from _lines(child, begin, rows, depth + 1)


def _head(rows: Sequence[Row], stack: str, alike: Sequence[str], of: int, depth: int) -> Line:
    """The line over layers of a stack that are alike, of one of which ``rows`` are given."""
    times = len(alike)
    inner, learned = sum(row.parameters for row in rows), sum(row.parameters for row in rows if row.learns)
    if times == 1:
        return Line(depth, f"{stack}.{alike[0]}", "", "", "", inner, learned)
    which = "" if times == of else f".{alike[0]}-{alike[-1]}"
    formula = f"{times}{TIMES}{inner:,}"
    return Line(depth, f"{stack}{which}{TIMES}{times}", "", "", formula, times * inner, times * learned)


def _signature(prefix: str, name: str, rows: Mapping[str, Row]) -> tuple[object, ...]:
    """What layers have in common that are shown as one: names, shapes, kinds, ties, and what learns."""
    begin = f"{prefix}{name}."
    mine = [row for row in rows.values() if row.name.startswith(begin)]
    return tuple(
        (
            row.name.removeprefix(begin),
            row.kind,
            row.factors,
            (row.tied or "").removeprefix(begin),
            row.learns,
        )
        for row in mine
    )
