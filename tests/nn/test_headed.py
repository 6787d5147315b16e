"""A head on a body: which hidden state tells a text, and that nothing around the text changes it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tests.models.drawn import drawn
from torch import nn

from glassformer.models import bert, gpt
from glassformer.nn.headed import Head, Headed, bare, body_of, head_of, pooled, width_of

HIDDEN = torch.tensor([[[9.0, 9], [1, 2], [3, 4]], [[5, 6], [9, 9], [9, 9]]])
KEEP = torch.tensor([[False, True, True], [True, False, False]])
SETTINGS: dict[str, Any] = {
    "objective": "classification",
    "ability": "classifies",
    "pool": "last",
    "labels": ("bad", "good"),
    "outputs": 2,
    "width": 8,
    "max_length": 16,
}


def body(name: str = "gpt") -> nn.Module:
    sizes: dict[str, Any] = {"dim": 8, "depth": 1, "heads": 2, "vocab_size": 31, "max_length": 16}
    return gpt.Model(gpt.Config(**sizes)) if name == "gpt" else bert.Model(bert.Config(mlp_dim=8, **sizes))


def made(name: str = "gpt", **changed: Any) -> Headed:
    return drawn(Headed(body(name), Head(**(SETTINGS | changed))))


@pytest.mark.parametrize(
    ("pool", "wanted"),
    [
        ("last", [[3.0, 4], [5, 6]]),
        ("first", [[1.0, 2], [5, 6]]),
        ("mean", [[2.0, 3], [5, 6]]),
    ],
)
def test_a_text_is_told_by_its_own_tokens_wherever_its_padding_stands(pool: Any, wanted: list[Any]) -> None:
    assert pooled(HIDDEN, KEEP, pool).tolist() == wanted
    whole = HIDDEN[:1, 1:]
    assert pooled(whole, None, pool).tolist() == wanted[:1]


@pytest.mark.parametrize("name", ["gpt", "bert"])
@pytest.mark.parametrize("pool", ["last", "first", "mean", "each"])
def test_padding_and_batch_mates_change_no_score(name: str, pool: str) -> None:
    model = made(name, pool=pool)
    alone = torch.tensor([[4, 5, 6]])
    tokens = torch.tensor([[4, 5, 6, 0, 0], [7, 8, 9, 10, 11]])
    keep = torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    with torch.no_grad():
        together, one = model({"tokens": tokens, "keep": keep})[:1], model({"tokens": alone})
    told = together[:, :3] if pool == "each" else together
    torch.testing.assert_close(told, one, rtol=0, atol=1e-5)


def test_one_output_is_the_sigmoid_of_the_second_label() -> None:
    model = made(outputs=1)
    batch = {"tokens": torch.tensor([[4, 5, 6]])}
    score = model.classifier(model.hidden(batch))
    shares = model(batch).softmax(-1)
    torch.testing.assert_close(shares[0, 1], torch.sigmoid(score)[0, 0])
    assert float(shares.detach().sum()) == pytest.approx(1.0)


def test_what_scores_words_is_taken_off_the_body() -> None:
    for name in ("gpt", "bert"):
        model = made(name)
        parts = {part for part, _ in model.body.named_children()}
        assert not parts & {"output", "transform", "pooler", "next_sentence"}
        assert {weight for weight, _ in model.named_parameters() if not weight.startswith("body.")} == {
            "classifier.weight",
            "classifier.bias",
        }


def test_a_body_is_found_under_a_head_and_says_how_wide_it_is() -> None:
    model = made()
    assert body_of(model) is model.body
    assert head_of(model) is model.head
    plain = body()
    assert body_of(plain) is plain
    assert head_of(plain) is None
    assert width_of(plain.train()) == 8
    assert plain.training
    assert bare(bert.Config()).head == "none"
    assert bare(gpt.Config()) == gpt.Config()


@pytest.mark.parametrize(
    "changed", [{"outputs": 3}, {"outputs": 1, "labels": ("a", "b", "c")}, {"labels": ("a",), "outputs": 1}]
)
def test_outputs_that_cannot_tell_the_labels_apart_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"cannot tell|at least 2"):
        Head(**(SETTINGS | changed))
