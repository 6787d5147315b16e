"""Tagging: words and their pieces, the tag at the first of them, and what is cut off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from glassformer.base.errors import UserError
from glassformer.data.example import Example
from glassformer.models import gpt
from glassformer.objectives.objective import Objective as Protocol
from glassformer.objectives.tagging import Config, Objective, cut, decided
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

FACTS = {"labels": ("B-PER", "I-PER", "O"), "unit": "word"}
RNG = np.random.default_rng(0)


def tokenizers(frame: Any = "both", name: Any = "character") -> TokenizerPair:
    config = TokenizerConfig(name=name, vocab_size=40, min_frequency=1)
    return train_pair(config, [("Kim Lee runs in 물 가",)], frame)


def made(longest: int = 32) -> Objective:
    config = Config()
    head = Objective.head(config, facts=FACTS, ability="generates", width=8, max_length=longest)
    return Objective(config, numbers=gpt.Config(), tokenizers=None, head=head)


def example(words: str, tags: str) -> Example:
    places = [f"x:{number}" for number, _ in enumerate(words.split(), start=1)]
    return Example({"words": words.split(), "tags": tags.split(), "places": places}, "x:1")


def test_it_is_an_objective_whose_head_scores_each_token() -> None:
    objective = made()
    assert isinstance(objective, Protocol)
    assert (objective.reads, objective.frame, objective.answers) == ("tagged", "both", None)
    head = Objective.head(Config(), facts=FACTS, ability="encodes", width=8, max_length=9)
    assert (head.pool, head.outputs, head.ability, head.unit) == ("each", 3, "tags", "word")


def test_a_word_is_told_by_its_first_piece() -> None:
    objective, words = made(), tokenizers()
    batch = objective.collate(objective.encode([example("Kim in", "B-PER O")], words), RNG)
    # <s> K i m i n </s>
    assert batch["labels"].tolist() == [[-100, 0, -100, -100, 2, -100, -100]]
    assert batch.count == 2
    assert "keep" not in batch


def test_rows_are_padded_and_answers_are_words() -> None:
    objective, words = made(), tokenizers()
    rows = objective.encode([example("Kim Lee", "B-PER I-PER"), example("in", "O")], words)
    batch = objective.collate(rows, RNG)
    assert batch.count == 3
    assert batch["keep"].sum(1).tolist() == [8, 4]
    assert (batch["labels"] != -100).sum(1).tolist() == [2, 1]


def test_words_beyond_what_is_read_have_no_answer() -> None:
    objective, words = made(longest=6), tokenizers()
    features = objective.encode([example("Kim Lee in", "B-PER I-PER O")], words)[0]
    # <s> K i m L </s>: the second word is begun, the third is not.
    assert features.arrays["tokens"].tolist()[-1] == words.source.eos_id
    assert len(features.arrays["tokens"]) == 6
    assert features.arrays["starts"].tolist() == [1, 4]
    assert features.arrays["tags"].tolist() == [0, 1]


def test_a_word_of_no_piece_has_the_unknown_one() -> None:
    words = tokenizers("none", "word").source
    ((tokens, starts),) = cut(words, [["Kim", "", "runs"]], 9)
    assert starts == [0, 1, 2]
    assert tokens[1] == words.unk_id


def test_a_head_knows_the_scheme_unless_any_sequence_may_be_told() -> None:
    told = {"ability": "encodes", "width": 8, "max_length": 9, "facts": FACTS | {"scheme": "iob2"}}
    assert Objective.head(Config(), **told).scheme == "iob2"
    assert Objective.head(Config(legal=False), **told).scheme is None


def test_of_the_same_probabilities_the_legal_sequence_is_told_or_each_likeliest_tag() -> None:
    share = np.array([[0.1, 0.5, 0.4], [0.2, 0.7, 0.1]])
    labels = ("B-PER", "I-PER", "O")
    assert decided(share, labels, None).tolist() == [1, 1]
    assert decided(share, labels, "iob2").tolist() == [2, 0] or decided(share, labels, "iob2").tolist() == [
        0,
        1,
    ]
    assert decided(share, labels, "iob1").tolist() == [1, 1]
    certain = np.array([[0.0, 1.0, 0.0]])
    assert decided(certain, labels, "iob2").tolist() in ([0], [2])


def test_what_is_told_is_judged_with_the_words_of_each_row() -> None:
    objective, words = made(), tokenizers()
    rows = objective.encode([example("Kim Lee", "B-PER I-PER"), example("in", "O")], words)
    batch = objective.collate(rows, RNG)

    class Fixed(nn.Module):
        def forward(self, batch: Any) -> torch.Tensor:
            return torch.randn(*batch["tokens"].shape, 3, generator=torch.Generator().manual_seed(1))

    model = Fixed().eval()
    loss, told = objective.told(model, batch)
    assert [one["true"].tolist() for one in told] == [[0, 1], [2]]
    assert [one["share"].shape for one in told] == [(2, 3), (1, 3)]
    assert float(loss.total) == pytest.approx(float(objective.loss(model, batch).total))


def test_a_tag_that_was_never_learned_is_told_with_its_own_line() -> None:
    with pytest.raises(UserError, match=r"x:2: the label 'B-LOC' is not among those of the training data"):
        made().encode([example("Kim Lee", "O B-LOC")], tokenizers())
