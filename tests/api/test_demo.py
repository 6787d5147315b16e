"""The demonstration, made small: it writes its corpus, trains, scores and shows, and goes on where it was."""

import json
import shutil
from types import SimpleNamespace

import pytest

from glassformer.api import demo as room
from glassformer.api.demo import demo
from glassformer.api.sampling import write_samples
from glassformer.base.errors import UserError

SMALL = """\
model: {dim: 8, depth: 1, heads: 2, mlp_dim: 16, max_length: 128}
tokenizer: {name: word, vocab_size: 800}
data: {train: train.tsv, valid: valid.tsv, test: test.tsv, source: ko, target: en, max_length: 128}
train: {steps: 2, evaluate_every: 0, save_every: 0}
evaluation: {sentences: 0, decoding: {num_beams: 1, max_new_tokens: 5}}
"""

SHOWN = [
    SimpleNamespace(source="어제 카페 갔었어.", target="I went to the café yesterday."),
    SimpleNamespace(source="비가 와요.", target="It is raining."),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_samples(folder, train=1500, valid=10, test=10)
    return folder


@pytest.fixture
def _small(corpus, tmp_path, monkeypatch):
    (tmp_path / "demo.yaml").write_text(SMALL, "utf-8")
    # What it really shows, and that no training set has it, is in tests/data/test_samples.py.
    monkeypatch.setattr(room, "demo_sentences", lambda: SHOWN)
    monkeypatch.setattr(room, "RECIPE", str(tmp_path / "demo.yaml"))
    monkeypatch.setattr(room, "write_samples", lambda folder: shutil.copytree(corpus, folder))


@pytest.mark.usefixtures("_small")
def test_from_nothing_to_scores_and_samples_and_again_from_there(tmp_path, capsys):
    found = demo(tmp_path / "my: run #1")
    assert {"bleu", "chrf", "seconds", "samples", "output"} <= found.keys()
    assert found["steps"] == 2
    assert [one["source"] for one in found["samples"]] == [pair.source for pair in SHOWN]
    assert all(one["reference"] and "\n" not in one["target"] for one in found["samples"])
    json.dumps(found)
    weights = (tmp_path / "my: run #1" / "model.safetensors").read_bytes()
    capsys.readouterr()
    again = demo(tmp_path / "my: run #1")
    assert "writing" not in capsys.readouterr().err
    assert (again["bleu"], again["samples"]) == (found["bleu"], found["samples"])
    assert (tmp_path / "my: run #1" / "model.safetensors").read_bytes() == weights


def test_a_folder_of_something_else_is_not_trained_into(tmp_path, monkeypatch):
    monkeypatch.setattr(
        room, "write_samples", lambda folder: write_samples(folder, train=1500, valid=10, test=10)
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.tsv").write_text("mine\tmine\n", "utf-8")
    with pytest.raises(UserError, match="not overwritten"):
        demo(tmp_path)
    assert (tmp_path / "data" / "train.tsv").read_text("utf-8") == "mine\tmine\n"


TINY_GPT = """\
model: {name: gpt, dim: 16, depth: 1, heads: 2, max_length: 128}
tokenizer: {name: byte_bpe, vocab_size: 400}
objective: {name: causal_lm}
data: {name: text, train: "generated:python-docs/valid", test: "generated:python-docs/test", block: 32}
train: {steps: 2, evaluate_every: 0, save_every: 0}
"""

TINY_VIT = """\
model: {name: vit, dim: 16, depth: 1, heads: 2, mlp_dim: 16, patch: 4, pool: mean}
objective: {name: image}
data: {name: images, train: "generated:digits/valid", test: "generated:digits/test", batch_size: 16}
train: {steps: 2, evaluate_every: 0, save_every: 0}
"""


def test_a_language_model_goes_on_with_beginnings(tmp_path, monkeypatch):
    (tmp_path / "gpt.yaml").write_text(TINY_GPT, "utf-8")
    monkeypatch.setattr(room, "LANGUAGE", str(tmp_path / "gpt.yaml"))
    found = demo(tmp_path / "run", "gpt")
    assert found["bits_per_byte"] > 1
    assert [one["prompt"] for one in found["samples"]] == list(room.BEGINNINGS)
    json.dumps(found)


def test_digits_are_shown_with_what_was_read(tmp_path, monkeypatch):
    pytest.importorskip("sklearn", reason="digits come with scikit-learn (extra: images)")
    (tmp_path / "vit.yaml").write_text(TINY_VIT, "utf-8")
    monkeypatch.setattr(room, "IMAGE", str(tmp_path / "vit.yaml"))
    found = demo(tmp_path / "run", "vit")
    assert 0 <= found["accuracy"] <= 1
    assert len(found["samples"]) == room.PICTURES
    assert {one["predicted"] for one in found["samples"]} <= set("0123456789")
    json.dumps(found)


def test_a_demonstration_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with pytest.raises(UserError, match="no demonstration 'gtp'; did you mean 'gpt'"):
        demo(tmp_path, "gtp")
