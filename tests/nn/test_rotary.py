"""Rotary positions: only distances matter, and every published scaling is that of ``transformers``."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from glassformer.nn.rotary import Rotary, Scaling, rotate

CLOSE = {"rtol": 0.0, "atol": 1e-6}
LLAMA3 = {"kind": "llama3", "factor": 8.0, "original_length": 64}
YARN = {"kind": "yarn", "factor": 4.0, "original_length": 32}
SCALINGS = [
    pytest.param({}, {"rope_type": "default"}, id="none"),
    pytest.param({"kind": "linear", "factor": 2.5}, {"rope_type": "linear", "factor": 2.5}, id="linear"),
    pytest.param({"kind": "dynamic", "factor": 2.0}, {"rope_type": "dynamic", "factor": 2.0}, id="dynamic"),
    pytest.param(
        LLAMA3 | {"low_factor": 1.0, "high_factor": 4.0},
        {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 64,
         "low_freq_factor": 1.0, "high_freq_factor": 4.0},
        id="llama3",
    ),
    pytest.param(
        YARN, {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}, id="yarn"
    ),
    pytest.param(
        {"kind": "yarn", "factor": 2.0},
        {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 128},
        id="yarn-own-length",
    ),
    pytest.param(
        YARN | {"beta_fast": 8.0, "beta_slow": 2.0, "attention_factor": 0.7, "truncate": False},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 8.0,
         "beta_slow": 2.0, "attention_factor": 0.7, "truncate": False},
        id="yarn-everything",
    ),
    pytest.param(
        YARN | {"mscale": 0.707, "mscale_all_dim": 1.2},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "mscale": 0.707,
         "mscale_all_dim": 1.2},
        id="yarn-mscale",
    ),
]  # fmt: skip


def _theirs(parameters: dict[str, Any], head_dim: int, theta: float, positions: Tensor) -> Any:
    transformers = pytest.importorskip("transformers")
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = transformers.LlamaConfig(
        hidden_size=4 * head_dim,
        num_attention_heads=4,
        head_dim=head_dim,
        max_position_embeddings=128,
        rope_parameters=parameters | {"rope_theta": theta},
    )
    return llama.LlamaRotaryEmbedding(config)(torch.zeros(()), positions)


@pytest.mark.parametrize(("head_dim", "theta"), [(64, 10000.0), (16, 500000.0), (6, 100.0)])
@pytest.mark.parametrize(("ours", "theirs"), SCALINGS)
def test_every_scaling_is_that_of_transformers(
    ours: dict[str, Any], theirs: dict[str, Any], head_dim: int, theta: float
) -> None:
    rotary = Rotary(head_dim, 128, theta=theta, scaling=Scaling(**ours))
    lengths = (100, 128, 129, 250) if "dynamic" in ours.values() else (128,)
    for length in lengths:
        positions = torch.arange(length)[None]
        for found, wanted in zip(rotary(positions), _theirs(theirs, head_dim, theta, positions), strict=True):
            torch.testing.assert_close(found, wanted, **CLOSE)


def test_the_scalings_differ_from_each_other() -> None:
    positions = torch.arange(200)[None]
    found = [Rotary(16, 128, scaling=Scaling(**each.values[0]))(positions)[0] for each in SCALINGS]
    for place, one in enumerate(found):
        assert all((one - other).abs().max() > 1e-3 for other in found[:place])


def test_turning_is_that_of_transformers() -> None:
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    q, k = torch.randn(2, 4, 5, 8), torch.randn(2, 2, 5, 8)
    cos, sin = Rotary(8, 16)(torch.tensor([[0, 1, 2, 3, 4], [0, 0, 0, 1, 2]]))
    wanted = llama.apply_rotary_pos_emb(q, k, cos, sin)
    for found, other in zip((rotate(q, cos, sin), rotate(k, cos, sin)), wanted, strict=True):
        torch.testing.assert_close(found, other, **CLOSE)


def test_only_the_distance_of_a_query_and_a_key_matters() -> None:
    q, k = torch.randn(1, 1, 1, 16), torch.randn(1, 1, 1, 16)
    rotary = Rotary(16, 64)

    def product(query: int, key: int) -> float:
        turned = [rotate(x, *rotary(torch.tensor([[place]]))) for x, place in ((q, query), (k, key))]
        return float((turned[0] * turned[1]).sum())

    for shift in (1, 20, 50):
        assert product(5 + shift, 2 + shift) == pytest.approx(product(5, 2), abs=1e-4)
    assert product(5, 2) != pytest.approx(product(5, 3), abs=1e-3)


def test_a_turn_keeps_lengths_and_undoes_itself() -> None:
    x = torch.randn(2, 3, 4, 8)
    cos, sin = Rotary(8, 16)(torch.arange(4)[None])
    turned = rotate(x, cos, sin)
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(rotate(turned, cos, -sin), x)
    assert torch.equal(turned[:, :, 0], x[:, :, 0])
    assert not torch.allclose(turned[:, :, 1], x[:, :, 1], atol=0.1)


def test_angles_stay_exact_when_the_model_is_cast() -> None:
    positions = torch.arange(100)[None]
    rotary = Rotary(16, 128, scaling=Scaling(**LLAMA3))
    before = rotary(positions)[0]
    for cast in (rotary.bfloat16(), rotary.half(), rotary.double()):
        assert torch.equal(cast(positions)[0], before)
    assert rotate(torch.ones(1, 1, 100, 16).bfloat16(), *rotary(positions)).dtype == torch.bfloat16


def test_a_model_made_on_meta_has_its_angles_once_it_is_somewhere() -> None:
    with torch.device("meta"):
        rotary = Rotary(16, 128, scaling=Scaling(**YARN))
    assert rotary.rates.is_meta
    positions = torch.arange(9)[None]
    assert torch.equal(
        rotary.to_empty(device="cpu")(positions)[0], Rotary(16, 128, scaling=Scaling(**YARN))(positions)[0]
    )


def test_nothing_is_trained_or_saved() -> None:
    rotary = Rotary(8, 16)
    assert list(rotary.parameters()) == []
    assert rotary.state_dict() == {}


def test_a_long_text_does_not_change_the_angles_of_its_mates() -> None:
    rotary = Rotary(8, 16, scaling=Scaling(kind="dynamic", factor=2.0))
    short = torch.arange(20).clamp(max=10)[None]
    together = rotary(torch.cat([short, torch.arange(20)[None]]))[0]
    assert torch.equal(together[:1], rotary(short)[0])
    assert torch.equal(together[:1], Rotary(8, 16)(short)[0])


def test_dynamic_reaches_further_than_the_model_was_trained() -> None:
    assert Rotary(8, 16, scaling=Scaling(kind="dynamic", factor=2.5)).reach == 40
    assert Rotary(8, 16, scaling=Scaling(kind="linear", factor=2.5)).reach == 16


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"kind": "linear", "low_factor": 2.0}, "low_factor has no meaning for scaling kind linear"),
        ({"factor": 2.0}, "factor has no meaning for scaling kind none"),
        ({"kind": "llama3", "low_factor": 4.0, "high_factor": 4.0}, "high_factor must be larger"),
        ({"kind": "yarn", "factor": 0.5}, "greater than or equal to 1"),
        ({"kind": "longrope"}, "'none', 'linear', 'dynamic', 'llama3' or 'yarn'"),
    ],
)
def test_a_scaling_that_cannot_be_meant_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Scaling(**settings)
