"""Language models: what stands where in a batch, the loss, and both directions with the same weights."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tests.objectives.language_rows import TEXTS, Causal, pieces, rows
from torch.nn import functional

from glassformer.objectives.causal_lm import Config, Objective
from glassformer.objectives.objective import Objective as Protocol
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

PAD, END, IGNORED = 0, 2, -100
RNG = np.random.default_rng(0)


def _objective(**settings: Any) -> Objective:
    return Objective(Config(**settings), numbers=Causal().config, tokenizers=None)


def _tokenizers() -> TokenizerPair:
    return train_pair(TokenizerConfig(name="bpe", vocab_size=420), [(text,) for text in TEXTS], "none")


def test_it_is_an_objective_that_needs_a_generator() -> None:
    assert isinstance(_objective(), Protocol)
    found = (Objective.needs, Objective.reads, Objective.frame, Objective.answers)
    assert found == (("generates",), "text", "none", "tokens")


def test_documents_in_pieces_give_the_ids_of_the_whole_and_end_once() -> None:
    tokenizers, text = _tokenizers(), " ".join(TEXTS)
    cut = text.index(" far")
    parts = pieces((text[:cut], True, False), (text[cut:], False, True), (TEXTS[0], True, True))
    found = _objective().encode(parts, tokenizers)
    first = [number for row in found[:2] for number in row.arrays["tokens"]]
    assert first == [*tokenizers.source.encode(text), END]
    assert found[2].arrays["tokens"].tolist() == [*tokenizers.source.encode(TEXTS[0]), END]


def test_every_token_foretells_the_next() -> None:
    batch = _objective().collate(rows([5, 6, END, 7], [8, 9]), RNG)
    assert batch["tokens"].tolist() == [[5, 6, END], [8, PAD, PAD]]
    assert batch["labels"].tolist() == [[6, END, 7], [9, IGNORED, IGNORED]]
    assert set(batch) == {"tokens", "labels"}
    assert batch.count == 4


def test_backward_every_token_foretells_the_one_before() -> None:
    batch = _objective(direction="backward").collate(rows([5, 6, END, 7], [8, 9]), RNG)
    assert batch["tokens"].tolist() == [[7, END, 6], [9, PAD, PAD]]
    assert batch["labels"].tolist() == [[END, 6, 5], [8, IGNORED, IGNORED]]


def test_documents_apart_begin_with_the_end_that_is_read_before_them() -> None:
    text = rows([5, 6, END, 7, 8, END, 9])
    forward = _objective(separate=True).collate(text, RNG)
    assert forward["tokens"].tolist() == [[5, 6, END, 7, 8, END]]
    assert forward["documents"].tolist() == [[0, 0, 1, 1, 1, 2]]
    backward = _objective(separate=True, direction="backward").collate(text, RNG)
    assert backward["tokens"].tolist() == [[9, END, 8, 7, END, 6]]
    assert backward["documents"].tolist() == [[0, 1, 1, 1, 2, 2]]


def test_rows_in_training_are_cropped_by_chance_and_by_nothing_else() -> None:
    text = rows(list(range(3, 15)), list(range(4, 16)))
    objective = _objective()
    seen = set()
    for seed in range(60):
        batch = objective.collate_training(text, np.random.default_rng(seed))
        again = objective.collate_training(text, np.random.default_rng(seed))
        assert torch.equal(batch["tokens"], again["tokens"])
        assert batch["tokens"].shape == (2, 6)
        assert torch.equal(batch["labels"][:, :-1], batch["tokens"][:, 1:])
        seen |= set(batch["tokens"][0, :1].tolist())
    assert seen == set(range(3, 9))


def test_what_is_measured_is_never_longer_than_the_model() -> None:
    objective = _objective()
    batch = objective.collate(rows([5] * 100), RNG)
    assert batch["tokens"].shape == (1, 32)
    assert batch.count == 32


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_loss_is_the_summed_cross_entropy(direction: str) -> None:
    objective, model = _objective(direction=direction), Causal()
    batch = objective.collate(rows([5, 6, END, 7], [8, 9]), RNG)
    found = objective.loss(model, batch)
    scores = model(batch).flatten(0, 1)
    wanted = functional.cross_entropy(scores, batch["labels"].flatten(), reduction="sum")
    torch.testing.assert_close(found.total, wanted)
    torch.testing.assert_close(found.parts["nll"], wanted.detach())
    ours, theirs = (torch.autograd.grad(loss, model.output.weight)[0] for loss in (found.total, wanted))
    torch.testing.assert_close(ours, theirs)


def test_a_backward_model_scores_a_row_as_the_forward_model_scores_it_reversed() -> None:
    model, text = Causal(), [5, 6, END, 7, 8, 9]
    backward = _objective(direction="backward")
    forward = _objective()
    one = backward.collate(rows(text), RNG)
    other = forward.collate(rows(text[::-1]), RNG)
    assert torch.equal(backward.loss(model, one).total, forward.loss(model, other).total)
    assert torch.equal(model(one), model(other))
    plain = forward.loss(model, forward.collate(rows(text), RNG)).total
    assert not torch.isclose(plain, forward.loss(model, other).total)


def test_a_split_batch_has_the_same_sum() -> None:
    objective, model = _objective(), Causal()
    text = rows([5, 6, 7, 8, 9], [3, 4], [10, 11, 12, END])
    whole = objective.collate(text, RNG)
    parts = [objective.collate(text[:1], RNG), objective.collate(text[1:], RNG)]
    assert whole.count == sum(part.count for part in parts)
    total = sum(objective.loss(model, part).total for part in parts)
    torch.testing.assert_close(objective.loss(model, whole).total, total)


def test_it_answers_with_the_likeliest_next_token() -> None:
    objective, model = _objective(), Causal()
    batch = objective.collate(rows([5, 6, END, 7]), RNG)
    assert torch.equal(objective.predict(model, batch), model(batch).argmax(-1))


def test_padding_changes_nothing() -> None:
    objective, model = _objective(), Causal()
    batch = objective.collate(rows([5, 6, END, 7], [8, 9]), RNG)
    other = batch["tokens"].clone()
    other[1, 1:] = 11
    changed = replace(batch, tensors={**batch.tensors, "tokens": other})
    torch.testing.assert_close(objective.loss(model, changed).total, objective.loss(model, batch).total)


def test_a_direction_is_forward_or_backward() -> None:
    with pytest.raises(ValidationError):
        Config(direction="sideways")
