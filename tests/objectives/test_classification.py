"""Classification: what stands where in a batch, which head is asked for, and what the loss is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from glassformer.base.errors import UserError
from glassformer.data.example import Example
from glassformer.models import gpt
from glassformer.nn.headed import Headed
from glassformer.objectives.classification import Config, Objective
from glassformer.objectives.objective import Objective as Protocol
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

TEXTS = ["정말 좋다", "별로", "그냥 그런 영화 이야기"]
RNG = np.random.default_rng(0)
FACTS = {"labels": ("bad", "good"), "counts": (1, 1), "called": "label", "texts": 1}


def tokenizers() -> TokenizerPair:
    config = TokenizerConfig(name="word", vocab_size=40, min_frequency=1)
    return train_pair(config, [(text,) for text in TEXTS], "both")


def made(ability: str = "generates", labels: tuple[str, ...] = ("bad", "good"), **settings: Any) -> Any:
    config = Config(**settings)
    facts = FACTS | {"labels": labels, "counts": (1,) * len(labels)}
    head = Objective.head(config, facts=facts, ability=ability, width=16, max_length=6)
    return head, Objective(config, numbers=gpt.Config(), tokenizers=None, head=head)


def test_it_is_an_objective_for_every_body_with_a_state_for_each_token() -> None:
    _, objective = made()
    assert isinstance(objective, Protocol)
    assert set(objective.needs) >= {"generates", "encodes", "contextualizes"}
    assert (objective.reads, objective.frame, objective.answers) == ("labelled", "both", None)


@pytest.mark.parametrize(
    ("ability", "asked", "pool"),
    [
        ("generates", "auto", "last"),
        ("encodes", "auto", "first"),
        ("contextualizes", "auto", "mean"),
        ("generates", "mean", "mean"),
        ("encodes", "last", "last"),
    ],
)
def test_a_text_is_told_by_the_token_that_knows_it_all(ability: str, asked: str, pool: str) -> None:
    head, _ = made(ability, pool=asked)
    assert (head.pool, head.outputs, head.ability, head.max_length) == (pool, 2, "classifies", 6)


def test_two_labels_may_share_one_output_and_three_may_not() -> None:
    assert made(outputs=1)[0].outputs == 1
    with pytest.raises(UserError, match=r"objective\.outputs: 1 tells two labels apart, and the data has 3"):
        made(labels=("a", "b", "c"), outputs=1)


def test_texts_are_padded_on_the_right_and_every_row_has_a_label() -> None:
    _, objective = made()
    examples = [
        Example({"text": text, "label": label}, "x:1")
        for text, label in zip(TEXTS, ["good", "bad", "bad"], strict=True)
    ]
    words = tokenizers()
    features = objective.encode(examples, words)
    batch = objective.collate(features, RNG)
    assert batch.count == 3
    assert batch["labels"].tolist() == [1, 0, 0]
    assert batch["tokens"].shape == (3, 6)
    assert batch["keep"].sum(1).tolist() == [4, 3, 6]
    assert batch["tokens"][:, 0].tolist() == [words.source.bos_id] * 3
    assert "keep" not in objective.collate(features[:1], RNG)


def test_a_label_that_was_never_learned_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"x:7: the label 'ugly' is not among those of the training data"):
        made()[1].encode([Example({"text": "x", "label": "ugly"}, "x:7")], tokenizers())


def test_training_smooths_and_weighs_and_measuring_does_neither() -> None:
    head, plain = made(dropout=0.0)
    _, changed = made(dropout=0.0, label_smoothing=0.2, class_weights={"good": 3.0})
    words = tokenizers()
    sizes: dict[str, Any] = {"dim": 16, "depth": 1, "heads": 2, "vocab_size": words.source.vocab_size}
    body = gpt.Model(gpt.Config(dropout=0.0, attention_dropout=0.0, **sizes))
    model = Headed(body, head)
    with torch.no_grad():
        model.classifier.weight.normal_()
    examples = [Example({"text": t, "label": "good"}, "x:1") for t in TEXTS]
    batch = plain.collate(plain.encode(examples, words), RNG)
    losses = {
        training: [float(one.loss(model.train(training), batch).total.detach()) for one in (plain, changed)]
        for training in (True, False)
    }
    assert losses[True][0] == pytest.approx(losses[False][0], rel=1e-4)
    assert losses[False][0] == losses[False][1]
    assert abs(losses[True][1] - losses[True][0]) > 0.1
    found = plain.loss(model.eval(), batch)
    right = (plain.predict(model, batch) == batch["labels"]).sum()
    assert int(found.parts["accuracy"]) == int(right)


def hiding(share: float, pair: TokenizerPair | None) -> tuple[Any, list[Any]]:
    config = Config(hide=share)
    head = Objective.head(config, facts=FACTS, ability="encodes", width=16, max_length=300)
    objective = Objective(config, numbers=gpt.Config(), tokenizers=pair, head=head)
    examples = [Example({"text": " ".join(TEXTS * 30), "label": "good"}, "a:1")]
    return objective, objective.encode(examples, tokenizers())


def test_training_hides_a_share_of_the_words_and_nothing_of_the_frame() -> None:
    pair = tokenizers()
    objective, rows = hiding(0.4, pair)
    plain = objective.collate(rows, RNG)["tokens"]
    changed = objective.collate_training(rows, np.random.default_rng(1))
    assert changed["labels"].tolist() == [1]
    hidden = changed["tokens"] != plain
    assert set(changed["tokens"][hidden].tolist()) == {pair.source.mask_id}
    assert 0.3 < hidden.float().mean() < 0.5
    assert not hidden[0, 0]
    assert not hidden[0, -1]
    again = objective.collate_training(rows, np.random.default_rng(1))["tokens"]
    assert torch.equal(again, changed["tokens"])
    assert torch.equal(objective.collate(rows, RNG)["tokens"], plain)


def test_without_a_share_training_sees_the_texts_as_they_are() -> None:
    objective, rows = hiding(0.0, tokenizers())
    assert torch.equal(
        objective.collate_training(rows, RNG)["tokens"], objective.collate(rows, RNG)["tokens"]
    )


def test_where_there_is_no_mask_the_unknown_piece_hides() -> None:
    config = TokenizerConfig(name="word", vocab_size=40, min_frequency=1)
    pair = train_pair(config, [(text,) for text in TEXTS], "end")
    assert pair.source.mask_id is None
    objective, rows = hiding(0.4, pair)
    changed = objective.collate_training(rows, np.random.default_rng(1))["tokens"]
    assert pair.source.unk_id in changed[0].tolist()
