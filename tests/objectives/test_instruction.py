"""Only answers are learned: what is asked counts nothing, and is read all the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Example
from glassformer.models.gpt import Config as GptConfig
from glassformer.models.gpt import Model
from glassformer.objectives.instruction import Config, Objective
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

CHATS = [
    [("user", "안녕?"), ("assistant", "반가워요.")],
    [("user", "who are you"), ("assistant", "a model"), ("user", "뭐 해?"), ("assistant", "공부해요.")],
    [("system", "be brief"), ("user", "count"), ("assistant", "one two three four"), ("user", "thanks")],
]


def _tokenizers() -> TokenizerPair:
    texts = [text for chat in CHATS for turn in chat for text in turn]
    one = train(TokenizerConfig(name="word", vocab_size=100, min_frequency=1), texts, "none")
    return Objective.tokenizers_for(TokenizerPair(one, one))


PAIR = _tokenizers()


def _asked(max_length: int = 40, longest: int | None = None) -> tuple[Any, Objective]:
    torch.manual_seed(0)
    source: Any = PAIR.source
    ids = {"vocab_size": source.vocab_size, "pad_id": 0, "eos_id": source.eos_id, "start_id": source.eos_id}
    sizes = {"dim": 16, "depth": 1, "heads": 2, "mlp_dim": 32, "max_length": max_length, "dropout": 0.0}
    config = GptConfig.model_validate(sizes | ids)
    return Model(config).eval(), Objective(Config(max_length=longest), numbers=config, tokenizers=PAIR)


def _batch(objective: Objective, chats: list[Any]) -> Batch:
    examples = [Example({"messages": tuple(chat)}, f"x:{n}") for n, chat in enumerate(chats, start=1)]
    return objective.collate(objective.encode(examples, PAIR), np.random.default_rng(0))


def test_labels_are_the_answers_and_their_ends_alone() -> None:
    _, objective = _asked()
    batch = _batch(objective, CHATS)
    told = [row[row != -100].tolist() for row in batch["labels"]]
    wanted = ["반가워요.", "a model 공부해요.", "one two three four"]
    assert [PAIR.source.decode(row) for row in told] == wanted
    ends = [row.count(PAIR.source.eos_id) for row in told]
    assert ends == [1, 2, 1]
    assert batch.count == sum(map(len, told))
    following = batch["tokens"][:, 1:]
    scored = (batch["labels"][:, :-1] != -100) & (following != objective.pad_id)
    assert scored.sum() > 8
    assert torch.equal(following[scored], batch["labels"][:, :-1][scored])


def test_what_stands_where_nothing_is_asked_changes_neither_loss_nor_gradient() -> None:
    model, objective = _asked()
    batch = _batch(objective, CHATS)
    objective.loss(model, batch).total.backward()
    before = [one.grad.clone() for one in model.parameters()]
    free = batch["labels"] == -100
    # The same hidden states, compared by hand with the labels of the answers alone.
    scores = model(batch).log_softmax(-1)
    picked = scores.gather(-1, batch["labels"].clamp(min=0)[..., None])[..., 0]
    by_hand = -(picked * ~free).sum()
    torch.testing.assert_close(objective.loss(model, batch).total, by_hand, rtol=1e-5, atol=1e-5)
    model.zero_grad()
    by_hand.backward()
    for one, grad in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(one.grad, grad, rtol=1e-4, atol=1e-6)


def test_scores_of_what_is_asked_get_no_gradient() -> None:
    model, objective = _asked()
    batch = _batch(objective, CHATS)
    held: list[torch.Tensor] = []
    plain = model.hidden

    def seen(given: Any) -> Any:
        hidden = plain(given)
        hidden.retain_grad()
        held.append(hidden)
        return hidden

    model.hidden = seen
    objective.loss(model, batch).total.backward()
    (hidden,) = held
    assert hidden.grad is not None
    free = batch["labels"] == -100
    assert not hidden.grad[free].any()
    assert hidden.grad[~free].abs().sum(-1).min() > 0


def test_what_is_asked_is_read_before_it_is_answered() -> None:
    model, objective = _asked()
    one = _batch(objective, [[("user", "안녕?"), ("assistant", "반가워요.")]])
    other = _batch(objective, [[("user", "count"), ("assistant", "반가워요.")]])
    assert torch.equal(one["labels"][one["labels"] != -100], other["labels"][other["labels"] != -100])
    assert objective.loss(model, one).total != objective.loss(model, other).total


@given(longest=st.integers(4, 30), place=st.integers(0, 2), more=st.integers(0, 12))
def test_a_conversation_that_is_too_long_keeps_an_answer(longest: int, place: int, more: int) -> None:
    _, objective = _asked(longest=longest)
    chat = [*CHATS[place]]
    chat[-2 if place == 2 else 0] = (chat[-2 if place == 2 else 0][0], "안녕? " * (more + 1))
    (row,) = objective.encode([Example({"messages": tuple(chat)}, "x:1")], PAIR)
    tokens, scored = row.arrays["tokens"], row.arrays["scored"]
    assert len(tokens) <= longest + 1
    assert scored.any()
    assert scored[0] == 0
    assert row.arrays["answers"].tolist() == tokens[scored > 0].tolist()


def test_a_long_conversation_loses_its_end_and_a_long_question_its_beginning() -> None:
    _, objective = _asked(longest=8)
    (row,) = objective.encode([Example({"messages": tuple(CHATS[1])}, "x:1")], PAIR)
    assert PAIR.source.decode(row.arrays["answers"].tolist()) == "a model"
    assert row.arrays["tokens"][0] == PAIR.source.encode("user")[0]
    long = [("user", "안녕? " * 20 + "count"), ("assistant", "one two three four")]
    (row,) = objective.encode([Example({"messages": tuple(long)}, "x:1")], PAIR)
    assert "count" in PAIR.source.decode(row.arrays["tokens"].tolist())
    assert PAIR.source.decode(row.arrays["answers"].tolist()).startswith("one two")


def test_tokenizers_get_our_template_unless_they_have_one() -> None:
    source: Any = PAIR.source
    assert source.settings["split_special_tokens"] is False
    other = source.with_settings(chat_template="{{ messages }}")
    again: Any = Objective.tokenizers_for(TokenizerPair(other, other)).source
    assert again.settings["chat_template"] == "{{ messages }}"


def test_a_conversation_that_cannot_be_written_is_named_by_its_line() -> None:
    _, objective = _asked()
    with pytest.raises(UserError, match=r"x:1: '</s>' in the text"):
        _batch(objective, [[("user", "</s>"), ("assistant", "a")]])
