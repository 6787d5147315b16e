"""Attention: every kernel computes the equation, written out here word by word."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.nn.attention import EXPLICIT_BELOW, KERNELS, Attention, explicit, fastest, fused, recording
from glassformer.nn.cache import Fixed, Growing, Slot
from glassformer.nn.mask import Mask
from glassformer.nn.rotary import rotate

KEEP = torch.tensor([[True] * 5, [True, True, True, False, False]])
DOCUMENTS = torch.tensor([[0, 0, 1, 1, 1], [3, 3, 3, 3, 7]])
MASKS = [
    pytest.param(Mask, id="all"),
    pytest.param(lambda: Mask(causal=True), id="causal"),
    pytest.param(lambda: Mask(keep=KEEP), id="keep"),
    pytest.param(lambda: Mask(causal=True, keep=KEEP), id="causal-keep"),
    pytest.param(lambda: Mask(causal=True, window=2), id="window"),
    pytest.param(lambda: Mask(causal=True, window=5), id="wide-window"),
    pytest.param(lambda: Mask(causal=True, documents=DOCUMENTS), id="documents"),
]
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def _may(mask: Mask, row: int, query: int, key: int, past: int) -> bool:
    query += past
    causal = not mask.causal or key <= query
    kept = mask.keep is None or bool(mask.keep[row, key])
    near = mask.window is None or abs(query - key) < mask.window
    same = mask.documents is None or bool(mask.documents[row, query] == mask.documents[row, key])
    return causal and kept and near and same


def _by_hand(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """softmax(Q Kᵀ / √d) V, one number after another, over the keys that may be seen."""
    q, k, v = q.detach(), k.detach(), v.detach()
    mixed = torch.zeros(*q.shape[:3], v.shape[3], dtype=torch.float64)
    past = k.shape[2] - q.shape[2]
    for row in range(q.shape[0]):
        for head in range(q.shape[1]):
            for query in range(q.shape[2]):
                seen = [key for key in range(k.shape[2]) if _may(mask, row, query, key, past)]
                dots = [float(q[row, head, query].double() @ k[row, head, key].double()) for key in seen]
                powers = [math.exp(dot / math.sqrt(q.shape[3])) for dot in dots]
                for key, power in zip(seen, powers, strict=True):
                    mixed[row, head, query] += power / sum(powers) * v[row, head, key].double()
    return mixed.float()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("mask", MASKS)
def test_every_kernel_computes_the_equation(kernel: str, mask: Any) -> None:
    q, k, v = torch.randn(3, 2, 2, 5, 4)
    torch.testing.assert_close(KERNELS[kernel](q, k, v, mask(), 0.0), _by_hand(q, k, v, mask()), **CLOSE)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("mask", MASKS)
def test_every_kernel_has_the_same_gradient(kernel: str, mask: Any) -> None:
    parts = [torch.randn(2, 2, 5, 4, requires_grad=True) for _ in range(3)]
    slope = torch.randn(2, 2, 5, 4)
    wanted = torch.autograd.grad(explicit(*parts, mask(), 0.0), parts, slope)
    got = torch.autograd.grad(KERNELS[kernel](*parts, mask(), 0.0), parts, slope)
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("mask", MASKS)
def test_every_kernel_lets_neighbouring_query_heads_share_a_key_head(kernel: str, mask: Any) -> None:
    q, k, v = torch.randn(2, 6, 5, 4), torch.randn(2, 2, 5, 4), torch.randn(2, 2, 5, 3)
    own = [part.repeat_interleave(3, dim=1) for part in (k, v)]
    torch.testing.assert_close(KERNELS[kernel](q, k, v, mask(), 0.0), _by_hand(q, *own, mask()), **CLOSE)


def test_the_fused_kernel_copies_shared_keys_only_where_there_is_none_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[int, bool]] = []

    def note(q: Tensor, k: Tensor, *_: Tensor, enable_gqa: bool, **__: Any) -> Tensor:
        told.append((k.shape[1], enable_gqa))
        return q

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", note)
    for device in ("cpu", "meta"):
        q, k = torch.zeros(1, 4, 5, 2, device=device), torch.zeros(1, 2, 5, 2, device=device)
        fused(q, k, k, Mask(causal=True, window=2), 0.0)
    assert told == [(2, True), (4, False)]


def test_a_single_query_in_bfloat16_is_compared_in_float32() -> None:
    q, k, v = torch.randn(2, 4, 1, 8), torch.randn(2, 2, 5, 8), torch.randn(2, 2, 5, 8)
    half = [part.bfloat16() for part in (q, k, v)]
    found = fastest(*half, Mask(), 0.0)
    wide = explicit(*(part.float() for part in half), Mask(), 0.0)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, wide.bfloat16())


@pytest.mark.parametrize("kernel", KERNELS)
def test_queries_at_the_end_of_longer_keys_see_all_before_them(kernel: str) -> None:
    q, k, v = torch.randn(2, 2, 2, 4), torch.randn(2, 2, 5, 4), torch.randn(2, 2, 5, 4)
    mask = Mask(causal=True)
    torch.testing.assert_close(KERNELS[kernel](q, k, v, mask, 0.0), _by_hand(q, k, v, mask), **CLOSE)


def test_the_fastest_kernel_is_chosen_by_size_and_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[str] = []

    def note(name: str) -> Any:
        return lambda q, *_: chosen.append(name) or q

    for name in ("explicit", "blocked", "fused", "widened"):
        monkeypatch.setattr(f"glassformer.nn.attention.{name}", note(name))
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "highest")
    for kind in (torch.bfloat16, torch.float32):
        for length in (8, math.isqrt(EXPLICIT_BELOW) + 1):
            x = torch.zeros(1, 1, length, 1, dtype=kind)
            fastest(x, x, x, Mask(), 0.0)
    fastest(x[:, :, :8], x[:, :, :8], x[:, :, :8], Mask(), 0.1)  # with dropout the fused kernel is slow
    one = torch.zeros(1, 1, 1, 1, dtype=torch.bfloat16)
    fastest(one, x[:, :, :8].bfloat16(), x[:, :, :8].bfloat16(), Mask(), 0.0)
    with torch.no_grad():
        fastest(x[:, :, :8].bfloat16(), x[:, :, :8].bfloat16(), x[:, :, :8].bfloat16(), Mask(), 0.0)
    assert chosen == ["blocked", "fused", "fused", "fused", "blocked", "widened", "explicit"]


@pytest.mark.parametrize("kernel", [explicit, KERNELS["blocked"], fused])
def test_dropout_thins_the_weights_and_keeps_their_mean(kernel: Any) -> None:
    q = k = torch.zeros(1, 1, 64, 4)
    v = torch.ones(1, 1, 64, 4)
    mixed = torch.stack([kernel(q, k, v, Mask(), 0.5) for _ in range(200)])
    assert 0.98 < float(mixed.mean()) < 1.02
    assert float(mixed.std()) > 0.05


# --- the module --------------------------------------------------------------------------------------------


def test_heads_are_cut_mixed_and_joined_in_order() -> None:
    attend = Attention(8, 2)
    x = torch.randn(2, 5, 8)
    q, k, v = (part(x).view(2, 5, 2, 4).transpose(1, 2) for part in (attend.q, attend.k, attend.v))
    wanted = attend.out(_by_hand(q, k, v, Mask()).transpose(1, 2).reshape(2, 5, 8))
    torch.testing.assert_close(attend(x, Mask()), wanted, **CLOSE)


def test_cross_attention_takes_keys_and_values_from_the_memory() -> None:
    attend = Attention(8, 2)
    x, memory = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    q = attend.q(x).view(2, 3, 2, 4).transpose(1, 2)
    k, v = (part(memory).view(2, 5, 2, 4).transpose(1, 2) for part in (attend.k, attend.v))
    wanted = attend.out(_by_hand(q, k, v, Mask(keep=KEEP)).transpose(1, 2).reshape(2, 3, 8))
    torch.testing.assert_close(attend(x, Mask(keep=KEEP), memory=memory), wanted, **CLOSE)


def test_heads_times_head_dim_may_differ_from_dim() -> None:
    attend = Attention(8, 3, head_dim=5, bias=False)
    assert attend(torch.randn(2, 4, 8), Mask()).shape == (2, 4, 8)
    assert attend.q.weight.shape == (15, 8)
    assert attend.out.weight.shape == (8, 15)
    assert attend.q.bias is None


def test_query_heads_share_key_heads_in_neighbouring_groups() -> None:
    grouped, full = Attention(8, 4, kv_heads=2), Attention(8, 4)
    weights = grouped.state_dict()
    for name in ("k.weight", "k.bias", "v.weight", "v.bias"):
        weights[name] = weights[name].unflatten(0, (2, 2)).repeat_interleave(2, 0).flatten(0, 1)
    full.load_state_dict(weights)
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(grouped(x, Mask(causal=True)), full(x, Mask(causal=True)), **CLOSE)


@pytest.mark.parametrize("make", [Growing, lambda: Fixed(7)], ids=["growing", "fixed"])
@pytest.mark.parametrize("chunks", [[7], [1] * 7, [3, 1, 3], [1, 6], [5, 2]])
@pytest.mark.parametrize("window", [None, 3])
def test_cached_attention_equals_uncached_in_any_chunking(
    make: Any, chunks: list[int], window: int | None
) -> None:
    attend = Attention(8, 4, kv_heads=2)
    x = torch.randn(2, 7, 8)
    slot: Slot = make()
    mask = Mask(causal=True, window=window)
    pieces = [attend(chunk, mask, cache=slot) for chunk in x.split(chunks, dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), attend(x, mask), **CLOSE)


def test_a_memory_is_read_into_its_cache_only_once() -> None:
    attend = Attention(8, 2)
    memory, slot = torch.randn(2, 5, 8), Growing()
    x = torch.randn(2, 3, 8)
    steps = [attend(x[:, i : i + 1], Mask(keep=KEEP), memory=memory, cache=slot) for i in range(3)]
    assert slot.length == 5
    torch.testing.assert_close(torch.cat(steps, dim=1), attend(x, Mask(keep=KEEP), memory=memory), **CLOSE)


def test_rows_side_by_side_share_a_memory() -> None:
    attend = Attention(8, 2)
    memory, slot, x = torch.randn(2, 5, 8), Growing(), torch.randn(6, 2, 8)
    wanted = attend(x, Mask(keep=KEEP.repeat_interleave(3, dim=0)), memory=memory.repeat_interleave(3, dim=0))
    for _ in range(2):
        torch.testing.assert_close(attend(x, Mask(keep=KEEP), memory=memory, cache=slot), wanted, **CLOSE)
    assert slot.held()[0].shape[0] == 2


# --- looking inside ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", MASKS)
def test_recorded_rows_sum_to_one_and_the_output_stays_the_same(mask: Any) -> None:
    model = torch.nn.ModuleDict({"first": Attention(8, 2), "second": Attention(8, 4, kv_heads=2)})
    x = torch.randn(2, 5, 8)

    def run() -> Tensor:
        out: Tensor = model["second"](model["first"](x, mask()), mask())
        return out

    with recording(model) as kept:
        looked = run()
    torch.testing.assert_close(looked, run(), **CLOSE)
    for part in model.values():
        part.kernel = fused
    torch.testing.assert_close(looked, run(), **CLOSE)
    assert {name: [tuple(w.shape) for w in found] for name, found in kept.items()} == {
        "first": [(2, 2, 5, 5)],
        "second": [(2, 4, 5, 5)],
    }
    for found in kept.values():
        torch.testing.assert_close(found[0].sum(-1), torch.ones(found[0].shape[:3]))
        bias = mask().bias(5, 5, torch.float32, torch.device("cpu"))
        if bias is not None:
            assert not found[0][(bias < 0).expand_as(found[0])].any()


def test_kernels_are_put_back_even_after_an_error() -> None:
    attend = Attention(8, 2)
    with pytest.raises(RuntimeError, match="oops"), recording(attend):
        assert attend.kernel is not fastest
        raise RuntimeError("oops")
    assert attend.kernel is fastest


def test_every_call_is_recorded_and_weights_hold_no_graph() -> None:
    attend = Attention(8, 2, dropout=0.5)
    with recording(attend) as kept:
        for _ in range(3):
            attend(torch.randn(1, 4, 8, requires_grad=True), Mask())
    assert [weights.requires_grad for weights in kept[""]] == [False] * 3
    torch.testing.assert_close(kept[""][0].sum(-1), torch.ones(1, 2, 4))


# --- rotary ------------------------------------------------------------------------------------------------


def _angles(start: int, length: int, rows: int = 1) -> tuple[Tensor, Tensor]:
    turn = torch.arange(start, start + length)[:, None] / torch.tensor([1.0, 10.0])
    angles = torch.cat([turn, turn], dim=1).expand(rows, -1, -1)
    return angles.cos(), angles.sin()


def test_queries_and_keys_are_turned_and_values_are_not() -> None:
    attend = Attention(8, 2, kv_heads=1)
    x, (cos, sin) = torch.randn(2, 5, 8), _angles(0, 5)
    q = rotate(attend.q(x).view(2, 5, 2, 4).transpose(1, 2), cos, sin)
    k = rotate(attend.k(x).view(2, 5, 1, 4).transpose(1, 2), cos, sin)
    v = attend.v(x).view(2, 5, 1, 4).transpose(1, 2)
    mixed = _by_hand(q, k.expand_as(q), v.expand_as(q), Mask(causal=True)).transpose(1, 2).flatten(2)
    found = attend(x, Mask(causal=True), rotary=(cos, sin))
    torch.testing.assert_close(found, attend.out(mixed), **CLOSE)
    assert not torch.allclose(found, attend(x, Mask(causal=True)), atol=1e-3)


@pytest.mark.parametrize("make", [Growing, lambda: Fixed(5)], ids=["growing", "fixed"])
def test_turned_keys_are_remembered_turned_and_windows_reach_into_the_memory(make: Any) -> None:
    attend = Attention(8, 2)
    x, slot = torch.randn(2, 5, 8), make()
    mask = Mask(causal=True, window=2)
    whole = attend(x, mask, rotary=_angles(0, 5))
    done = 0
    for chunk in x.split([2, 1, 2], dim=1):
        length = chunk.shape[1]
        part = attend(chunk, Mask(causal=True, window=2), cache=slot, rotary=_angles(done, length, rows=2))
        torch.testing.assert_close(part, whole[:, done : done + length], **CLOSE)
        done += length
