"""Questions as rows: the frame, the windows, where answers begin and end, and the loss of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from glassformer.data.example import Example
from glassformer.decode.spans import read
from glassformer.hub import folder as hub
from glassformer.hub.heads import put_on
from glassformer.models import bert, gpt
from glassformer.nn.headed import Headed
from glassformer.objectives.span import Config, Objective, framed_question, windows_of
from glassformer.text.fast import FastTokenizer
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

CONTEXTS = ["어제 김이 서울에 왔다 그리고 집에 갔다", "the old cat 🙂 runs home", "  a\tb  "]
LONGEST = 14


def learned(kind: str, framing: str = "both", **said: Any) -> FastTokenizer:
    config = TokenizerConfig(**({"name": kind, "vocab_size": 420, "min_frequency": 1} | said))
    return train(config, [*CONTEXTS, "누가 왔나 who runs"] * 3, framing)


@pytest.fixture(scope="module")
def tokenizer() -> FastTokenizer:
    return learned("word")


def body(kind: str, size: int) -> torch.nn.Module:
    sizes = {"dim": 16, "depth": 1, "heads": 2, "mlp_dim": 32, "vocab_size": size, "max_length": 64}
    return {"bert": bert, "gpt": gpt}[kind].Model({"bert": bert, "gpt": gpt}[kind].Config(**sizes))


def made(
    tokenizer: FastTokenizer, kind: str = "bert", **said: Any
) -> tuple[Objective, Headed, TokenizerPair]:
    """The objective, a model and the tokenizers; ``said`` are settings and facts."""
    impossible, longest = said.pop("impossible", False), said.pop("longest", LONGEST)
    config = Config(**said)
    trunk: Any = body(kind, tokenizer.vocab_size)
    facts = {"labels": ("start", "end"), "impossible": impossible}
    head = Objective.head(config, facts=facts, ability=trunk.abilities[0], width=16, max_length=longest)
    model = put_on(trunk, head).eval()
    pair = TokenizerPair(tokenizer, tokenizer)
    return Objective(config, numbers=trunk.config, tokenizers=pair, head=head), model, pair


def asked(context: str, answer: str = "", question: str = "누가 왔나") -> Example:
    answers = ((answer, context.index(answer)),) if answer else ()
    return Example({"id": "1", "question": question, "context": context, "answers": answers}, "q.json:1")


def batch_of(objective: Objective, pair: TokenizerPair, *examples: Example) -> Any:
    return objective.collate(objective.encode(examples, pair), np.random.default_rng(0))


def test_a_row_is_the_question_and_a_window_in_the_template_of_the_tokenizer(
    tokenizer: FastTokenizer,
) -> None:
    objective, _, pair = made(tokenizer)
    batch = batch_of(objective, pair, asked("the old cat", "cat"))
    cls, sep = tokenizer.bos_id, tokenizer.eos_id
    question, context = tokenizer.encode("누가 왔나"), tokenizer.encode("the old cat")
    assert batch["tokens"].tolist() == [[cls, *question, sep, *context, sep]]
    assert batch["segments"].tolist() == [[0] * (len(question) + 2) + [1] * (len(context) + 1)]
    first = len(question) + 2 + len(context) - 1
    assert batch["labels"].tolist() == [[first, first]] and batch.count == 2


def test_a_body_that_reads_only_what_stands_before_says_at_the_end_that_there_is_none() -> None:
    plain = learned("byte_bpe", framing="end")
    objective, _, pair = made(plain, "gpt", longest=40)
    batch = batch_of(objective, pair, asked("a b"), asked("a b", "b"))
    row = batch["tokens"][0].tolist()
    assert row[0] == plain.bos_id and row.count(plain.eos_id) == 2 and "segments" not in batch
    assert batch["labels"][0].tolist() == [len(row) - 1] * 2
    assert batch["labels"][1, 1] < len(row) - 1


def test_windows_cover_the_context_and_only_those_with_the_whole_answer_have_it(
    tokenizer: FastTokenizer,
) -> None:
    objective, _, pair = made(tokenizer, stride=2, longest=11)
    context = "어제 김이 서울에 왔다 그리고 집에 갔다"
    batch = batch_of(objective, pair, asked(context, "그리고 집에"))
    ids = tokenizer.encode(context)
    rows, lead = batch["tokens"].tolist(), int(batch["lead"][0])
    held = [row[lead : lead + int(size)] for row, size in zip(rows, batch["size"], strict=True)]
    begins = batch["begin"].tolist()
    assert begins == list(range(0, begins[-1] + 1, 2)) and begins[-1] + len(held[-1]) == len(ids)
    assert all(part == ids[at : at + len(part)] for at, part in zip(begins, held, strict=True))
    first, last = ids.index(tokenizer.encode("x 그리고")[-1]), ids.index(tokenizer.encode("x 집에")[-1])
    for number, (begin, part) in enumerate(zip(begins, held, strict=True)):
        inside = begin <= first and last < begin + len(part)
        wanted = [first - begin + lead, last - begin + lead] if inside else [0, 0]
        assert batch["labels"][number].tolist() == wanted


@given(st.integers(0, 60), st.integers(1, 20), st.none() | st.integers(1, 30))
def test_windows_leave_no_token_out(size: int, room: int, stride: int | None) -> None:
    begins, held = windows_of(size, room, stride)
    covered = {at for begin in begins for at in range(begin, min(begin + held, size))}
    assert held == room and covered == set(range(size))
    assert all(begin < size for begin in begins[1:])
    assert len(begins) == 1 or begins[-2] + room < size  # no window that adds nothing


def test_a_question_leaves_half_of_the_row_to_the_context(tokenizer: FastTokenizer) -> None:
    lead, closing = framed_question(tokenizer, list(range(100)), 64, 20)
    assert len(lead) == 2 + 8 and len(closing) == 1
    assert len(framed_question(tokenizer, list(range(100)), 3, 20)[0]) == 5


KINDS = ["word", "byte_bpe", "wordpiece", "unigram"]
TOKENIZERS = {kind: learned(kind) for kind in KINDS} | {"jamo": learned("bpe", jamo=True)}
WITH = {kind: made(one, longest=64, max_answer=200)[::2] for kind, one in TOKENIZERS.items()}


class Knows(torch.nn.Module):
    """A model whose scores are 1 where the answer begins and ends, else 0."""

    def forward(self, batch: Any) -> torch.Tensor:
        return functional.one_hot(batch["labels"], batch["tokens"].shape[1]).transpose(1, 2).float()


WORD = st.text(alphabet="ab한국é🙂서울\u0301", min_size=1, max_size=4).map(lambda text: "z" + text)


@pytest.mark.parametrize("kind", TOKENIZERS)
@settings(max_examples=20, deadline=None)
@given(words=st.lists(WORD, min_size=1, max_size=8), data=st.data())
def test_a_gold_answer_comes_back_letter_by_letter(kind: str, words: list[str], data: st.DataObject) -> None:
    # The model is one that knows: its scores are 1 where the labels are.
    gap = data.draw(st.sampled_from([" ", "  ", "\n", " \t"]))
    first = data.draw(st.integers(0, len(words) - 1))
    answer = gap.join(words[first : data.draw(st.integers(first, len(words) - 1)) + 1])
    start = len(gap.join([*words[:first], ""])) if first else 0
    context = gap.join(words)
    example = Example({"question": "who", "context": context, "answers": ((answer, start),)}, "x")
    objective, pair = WITH[kind]
    batch = batch_of(objective, pair, example)
    _, (told,) = objective.told(Knows(), batch)
    found, ((begin, end),) = read(told)
    whole = (batch["labels"] != batch["null"][:, None]).any()
    assert not whole or found.spans[0].score == 2
    assert not whole or context[begin:end] == answer


def test_the_loss_is_that_of_two_softmaxes_over_the_context_and_the_first_token(
    tokenizer: FastTokenizer,
) -> None:
    objective, model, pair = made(tokenizer)
    batch = batch_of(objective, pair, asked("the old cat runs", "old cat"), asked("a b"))
    with torch.no_grad():
        loss, scores, total = objective.loss(model, batch), model(batch).double(), 0.0
    for row in range(len(scores)):
        first = int(batch["lead"][row])
        places = [0, *range(first, first + int(batch["size"][row]))]
        for side in range(2):
            logp = scores[row, places, side].log_softmax(0)
            total -= float(logp[places.index(int(batch["labels"][row, side]))])
    assert float(loss.total) == pytest.approx(total, rel=1e-5)
    assert float(loss.parts["nll"]) == pytest.approx(total, rel=1e-5)


@pytest.mark.slow
def test_transformers_gives_the_same_scores_for_the_same_rows(
    tokenizer: FastTokenizer, tmp_path: Any
) -> None:
    transformers = pytest.importorskip("transformers")
    objective, model, pair = made(tokenizer)
    hub.save(tmp_path / "m", model, pair)
    theirs = transformers.BertForQuestionAnswering.from_pretrained(tmp_path / "m").eval()
    batch = batch_of(objective, pair, asked("the old cat runs", "old cat"))
    with torch.no_grad():
        told = theirs(input_ids=batch["tokens"], token_type_ids=batch["segments"])
        ours = model(batch)
    torch.testing.assert_close(
        torch.stack([told.start_logits, told.end_logits], -1), ours, rtol=1e-4, atol=1e-5
    )
    read_there = transformers.AutoTokenizer.from_pretrained(tmp_path / "m")
    pieces = read_there("누가 왔나", "the old cat runs")
    assert pieces["input_ids"] == batch["tokens"][0].tolist()
    assert pieces["token_type_ids"] == batch["segments"][0].tolist()


def test_padding_and_company_change_nothing(tokenizer: FastTokenizer) -> None:
    objective, model, pair = made(tokenizer)
    alone, other = asked("a b", "b"), asked("어제 김이 서울에 왔다 그리고 집에 갔다", "김이")
    with torch.no_grad():
        (single,) = objective.told(model, batch_of(objective, pair, alone))[1]
        both = objective.told(model, batch_of(objective, pair, other, alone))[1]
    assert len(both) == 2
    np.testing.assert_allclose(both[1]["starts"], single["starts"], atol=1e-5)
    np.testing.assert_allclose(both[1]["nulls"], single["nulls"], atol=1e-5)
    assert read(both[1])[1] == read(single)[1]


def test_whether_nothing_can_be_answered_is_the_datas_to_say(tokenizer: FastTokenizer) -> None:
    assert made(tokenizer)[0].spans.threshold is None
    assert made(tokenizer, impossible=True)[0].spans.threshold == 0.0
    assert np.isnan(objective_rules(tokenizer, impossible=False)[1])
    assert objective_rules(tokenizer, impossible=True).tolist() == [30.0, 0.0]


def objective_rules(tokenizer: FastTokenizer, *, impossible: bool) -> np.ndarray:
    objective, model, pair = made(tokenizer, impossible=impossible)
    with torch.no_grad():
        return objective.told(model, batch_of(objective, pair, asked("a b")))[1][0]["rules"]
