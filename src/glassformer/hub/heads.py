"""Heads in model folders: what ``config.json`` says of one, and the names of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.nn.headed import Head, HeadedNames, head_of
from glassformer.nn.names import Names

HEAD = "glassformer_head"
"""The key of ``config.json`` under which a head is told, beside the labels in ``id2label``."""


def described(model: nn.Module) -> dict[str, Any]:
    """The ``config.json`` of a model: its body's own, and what is told of the head on it."""
    config: Any = model.config
    written: dict[str, Any] = plugins.find("models", config.name).write(config)
    head = head_of(model)
    if head is None:
        return written
    return written | {
        HEAD: head.model_dump(mode="json", exclude={"labels"}),
        "id2label": {str(number): label for number, label in enumerate(head.labels)},
        "label2id": {label: number for number, label in enumerate(head.labels)},
    }


def names_of(model: nn.Module) -> Names:
    """The names of a model's weights in its files: its body's own, and ``classifier``."""
    config: Any = model.config
    names: Names = plugins.find("models", config.name).names(config)
    return names if head_of(model) is None else HeadedNames(names)


def read_head(written: Mapping[str, Any], path: Path) -> Head | None:
    """The head that a ``config.json`` tells of; UserError, with its path, for one that cannot be."""
    if HEAD not in written:
        return None
    try:
        told = {int(number): label for number, label in written["id2label"].items()}
        labels = tuple(told[number] for number in range(len(told)))
        return Head(**written[HEAD], labels=labels)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([HEAD, *map(str, first["loc"])])
        raise UserError(f"{path}: {place}: {first['msg']}") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(
            f"{path}: {HEAD} needs its settings, and id2label with a label for every number from 0"
        ) from None
