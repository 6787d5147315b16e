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
