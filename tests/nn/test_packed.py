"""Packed weights: the same function, laid out once, over weights that stay what they are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from glassformer.nn import packed as here
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.cache import Growing
from glassformer.nn.embedding import Output
from glassformer.nn.mask import Mask
from glassformer.nn.packed import Packed, packed, running

pytestmark = pytest.mark.skipif(not here.can_pack(torch.float32), reason="this PyTorch comes without oneDNN")
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
SIZES = {"dim": 8, "heads": 4, "mlp_dim": 12}


@pytest.mark.parametrize("biased", [(True, True), (True, False), (False, False)])
def test_several_maps_of_the_same_vectors_are_one_product(biased: tuple[bool, bool]) -> None:
    parts = [nn.Linear(6, size, bias=bias) for size, bias in zip((3, 5), biased, strict=True)]
    one = Packed(parts, torch.float32)
    for shape in ((6,), (2, 6), (2, 3, 6), (0, 6), (0, 1, 6)):
        x = torch.randn(shape)
        with torch.no_grad():
            for got, part in zip(one.apart(x), parts, strict=True):
                torch.testing.assert_close(got, part(x), **CLOSE)


def test_products_that_are_too_small_stay_as_they_are() -> None:
    parts = [nn.Linear(6, 5), nn.Linear(6, 5)]
    assert packed(parts, torch.float32, 61) is None
    assert packed(parts, torch.float32, 60) is not None


@pytest.mark.parametrize("settings", [{}, {"gated": True}, {"kv_heads": 2}, {"bias": False}, {"cross": True}])
def test_a_packed_block_computes_what_the_block_does_and_holds_no_other_matrix(settings: Any) -> None:
    block = Block(BlockConfig(**SIZES, **settings)).eval()
    twin = running(block, torch.float32, least=0)
    assert not any(isinstance(part, nn.Linear) for part in twin.modules())
    x, memory = torch.randn(2, 5, 8), torch.randn(2, 3, 8) if "cross" in settings else None
    looked = {"memory": memory, "memory_mask": None if memory is None else Mask()}
    with torch.no_grad():
        wanted = block(x, Mask(causal=True), **looked)
        torch.testing.assert_close(twin(x, Mask(causal=True), **looked), wanted, **CLOSE)
        slot, far = Growing(), Growing()
        steps = [
            twin(x[:, at : at + 1], Mask(causal=True), cache=slot, memory_cache=far, **looked)
            for at in range(5)
        ]
        torch.testing.assert_close(torch.cat(steps, dim=1), wanted, **CLOSE)


def test_the_model_itself_stays_as_it_is_and_shares_what_needs_no_change() -> None:
    block = Block(BlockConfig(**SIZES))
    before = {name: (id(weight), weight.clone()) for name, weight in block.named_parameters()}
    twin = running(block, torch.bfloat16)
    assert {name: id(weight) for name, weight in block.named_parameters()} == {
        name: number for name, (number, _) in before.items()
    }
    assert all(torch.equal(weight, before[name][1]) for name, weight in block.named_parameters())
    assert all(weight.dtype == torch.bfloat16 for weight in twin.parameters())
    shared = running(block, torch.float32, least=10**9)
    assert [id(weight) for weight in shared.parameters()] == [id(weight) for weight in block.parameters()]
    assert block.training
    assert not twin.training


def test_tied_weights_stay_tied() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(7, 4)
            self.again = self.table
            self.output = Output(self.table.weight, bias=False)

    model = Tied()
    twin: Any = running(model, torch.bfloat16)
    assert twin.again is twin.table
    assert twin.output.weight is twin.table.weight
    assert twin.output.weight.dtype == torch.bfloat16
    x = torch.randn(2, 4).bfloat16()
    with torch.no_grad():
        wanted = x @ model.table.weight.bfloat16().T
        torch.testing.assert_close(twin.output(x), wanted, rtol=2e-2, atol=2e-2)


def test_without_the_library_nothing_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "can_pack", lambda _: False)
    block = Block(BlockConfig(**SIZES))
    twin = running(block, torch.float32, least=0)
    assert not any(isinstance(part, Packed) for part in twin.modules())
    x = torch.randn(1, 3, 8)
    torch.testing.assert_close(twin(x, Mask()), block.eval()(x, Mask()))


def test_int8_is_taken_where_it_is_exact_and_measured_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def decided(what: str, measure: Any, found: Any) -> bool:
        asked.append(what)
        return bool(measure())

    monkeypatch.setattr(here.machine, "decided", decided)
    monkeypatch.setattr(here.int8, "can", lambda: True)
    for exact, quick in ((True, True), (True, False), (False, True)):
        monkeypatch.setattr(here.int8, "exact", lambda exact=exact: exact)
        seconds = iter([1.0, 1.0, 2.0, 2.0] if quick else [2.0, 2.0, 1.0, 1.0])
        monkeypatch.setattr(here.machine, "quickest", lambda *_, seconds=seconds, **__: next(seconds))
        assert here.int8_pays(here.machine.look()) == (exact and quick)
    assert asked == ["int8"] * 3
    monkeypatch.setattr(here.int8, "can", lambda: False)
    assert not here.int8_pays(here.machine.look())
    assert len(asked) == 3


def test_the_measurement_of_int8_computes_what_it_times_and_takes_no_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(here.int8, "READ", 8)
    monkeypatch.setattr(here.int8, "WRITTEN", 12)
    shapes: list[torch.Size] = []

    def quickest(action: Any, device: str, budget: float) -> float:
        shapes.append(action().shape)
        return 1.0

    monkeypatch.setattr(here.machine, "quickest", quickest)
    before = torch.get_rng_state()
    assert not here._faster(here.machine.look())
    assert shapes == [torch.Size([1, 12]), torch.Size([32, 12])] * 2
    assert torch.equal(torch.get_rng_state(), before)
