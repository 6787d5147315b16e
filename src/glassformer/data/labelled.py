"""Labelled texts as a recipe names them: what is read, which labels there are, and what is streamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from glassformer.base.errors import UserError
from glassformer.base.files import stop
from glassformer.data.columns import Bad, behind, ignored, named, part_of, rows, shared_out
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.look import Look
from glassformer.data.sources import Divided, Sources, Split, no_tokenizer, storing

Layout = Literal["auto", "columns", "pairs", "nsmc", "klue-nli", "klue-sts", "kornli", "korsts", "questions"]


@dataclass(frozen=True)
class Columns:
    """The names of the columns with a text, a second text if rows have two, and the label."""

    text: str
    pair: str | None
    label: str

    @property
    def names(self) -> tuple[str, ...]:
        """All that there are."""
        return (self.text, self.label) if self.pair is None else (self.text, self.pair, self.label)


LAYOUTS: Mapping[str, Columns] = {
    "pairs": Columns("text", "pair", "label"),
    "columns": Columns("text", None, "label"),
    "nsmc": Columns("document", None, "label"),
    "klue-nli": Columns("premise", "hypothesis", "label"),
    "klue-sts": Columns("sentence1", "sentence2", "score"),
    "kornli": Columns("sentence1", "sentence2", "gold_label"),
    "korsts": Columns("sentence1", "sentence2", "score"),
    "questions": Columns("question1", "question2", "is_duplicate"),
}
"""Files that are known by the names of their columns; the first whose columns are all there is taken."""


class Config(Divided):
    """Which labelled texts are trained on (the recipe's ``data``, ``name: labelled``).

    A path is a TSV or CSV file whose first line names its columns, or JSON lines, perhaps compressed with
    gzip; ``reviews.tsv[:90%]`` is the beginning of a file and ``reviews.tsv[90%:]`` its end, in rows.
    ``layout`` names the columns; ``auto`` knows the files of NSMC, KLUE, KorNLI and KorSTS by theirs, and
    takes ``text``, ``label`` and, where it is there, ``pair`` in others. ``text``, ``label`` and ``pair``, a
    second text in the same row, replace what the layout says. A cell holds several labels where
    ``separator`` stands between them; so does a list in JSON lines. Texts of more than ``max_length`` tokens
    lose their end, of two the longer one first. ``tokens_per_batch`` bounds rows times the longest row,
    padding included, over all ranks together.
    """

    name: Literal["labelled"] = "labelled"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    layout: Layout = "auto"
    text: str | None = Field(None, min_length=1)
    pair: str | None = Field(None, min_length=1)
    label: str | None = Field(None, min_length=1)
    separator: str | None = Field(None, min_length=1)
    max_length: int = Field(256, ge=4)
    tokens_per_batch: int = Field(4096, ge=1)
    workers: int = Field(1, ge=0, le=64)

    def columns(self, path: str) -> Columns:
        """What the columns of a file are called."""
        found = _seen(named(path)) if self.layout == "auto" else LAYOUTS[self.layout]
        given = {"text": self.text, "pair": self.pair, "label": self.label}
        return replace(found, **{column: name for column, name in given.items() if name is not None})

    def read(self, path: str, dropped: Dropped | None = None, bad: Bad = stop) -> Iterator[Example]:
        """The examples at one path: fields ``text``, ``pair`` where rows have two texts, and ``label``.

        A label is a text; several are a tuple. Rows without a text, or with one of two, are left out. Raises
        UserError with file and line, for an empty label too, unless ``bad`` takes rows that are wrong.
        """
        name, share = shared_out(path)
        columns = self.columns(name)
        found = (rows(name, columns.names, one, lists={columns.label}) for one in (ignored, bad))
        for where, cells in part_of(next(found), next(found), share):
            label = self._labels(cells[columns.label])
            texts = {"text": cells[columns.text]}
            if columns.pair is not None:
                texts["pair"] = cells[columns.pair]
            if label == "":
                bad(where, f"the label is empty; every text needs one under {columns.label!r}")
            elif all(text.strip() for text in texts.values()):
                yield Example({**texts, "label": label}, where)
            elif dropped is not None:
                one = any(text.strip() for text in texts.values())
                dropped.note("without one of its two texts" if one else "without text", where)

    def _labels(self, cell: str | tuple[str, ...]) -> str | tuple[str, ...]:
        """The label of a cell, several as a tuple, which may be empty."""
        if isinstance(cell, str) and self.separator is None:
            return cell.strip()
        several = cell.split(self.separator) if isinstance(cell, str) else cell
        return tuple(dict.fromkeys(one.strip() for one in several if one.strip()))


def _seen(names: tuple[str, ...]) -> Columns:
    """The layout of a file with these columns; the plain one, which is then missed, where none fits."""
    fitting = (columns for columns in LAYOUTS.values() if {*columns.names} <= {*names})
    return next(fitting, LAYOUTS["columns"])


tokenizer_folder = no_tokenizer


def ordered(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels by name, or by number where all are numbers."""
    found = set(labels)
    return tuple(sorted(found, key=int if all(label.isdecimal() for label in found) else str))


def facts(config: Config) -> dict[str, Any]:
    """What only the data knows of the training texts; UserError when it is nothing that could be learned.

    ``labels`` and how often each is there (``counts``), what the column is ``called``, and how many ``texts``
    a row has.
    """
    paths = [source.path for source in config.sources("train")]
    counts: Counter[str] = Counter()
    texts, several = set[int](), False
    for example in (example for path in paths for example in config.read(path)):
        label = example.fields["label"]
        several = several or isinstance(label, tuple)
        counts.update(label if isinstance(label, tuple) else (label,))
        texts.add(2 if "pair" in example.fields else 1)
    labels = ordered(counts)
    if not labels:
        raise UserError(f"{', '.join(paths)}: there is no text with a label")
    if len(labels) < 2 and not several:
        raise UserError(f"{', '.join(paths)}: all texts have one label, {labels[0]}; telling apart needs two")
    if len(texts) > 1:
        raise UserError(f"{', '.join(paths)}: some of these files have one text in a row and some two")
    called = config.columns(shared_out(paths[0])[0]).label
    return {
        "labels": labels,
        "counts": tuple(counts[label] for label in labels),
        "called": called,
        "texts": texts.pop(),
    }


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str]]:
    """The texts of a split: what a tokenizer is trained on. Raises ``UserError`` for unusable files."""
    for source in config.sources(split):
        for example in config.read(source.path):
            for field in ("text", "pair"):
                if field in example.fields:
                    yield (example.fields[field],)


def look(config: Config, example: Example) -> Look:  # noqa: ARG001 - every example says it all
    """The text or both, and the label, or all labels in their order."""
    label = example.fields["label"]
    labels = tuple(sorted(label)) if isinstance(label, tuple) else (label,)
    texts = tuple(example.fields[name] for name in ("text", "pair") if name in example.fields)
    return Look(texts, ", ".join(labels), labels)


stores = storing(
    lambda config: config.model_dump(include={"layout", "text", "pair", "label", "separator"}), behind
)
