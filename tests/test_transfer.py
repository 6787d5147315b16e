"""Fine-tuning beside transformers and peft: equal starts and steps, one score, and nothing unequal passes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import torch
from bench import learning, same, transfer

from glassformer.hub import folder as hub
from glassformer.models import bert
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

pytest.importorskip("transformers")
pytest.importorskip("seqeval")

# peft asks transformers for what transformers will drop.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

WORDS = ["the", "cat", "sees", "a", "dog", "in", "Seoul", "and", "Kim", "runs", "home", "today"]
SENTENCES = [" ".join(WORDS[place % 9 : place % 9 + 3]) for place in range(40)]


@pytest.fixture(scope="module", autouse=True)
def calm():
    """PyTorch's settings are as they were when the tests are over."""
    threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(products)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    """A tiny encoder with a pooler, as the published one has."""
    tokenizer = train(TokenizerConfig(name="word", vocab_size=60, min_frequency=1), SENTENCES, "both")
    sizes = {"dim": 16, "depth": 1, "heads": 2, "mlp_dim": 32, "max_length": 128, "head": "pooler"}
    torch.manual_seed(1)
    model = bert.Model(bert.Config(vocab_size=tokenizer.vocab_size, **sizes))
    hub.save(tmp_path_factory.mktemp("encoder") / "model", model, TokenizerPair(tokenizer, tokenizer))
    return next(tmp_path_factory.getbasetemp().glob("encoder*/model"))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The two corpora with a few sentences each."""
    folder = tmp_path_factory.mktemp("data") / "en-ner-pos"
    folder.mkdir()
    tagged = "\n\n".join(
        "\n".join(f"{word}\t{'B-place,B-team' if word == 'Seoul' else 'O'}" for word in one.split())
        for one in SENTENCES
    )
    for part in ("train", "test"):
        (folder / f"wnut17_{part}.conll").write_text(tagged + "\n")
    lines = [
        f"# sent_id = {('email', 'reviews')[place % 2]}-{place}\n# text = {one}\n1\tx\n"
        for place, one in enumerate(SENTENCES)
    ]
    for part in ("dev", "test"):
        (folder / f"en_ewt-ud-{part}.conllu.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder.parent


@pytest.fixture
def make(encoder, data, tmp_path, monkeypatch):
    """Small tasks, whose systems stay in this process."""
    monkeypatch.setattr(transfer, "DATA", data)
    monkeypatch.setattr(transfer, "TURNS", 2)
    monkeypatch.setattr("bench.measure.REST", 0.0)

    def made(name: str, way: str) -> transfer.Task:
        return transfer.make(name, way, 1, tmp_path, epochs=2, init=str(encoder))

    return made


@pytest.mark.parametrize("way", ["full", "lora"])
@pytest.mark.parametrize("name", ["ner", "genre"])
def test_every_system_takes_the_same_steps_from_the_same_weights(make, name, way):
    if way == "lora":
        pytest.importorskip("peft")
    task = make(name, way)
    found = transfer.measure(task, apart=False)
    assert found["steps"] == 2
    assert list(found["scores"]) == list(transfer.SYSTEMS)
    assert all(0 <= score <= 100 for score in found["scores"].values())
    table = transfer.table([found, found])
    assert "Glassformer bfloat16" in table
    assert f"{next(iter(found['trained'].values())):,}" in table


def test_the_first_losses_of_float32_are_equal_to_five_digits(make):
    task = make("ner", "full")
    mine, theirs = transfer.Glass(task, "float32").first(2), transfer.Peer(task, "float32").first(2)
    assert mine == pytest.approx(theirs, abs=1e-5)
    assert mine[0] != pytest.approx(mine[1], abs=1e-5)


def test_a_peer_that_begins_elsewhere_is_refused(make, monkeypatch):
    task = make("genre", "full")
    begin = transfer.Peer.begin

    def elsewhere(self: Any, *, dropout: bool) -> None:
        begin(self, dropout=dropout)
        with torch.no_grad():
            self.model.classifier.weight.add_(torch.randn_like(self.model.classifier.weight))

    monkeypatch.setattr(transfer.Peer, "begin", elsewhere)
    with pytest.raises(same.NotTheSameWork, match="losses of step 1"):
        transfer.measure(task, apart=False)


def test_the_rate_rises_for_a_tenth_and_falls_to_nothing(make):
    system = transfer.Glass(make("genre", "full"), "float32")
    system.task = transfer.Task("genre", "full", Path(), Path(), steps=20)
    rates = []
    for system.done in range(20):
        rates.append(system.lr())
    assert max(rates) == rates[1] == transfer.RATES["full"]
    assert rates[-1] == 0
    assert learning.Learner.lr(system) == transfer.RATES["full"]


def test_a_genre_is_the_first_part_of_the_name_of_a_sentence(make, tmp_path):
    make("genre", "full")
    lines = (tmp_path / "test.tsv").read_text().splitlines()
    assert lines[0] == "text\tlabel"
    assert lines[1:3] == [f"{SENTENCES[0]}\temail", f"{SENTENCES[1]}\treviews"]
