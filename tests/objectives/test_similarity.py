"""One vector for each text: cosines, the scale that they stand for, and that each text is read by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.models.drawn import drawn

from glassformer.base.errors import UserError
from glassformer.data.example import Example
from glassformer.models import gpt
from glassformer.nn.headed import Headed
from glassformer.objectives.objective import Objective as Protocol
from glassformer.objectives.similarity import Config, Objective
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

RNG = np.random.default_rng(0)
FACTS = {"labels": ("0", "1", "5"), "counts": (1, 1, 1), "called": "score", "texts": 2}
ROWS = [("비가 온다", "날이 맑다", "5"), ("비가", "비가 온다 온다", "1")]


def tokenizers() -> TokenizerPair:
    config = TokenizerConfig(name="word", vocab_size=40, min_frequency=1)
    return train_pair(config, [(one, other) for one, other, _ in ROWS], "both")


def examples() -> list[Example]:
    return [Example({"text": one, "pair": other, "label": label}, "x:1") for one, other, label in ROWS]


def made(**settings: Any) -> Any:
    config = Config(**settings)
    head = Objective.head(config, facts=FACTS, ability="generates", width=16, max_length=12)
    return head, Objective(config, numbers=gpt.Config(), tokenizers=None, head=head)


def test_numbers_stand_for_cosines_by_the_range_of_the_data_or_as_asked() -> None:
    words = tokenizers()
    head, objective = made()
    assert isinstance(objective, Protocol)
    assert (head.ability, head.scale, head.outputs, head.pool) == ("compares", (0.0, 5.0), 0, "mean")
    batch = objective.collate(objective.encode(examples(), words), RNG)
    assert batch["labels"].tolist() == pytest.approx([1.0, 0.2])
    assert batch.count == 2
    assert batch["tokens"].shape[0] == 4
    _, other = made(scale=(1, 3))
    assert other.collate(other.encode(examples(), words), RNG)["labels"].tolist() == [2.0, 0.0]


def test_a_text_is_read_by_itself_and_the_cosine_is_that_of_both_vectors() -> None:
    words = tokenizers()
    head, objective = made()
    sizes: dict[str, Any] = {"dim": 16, "depth": 1, "heads": 2, "vocab_size": words.source.vocab_size}
    torch.manual_seed(1)
    model = drawn(Headed(gpt.Model(gpt.Config(**sizes)), head))
    batch = objective.collate(objective.encode(examples(), words), RNG)
    both = objective.predict(model, batch)
    for row, cosine in zip(examples(), both, strict=True):
        vectors = []
        for field in ("text", "pair"):
            ids = [words.source.bos_id, *words.source.encode(row.fields[field]), words.source.eos_id]
            vectors.append(model.body.hidden({"tokens": torch.tensor([ids])})[0].mean(0))  # type: ignore[operator]
        torch.testing.assert_close(cosine, torch.cosine_similarity(*vectors, dim=0), atol=1e-6, rtol=0)
    loss, told = objective.told(model, batch)
    torch.testing.assert_close(loss.total, (both - batch["labels"]).square().sum())
    assert [one["told"].item() for one in told] == pytest.approx(both.tolist(), abs=1e-6)


def test_one_text_alone_and_words_for_numbers_are_refused() -> None:
    with pytest.raises(UserError, match=r"similarity learns from two texts in a row"):
        Objective.head(Config(), facts=FACTS | {"texts": 1}, ability="encodes", width=1, max_length=4)
    words = FACTS | {"labels": ("good", "bad")}
    head = Objective.head(Config(), facts=words, ability="encodes", width=1, max_length=4)
    assert head.scale is None
    with pytest.raises(UserError, match="x:1: 'good' is no number"):
        made()[1].encode([Example({"text": "a", "pair": "b", "label": "good"}, "x:1")], tokenizers())
