"""Every head that a model's family has is that of ``transformers``, both ways, through files on disk.

Models are found by their ``heads``, configurations by their cases; whatever is found is held to the class of
``transformers`` that the head names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.contracts.cases import CASES
from tests.contracts.inputs import TOKENS
from tests.models.drawn import drawn
from torch import Tensor

from glassformer.base import plugins
from glassformer.hub.folder import load, save
from glassformer.hub.heads import HEAD, natives, put_on
from glassformer.nn.headed import Head, Headed, Native, bare, width_of

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

CLOSE = {"rtol": 0.0, "atol": 1e-5}
KEEP = TOKENS != 0
LABELS = ("나쁘다", "good", "10")
AUTO = {
    "classifies": "AutoModelForSequenceClassification",
    "tags": "AutoModelForTokenClassification",
    "answers": "AutoModelForQuestionAnswering",
    "compares": "AutoModel",
}


def _configs() -> list[Any]:
    """A configuration of every family that has heads, with each of these."""
    found = {}
    for name, cases in CASES.items():
        for case in cases:
            config = bare(plugins.find("models", name).Config(**case.settings))
            kind = sorted(native.architecture for native in natives(config).values())
            found.setdefault(str(kind), (case.id, config))
    return [
        pytest.param(config, ability, id=f"{called}-{ability}")
        for called, config in found.values()
        for ability in natives(config)
    ]


HEADS = _configs()


def _head(native: Native, ability: str, width: int) -> Head:
    labels = {"answers": ("start", "end"), "compares": ()}.get(ability, LABELS)
    return Head(
        objective="anything",
        ability=ability,  # type: ignore[arg-type]
        pool=native.pool or "mean",
        labels=labels,
        outputs=len(labels),
        width=width,
        max_length=12,
        dropout=0.25,
    )


def _ours(config: Any, ability: str) -> Headed:
    torch.manual_seed(3)
    body = plugins.find("models", config.name).Model(config)
    model = put_on(body, _head(natives(config)[ability], ability, width_of(body)))
    drawn(model)
    return model


def _batch(model: Any) -> dict[str, Tensor]:
    """Rows that are padded, in two segments where the body knows any; none has padding for a token."""
    pad = model.config.pad_id
    real = torch.where(pad == TOKENS, TOKENS + 1, TOKENS)
    batch = {"tokens": torch.where(KEEP, real, pad), "keep": KEEP}
    if getattr(model.config, "segments", 0) > 1:
        batch["segments"] = (torch.arange(TOKENS.shape[1]) > 2).long().expand_as(TOKENS)
    return batch


def _said_here(model: Headed) -> Tensor:
    batch = _batch(model)
    with torch.no_grad():
        found = model.body.hidden(batch) if model.head.ability == "compares" else model(batch)  # type: ignore[operator]
    return found[KEEP] if found.ndim == 3 else found


def _said_there(theirs: Any, here: Headed) -> Tensor:
    batch = _batch(here)
    asked = {"input_ids": batch["tokens"], "attention_mask": batch["keep"].long()}
    if "segments" in batch:
        asked["token_type_ids"] = batch["segments"]
    with torch.no_grad():
        said = theirs(**asked)
    if "start_logits" in said:
        return torch.stack([said.start_logits, said.end_logits], dim=-1)[KEEP]
    found = said.logits if "logits" in said else said.last_hidden_state
    return found[KEEP] if found.ndim == 3 else found


def _opened_there(folder: Path, ability: str) -> Any:
    kind = getattr(transformers, AUTO[ability])
    model, told = kind.from_pretrained(folder, output_loading_info=True)
    # An Auto class gives every bare encoder a pooler, which texts are not compared by.
    told["missing_keys"] -= {f"pooler.dense.{part}" for part in ("weight", "bias") if ability == "compares"}
    assert not any(told.values()), told
    return model.eval()


def _told(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    return told


@pytest.mark.parametrize(("config", "ability"), HEADS)
def test_a_head_that_is_written_here_scores_the_same_there_and_comes_back(
    config: Any, ability: str, tmp_path: Path
) -> None:
    model = _ours(config, ability)
    assert model.head.form == "native"
    save(tmp_path / "ours", model, None)
    there = _opened_there(tmp_path / "ours", ability)
    torch.testing.assert_close(_said_there(there, model), _said_here(model), **CLOSE)
    there.save_pretrained(tmp_path / "theirs")
    for folder in ("ours", "theirs"):
        again = load(tmp_path / folder).model
        assert isinstance(again, Headed)
        assert again.head == model.head
        ours, theirs = model.state_dict(), again.state_dict()
        assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


@pytest.mark.parametrize(("config", "ability"), [one for one in HEADS if one.values[1] != "compares"])
def test_a_head_that_was_written_there_scores_the_same_here(
    config: Any, ability: str, tmp_path: Path
) -> None:
    model = _ours(config, ability)
    save(tmp_path / "ours", model, None)
    told = {
        key: value for key, value in _told(tmp_path / "ours").items() if key not in (HEAD, "architectures")
    }
    kind = getattr(transformers, natives(config)[ability].architecture)
    theirs = drawn(kind(transformers.AutoConfig.for_model(**told)))
    theirs.save_pretrained(tmp_path / "theirs")
    assert HEAD not in _told(tmp_path / "theirs")
    here = load(tmp_path / "theirs").model
    assert isinstance(here, Headed)
    assert here.head.labels == model.head.labels
    assert here.abilities == (ability,)
    torch.testing.assert_close(_said_here(here), _said_there(theirs, here), **CLOSE)
