"""Tokens in their context: vectors that neighbours change and batch mates do not, and who is near."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.contracts.lessons import CHAIN, write_circle
from tests.contracts.small_runs import command

import glassformer as gf
from glassformer.api.contextualizer import Contextualizer
from glassformer.base.errors import RunError, UserError

ONE, OTHER = " ".join(CHAIN[:4]), " ".join([CHAIN[9], *CHAIN[1:3]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("elmo")
    gf.train(write_circle(place), ["train.steps=2", "train.evaluate_first=false"], output=place / "run")
    return place / "run"


@pytest.fixture
def model(folder: Path) -> Contextualizer:
    opened = gf.load(folder)
    assert isinstance(opened, Contextualizer)
    return opened


def test_every_token_has_a_vector_of_both_directions(model: Contextualizer) -> None:
    one, other, nothing = model.vectors([ONE, OTHER, ""])
    assert (one.shape, other.shape, nothing.shape) == ((4, 64), (3, 64), (0, 64))
    assert not torch.allclose(one[1], other[1], atol=1e-4)
    torch.testing.assert_close(model.vectors(OTHER)[0], other)


def test_the_nearest_tokens_are_those_of_the_largest_cosine(model: Contextualizer) -> None:
    one, other = model.predict([ONE, OTHER], top_k=2)
    assert one.tokens[1] == other.tokens[1]
    every = torch.nn.functional.normalize(torch.cat([one.vectors, other.vectors]), dim=1)
    cosines = every @ every[1]
    cosines[1] = -2
    best = cosines.topk(2)
    names = [*[(token, 1) for token in one.tokens], *[(token, 2) for token in other.tokens]]
    assert [(near.token, near.number) for near in one.near[1]] == [names[at] for at in best.indices.tolist()]
    assert [near.similarity for near in one.near[1]] == pytest.approx(best.values.tolist())


def test_a_single_token_has_no_neighbour_and_no_text_no_token(model: Contextualizer) -> None:
    assert model.predict(CHAIN[0])[0].near == ((),)
    assert model.predict([""])[0].tokens == ()


def test_a_text_that_is_too_long_and_no_neighbours_at_all_are_refused(model: Contextualizer) -> None:
    with pytest.raises(UserError, match="text 2: it has 40 tokens but the model reads at most 32; split it"):
        model.vectors([ONE, " ".join(CHAIN[:40])])
    with pytest.raises(UserError, match="top_k is 0; a token has at least 1 neighbour"):
        model.predict(ONE, top_k=0)


def test_damaged_weights_are_said(model: Contextualizer) -> None:
    with torch.no_grad():
        next(model.model.parameters()).fill_(torch.nan)
    with pytest.raises(RunError, match="its weights are damaged"):
        model.vectors(ONE)


def test_predict_shows_the_nearest_tokens_or_the_vectors(folder: Path) -> None:
    told = command("predict", folder, ONE, OTHER, "--top-k", "1")
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert lines[0] == ONE
    assert [line.strip() for line in lines[1:9:2]] == [
        f"{word}" for word in gf.load(folder).predict(ONE)[0].tokens
    ]
    assert lines[2].startswith("    0.") and "(text " in lines[2]
    record = json.loads(command("predict", folder, ONE, "--json").out)
    assert record["text"] == ONE
    assert [len(one["vector"]) for one in record["tokens"]] == [64] * 4
