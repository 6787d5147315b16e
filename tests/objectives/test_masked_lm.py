"""The masked language model: frames, choices that hold still when measured, halves of rows, and the loss."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.objectives.language_rows import TEXTS, Encoder, pieces, rows
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Features
from glassformer.objectives.masked_lm import Config, Objective
from glassformer.objectives.objective import Objective as Protocol
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

PAD, START, END, MASK, IGNORED = 0, 1, 2, 4, -100
RNG = np.random.default_rng(0)
PAIR = train_pair(TokenizerConfig(name="word", vocab_size=100, min_frequency=1), [TEXTS], "both")
VOCAB = PAIR.source.vocab_size


def _objective(*, numbers: Any = None, tokenizers: TokenizerPair | None = PAIR, **settings: Any) -> Objective:
    return Objective(Config(**settings), numbers=numbers or Encoder(VOCAB).config, tokenizers=tokenizers)


def _texts(count: int, size: int = 21) -> list[Features]:
    found = np.random.default_rng(7).integers(5, VOCAB, (count, size))
    return rows(*found.tolist())


def _restored(batch: Batch) -> torch.Tensor:
    """The tokens as they were before any was hidden."""
    return torch.where(batch["labels"] == IGNORED, batch["tokens"], batch["labels"])


def _sum(objective: Objective, model: Encoder, *batches: Batch) -> torch.Tensor:
    return torch.stack([objective.loss(model, batch).total for batch in batches]).sum()


def test_it_is_an_objective_that_needs_an_encoder() -> None:
    assert isinstance(_objective(), Protocol)
    found = (Objective.needs, Objective.reads, Objective.frame, Objective.answers)
    assert found == (("encodes",), "text", "both", "tokens")


def test_documents_are_parted_by_the_end() -> None:
    found = _objective().encode(pieces((TEXTS[0], True, True), (TEXTS[1], True, False)), PAIR)
    ids = PAIR.source.encode_batch(TEXTS[:2])
    assert [row.arrays["tokens"].tolist() for row in found] == [[*ids[0], END], ids[1]]


@pytest.mark.parametrize("training", [False, True])
def test_a_row_is_framed_and_as_long_as_its_block(training: bool) -> None:
    objective = _objective()
    text = _texts(3, 32 if training else 17)
    batch = (objective.collate_training if training else objective.collate)(text, np.random.default_rng(3))
    assert batch["tokens"].shape == (3, 16)
    whole = _restored(batch)
    assert set(whole[:, 0].tolist()) == {START}
    assert set(whole[:, -1].tolist()) == {END}
    for row, source in zip(whole[:, 1:-1].tolist(), text, strict=True):
        assert str(row)[1:-1] in str(source.arrays["tokens"].tolist())
    assert batch.count == len(batch["chosen"]) == int((batch["labels"] != IGNORED).sum()) >= 3
    assert torch.equal(batch["chosen"], (batch["labels"].flatten() != IGNORED).nonzero()[:, 0])


def test_rows_fit_the_model_and_padding_is_not_kept() -> None:
    short = _objective(numbers=SimpleNamespace(pad_id=PAD, max_length=10, head="masked_lm"))
    batch = short.collate(rows(*[[5] * 21, [6, 7, 8]]), RNG)
    assert batch["tokens"].shape == (2, 10)
    assert _restored(batch)[1].tolist() == [START, 6, END] + [PAD] * 7
    assert batch["keep"].sum(1).tolist() == [10, 3]


def test_what_is_measured_has_the_same_choices_in_any_batch_and_at_any_time() -> None:
    objective, text = _objective(), _texts(4)
    whole = objective.collate(text, np.random.default_rng(1))
    again = objective.collate(text, np.random.default_rng(2))
    alone = [objective.collate([row], np.random.default_rng(3)) for row in text]
    for name in ("tokens", "labels", "chosen"):
        assert torch.equal(whole[name], again[name])
    assert torch.equal(whole["tokens"], torch.cat([one["tokens"] for one in alone]))


def test_in_training_the_chance_of_the_stream_alone_decides() -> None:
    objective, text = _objective(), _texts(4)
    one, same, other = (objective.collate_training(text, np.random.default_rng(s)) for s in (1, 1, 2))
    assert torch.equal(one["tokens"], same["tokens"])
    assert not torch.equal(one["tokens"], other["tokens"])


@pytest.mark.parametrize("pair", [False, True])
def test_the_loss_is_the_cross_entropy_of_the_chosen_tokens_and_of_the_rows(pair: bool) -> None:
    objective, model = _objective(next_sentence=pair), Encoder(VOCAB)
    batch = objective.collate(_texts(5), RNG)
    labels = batch["labels"].flatten()
    wanted = functional.cross_entropy(model(batch).flatten(0, 1), labels, reduction="sum")
    found = objective.loss(model.eval(), batch)
    torch.testing.assert_close(found.parts["nll"], wanted.detach())
    right = (model(batch).argmax(-1).flatten()[batch["chosen"]] == labels[batch["chosen"]]).sum()
    assert found.parts["accuracy"] == right
    if pair:
        scores = model.next_sentence(model.pooled(model.hidden(batch)))
        for row, count in enumerate((batch["labels"] != IGNORED).sum(1).tolist()):
            wanted = wanted + count * functional.cross_entropy(scores[row], batch["foreign"][row])
    torch.testing.assert_close(found.total, wanted)
    ours, theirs = (torch.autograd.grad(loss, model.table.weight)[0] for loss in (found.total, wanted))
    torch.testing.assert_close(ours, theirs)


def test_a_split_batch_has_the_same_sum() -> None:
    objective, model, text = _objective(), Encoder(VOCAB), _texts(6)
    whole = objective.collate(text, RNG)
    parts = [
        objective.collate(text[:1], RNG),
        objective.collate(text[1:4], RNG),
        objective.collate(text[4:], RNG),
    ]
    assert whole.count == sum(part.count for part in parts)
    torch.testing.assert_close(_sum(objective, model, whole), _sum(objective, model, *parts))


def test_halves_of_rows_are_summed_so_that_any_split_of_a_batch_is_the_whole() -> None:
    objective, model = _objective(next_sentence=True), Encoder(VOCAB)
    batch = objective.collate(_texts(6), RNG)
    parts = []
    for chosen in (slice(0, 2), slice(2, 6)):
        tensors = {name: batch[name][chosen] for name in batch if name not in ("chosen",)}
        tensors["chosen"] = (tensors["labels"].flatten() != IGNORED).nonzero()[:, 0]
        parts.append(Batch(tensors, len(tensors["chosen"])))
    torch.testing.assert_close(_sum(objective, model, batch), _sum(objective, model, *parts))


def test_half_of_the_rows_end_with_the_end_of_another_row() -> None:
    objective, text = _objective(next_sentence=True, share=0.01), _texts(40, 42)
    sources = [str(row.arrays["tokens"].tolist())[1:-1] for row in text]
    rng, foreign, count, by_accident = np.random.default_rng(5), 0, 0, 0
    for _ in range(25):
        batch = objective.collate_training(text, rng)
        whole = _restored(batch)
        for at in range(len(text)):
            ends = (whole[at] == END).nonzero()[:, 0].tolist()
            assert len(ends) == 2
            first, second = whole[at, 1 : ends[0]].tolist(), whole[at, ends[0] + 1 : ends[1]].tolist()
            assert batch["segments"][at, : ends[1] + 1].tolist() == [0] * (ends[0] + 1) + [1] * (
                ends[1] - ends[0]
            )
            joined = str(first + second)[1:-1] in sources[at]
            if batch["foreign"][at]:
                assert any(str(second)[1:-1] in source for source in sources)
                by_accident += joined
            else:
                assert joined
        foreign, count = foreign + int(batch["foreign"].sum()), count + len(text)
    assert abs(foreign / count - 0.5) < 4 * np.sqrt(0.25 / count)
    assert by_accident < 0.02 * foreign  # halves of a single token


def test_a_row_alone_goes_on_by_itself() -> None:
    objective = _objective(next_sentence=True)
    assert all(objective.collate([row], RNG)["foreign"].tolist() == [0] for row in _texts(10))


def test_second_halves_begin_with_a_word() -> None:
    pair = train_pair(TokenizerConfig(name="bpe", vocab_size=340), [TEXTS], "both")
    objective = _objective(next_sentence=True, tokenizers=pair)
    tokens = pair.source.encode(" ".join(TEXTS))
    text = rows(*[tokens[at : at + 31] for at in range(0, len(tokens) - 31, 10)])
    goes_on = pair.source.continues()
    batch = objective.collate(text, RNG)
    whole = _restored(batch)
    for row, sides in zip(whole, batch["segments"], strict=True):
        assert not goes_on[int(row[int((sides == 1).nonzero()[0])])]


def test_it_answers_at_every_place() -> None:
    objective, model = _objective(), Encoder(VOCAB)
    batch = objective.collate(_texts(2), RNG)
    assert torch.equal(objective.predict(model, batch), model(batch).argmax(-1))


@pytest.mark.parametrize("head", ["none", "pooler"])
def test_a_model_without_scores_of_words_is_one_sentence(head: str) -> None:
    numbers = SimpleNamespace(pad_id=PAD, max_length=10, head=head)
    with pytest.raises(UserError, match=rf"not head: {head}; set model\.head=masked_lm"):
        _objective(numbers=numbers)


def test_halves_of_rows_need_the_head_for_them() -> None:
    numbers = SimpleNamespace(pad_id=PAD, max_length=10, head="masked_lm")
    with pytest.raises(UserError, match="next_sentence needs a model with head: pretraining"):
        _objective(numbers=numbers, next_sentence=True)


def test_a_tokenizer_without_a_mask_is_one_sentence() -> None:
    plain = train_pair(TokenizerConfig(name="word", min_frequency=1), [TEXTS])
    with pytest.raises(UserError, match="needs a tokenizer with a mask"):
        _objective(tokenizers=plain)
