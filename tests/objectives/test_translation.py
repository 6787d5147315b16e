"""Translation: what stands where in a batch, and the loss against torch's own label smoothing."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from glassformer.data.example import Batch, Example, Features
from glassformer.models.transformer import Config as ModelConfig
from glassformer.models.transformer import Model
from glassformer.objectives.objective import Objective as Protocol
from glassformer.objectives.translation import Config, Objective
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

PAIRS = [("나는 간다", "I go"), ("나는 집에 간다", "I go home now")]
PAD, START, END, IGNORED = 0, 1, 2, -100


def _objective(smoothing: float = 0.1) -> Objective:
    numbers = ModelConfig(pad_id=PAD, start_id=START, eos_id=END)
    return Objective(Config(label_smoothing=smoothing), numbers=numbers, tokenizers=None)


def _features(*pairs: tuple[list[int], list[int]]) -> list[Features]:
    arrays = [{"source": np.array(s, np.int32), "target": np.array(t, np.int32)} for s, t in pairs]
    return [Features(one) for one in arrays]


def _batch() -> Batch:
    rows = _features(([5, 6, 7, END], [8, END]), ([9, END], [10, 11, 12, END]))
    return _objective().collate(rows, np.random.default_rng(0))


def _model(**settings: object) -> Model:
    sizes = {"dim": 8, "depth": 1, "heads": 2, "mlp_dim": 8, "vocab_size": 13, "target_vocab_size": 13}
    return Model(ModelConfig(**(sizes | {"dropout": 0.0} | settings)))


def test_it_is_an_objective_that_needs_a_translator() -> None:
    assert isinstance(_objective(), Protocol)
    assert (Objective.needs, Objective.reads, Objective.answers) == (("translates",), "pairs", "target")


def test_both_sides_end_with_the_end_and_are_read_by_their_own_tokenizer() -> None:
    pair = train_pair(TokenizerConfig(name="word", shared=False, min_frequency=1), PAIRS)
    assert isinstance(pair, TokenizerPair)
    examples = [Example({"source": one, "target": other}, "x:1") for one, other in PAIRS]
    found = _objective().encode(examples, pair)
    for features, (one, other) in zip(found, PAIRS, strict=True):
        assert features.arrays["source"].tolist() == [*pair.source.encode(one), END]
        assert features.arrays["target"].tolist() == [*pair.target.encode(other), END]
    assert found[1].size == len(pair.target.encode("I go home now")) + 1


def test_a_batch_shifts_the_target_right_behind_the_start() -> None:
    batch = _batch()
    assert batch["source"].tolist() == [[5, 6, 7, END], [9, END, PAD, PAD]]
    assert batch["source_keep"].tolist() == [[True] * 4, [True, True, False, False]]
    assert batch["target"].tolist() == [[START, 8, END, PAD], [START, 10, 11, 12]]
    assert batch["labels"].tolist() == [[8, END, IGNORED, IGNORED], [10, 11, 12, END]]
    assert batch.count == 6


def test_a_token_that_looks_like_padding_is_kept() -> None:
    rows = _features(([PAD, 5, END], [6, END]), ([7, END], [PAD, END]))
    batch = _objective().collate(rows, np.random.default_rng(0))
    assert batch["source_keep"].tolist() == [[True, True, True], [True, True, False]]
    assert batch["labels"][1].tolist() == [PAD, END]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("settings", [{}, {"output_bias": True, "share": "none"}])
def test_the_loss_is_the_summed_smoothed_cross_entropy(smoothing: float, settings: dict[str, object]) -> None:
    model, batch = _model(**settings).train(), _batch()
    found = _objective(smoothing).loss(model, batch)
    scores, labels = model(batch).flatten(0, 1), batch["labels"].flatten()
    options = {"reduction": "sum", "ignore_index": IGNORED}
    wanted = functional.cross_entropy(scores, labels, label_smoothing=smoothing, **options)
    torch.testing.assert_close(found.total, wanted)
    torch.testing.assert_close(
        found.parts["nll"], functional.cross_entropy(scores, labels, **options).detach()
    )
    ours, theirs = (torch.autograd.grad(loss, model.source.table.weight)[0] for loss in (found.total, wanted))
    torch.testing.assert_close(ours, theirs)


def test_a_model_that_is_measured_is_not_smoothed() -> None:
    model, batch = _model().eval(), _batch()
    found = _objective(0.3).loss(model, batch)
    torch.testing.assert_close(found.total.detach(), found.parts["nll"].detach())


def test_what_is_ignored_and_what_is_padding_change_nothing() -> None:
    model, batch = _model().eval(), _batch()
    before = _objective().loss(model, batch).total
    other = dict(batch.tensors)
    other["target"] = other["target"].clone()
    other["target"][0, 3] = 9
    other["source"] = torch.where(other["source_keep"], other["source"], 11)
    torch.testing.assert_close(_objective().loss(model, Batch(other, batch.count)).total, before)


def test_it_answers_with_the_likeliest_next_token() -> None:
    model, batch = _model().eval(), _batch()
    assert torch.equal(_objective().predict(model, batch), model(batch).argmax(-1))


@pytest.mark.parametrize("wrong", [-0.1, 1.0, "much"])
def test_a_share_is_at_least_0_and_less_than_1(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Config(label_smoothing=wrong)
