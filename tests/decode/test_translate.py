"""Lines in, translations out: order, blanks, limits, batches and constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.base.errors import RunError, UserError
from glassformer.decode.settings import Decoding
from glassformer.decode.translate import Translation, translate

PAD, START, END, FIRST = 0, 1, 2, 4


class Letters:
    """One id a letter, upper and lower case apart."""

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [[FIRST + ord(letter) - 32 for letter in text if letter != "~"] for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join("\n" if token == FIRST else chr(token - FIRST + 32) for token in ids if token >= FIRST)


@dataclass(frozen=True)
class Sizes:
    pad_id: int = PAD
    start_id: int = START
    eos_id: int = END
    max_length: int = 40


class Copying:
    """Writes the source down letter by letter; every padded row of a batch is noted."""

    def __init__(self, stutter: int = 1) -> None:
        self.config = Sizes()
        self.training = True
        self.modes: list[bool] = []
        self.batches: list[Tensor] = []
        self.stutter = stutter
        self.spoilt = False
        self.temptation = 0.0

    def train(self, mode: bool = True) -> None:
        self.training = mode

    def start(self, source: Tensor, keep: Tensor) -> CopyState:
        assert torch.equal(keep, source != PAD)
        assert not self.training
        self.batches.append(source)
        return CopyState(self, source)


class CopyState:
    def __init__(self, model: Copying, source: Tensor) -> None:
        self.model, self.source, self.length = model, source, 0

    def step(self, tokens: Tensor) -> Tensor:
        scores = torch.zeros(len(tokens), 140)
        scores[:, [PAD, START]] = self.model.temptation
        place = min(self.length // self.model.stutter, self.source.size(1) - 1)
        scores.scatter_(1, self.source[:, place : place + 1].clamp(min=END), 20.0)
        self.length += 1
        return scores * (float("nan") if self.model.spoilt else 1.0)

    def select(self, rows: Tensor) -> None:
        self.source = self.source[rows]


PAIR = SimpleNamespace(source=Letters(), target=Letters())


def _translate(lines: Sequence[str], model: Copying | None = None, **options: Any) -> list[Translation]:
    return list(translate(model or Copying(), PAIR, lines, **options))


LINES = ["Hello there!", "", "a", "   ", "bb", "\t", "A longer line than the others.", "a", "~"]


@pytest.mark.parametrize("window", [1, 2, 4, 100])
@pytest.mark.parametrize("tokens_per_batch", [1, 20, 1000])
def test_every_line_gets_its_translation_in_order(window: int, tokens_per_batch: int) -> None:
    got = _translate(LINES, window=window, tokens_per_batch=tokens_per_batch)
    assert [one.text for one in got] == [line.strip().replace("~", "") for line in LINES]


def test_line_ends_are_not_part_of_a_line_and_never_come_out() -> None:
    got = _translate(["ab\n", "cd\r\n", "\n", "e f"])
    assert [one.text for one in got] == ["ab", "cd", "", "e f"]


def test_a_translation_knows_its_numbers() -> None:
    (one,) = _translate(["ab"], settings=Decoding(num_beams=3, num_return_sequences=3))
    assert one.source_tokens == (69, 70, END)
    assert one.tokens == (69, 70, END)
    assert one.score > one.alternatives[0].score >= one.alternatives[1].score
    assert one.alternatives[0].source_tokens == one.source_tokens
    assert len(one.alternatives) == 2


def test_padding_and_the_start_token_are_never_written() -> None:
    model = Copying()
    model.temptation = 25.0
    for settings in (Decoding(num_beams=1), Decoding(num_beams=3), Decoding(do_sample=True, top_k=2)):
        (one,) = _translate(["ab"], model, settings=settings)
        assert not {PAD, START} & set(one.tokens)


def test_batches_hold_lines_of_like_length_within_their_budget() -> None:
    model = Copying()
    lines = ["x" * (1 + 7 * place % 23) for place in range(60)]
    _translate(lines, model, tokens_per_batch=100)
    assert sum(len(batch) for batch in model.batches) == 60
    assert all(batch.numel() <= 100 for batch in model.batches)
    assert len(model.batches) < 20
    padding = sum(int((batch == PAD).sum()) for batch in model.batches)
    assert padding < 0.1 * sum(batch.numel() for batch in model.batches)


def test_no_more_lines_are_read_than_the_window_holds() -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "ab"

    for window in (1, 7):
        read = 0
        stream = translate(Copying(), PAIR, endless(), window=window)
        assert next(stream).text == "ab"
        assert read == window


def test_a_source_too_long_is_refused_with_its_line_number() -> None:
    lines = ["ok", "", "x" * 40]
    with pytest.raises(UserError, match="line 3: the source has 40 tokens but the model reads at most 39"):
        _translate(lines)
    assert _translate(["x" * 39])[0].source_tokens[-1] == END


def test_a_source_too_long_is_cut_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = _translate(["x" * 50], too_long="cut")
    assert len(one.source_tokens) == 40
    assert "line 1: the source has 50 tokens" in capsys.readouterr().err


def test_a_translation_is_at_most_twice_its_source_and_ten_more() -> None:
    assert len(_translate(["abc"], Copying(stutter=100))[0].tokens) == 16
    assert len(_translate(["x" * 20], Copying(stutter=100))[0].tokens) == 40
    asked = Decoding(max_new_tokens=5)
    assert len(_translate(["x" * 20], Copying(stutter=100), settings=asked)[0].tokens) == 5


def test_a_forced_beginning_is_part_of_the_text() -> None:
    got = _translate(["abcd", "", "abcd", "abcd"], prefixes=["XY", "Z", ""])
    assert [one.text for one in got] == ["XYcd", "", "abcd", "abcd"]
    with pytest.raises(UserError, match="line 2: the forced beginning has 6 tokens"):
        _translate(["a", "b"], prefixes=["", "abcdef"], settings=Decoding(max_new_tokens=6))


def test_samples_depend_on_the_line_and_not_on_the_batch() -> None:
    lines = ["abc", "abc", "abcdefg", "hij"]
    settings = Decoding(do_sample=True, temperature=6.0, num_return_sequences=2)
    together = _translate(lines, settings=settings)
    apart = _translate(lines, settings=settings, window=1)
    assert [(one.tokens, one.alternatives[0].tokens) for one in together] == [
        (one.tokens, one.alternatives[0].tokens) for one in apart
    ]
    assert together[0].tokens != together[1].tokens


def test_progress_counts_every_line_once() -> None:
    counts: list[int] = []
    _translate(LINES, tokens_per_batch=20, window=4, on_progress=counts.append)
    assert sum(counts) == len(LINES)
    assert len(counts) > 3


def test_dropout_is_off_inside_and_as_it_was_outside() -> None:
    model = Copying()
    for _ in translate(model, PAIR, ["a", "b"], window=1):
        assert model.training


def test_a_broken_model_stops_with_a_sentence_and_is_left_as_it_was() -> None:
    model = Copying()
    model.spoilt = True
    with pytest.raises(RunError, match="not numbers"):
        _translate(["a"], model)
    assert model.training
