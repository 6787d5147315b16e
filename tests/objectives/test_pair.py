"""Two texts in one row: where each stands, what is told of both, and rows with one text alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data.example import Example
from glassformer.models import bert, gpt
from glassformer.objectives.pair import Config, Objective
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

RNG = np.random.default_rng(0)
FACTS = {"labels": ("no", "yes"), "counts": (1, 1), "called": "label", "texts": 2}
ROWS = [("비가 온다", "날이 맑다", "no"), ("비가", "비가 온다 온다", "yes")]


def tokenizers() -> TokenizerPair:
    config = TokenizerConfig(name="word", vocab_size=40, min_frequency=1)
    return train_pair(config, [(one, other) for one, other, _ in ROWS], "both")


def examples(rows: Any = ROWS) -> list[Example]:
    return [Example({"text": one, "pair": other, "label": label}, "x:1") for one, other, label in rows]


def made(numbers: Any, **settings: Any) -> Any:
    config = Config(**settings)
    head = Objective.head(config, facts=FACTS, ability="encodes", width=16, max_length=12)
    return head, Objective(config, numbers=numbers, tokenizers=None, head=head)


def test_two_texts_stand_in_one_row_and_segments_tell_them_apart() -> None:
    words = tokenizers()
    _, objective = made(bert.Config())
    batch = objective.collate(objective.encode(examples(), words), RNG)
    first, second = words.source.encode("비가 온다"), words.source.encode("날이 맑다")
    end = words.source.eos_id
    assert batch["tokens"][0].tolist() == [words.source.bos_id, *first, end, *second, end]
    assert batch["segments"].tolist() == [[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1]]
    assert batch["labels"].tolist() == [0, 1]
    assert batch.count == 2
    assert "keep" not in batch
    assert "segments" not in made(gpt.Config())[1].collate(objective.encode(examples(), words), RNG)


def test_a_number_may_be_told_of_both() -> None:
    head, objective = made(gpt.Config(), tells="number")
    assert (head.tells, head.labels, head.texts) == ("number", ("label",), 2)
    rows = [(one, other, number) for (one, other, _), number in zip(ROWS, ["1.5", "-2"], strict=True)]
    batch = objective.collate(objective.encode(examples(rows), tokenizers()), RNG)
    assert batch["labels"].tolist() == [1.5, -2.0]


def test_one_text_alone_is_refused() -> None:
    with pytest.raises(UserError, match=r"pair learns from two texts in a row; .* data\.pair"):
        Objective.head(Config(), facts=FACTS | {"texts": 1}, ability="encodes", width=1, max_length=4)
    _, objective = made(gpt.Config())
    with pytest.raises(UserError, match="x:3: has one text where the model learned from two texts in a row"):
        objective.encode([Example({"text": "비가", "label": "no"}, "x:3")], tokenizers())
