"""Negative sampling: the loss and its gradient are those of the formulas, counted pair by pair."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from tests.objectives.language_rows import rows
from tests.objectives.word_rows import COUNTS, END, MODULES, SPECIAL, VOCAB, log_sigmoid, made, text
from torch import Tensor

from glassformer.objectives.windows import CHUNK


def by_pairs(model: Any, objective: Any, batch: Any, name: str) -> tuple[Tensor, int]:
    """The loss by its definition, one word after another, and how many answers it has."""
    window, inputs, outputs = objective.config.window, model.input.weight, model.output.weight
    input_words = batch["input_rows"][batch["input_places"]]
    output_words = batch["output_rows"][batch["output_places"]]
    skips = name == "skip_gram"
    near = input_words if not skips else output_words[:, : CHUNK + 2 * window]
    noise = output_words[:, CHUNK + 2 * window :] if skips else output_words[:, CHUNK:]
    share, total, count = objective.config.negative / noise.shape[1], torch.zeros((), dtype=torch.double), 0
    for chunk, place in product(range(len(near)), range(CHUNK)):
        seen = [near[chunk, place + o] for o in torch.nonzero(batch["pairs"][chunk, place])[:, 0]]
        if not seen:
            continue
        word = near[chunk, place + window]
        vector = inputs[word] if skips else torch.stack([inputs[other] for other in seen]).mean(0)
        for told in seen if skips else [word]:
            total = total - log_sigmoid(outputs[told] @ vector)
            others = outputs[noise[chunk][noise[chunk] != told]]
            total = total - share * log_sigmoid(-(others @ vector)).sum()
            count += 1
    return total, count


@pytest.mark.parametrize("name", MODULES)
def test_loss_and_gradient_are_those_of_the_formula(name: str) -> None:
    model, objective = made(name, window=3, sample=0)
    batch = objective.collate(rows(text(40), text(9), [5]), np.random.default_rng(0))
    loss = objective.loss(model, batch).total
    expected, count = by_pairs(model, objective, batch, name)
    assert batch.count == count > 0
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
    tables = [model.input.weight, model.output.weight]
    wanted = torch.autograd.grad(expected * 0.3, tables)
    for found, other in zip(torch.autograd.grad(loss * 0.3, tables), wanted, strict=True):
        torch.testing.assert_close(found.to_dense(), other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", MODULES)
def test_noise_shared_by_a_chunk_has_the_loss_of_noise_drawn_for_each_pair(name: str) -> None:
    model, objective = made(name, window=2, sample=0, negative=3)
    model.requires_grad_(False)
    tokens = [token for token in text(32) if token != END]
    losses = []
    for seed in range(200):
        batch = objective.collate(rows([*tokens]), np.random.default_rng(0))
        chance = np.random.default_rng(seed)
        chunks = objective.sampler.chunks(np.array(tokens), np.zeros(len(tokens), dtype=np.int32), chance)
        chunks.seen[:] = batch["seen"].numpy()
        chunks.pairs[:] = batch["pairs"].numpy()
        noise = objective.sampler.noise(len(chunks.words), objective.noise, chance)
        losses.append(float(objective.loss(model, objective._batch(chunks, noise)).total.detach()))
    weights = np.where(np.arange(VOCAB) < SPECIAL, 0, COUNTS) ** 0.75
    p = torch.from_numpy(weights / weights.sum())
    window, inputs, outputs = 2, model.input.weight.detach(), model.output.weight.detach()
    expected = 0.0
    for place in range(len(tokens)):
        offsets = torch.nonzero(batch["pairs"][0, place])[:, 0].tolist()
        words = [tokens[place + o - window] for o in offsets]
        if not words:
            continue
        skips = name == "skip_gram"
        vector = inputs[tokens[place]] if skips else torch.stack([inputs[word] for word in words]).mean(0)
        for told in words if skips else [tokens[place]]:
            others = log_sigmoid(-(outputs @ vector)) * p
            others[told] = 0
            expected -= float(log_sigmoid(outputs[told] @ vector) + 3 * others.sum())
    assert abs(np.mean(losses) - expected) < 4 * np.std(losses) / np.sqrt(200)
