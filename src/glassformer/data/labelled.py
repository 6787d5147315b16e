"""Labelled texts as a recipe names them: what is read, which labels there are, and what is streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from glassformer.base.errors import UserError
from glassformer.base.files import stop
from glassformer.data.columns import Bad, behind, ignored, part_of, rows, shared_out
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.look import Look
from glassformer.data.sources import Divided, Sources, Split, no_tokenizer, storing


class Config(Divided):
    """Which labelled texts are trained on (the recipe's ``data``, ``name: labelled``).

    A path is a TSV or CSV file whose first line names its columns, or JSON lines, perhaps compressed with
    gzip; ``reviews.tsv[:90%]`` is the beginning of a file and ``reviews.tsv[90%:]`` its end, in rows.
    ``text`` and ``label`` are the names of the two columns. Texts of more than ``max_length`` tokens lose
    their end. ``tokens_per_batch`` bounds rows times the longest row, padding included, over all ranks
    together.
    """

    name: Literal["labelled"] = "labelled"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    text: str = Field("text", min_length=1)
    label: str = Field("label", min_length=1)
    max_length: int = Field(256, ge=4)
    tokens_per_batch: int = Field(4096, ge=1)
    workers: int = Field(1, ge=0, le=64)

    def read(self, path: str, dropped: Dropped | None = None, bad: Bad = stop) -> Iterator[Example]:
        """The examples at one path: fields ``text`` and ``label``; rows without text are left out.

        Raises UserError with file and line, for an empty label too, unless ``bad`` takes rows that are wrong.
        """
        name, share = shared_out(path)
        found = (rows(name, (self.text, self.label), one) for one in (ignored, bad))
        for where, cells in part_of(next(found), next(found), share):
            text, label = cells[self.text], cells[self.label].strip()
            if not label:
                bad(where, f"the label is empty; every text needs one under {self.label!r}")
            elif text.strip():
                yield Example({"text": text, "label": label}, where)
            elif dropped is not None:
                dropped.note("without text", where)


tokenizer_folder = no_tokenizer


def ordered(labels: set[str]) -> tuple[str, ...]:
    """Labels by name, or by number where all are numbers."""
    return tuple(sorted(labels, key=int if all(label.isdecimal() for label in labels) else str))


def facts(config: Config) -> dict[str, Any]:
    """What only the data knows: the ``labels`` of the training texts; UserError when there is only one."""
    paths = [source.path for source in config.sources("train")]
    labels = ordered({example.fields["label"] for path in paths for example in config.read(path)})
    if not labels:
        raise UserError(f"{', '.join(paths)}: there is no text with a label")
    if len(labels) < 2:
        raise UserError(f"{', '.join(paths)}: all texts have one label, {labels[0]}; telling apart needs two")
    return {"labels": labels}


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str]]:
    """The texts of a split: what a tokenizer is trained on. Raises ``UserError`` for unusable files."""
    for source in config.sources(split):
        for example in config.read(source.path):
            yield (example.fields["text"],)


def look(config: Config, example: Example) -> Look:  # noqa: ARG001 - every example says it all
    """The text and its label."""
    label = example.fields["label"]
    return Look((example.fields["text"],), label, (label,))


stores = storing(lambda config: {"columns": [config.text, config.label]}, behind)
