"""Choices after a context score as they do alone, whatever is shared, cached, batched or padded."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from tests.decode.test_score import Letters
from tests.models.drawn import drawn

from glassformer.base.errors import RunError, UserError
from glassformer.decode.choices import Continues, Question, asked, shared_by
from glassformer.decode.choices import choices as scored
from glassformer.decode.score import Score, score
from glassformer.decode.state import Forks
from glassformer.models import gpt, llama, rnn

SIZES = {"dim": 8, "depth": 2, "vocab_size": 31}
MODELS: dict[str, Callable[[], torch.nn.Module]] = {
    "gpt": lambda: gpt.Model(gpt.Config(heads=2, max_length=40, **SIZES)),
    "llama": lambda: llama.Model(llama.Config(heads=2, kv_heads=1, mlp_dim=12, max_length=40, **SIZES)),
    "window": lambda: llama.Model(llama.Config(heads=2, mlp_dim=12, max_length=40, window=4, **SIZES)),
    "lstm": lambda: rnn.Model(rnn.Config(**SIZES)),
    "gru": lambda: rnn.Model(rnn.Config(cell="gru", **SIZES)),
}
QUESTIONS = [
    Question("xyzxyzxy", ("cd", "e", "cdefg")),
    Question("xyzxyz", ("ab", "b")),
    Question("xyzxyzqqqqqqqq", ("qq", "qr", "abab")),
    Question("xyzxyza", ("b", "c")),
]


def _made(kind: str) -> Continues:
    torch.manual_seed(0)
    model = drawn(MODELS[kind]()).eval()
    assert isinstance(model, Continues)
    return model


def _found(model: Continues, questions: Sequence[Question], **options: Any) -> list[tuple[Score, ...]]:
    return scored(model, asked(model, Letters(), questions), **options)


def _alone(model: Continues, questions: Sequence[Question]) -> list[tuple[Score, ...]]:
    return [
        tuple(score(model, Letters(), one.choices, contexts=[one.context] * len(one.choices)))
        for one in questions
    ]


def _same(found: Sequence[tuple[Score, ...]], want: Sequence[tuple[Score, ...]]) -> None:
    assert [[(one.text, one.tokens) for one in row] for row in found] == [
        [(one.text, one.tokens) for one in row] for row in want
    ]
    for row, other in zip(found, want, strict=True):
        for one, two in zip(row, other, strict=True):
            assert one.logps == pytest.approx(two.logps, abs=1e-5)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("most", [1, 40, 8192])
def test_every_choice_scores_as_it_does_alone(kind: str, most: int) -> None:
    model = _made(kind)
    _same(_found(model, QUESTIONS, tokens_per_batch=most), _alone(model, QUESTIONS))


def test_the_order_of_questions_and_of_choices_changes_nothing() -> None:
    model = _made("gpt")
    there = _found(model, QUESTIONS)
    turned = [Question(one.context, one.choices[::-1]) for one in QUESTIONS[::-1]]
    _same([row[::-1] for row in _found(model, turned)[::-1]], there)


def test_what_all_begin_with_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _made("gpt")
    read: list[tuple[int, int]] = []
    run = type(model).run  # type: ignore[attr-defined]

    def counting(self: object, tokens: torch.Tensor, *rest: object) -> torch.Tensor:
        read.append((tokens.shape[0], tokens.shape[1]))
        return run(self, tokens, *rest)

    monkeypatch.setattr(type(model), "run", counting)
    _found(model, [Question("x" * 20 + letter, ("cd", "ce")) for letter in "klmn"])
    # The opening and twenty letters; then one letter of each; then "c" in the one choice and in the other.
    assert read == [(1, 21), (4, 1), (4, 1), (4, 1)]


def test_a_choice_within_another_and_questions_without_anything_in_common() -> None:
    model = _made("llama")
    found = [Question("", ("c", "cd", "cde")), Question("abx", ("zz", "y"))]
    assert shared_by(asked(model, Letters(), found)) == 0
    _same(_found(model, found), _alone(model, found))


def test_random_questions_score_as_alone() -> None:
    draw = random.Random(3)

    def letters(most: int) -> str:
        return "".join(draw.choice("abcdq") for _ in range(draw.randint(1, most)))

    model = _made("gpt")
    for _ in range(5):
        begin = letters(9)
        rows = [
            Question(begin + letters(8), tuple({letters(4) for _ in range(draw.randint(1, 4))}))
            for _ in range(6)
        ]
        _same(_found(model, rows, tokens_per_batch=60), _alone(model, rows))


def test_no_question_has_no_answer_and_progress_counts_questions() -> None:
    assert _found(_made("gpt"), []) == []
    told: list[int] = []
    _found(_made("gpt"), QUESTIONS, tokens_per_batch=1, on_progress=told.append)
    assert told == [1, 1, 1, 1]


def test_a_prompt_longer_than_the_model_is_refused_and_one_as_long_is_read() -> None:
    model = _made("gpt")
    just = Question("x" * 37, ("yyy",))
    assert [one.size for one in asked(model, Letters(), [just])] == [40]
    _same(_found(model, [just]), _alone(model, [just]))
    with pytest.raises(UserError, match="a prompt of 41 tokens is longer than the model, which reads 40"):
        _found(model, [Question("x" * 38, ("yyy",))])


def test_a_choice_without_a_token_is_refused() -> None:
    with pytest.raises(UserError, match="writes '' with no token"):
        _found(_made("gpt"), [Question("x", ("y", ""))])


def test_scores_that_are_not_numbers_are_refused() -> None:
    model = _made("gpt")
    next(iter(model.parameters())).data.fill_(float("nan"))  # type: ignore[attr-defined]
    with pytest.raises(RunError, match="not numbers"):
        _found(model, QUESTIONS)


def test_a_state_forks() -> None:
    for kind in MODELS:
        model = _made(kind)
        state = model.start(torch.tensor([[5, 6, 7]]), None)
        assert isinstance(state, Forks)
        twin = state.fork()
        first = twin.step(torch.tensor([8]))
        twin.step(torch.tensor([9]))
        torch.testing.assert_close(state.step(torch.tensor([8])), first)


def test_batches_hold_no_more_tokens_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _made("gpt")
    sizes: list[int] = []
    run = type(model).run  # type: ignore[attr-defined]

    def counting(self: object, tokens: torch.Tensor, *rest: object) -> torch.Tensor:
        sizes.append(len(tokens))
        return run(self, tokens, *rest)

    monkeypatch.setattr(type(model), "run", counting)
    rows = [Question("xyz" + "q" * n, ("c", "d")) for n in range(1, 9)]
    _found(model, rows, tokens_per_batch=30)
    # The opening, then rows of at most 12, 10, 8 and 5 tokens, each with one for what is foretold.
    assert sizes == [1, 2, 2, 3, 1]
