"""What skip-gram and CBOW share: windows within documents, chance, and counting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.objectives.language_rows import rows
from tests.objectives.word_rows import COUNTS, END, MODULES, VOCAB, made, text

from glassformer.base.errors import UserError
from glassformer.objectives.objective import Objective as Protocol


def test_windows_reach_as_far_as_drawn_and_into_no_other_document() -> None:
    _, objective = made("skip_gram", window=4, sample=0)
    batch = objective.collate(rows([5, 6, 7, END, 8, 9], [10, 11]), np.random.default_rng(0))
    documents = [[5, 6, 7], [8, 9], [10, 11]]
    words = batch["output_rows"][batch["output_places"]]
    reached = set()
    for chunk, place, offset in torch.nonzero(batch["pairs"]).tolist():
        pair = (int(words[chunk, place + 4]), int(words[chunk, place + offset]))
        assert any(set(pair) <= set(document) for document in documents)
        reached.add(pair)
    assert {(6, 5), (6, 7), (8, 9), (9, 8), (10, 11), (11, 10)} <= reached
    assert all(one != other for one, other in reached)


@pytest.mark.parametrize("name", MODULES)
def test_training_draws_other_windows_and_noise_each_time_and_measuring_the_same(name: str) -> None:
    _, objective = made(name)
    some = rows(text(64), text(64))
    first, second = (objective.collate_training(some, np.random.default_rng(seed)) for seed in (1, 2))
    drawn = "near" if name == "cbow" else "pairs"
    assert first[drawn].shape != second[drawn].shape or not torch.equal(first[drawn], second[drawn])
    one, other = (objective.collate(some, np.random.default_rng(seed)) for seed in (1, 2))
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("sign", [1, -1])
def test_scores_that_leave_no_chance_in_float32_give_a_loss_and_a_gradient_all_the_same(
    name: str, sign: int
) -> None:
    model, objective = made(name, sample=0)
    model.float()
    torch.nn.init.constant_(model.input.weight, 10.0)
    torch.nn.init.constant_(model.output.weight, sign * 10.0)  # scores of ±500
    batch = objective.collate(rows(text(40)), np.random.default_rng(0))
    loss = objective.loss(model, batch).total
    loss.backward()
    told = (batch["weights"].sum() if sign > 0 else batch.count) * torch.ones(())
    assert torch.isfinite(loss) and loss > 80 * told > 0
    slopes = model.input.weight.grad.to_dense()
    torch.testing.assert_close(slopes.sum(), 10 * len(slopes[0]) * told, rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("row", [[5], [END, END], [1, 1, 1]])
def test_a_text_without_pairs_has_nothing_to_learn(name: str, row: list[int]) -> None:
    _, objective = made(name)
    assert isinstance(objective, Protocol)
    assert objective.collate(rows(row), np.random.default_rng(0)).count == 0


@pytest.mark.parametrize("counts", [np.zeros(VOCAB), np.eye(VOCAB)[5] * 9, np.eye(VOCAB)[END] * 9])
def test_a_text_of_fewer_than_two_words_is_refused_in_one_sentence(counts: np.ndarray) -> None:
    model, objective = made("cbow")
    model.counts.data.zero_()
    with pytest.raises(UserError, match=r"cbow needs a text with two different words or more, and the"):
        objective.count(model, counts.astype(np.int64))


def test_a_folder_that_was_counted_keeps_its_counts() -> None:
    model, objective = made("skip_gram")
    objective.count(model, COUNTS[::-1].copy())
    assert model.counts.tolist() == COUNTS.tolist()
    ends = objective.sampler.ends.copy()
    objective.count(model)
    assert objective.sampler.ends.tolist() == ends.tolist()
