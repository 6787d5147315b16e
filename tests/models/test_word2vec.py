"""word2vec: two tables and the counts, which go along with them to disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from glassformer.hub import folder as hub
from glassformer.models.word2vec import Config, Model


def test_a_token_has_its_row_whatever_stands_around_it() -> None:
    model = Model(Config(dim=6, vocab_size=20))
    tokens = torch.tensor([[3, 4, 3], [4, 3, 9]])
    assert torch.equal(model({"tokens": tokens}), model.vectors[tokens])
    assert not model.vectors.requires_grad


def test_words_begin_near_zero_and_nothing_tells_them_apart() -> None:
    model = Model(Config(dim=50, vocab_size=2000))
    assert 0.0099 < float(model.vectors.abs().max()) <= 0.01
    assert not model.output.weight.any()


def test_a_tree_has_an_inner_node_less_than_words() -> None:
    model = Model(Config(dim=6, vocab_size=20, told_by="nodes"))
    assert model.output.weight.shape == (19, 6)


def test_counts_are_saved_and_do_not_learn(tmp_path: Path) -> None:
    model = Model(Config(dim=6, vocab_size=20))
    model.counts.data = torch.arange(20.0)
    assert [name for name, weight in model.named_parameters() if not weight.requires_grad] == ["counts"]
    hub.save(tmp_path / "model", model, None)
    loaded: Any = hub.load(tmp_path / "model").model
    assert torch.equal(loaded.counts, model.counts)


@pytest.mark.parametrize("wrong", [{"dim": 0}, {"told_by": "letters"}, {"window": 5}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate(wrong)
