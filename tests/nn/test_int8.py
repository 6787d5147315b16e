"""Products in 8-bit integers: exactly the formula, near float32, and each row for itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from glassformer.nn import int8
from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.embedding import Output
from glassformer.nn.int8 import Integers, encoded, rounded
from glassformer.nn.mask import Mask
from glassformer.nn.packed import running

pytestmark = pytest.mark.skipif(not (int8.can() and int8.exact()), reason="no exact int8 products here")
SIZES = [(1, 1), (3, 5), (7, 300), (64, 33), (129, 64), (512, 17)]


def _linear(read: int, written: int, *, bias: bool = True) -> nn.Linear:
    part = nn.Linear(read, written, bias=bias)
    with torch.no_grad():
        part.weight.normal_().mul_(torch.rand(written, 1) * 4)
    return part


def _of(part: nn.Linear, x: Tensor) -> Tensor:
    with torch.no_grad():
        return Integers([part])(x)


def _formula(part: nn.Linear, x: Tensor) -> Tensor:
    """What the docstring says, in float64, from the same codes."""
    codes, largest = encoded(x)
    matrix, steps = rounded(part.weight.detach())
    sums = (codes.double() - 128) @ matrix.double().T
    found = sums * steps.double() * largest.double() / 127
    return found if part.bias is None else found + part.bias.detach().double()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("read", "written"), SIZES)
def test_a_product_is_the_formula_to_the_last_digits(read: int, written: int, bias: bool) -> None:
    part, x = _linear(read, written, bias=bias), torch.randn(9, read) * torch.logspace(-6, 6, 9)[:, None]
    found, wanted = _of(part, x).double(), _formula(part, x)
    allowed = 1e-5 * wanted.abs().amax(dim=1, keepdim=True) + 1e-6
    assert ((found - wanted).abs() <= allowed).all()


def test_codes_are_the_nearest_and_use_all_of_the_range() -> None:
    x = torch.randn(50, 37) * torch.logspace(-20, 20, 50)[:, None]
    codes, largest = encoded(x)
    exact = x.double() / x.double().abs().amax(dim=1, keepdim=True) * 127 + 128
    assert (codes.double() - exact).abs().max() <= 0.5 + 1e-4
    assert torch.equal(largest, x.abs().amax(dim=1, keepdim=True))
    ends = codes.gather(1, x.abs().argmax(dim=1, keepdim=True))
    assert set(ends.flatten().tolist()) <= {1, 255}
    matrix, steps = rounded(x)
    assert (matrix.double() * steps[:, None].double() - x.double()).abs().le(0.51 * steps[:, None]).all()
    assert (matrix.abs().amax(dim=1) == 127).all()


@pytest.mark.parametrize(("read", "written"), SIZES)
def test_the_error_is_within_what_rounding_allows(read: int, written: int) -> None:
    part, x = _linear(read, written), torch.randn(6, read)
    with torch.no_grad():
        wanted = part(x)
    # Each factor is off by half a step: |ΔW x| + |W Δx| + |ΔW Δx|, summed over what is read.
    step_w = part.weight.detach().abs().amax(dim=1) / 254
    step_x = x.abs().amax(dim=1, keepdim=True) / 254
    bound = step_w * x.abs().sum(dim=1, keepdim=True) + step_x * part.weight.detach().abs().sum(dim=1)
    bound = bound + read * step_w * step_x
    assert ((_of(part, x) - wanted).abs() <= 1.001 * bound + 1e-5).all()
    if read > 1:
        assert not torch.equal(_of(part, x), wanted)


@pytest.mark.parametrize(("read", "written"), SIZES)
def test_both_copies_of_a_matrix_give_a_row_the_same(read: int, written: int) -> None:
    part = _linear(read, written)
    one, many = (Integers([part], plain=plain) for plain in (True, False))
    assert one.plain is not None
    assert many.plain is None
    for x in (torch.randn(1, read), torch.randn(read), torch.randn(1, 1, read), torch.full((1, read), 3.0)):
        with torch.no_grad():
            assert torch.equal(one(x), many(x))
    for x in (torch.zeros(1, read), torch.full((1, read), torch.nan), torch.randn(2, read)):
        with torch.no_grad():
            torch.testing.assert_close(one(x), many(x), rtol=0.0, atol=0.0, equal_nan=True)


@pytest.mark.parametrize("quick", [True, False])
def test_a_second_copy_is_kept_where_it_is_measured_right_and_quicker(
    monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    monkeypatch.setattr(int8, "READ", 8)
    monkeypatch.setattr(int8, "WRITTEN", 12)
    seconds = iter([1.0, 2.0] if quick else [2.0, 1.0])
    monkeypatch.setattr(int8.machine, "quickest", lambda *_, **__: next(seconds))
    assert int8._plain_is_quicker() == quick
    monkeypatch.setattr(int8, "plain_is_quick", lambda: quick)
    assert (Integers([_linear(8, 8)]).plain is not None) == quick
    monkeypatch.setattr(int8, "MOST_PLAIN", 63)
    assert Integers([_linear(8, 8)]).plain is None


@pytest.mark.parametrize("rows", [2, 5, 33, 130])
def test_a_row_gives_the_same_in_any_company(rows: int) -> None:
    part, x = _linear(96, 80), torch.randn(rows, 96)
    together = _of(part, x)
    loud = _of(part, torch.cat([x, 1e6 * torch.randn(3, 96)]))[:rows]
    for row in range(0, rows, 7):
        alone = _of(part, x[row : row + 1])[0]
        assert torch.equal(together[row], alone)
        assert torch.equal(loud[row], alone)


def test_a_row_of_zeros_gives_the_bias_and_one_that_is_not_finite_spoils_no_other() -> None:
    part, x = _linear(8, 5), torch.randn(5, 8)
    clean = _of(part, x)
    x[1], x[2, 3], x[3, 0], x[4, 7] = 0.0, torch.nan, torch.inf, -torch.inf
    found = _of(part, x)
    assert torch.equal(found[0], clean[0])
    assert torch.equal(found[1], part.bias.detach())
    assert not found[2:].isfinite().any()
    bare = _linear(8, 5, bias=False)
    assert torch.equal(_of(bare, torch.zeros(2, 8)), torch.zeros(2, 5))


def test_a_map_of_zeros_gives_its_bias() -> None:
    part = _linear(4, 3)
    with torch.no_grad():
        part.weight.zero_()
    assert torch.equal(_of(part, torch.randn(2, 4)), part.bias.detach().expand(2, 3))


@pytest.mark.parametrize("shape", [(0, 6), (0, 1, 6), (2, 0, 6), (6,), (2, 6), (2, 3, 6)])
def test_any_number_of_rows_is_read_in_the_shape_they_have(shape: tuple[int, ...]) -> None:
    parts = [_linear(6, 3), _linear(6, 5, bias=False)]
    x, one = torch.randn(shape), Integers(parts)
    with torch.no_grad():
        for got, part in zip(one.apart(x), parts, strict=True):
            assert got.dtype == torch.float32
            torch.testing.assert_close(got, _of(part, x))
            assert got.shape == (*shape[:-1], len(part.weight))


@pytest.mark.parametrize("settings", [{}, {"gated": True}, {"kv_heads": 2}, {"bias": False}, {"cross": True}])
def test_all_matrices_of_a_block_are_integers_and_all_else_float32(settings: Any) -> None:
    block = Block(BlockConfig(dim=32, heads=4, mlp_dim=48, **settings)).bfloat16().eval()
    twin = running(block, torch.int8, least=0)
    assert not any(isinstance(part, nn.Linear) for part in twin.modules())
    assert sum(isinstance(part, Integers) for part in twin.modules()) >= 4
    assert all(weight.dtype == torch.float32 for weight in twin.parameters())
    assert all(weight.dtype == torch.bfloat16 for weight in block.parameters())
    x, memory = torch.randn(2, 5, 32), torch.randn(2, 3, 32) if "cross" in settings else None
    looked = {"memory": memory, "memory_mask": None if memory is None else Mask()}
    with torch.no_grad():
        wanted = block.float()(x, Mask(causal=True), **looked)
        torch.testing.assert_close(twin(x, Mask(causal=True), **looked), wanted, rtol=0.05, atol=0.05)


def test_scores_of_words_are_integers_too_and_small_matrices_stay() -> None:
    output = Output(nn.Parameter(torch.randn(40, 16)), bias=True)
    twin: Any = running(output, torch.int8, least=640)
    assert isinstance(twin.packed, Integers)
    assert running(output, torch.int8, least=641).packed is None
    x = torch.randn(3, 16)
    with torch.no_grad():
        torch.testing.assert_close(twin(x), output(x), rtol=0.05, atol=0.2)


def test_the_scores_of_some_words_are_those_among_the_scores_of_all() -> None:
    output = Output(nn.Parameter(torch.randn(40, 16)), bias=True)
    with torch.no_grad():
        output.bias.normal_()
    twin: Any = running(output, torch.int8, least=0)
    words, x = torch.tensor([3, 39, 0, 17]), torch.randn(5, 16)
    with torch.no_grad():
        assert torch.equal(twin.only(words)(x), twin(x)[:, words])


def test_without_the_products_all_stays_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "can", lambda: False)
    twin = running(nn.ModuleList([Block(BlockConfig(dim=8, heads=2, mlp_dim=8))]), torch.int8, least=0)
    assert not any(isinstance(part, Integers) for part in twin.modules())
    assert all(weight.dtype == torch.float32 for weight in twin.parameters())
