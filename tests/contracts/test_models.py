"""Every model that translates, whatever its weights: what may see what, alone or in company, cached or not.

A model is found by its file in ``models/``; ``cases.py`` holds its configurations.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from typing import Any

import pytest
import torch
from tests.contracts.cases import CASES, KEEP, SOURCE, TARGET, Case
from torch import Tensor

from glassformer.base import plugins
from glassformer.decode.hypothesis import normalise
from glassformer.decode.search import search
from glassformer.decode.settings import Decoding
from glassformer.nn.attention import recording

CLOSE = {"rtol": 0.0, "atol": 1e-5}
PAD, START, END = 0, 1, 2
TRANSLATES = [
    pytest.param(name, case, id=f"{name}-{case.id}")
    for name in plugins.names("models")
    if hasattr(plugins.find("models", name).Model, "start")
    for case in CASES.get(name, [])
]


def _model(name: str, case: Case, **changed: Any) -> Any:
    """Every weight random and of a size that matters, so that no part can go wrong unseen."""
    module = plugins.find("models", name)
    model = module.Model(module.Config(**(dict(case.settings) | changed)))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.3)
    return model.eval()


def _batch(source: Tensor = SOURCE, target: Tensor = TARGET) -> dict[str, Tensor]:
    return {"source": source, "source_keep": source != PAD, "target": target}


def _scores(model: Any, source: Tensor = SOURCE, target: Tensor = TARGET) -> Tensor:
    with torch.no_grad():
        return model(_batch(source, target))


def _search(model: Any, source: Tensor, limit: int = 12, **settings: Any) -> list[list[Any]]:
    with torch.no_grad():
        state = model.start(source, source != PAD)
    chosen = Decoding(suppress_tokens=(PAD, START), **settings)
    return search(state, len(source), bos_id=START, eos_id=END, pad_id=PAD, settings=chosen, max_length=limit)


def _alone(row: int) -> Tensor:
    return SOURCE[row : row + 1, : int(KEEP[row].sum())]


def test_every_model_that_translates_is_held_to_this() -> None:
    able = [name for name in plugins.names("models") if hasattr(plugins.find("models", name).Model, "start")]
    assert able
    assert [name for name in able if not CASES.get(name)] == []


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_the_future_does_not_change_the_past(name: str, case: Case) -> None:
    model = _model(name, case)
    before = _scores(model)
    for position in range(1, TARGET.shape[1]):
        changed = TARGET.clone()
        changed[:, position:] = (changed[:, position:] + 5) % 31
        after = _scores(model, target=changed)
        torch.testing.assert_close(after[:, :position], before[:, :position], **CLOSE)
        assert not torch.allclose(after[:, position], before[:, position], atol=1e-3)


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_padding_order_and_batch_mates_change_no_score(name: str, case: Case) -> None:
    model = _model(name, case)
    together = _scores(model)
    wide = _scores(model, torch.nn.functional.pad(SOURCE, (0, 5)))
    torch.testing.assert_close(wide, together, **CLOSE)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(_scores(model, SOURCE[order], TARGET[order]), together[order], **CLOSE)
    for row in range(len(SOURCE)):
        alone = _scores(model, _alone(row), TARGET[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], **CLOSE)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_padding_order_and_batch_mates_change_no_translation(name: str, case: Case, beams: int) -> None:
    model = _model(name, case)
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
    model = _model(name, case)
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


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_one_beam_takes_the_likeliest_word_each_time(name: str, case: Case) -> None:
    model = _model(name, case)
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
    model = _model(name, case, vocab_size=6, target_vocab_size=6)
    source = torch.tensor([[3, 4, 5, 2], [5, 2, 0, 0]])
    settings = {"num_beams": 27, "num_return_sequences": 5, "length_penalty": penalty}
    found = _search(model, source, limit=3, **settings)
    for row, length in enumerate((4, 2)):
        best = _everything(model, source[row : row + 1, :length], 3, Decoding(**settings))[:5]
        assert [one.tokens for one in found[row]] == [tokens for _, tokens in best]
        assert [one.score for one in found[row]] == pytest.approx([score for score, _ in best], abs=1e-4)


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_bfloat16_is_float32_to_its_two_or_three_digits(name: str, case: Case) -> None:
    model = _model(name, case)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(0.5).copy_(weight.bfloat16())
    exact = _scores(model)
    rounded = _scores(model.bfloat16()).float()
    assert rounded.isfinite().all()
    assert (rounded - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize(("name", "case"), TRANSLATES)
def test_recorded_attention_sums_to_one_and_changes_nothing(name: str, case: Case) -> None:
    model = _model(name, case)
    plain = _scores(model)
    with recording(model) as kept:
        watched = _scores(model)
    torch.testing.assert_close(watched, plain, **CLOSE)
    assert kept
    for name_of, calls in kept.items():
        assert calls, f"{name_of} was never asked"
        for weights in calls:
            torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]), **CLOSE)
            assert (weights >= 0).all()
    assert torch.equal(_scores(model), plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for name in plugins.names("models") if name in CASES for place in (0, -1)],
)
def test_compiled_is_eager(name: str, place: int) -> None:
    # In a process of its own: the compiler cannot look through the shape checks of tests.
    code = f"from tests.contracts import test_models as here; here.compare({name!r}, {place})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def compare(name: str, place: int) -> None:
    """Holds a compiled model to the eager one, also for a second length."""
    model = _model(name, CASES[name][place])
    compiled = torch.compile(model, dynamic=True)
    for source, target in ((SOURCE, TARGET), (SOURCE[:2, :5], TARGET[:2, :3])):
        with torch.no_grad():
            found = compiled(_batch(source, target))
        torch.testing.assert_close(found, _scores(model, source, target), **CLOSE)
