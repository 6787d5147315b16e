"""The bidirectional language model: which token is told from which side, and what counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tests.models.drawn import drawn
from torch.nn import functional

from glassformer.data.example import Features
from glassformer.models.elmo import Config as Sizes
from glassformer.models.elmo import Model
from glassformer.objectives.bidirectional_lm import Config, Objective

NONE = -100
SIZES = Sizes(dim=6, depth=1, vocab_size=20, dropout=0.0, max_length=8)


def _objective(**settings: Any) -> Objective:
    return Objective(Config(**settings), numbers=SIZES, tokenizers=None)


def _batch(rows: list[list[int]], **settings: Any) -> Any:
    features = [Features({"tokens": np.array(row, dtype=np.int32)}) for row in rows]
    return _objective(**settings).collate(features, np.random.default_rng(0))


def test_every_inner_token_is_told_from_both_sides() -> None:
    batch = _batch([[5, 6, 7], [8, 9]])
    assert batch["tokens"].tolist() == [[5, 6, 7], [8, 9, 0]]
    assert batch["keep"].tolist() == [[True, True, True], [True, True, False]]
    assert batch["labels"][..., 0].tolist() == [[6, 7, NONE], [9, NONE, NONE]]
    assert batch["labels"][..., 1].tolist() == [[NONE, 5, 6], [NONE, 8, NONE]]
    assert batch.count == 6


def test_rows_of_one_length_have_no_mask() -> None:
    assert "keep" not in _batch([[5, 6], [7, 8]])


def test_separate_documents_end_with_their_end_and_tell_nothing_of_each_other() -> None:
    batch = _batch([[5, 2, 6, 7, 2]], separate=True)
    assert batch["documents"].tolist() == [[0, 0, 1, 1, 1]]
    assert batch["labels"][0, :, 0].tolist() == [2, NONE, 7, 2, NONE]
    assert batch["labels"][0, :, 1].tolist() == [NONE, 5, NONE, 6, 7]
    assert batch.count == 6


def test_the_loss_is_the_sum_of_two_language_models() -> None:
    model, batch = drawn(Model(SIZES)).eval(), _batch([[5, 6, 7, 8], [9, 10, 11]])
    loss = _objective().loss(model, batch)
    wanted = []
    for place, hidden in enumerate(model.both(batch)):
        scores = model.output(hidden).flatten(0, 1)
        wanted.append(
            functional.cross_entropy(scores, batch["labels"][..., place].flatten(), reduction="sum")
        )
    torch.testing.assert_close(loss.parts["forward"], 2 * wanted[0])
    torch.testing.assert_close(loss.parts["backward"], 2 * wanted[1])
    torch.testing.assert_close(loss.total, wanted[0] + wanted[1])
    torch.testing.assert_close(loss.parts["nll"], loss.total.detach())


def test_rows_are_no_longer_than_the_model_reads_and_in_training_begin_anywhere() -> None:
    row = Features({"tokens": np.arange(18, dtype=np.int32)})
    assert _objective().collate([row], np.random.default_rng(0))["tokens"].tolist() == [list(range(9))]
    begun = {
        int(_objective().collate_training([row], np.random.default_rng(seed))["tokens"][0, 0])
        for seed in range(20)
    }
    assert len(begun) > 3


def test_what_is_foretold_is_the_likeliest_of_each_direction() -> None:
    model, batch = drawn(Model(SIZES)).eval(), _batch([[5, 6, 7]])
    found = _objective().predict(model, batch)
    onward, backward = model.both(batch)
    assert torch.equal(found[..., 0], model.output(onward).argmax(-1))
    assert torch.equal(found[..., 1], model.output(backward).argmax(-1))
