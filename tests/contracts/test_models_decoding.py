"""Every model that writes, whatever its weights: cached is uncached, and search finds what is there."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from tests.contracts.case import Case
from tests.contracts.inputs import KEEP, SOURCE, TARGET, TOKENS, to_the_right
from tests.contracts.test_models import CLOSE, PRECISIONS, able, computed, made, scores_of
from torch import Tensor

from glassformer.decode.hypothesis import normalise
from glassformer.decode.search import search
from glassformer.decode.settings import Decoding
from glassformer.nn.packed import running

PAD, START, END = 0, 1, 2
TRANSLATES, GENERATES = able("translates"), able("generates")


def _scores(model: Any, source: Tensor = SOURCE, target: Tensor = TARGET) -> Tensor:
    return scores_of(model, {"source": source, "source_keep": source != PAD, "target": target})


def _search(model: Any, source: Tensor, limit: int = 12, **settings: Any) -> list[list[Any]]:
    with torch.no_grad():
        state = model.start(source, source != PAD)
    chosen = Decoding(suppress_tokens=(PAD, START), **settings)
    return search(state, len(source), bos_id=START, eos_id=END, pad_id=PAD, settings=chosen, max_length=limit)


def _alone(row: int) -> Tensor:
    return SOURCE[row : row + 1, : int(KEEP[row].sum())]


# --- translations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_padding_order_and_batch_mates_change_no_translation(
    name: str, case: Case, beams: int, precision: torch.dtype
) -> None:
    model = computed(made(name, case), precision)
    settings = {"num_beams": beams, "num_return_sequences": beams}
    together = _search(model, SOURCE, **settings)
    turned = _search(model, torch.nn.functional.pad(SOURCE[[2, 0, 1]], (0, 3)), **settings)
    for row in range(len(SOURCE)):
        (alone,) = _search(model, _alone(row), **settings)
        for other in (together[row], turned[[1, 2, 0][row]]):
            assert [one.tokens for one in other] == [one.tokens for one in alone]
            for left, right in zip(other, alone, strict=True):
                assert left.logp == pytest.approx(right.logp, abs=1e-4)


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_writing_word_by_word_gives_the_scores_of_the_whole(name: str, case: Case) -> None:
    model = made(name, case)
    whole = _scores(model)
    for stop in range(TARGET.shape[1]):
        rows = torch.tensor([1, 1, 0, 2])  # two beams of one source, the others in another order
        with torch.no_grad():
            state = model.start(SOURCE, KEEP)
            before = [state.step(column) for column in TARGET[:, :stop].T]
            state.select(rows)
            after = [state.step(column) for column in TARGET[rows, stop:].T]
        for place, scores in enumerate(before):
            torch.testing.assert_close(scores, whole[:, place], **CLOSE)
        for place, scores in enumerate(after, stop):
            torch.testing.assert_close(scores, whole[rows, place], **CLOSE)


CHANGES = [[0, 0, 1, 1, 2, 2], [1, 0, 2, 2, 5, 5], [0, 0, 2, 3, 5, 4], [3, 2, 1, 1, 4, 5], [5, 1, 1, 0, 2, 2]]
"""Rows picked one step after another: each twice, some given up, some in other places or texts."""


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_rows_picked_again_and_again_go_on_as_what_they_are(name: str, case: Case) -> None:
    model = made(name, case)
    sources, written = [0, 1, 2], [[1], [1], [1]]
    with torch.no_grad():
        state = model.start(SOURCE, KEEP)
        for step, rows in enumerate([*CHANGES, [4, 0], [1, 0]]):
            scores = state.step(torch.tensor([tokens[-1] for tokens in written]))
            for place, tokens in enumerate(written):
                whole = _scores(model, _alone(sources[place]), torch.tensor([tokens]))
                torch.testing.assert_close(scores[place], whole[0, -1], **CLOSE)
            state.select(torch.tensor(rows))
            sources = [sources[row] for row in rows]
            written = [[*written[row], 5 + (7 * step + place) % 20] for place, row in enumerate(rows)]


@pytest.mark.parametrize("packs", [False, True])
@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_a_narrowed_state_gives_the_scores_of_its_words(name: str, case: Case, packs: bool) -> None:
    model = made(name, case)
    model = running(model, torch.float32, least=0) if packs else model
    words = torch.tensor([5, 2, 7])
    with torch.no_grad():
        whole, part = model.start(SOURCE, SOURCE != PAD), model.start(SOURCE, SOURCE != PAD)
        part.narrow(words)
        for token in TARGET.T[:3]:
            torch.testing.assert_close(part.step(token), whole.step(token)[:, words], **CLOSE)


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_one_beam_takes_the_likeliest_word_each_time(name: str, case: Case) -> None:
    model = made(name, case)
    found = _search(model, SOURCE, num_beams=1)
    for row in range(len(SOURCE)):
        written = [START]
        while len(written) <= 12 and written[-1] != END:
            scores = _scores(model, _alone(row), torch.tensor([written]))[0, -1]
            scores[[PAD, START]] = -torch.inf
            written.append(int(scores.argmax()))
        assert found[row][0].tokens == tuple(written[1:])


def _everything(model: Any, source: Tensor, limit: int, settings: Decoding) -> list[tuple[float, tuple]]:
    """All that can be written in at most ``limit`` words of a vocabulary of three and the end, best first."""
    words = (3, 4, 5)
    ended = [(*body, END) for length in range(limit) for body in product(words, repeat=length)]
    written = ended + list(product(words, repeat=limit))
    found = []
    for tokens in written:
        target = torch.tensor([[START, *tokens[:-1]]])
        logp = torch.log_softmax(_scores(model, source, target)[0], dim=-1)
        total = float(logp[range(len(tokens)), list(tokens)].sum())
        found.append((normalise(total, len(tokens), settings), tokens))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.5])
@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_a_wide_beam_finds_what_searching_everything_finds(name: str, case: Case, penalty: float) -> None:
    model = made(name, case, vocab_size=6, target_vocab_size=6)
    source = torch.tensor([[3, 4, 5, 2], [5, 2, 0, 0]])
    settings = {"num_beams": 27, "num_return_sequences": 5, "length_penalty": penalty}
    found = _search(model, source, limit=3, **settings)
    for row, length in enumerate((4, 2)):
        best = _everything(model, source[row : row + 1, :length], 3, Decoding(**settings))[:5]
        assert [one.tokens for one in found[row]] == [tokens for _, tokens in best]
        assert [one.score for one in found[row]] == pytest.approx([score for score, _ in best], abs=1e-4)


# --- running text ------------------------------------------------------------------------------------------

LONG = torch.tensor([[1, 6, 7, 8, 9, 10, 2, 5, 4, 3, 11], [1, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]])
CHUNKS = [[11], [1] * 11, [3, 1, 5, 2], [0, 4, 7], [10, 1]]


@pytest.mark.parametrize("fixed", [None, 11, 16])
@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_reading_in_uneven_chunks_gives_the_scores_of_the_whole(
    name: str, case: Case, fixed: int | None
) -> None:
    model = made(name, case)
    whole = scores_of(model, {"tokens": LONG})
    for begun, *chunks in CHUNKS:
        with torch.no_grad():
            state = model.start(LONG[:, :begun], None, fixed=fixed)
            scores = [state.read(chunk) for chunk in LONG[:, begun:].split(chunks, dim=1) if chunks]
        read = torch.cat(scores, dim=1) if scores else whole[:, begun:]
        torch.testing.assert_close(read, whole[:, begun:], **CLOSE)


@pytest.mark.parametrize("fixed", [None, 16])
@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_padded_prompts_go_on_as_if_each_stood_alone(name: str, case: Case, fixed: int | None) -> None:
    model = made(name, case)
    prompts, keep = to_the_right(TOKENS, TOKENS != PAD)
    rows = torch.tensor([1, 1, 0, 2])
    with torch.no_grad():
        state = model.start(prompts, keep, fixed=fixed)
        first = state.step(LONG[[0, 1, 0], 0])
        state.select(rows)
        second = state.step(LONG[[0, 1, 0, 1], 1])
        third = state.read(LONG[[0, 1, 0, 1], 2:4])
    for place, row in enumerate(rows.tolist()):
        line = [0, 1, 0, 1][place]
        prompt = TOKENS[row, TOKENS[row] != PAD]
        text = torch.cat([prompt, LONG[[0, 1, 0][row], :1], LONG[line, 1:4]])
        whole = scores_of(model, {"tokens": text[None]})[0]
        torch.testing.assert_close(first[row], whole[len(prompt)], **CLOSE)
        torch.testing.assert_close(second[place], whole[len(prompt) + 1], **CLOSE)
        torch.testing.assert_close(third[place], whole[len(prompt) + 2 :], **CLOSE)


@pytest.mark.parametrize("fixed", [None, 16])
@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_texts_picked_again_and_again_go_on_as_what_they_are(
    name: str, case: Case, fixed: int | None
) -> None:
    model = made(name, case)
    prompts, keep = to_the_right(TOKENS, TOKENS != PAD)
    texts = [row[row != PAD].tolist() for row in TOKENS]
    with torch.no_grad():
        state = model.start(prompts[:, :-1], keep[:, :-1], fixed=fixed)
        for step, rows in enumerate([*CHANGES, [4, 0], [1, 0]]):
            scores = state.step(torch.tensor([text[-1] for text in texts]))
            if len(texts[0]) > 12:
                break
            for place, text in enumerate(texts):
                whole = scores_of(model, {"tokens": torch.tensor([text])})
                torch.testing.assert_close(scores[place], whole[0, -1], **CLOSE)
            state.select(torch.tensor(rows))
            texts = [[*texts[row], 5 + (7 * step + place) % 20] for place, row in enumerate(rows)]


@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_an_empty_prompt_and_a_row_of_padding_alone_are_read(name: str, case: Case) -> None:
    model = made(name, case)
    whole = scores_of(model, {"tokens": LONG[:1, :2]})[0]
    with torch.no_grad():
        bare = model.start(LONG[:1, :0], None)
        mixed = model.start(torch.tensor([[5, 6], [0, 0]]), torch.tensor([[True, True], [False, False]]))
        for place in range(2):
            torch.testing.assert_close(bare.step(LONG[:1, place])[0], whole[place], **CLOSE)
            torch.testing.assert_close(mixed.step(LONG[[0, 0], place])[1], whole[place], **CLOSE)


@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_scores_of_a_step_are_float32_and_all_rows_may_be_dropped(name: str, case: Case) -> None:
    model = made(name, case).bfloat16()
    with torch.no_grad():
        state = model.start(LONG[:, :3], None)
        assert state.step(LONG[:, 3]).dtype == torch.float32
        state.select(torch.tensor([], dtype=torch.long))
        assert state.step(torch.tensor([], dtype=torch.long)).shape[0] == 0


def _continued(model: Any, rows: list[int], limit: int = 5, **settings: Any) -> list[list[Any]]:
    """Texts that go on from these rows of ``TOKENS``, side by side."""
    prompts, keep = to_the_right(TOKENS[rows], TOKENS[rows] != PAD)
    with torch.no_grad():
        state = model.start(prompts[:, :-1], keep[:, :-1])
    chosen = Decoding(suppress_tokens=(PAD, START), **settings)
    last = prompts[:, -1].tolist()
    return search(state, len(rows), bos_id=last, eos_id=END, pad_id=PAD, settings=chosen, max_length=limit)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_batch_mates_change_no_text(name: str, case: Case, beams: int, precision: torch.dtype) -> None:
    model = computed(made(name, case), precision)
    settings = {"num_beams": beams, "num_return_sequences": beams}
    together = _continued(model, [2, 0, 1], **settings)
    for row in range(3):
        (alone,) = _continued(model, [row], **settings)
        other = together[[1, 2, 0][row]]
        assert [one.tokens for one in other] == [one.tokens for one in alone]
        for left, right in zip(other, alone, strict=True):
            assert left.logp == pytest.approx(right.logp, abs=1e-4)


@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_one_beam_goes_on_with_the_likeliest_word_each_time(name: str, case: Case) -> None:
    model = made(name, case)
    found = _continued(model, [0, 1, 2], num_beams=1)
    for row in range(3):
        text = TOKENS[row, TOKENS[row] != PAD].tolist()
        prompt = len(text)
        while len(text) < prompt + 5 and (len(text) == prompt or text[-1] != END):
            scores = scores_of(model, {"tokens": torch.tensor([text])})[0, -1]
            scores[[PAD, START]] = -torch.inf
            text.append(int(scores.argmax()))
        assert found[row][0].tokens == tuple(text[prompt:])


@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_a_wide_beam_finds_the_best_of_all_texts(name: str, case: Case) -> None:
    model = made(name, case, vocab_size=6)
    words, limit = (3, 4, 5), 3
    ended = [(*body, END) for length in range(limit) for body in product(words, repeat=length)]
    settings = {"num_beams": 27, "num_return_sequences": 5, "length_penalty": 0.6}
    with torch.no_grad():
        state = model.start(torch.zeros(1, 0, dtype=torch.long), None)
    chosen = Decoding(suppress_tokens=(PAD, START), **settings)
    found = search(state, 1, bos_id=START, eos_id=END, pad_id=PAD, settings=chosen, max_length=limit)
    best = []
    for tokens in ended + list(product(words, repeat=limit)):
        logp = torch.log_softmax(
            scores_of(model, {"tokens": torch.tensor([[START, *tokens[:-1]]])})[0], dim=-1
        )
        total = float(logp[range(len(tokens)), list(tokens)].sum())
        best.append((normalise(total, len(tokens), chosen), tokens))
    best = sorted(best, reverse=True)[:5]
    assert [one.tokens for one in found[0]] == [tokens for _, tokens in best]
    assert [one.score for one in found[0]] == pytest.approx([score for score, _ in best], abs=1e-4)
