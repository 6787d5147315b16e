"""Heads in model folders: what ``config.json`` says of one, and the names of its weights.

A head that the body's family has too is written as ``transformers`` writes it; others are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.hub.manifest import CONFIG, as_json, read_json, rewrite
from glassformer.nn.headed import Head, Headed, HeadedNames, Native, Tells, head_of
from glassformer.nn.names import Names

HEAD = "glassformer_head"
"""The key of ``config.json`` under which a head is told, beside the labels in ``id2label``."""
PROBLEMS: Mapping[Tells, str] = {
    "label": "single_label_classification",
    "labels": "multi_label_classification",
    "number": "regression",
}
"""What ``problem_type`` says there of what scores mean."""
LEARNED = {
    ("classifies", "label"): "classification",
    ("classifies", "labels"): "multi_label",
    ("classifies", "number"): "regression",
    ("tags", "label"): "tagging",
    ("answers", "label"): "span",
}
"""The objective that would have learned a head of which a file does not say it."""
DERIVED = ("labels", "outputs", "width", "tells", "pool", "ability")
"""What a native head has from the rest of ``config.json``, which may be written anew elsewhere."""


def natives(config: Any) -> Mapping[str, Native]:
    """For each ability the head that the family of a body with this configuration has for it."""
    module = plugins.find("models", config.name)
    found: Mapping[str, Native] = module.heads(config) if hasattr(module, "heads") else {}
    return found


def native_of(config: Any, head: Head) -> Native | None:
    """How a head is built; None for one of our own."""
    return natives(config).get(head.ability) if head.form == "native" else None


def put_on(body: nn.Module, head: Head) -> Headed:
    """A body under a new head: built as the body's family builds it, where the family has such a one."""
    config: Any = body.config
    native = natives(config).get(head.ability)
    fits = native is not None and native.fits(head)
    head = head.model_copy(update={"form": "native" if fits else "own"})
    return Headed(body, head, native if fits else None)


def described(model: nn.Module) -> dict[str, Any]:
    """The ``config.json`` of a model: its body's own, and what is told of the head on it."""
    config: Any = model.config
    written: dict[str, Any] = plugins.find("models", config.name).write(config)
    head = head_of(model)
    if head is None:
        return written
    native = native_of(config, head)
    told = head.model_dump(mode="json", exclude={"labels"} if native is None else set(DERIVED))
    return _as_there(written, head, native) | {
        HEAD: told if native is None else told | {"ability": head.ability, "pool": head.pool},
        "id2label": {str(number): label for number, label in enumerate(head.labels)},
        "label2id": {label: number for number, label in enumerate(head.labels)},
    }


def _as_there(written: Mapping[str, Any], head: Head, native: Native | None) -> dict[str, Any]:
    """What ``transformers`` must know beside the body."""
    if native is None:
        return dict(written)
    if native.output is None:
        return {**written, "architectures": [native.architecture]}
    whole = {key: value for key, value in written.items() if key != "add_pooling_layer"}
    rate = {} if native.rate is None else {native.rate: head.dropout}
    return whole | {"architectures": [native.architecture], "problem_type": PROBLEMS[head.tells]} | rate


def settle(folder: Path, changes: Mapping[str, Any]) -> None:
    """Write into the ``config.json`` of a folder how answers are looked for: fields of ``Spans``."""
    written = read_json(folder / CONFIG)
    told = written[HEAD]
    changed = {**told, "spans": {**told.get("spans", {}), **changes}}
    rewrite(folder, CONFIG, as_json({**written, HEAD: changed}))


def names_of(model: nn.Module) -> Names:
    """The names of a model's weights in its files: its body's own, and those of the head."""
    config: Any = model.config
    names: Names = plugins.find("models", config.name).names(config)
    head = head_of(model)
    return names if head is None else HeadedNames(names, native_of(config, head))


def read_head(written: Mapping[str, Any], config: Any, path: Path) -> Head | None:
    """The head that a ``config.json`` of a body with that configuration tells of, None where it has none.

    Raises UserError, with its path, for one that cannot be.
    """
    told = written.get(HEAD)
    try:
        if told is not None and (not isinstance(told, dict) or told.get("form", "own") == "own"):
            return Head(**written[HEAD], labels=_labels(written["id2label"]))
        return _native_head(written, config, told or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([HEAD, *map(str, first["loc"])])
        raise UserError(f"{path}: {place}: {first['msg']}") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(
            f"{path}: {HEAD} needs its settings, and id2label with a label for every number from 0"
        ) from None


def _labels(told: Mapping[str, str]) -> tuple[str, ...]:
    labels = {int(number): label for number, label in told.items()}
    return tuple(labels[number] for number in range(len(labels)))


def _native_head(written: Mapping[str, Any], config: Any, told: Mapping[str, Any]) -> Head | None:
    """The head of the class that ``architectures`` names; ours may say more of it than others' files do."""
    named = next(iter(written.get("architectures") or ()), None)
    for ability, native in natives(config).items():
        if native.architecture != named or (native.output is None and told.get("ability") != ability):
            continue
        labels = _labels(written.get("id2label") or UNNAMED) if native.output else ()
        tells = _tells(written, ability, labels)
        usual = {
            "objective": LEARNED.get((ability, tells), "classification"),
            "pool": native.pool,
            "max_length": config.max_length,
            "dropout": (written.get(native.rate) if native.rate else None) or 0.0,
            "texts": 0,
        }
        ours = told if told.get("ability") == ability else {}
        sure = {"ability": ability, "tells": tells, "labels": labels, "form": "native"}
        return Head(**{**usual, **ours, **sure}, outputs=len(labels), width=config.dim)
    return None


UNNAMED = {"0": "LABEL_0", "1": "LABEL_1"}
"""What ``transformers`` takes where labels have no names."""


def _tells(written: Mapping[str, Any], ability: str, labels: tuple[str, ...]) -> Tells:
    """What the scores mean: one output that is said nothing of is a number, as in ``transformers``."""
    if ability != "classifies":
        return "label"
    problem = written.get("problem_type")
    known: dict[str, Tells] = {called: tells for tells, called in PROBLEMS.items()}
    return known[problem] if problem is not None else "label" if len(labels) > 1 else "number"
