"""Skip-gram: an answer is a pair of a word and one around it."""

from __future__ import annotations

import numpy as np
import torch
from tests.objectives.language_rows import rows
from tests.objectives.word_rows import END, VOCAB, made

from glassformer.objectives.objective import Objective as Protocol


def test_it_is_an_objective_over_running_text_for_models_that_embed() -> None:
    _, objective = made("skip_gram")
    assert isinstance(objective, Protocol)
    assert (objective.needs, objective.reads, objective.frame) == (("embeds",), "text", "none")


def test_every_pair_of_a_document_is_an_answer_where_windows_reach_everywhere() -> None:
    _, objective = made("skip_gram", window=1, sample=0)
    batch = objective.collate(rows([5, 6, 7, END, 8, 9, END, 10]), np.random.default_rng(0))
    assert batch.count == 6  # 5-6, 6-5, 6-7, 7-6, 8-9, 9-8


def test_a_word_is_never_noise_for_itself() -> None:
    model, objective = made("skip_gram", window=1, sample=0, negative=1000)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.weight[5] = model.input.weight[5] * 100
    tokens = [5] * 8
    objective.sampler.ends[:] = np.where(np.arange(VOCAB) < 5, 0, 1)
    batch = objective.collate(rows(tokens), np.random.default_rng(0))
    assert batch["weights"].abs().sum() == 0
    assert float(objective.loss(model, batch).total.detach()) < 1e-6 * batch.count
