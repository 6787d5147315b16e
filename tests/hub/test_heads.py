"""A head in a model folder: what is written of it comes back, and what cannot be is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.models.drawn import drawn
from torch import nn

from glassformer.base.errors import UserError
from glassformer.hub.card import architecture_of
from glassformer.hub.folder import load, save
from glassformer.hub.heads import HEAD, described, put_on, read_head
from glassformer.models import bert, gpt
from glassformer.nn.headed import Head, Headed

LABELS = ("나쁘다", "good", "10")


def body(name: str) -> nn.Module:
    sizes: dict[str, Any] = {"dim": 8, "depth": 2, "heads": 2, "vocab_size": 31, "max_length": 16}
    if name == "bert":
        return bert.Model(bert.Config(head="none", mlp_dim=8, **sizes))
    return gpt.Model(gpt.Config(tied=name == "gpt", **sizes))


def headed(name: str = "gpt") -> Headed:
    head = Head(
        objective="classification",
        ability="classifies",
        pool="mean",
        labels=LABELS,
        outputs=3,
        width=8,
        max_length=12,
        dropout=0.25,
    )
    return drawn(Headed(body(name), head))


def write(folder: Path, **changes: Any) -> Path:
    """A folder without a tokenizer; changes are made in its config.json, None taking a key away."""
    save(folder, headed(), None)
    told = json.loads((folder / "config.json").read_text("utf-8"))
    told |= changes
    written = {key: value for key, value in told.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(written), "utf-8")
    if changes:
        (folder / "manifest.json").unlink()
    return folder


@pytest.mark.parametrize("name", ["gpt", "gpt-untied", "bert"])
def test_what_is_written_scores_the_same_when_it_is_opened(name: str, tmp_path: Path) -> None:
    model = headed(name)
    save(tmp_path / "model", model, None)
    opened = load(tmp_path / "model").model
    assert isinstance(opened, Headed)
    assert opened.head == model.head
    assert opened.abilities == ("classifies",)
    batch = {"tokens": torch.tensor([[4, 5, 6]])}
    with torch.no_grad():
        assert torch.equal(opened(batch), model(batch))


def test_files_have_the_body_as_ever_and_the_head_as_classifier(tmp_path: Path) -> None:
    weights = load_file(write(tmp_path / "model") / "model.safetensors")
    assert weights["classifier.weight"].shape == (3, 8)
    assert weights["classifier.bias"].shape == (3,)
    assert "transformer.wte.weight" in weights
    assert not [name for name in weights if "body" in name]
    told = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))
    assert told["model_type"] == "gpt2"
    assert told["id2label"] == {"0": "나쁘다", "1": "good", "2": "10"}
    assert told["label2id"]["good"] == 1
    assert "labels" not in told[HEAD]
    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert "glassformer predict THIS_FOLDER" in card
    assert "has no such architecture" in card


def test_a_model_without_a_head_is_described_as_before() -> None:
    plain = body("gpt")
    assert described(plain) == gpt.write(gpt.Config(**plain.config.model_dump()))  # type: ignore[union-attr,operator]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id2label": None}, "id2label with a label for every number"),
        ({"id2label": {"0": "a", "2": "b", "3": "c"}}, "id2label with a label for every number"),
        ({"id2label": {"0": "a", "1": "b"}}, "3 outputs cannot tell 2 labels apart"),
        ({HEAD: []}, "needs its settings"),
        ({HEAD: {"pool": "last"}}, f"{HEAD}.objective: Field required"),
    ],
)
def test_a_head_that_cannot_be_is_told_with_the_file(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"config\.json: .*{said}"):
        load(write(tmp_path / "model", **changes))


def test_a_head_without_its_weights_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", **{HEAD: None})
    with pytest.raises(UserError, match=r"classifier\."):
        load(folder)


def native(name: str, **told: Any) -> Headed:
    settings = {"objective": "classification", "ability": "classifies", "outputs": 3, "width": 8}
    pool = "first" if name == "bert" else "last"
    return put_on(body(name), Head(**(settings | {"pool": pool, "labels": LABELS, "max_length": 12} | told)))


def test_a_head_of_the_family_is_written_as_there_and_any_other_as_ours() -> None:
    told = described(native("bert", dropout=0.25))
    assert told["architectures"] == ["BertForSequenceClassification"]
    assert told["problem_type"] == "single_label_classification"
    assert told["classifier_dropout"] == 0.25
    assert told["id2label"]["1"] == "good"
    assert "add_pooling_layer" not in told
    for other in (native("bert", pool="mean"), native("gpt", labels=("a", "b"), outputs=1)):
        assert (other.head.form, other.native) == ("own", None)
        assert architecture_of(described(other)) is None
    number = described(native("gpt", tells="number", labels=("score",), outputs=1))
    assert number["problem_type"] == "regression"
    assert architecture_of(number) == "GPT2ForSequenceClassification"


def test_what_a_file_of_others_leaves_out_is_what_transformers_takes(tmp_path: Path) -> None:
    save(tmp_path / "model", native("bert", tells="labels"), None)
    (tmp_path / "model" / "manifest.json").unlink()
    path = tmp_path / "model" / "config.json"
    told = json.loads(path.read_text("utf-8"))
    del told[HEAD], told["id2label"]
    read = read_head(told, body("bert").config, path)
    assert read is not None
    assert (read.labels, read.tells, read.objective) == (("LABEL_0", "LABEL_1"), "labels", "multi_label")
    one = read_head(told | {"problem_type": None, "id2label": {"0": "x"}}, body("bert").config, path)
    assert one is not None
    assert (one.tells, one.objective, one.texts) == ("number", "regression", 0)
    with pytest.raises(UserError, match=r"config\.json: .*id2label"):
        read_head(told | {"problem_type": "riddle"}, body("bert").config, path)


def test_a_head_that_somebody_took_off_elsewhere_is_gone() -> None:
    told = described(native("gpt")) | {"architectures": ["GPT2LMHeadModel"]}
    assert read_head(told, body("gpt").config, Path("config.json")) is None
