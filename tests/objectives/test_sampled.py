"""Negative sampling: the loss and its gradient are those of the formulas, counted pair by pair."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from tests.objectives.language_rows import rows
from tests.objectives.word_rows import COUNTS, END, MODULES, SPECIAL, VOCAB, log_sigmoid, made, text
from torch import Tensor

from glassformer.objectives.windows import CHUNK


def answers(objective: Any, batch: Any, name: str) -> Iterator[tuple[list[int], list[int], Tensor]]:
    """Of each word the words that are read, those that are told, and the noise words."""
    if name == "cbow":
        bags = torch.tensor_split(batch["near"], batch["starts"][1:])
        noise = batch["noise"].repeat_interleave(CHUNK, 0)
        for told, bag, others in zip(batch["told"].flatten(), bags, noise, strict=True):
            yield bag.tolist(), [int(told)] if len(bag) else [], others
        return
    window = objective.config.window
    words = batch["output_rows"][batch["output_places"]]
    near, noise = words[:, : CHUNK + 2 * window], words[:, CHUNK + 2 * window :]
    for chunk, place in product(range(len(near)), range(CHUNK)):
        seen = [int(near[chunk, place + o]) for o in torch.nonzero(batch["pairs"][chunk, place])[:, 0]]
        yield [int(near[chunk, place + window])], seen, noise[chunk]


def by_pairs(model: Any, objective: Any, batch: Any, name: str) -> tuple[Tensor, int]:
    """The loss by its definition, one word after another, and how many answers it has."""
    inputs, outputs, config = model.input.weight, model.output.weight, objective.config
    total, count = torch.zeros((), dtype=torch.double), 0
    for read, words, noise in answers(objective, batch, name):
        if not words:
            continue
        vectors = inputs[read]
        vector = vectors.mean(0)
        if getattr(config, "whole", False):  # the value of the mean, and the gradient of the sum
            vector = vectors.sum(0) + (vector - vectors.sum(0)).detach()
        for told in words:
            total = total - log_sigmoid(outputs[told] @ vector)
            share = config.negative / len(noise)
            total = total - share * log_sigmoid(-(outputs[noise[noise != told]] @ vector)).sum()
            count += 1
    return total, count


@pytest.mark.parametrize(("name", "more"), [("skip_gram", {}), ("cbow", {}), ("cbow", {"whole": True})])
def test_loss_and_gradient_are_those_of_the_formula(name: str, more: dict[str, bool]) -> None:
    model, objective = made(name, window=3, sample=0, **more)
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
    tokens = [token for token in text(CHUNK) if token != END]
    losses = []
    documents = np.zeros(len(tokens), dtype=np.int32)
    chunks = objective.sampler.chunks(np.array(tokens), documents, np.random.default_rng(0))
    for seed in range(200):
        noise = objective.sampler.noise(len(chunks.words), objective.noise, np.random.default_rng(seed))
        losses.append(float(objective.loss(model, objective._batch(chunks, noise)).total.detach()))
    weights = np.where(np.arange(VOCAB) < SPECIAL, 0, COUNTS) ** 0.75
    p = torch.from_numpy(weights / weights.sum())
    window, inputs, outputs = 2, model.input.weight.detach(), model.output.weight.detach()
    expected = 0.0
    for place in range(len(tokens)):
        offsets = np.flatnonzero(chunks.pairs[0, place]).tolist()
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
