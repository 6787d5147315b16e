"""Every model, whatever its weights: what may see what, alone or in company, recorded, rounded and compiled.

A model is found by its file in ``models/``; ``cases/`` holds its configurations and ``inputs.py`` a batch for
each ability. Calling a model gives its scores, or its hidden states where a configuration has no scores.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from tests.contracts.case import Case
from tests.contracts.cases import CASES
from tests.contracts.inputs import INPUTS, Batch, Inputs, chosen
from tests.models.drawn import drawn
from torch import Tensor

from glassformer.base import plugins
from glassformer.nn import int8
from glassformer.nn.attention import recording
from glassformer.nn.packed import running

CLOSE = {"rtol": 0.0, "atol": 1e-5}
INT8 = pytest.param(
    torch.int8,
    id="int8",
    marks=pytest.mark.skipif(not (int8.can() and int8.exact()), reason="no exact int8 products here"),
)
PRECISIONS = [pytest.param(torch.float32, id="float32"), INT8]
WRITTEN = {"translates": "target", "generates": "tokens"}
READ = {"encodes": "tokens"}


def able(*abilities: str) -> list[Any]:
    """Every case of the models with one of these abilities (of all models without any)."""
    return [
        pytest.param(name, case, id=f"{name}-{case.id}")
        for name in plugins.names("models")
        if not abilities or set(abilities) & set(plugins.find("models", name).Model.abilities)
        for case in CASES.get(name, [])
    ]


def made(name: str, case: Case, **changed: Any) -> Any:
    module = plugins.find("models", name)
    return drawn(module.Model(module.Config(**(dict(case.settings) | changed))))


def computed(model: Any, precision: torch.dtype) -> Any:
    """The model as it is, or its twin with every matrix in integers."""
    return model if precision == torch.float32 else running(model, precision, least=0)


def scores_of(model: Any, batch: Batch) -> Tensor:
    with torch.no_grad():
        return model(batch)


def _inputs(model: Any) -> Inputs:
    return INPUTS[model.abilities[0]]


def _setting(name: str, case: Case) -> tuple[Any, Batch]:
    model = made(name, case)
    return model, _inputs(model).made(model.config)


@pytest.mark.parametrize("name", plugins.names("models"))
def test_every_model_has_abilities_and_is_held_to_this(name: str) -> None:
    abilities = plugins.find("models", name).Model.abilities
    assert abilities
    assert set(abilities) <= set(INPUTS)
    assert CASES.get(name), f"add tests/contracts/cases/{name}.py with configurations of {name}"


@pytest.mark.parametrize(("name", "case"), able("translates", "generates"))
def test_the_future_does_not_change_the_past(name: str, case: Case) -> None:
    model, batch = _setting(name, case)
    key = WRITTEN[model.abilities[0]]
    batch = {"tokens": batch["tokens"]} if key == "tokens" else batch
    before = scores_of(model, batch)
    for position in range(1, batch[key].shape[1]):
        changed = batch[key].clone()
        changed[:, position:] = (changed[:, position:] + 5) % 31
        after = scores_of(model, batch | {key: changed})
        torch.testing.assert_close(after[:, :position], before[:, :position], **CLOSE)
        assert not torch.allclose(after[:, position], before[:, position], atol=1e-3)


@pytest.mark.parametrize(("name", "case"), able("encodes", "contextualizes"))
def test_every_word_can_change_every_score(name: str, case: Case) -> None:
    model, batch = _setting(name, case)
    one = {"tokens": batch["tokens"][:1]}
    before = scores_of(model, one)
    for position in range(one["tokens"].shape[1]):
        changed = one["tokens"].clone()
        changed[0, position] = 20
        difference = (scores_of(model, {"tokens": changed}) - before).abs()
        assert bool((difference.amax(-1) > 1e-4).all())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("name", "case"), able())
def test_padding_order_and_batch_mates_change_no_score(name: str, case: Case, precision: torch.dtype) -> None:
    plain, batch = _setting(name, case)
    inputs, model = _inputs(plain), computed(plain, precision)
    together = scores_of(model, batch)
    for wide in inputs.wider(batch):
        told = inputs.told(scores_of(model, wide), wide)
        torch.testing.assert_close(told, inputs.told(together, batch), **CLOSE)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(scores_of(model, chosen(batch, order)), together[order], **CLOSE)
    for row in range(len(together)):
        one, mates = inputs.alone(batch, row), chosen(batch, torch.tensor([row]))
        told = inputs.told(scores_of(model, one), one)
        torch.testing.assert_close(told, inputs.told(together[row : row + 1], mates), **CLOSE)


@pytest.mark.parametrize(("name", "case"), able("generates", "encodes", "contextualizes"))
def test_documents_of_one_row_do_not_see_each_other(name: str, case: Case) -> None:
    model, batch = _setting(name, case)
    one = {"tokens": batch["tokens"][:1], "documents": torch.tensor([[0, 0, 0, 1, 1, 1, 2]])}
    before = scores_of(model, one)
    for document in range(3):
        inside = one["documents"] == document
        changed = torch.where(inside, (one["tokens"] + 5) % 31, one["tokens"])
        after = scores_of(model, one | {"tokens": changed})
        torch.testing.assert_close(after[~inside], before[~inside], **CLOSE)
        assert not torch.allclose(after[inside], before[inside], atol=1e-3)
    whole = {"tokens": one["tokens"], "documents": torch.zeros_like(one["documents"])}
    torch.testing.assert_close(scores_of(model, whole), scores_of(model, {"tokens": one["tokens"]}), **CLOSE)


@pytest.mark.parametrize(("name", "case"), able())
def test_bfloat16_is_float32_to_its_two_or_three_digits(name: str, case: Case) -> None:
    model, batch = _setting(name, case)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(0.5).copy_(weight.bfloat16())
    exact = scores_of(model, batch)
    half = {key: value.bfloat16() if value.is_floating_point() else value for key, value in batch.items()}
    rounded = scores_of(model.bfloat16(), half).float()
    assert rounded.isfinite().all()
    assert (rounded - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize(("name", "case"), able())
def test_weights_packed_for_inference_change_no_score(name: str, case: Case) -> None:
    model, batch = _setting(name, case)
    before = {key: weight.clone() for key, weight in model.named_parameters()}
    twin = running(model, torch.float32, least=0)
    torch.testing.assert_close(scores_of(twin, batch), scores_of(model, batch), rtol=1e-5, atol=1e-5)
    assert all(torch.equal(weight, before[key]) for key, weight in model.named_parameters())


@pytest.mark.parametrize("precision", [INT8])
@pytest.mark.parametrize(("name", "case"), able())
def test_int8_is_float32_to_its_first_digits(name: str, case: Case, precision: torch.dtype) -> None:
    model, batch = _setting(name, case)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(0.5)
    exact, near = scores_of(model, batch), scores_of(computed(model, precision), batch)
    assert near.dtype == torch.float32
    assert (near - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize(("name", "case"), able())
def test_recorded_attention_sums_to_one_and_changes_nothing(name: str, case: Case) -> None:
    model, batch = _setting(name, case)
    plain = scores_of(model, batch)
    with recording(model) as kept:
        watched = scores_of(model, batch)
    torch.testing.assert_close(watched, plain, **CLOSE)
    assert bool(kept) == case.looks
    for name_of, calls in kept.items():
        assert calls, f"{name_of} was never asked"
        for weights in calls:
            torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]), **CLOSE)
            assert (weights >= 0).all()
    assert torch.equal(scores_of(model, batch), plain)


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
    """Holds a compiled model to the eager one, also for other sizes."""
    model, batch = _setting(name, CASES[name][place])
    compiled = torch.compile(model, dynamic=True)
    for one in (batch, _inputs(model).alone(batch, 1), chosen(batch, torch.tensor([0, 1]))):
        with torch.no_grad():
            found = compiled(one)
        torch.testing.assert_close(found, scores_of(model, one), **CLOSE)
