"""What a GGUF file says of its model becomes a config.json; what is computed otherwise here is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.hub.gguf_files import SIZES, state_of, write

from glassformer.base.errors import UserError
from glassformer.hub.folder import load
from glassformer.hub.gguf import open_file
from glassformer.hub.gguf_config import config_of


@pytest.fixture(scope="module")
def theirs() -> Any:
    """The weights of one tiny model; what is said about them differs from test to test."""
    return state_of()[1].state_dict()


def _said(path: Path, weights: Any, **keys: Any) -> dict[str, Any]:
    named = {key.replace("__", "."): value for key, value in keys.items()}
    return config_of(open_file(write(path / "a.gguf", SIZES, weights, keys=named)))


def test_sizes_rotary_positions_and_marks_are_read(theirs: Any, tmp_path: Path) -> None:
    found = _said(tmp_path, theirs)
    wanted = {key: value for key, value in SIZES.items() if key != "pad_token_id"}
    assert (
        found.items() >= wanted.items() | {"model_type": "llama", "head_dim": 16, "pad_token_id": 2}.items()
    )
    assert found["rope_scaling"] is None


def test_what_a_file_leaves_out_is_what_llama_cpp_takes(theirs: Any, tmp_path: Path) -> None:
    found = _said(tmp_path, theirs, llama__rope__freq_base=None, llama__attention__head_count_kv=None)
    assert (found["rope_theta"], found["num_key_value_heads"]) == (10000.0, 4)


def test_a_value_for_every_layer_is_one_value_when_all_are_alike(theirs: Any, tmp_path: Path) -> None:
    found = _said(tmp_path, theirs, llama__attention__head_count_kv=[2, 2])
    assert found["num_key_value_heads"] == 2
    with pytest.raises(UserError, match=r"attention\.head_count_kv differs from layer to layer"):
        _said(tmp_path, theirs, llama__attention__head_count_kv=[2, 4])


def test_the_scalings_that_files_name_are_read(theirs: Any, tmp_path: Path) -> None:
    linear = {"rope_type": "linear", "factor": 2.5}
    kind, factor = "llama__rope__scaling__type", "llama__rope__scaling__factor"
    assert _said(tmp_path, theirs, **{kind: "linear", factor: 2.5})["rope_scaling"] == linear
    assert _said(tmp_path, theirs, llama__rope__scale_linear=2.5)["rope_scaling"] == linear
    assert _said(tmp_path, theirs, **{kind: "none"})["rope_scaling"] is None
    length = {"llama__rope__scaling__original_context_length": 20}
    yarn = _said(tmp_path, theirs, **{kind: "yarn", factor: 2.0}, **length)["rope_scaling"]
    assert yarn == {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 20}
    assert load(tmp_path / "a.gguf").config.scaling.kind == "yarn"


def test_a_second_end_is_an_end_too(theirs: Any, tmp_path: Path) -> None:
    _said(tmp_path, theirs, tokenizer__ggml__eot_token_id=0)
    config = load(tmp_path / "a.gguf").config
    assert (config.eos_id, config.also_ends) == (2, (0,))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"general.architecture": "gemma2"}, "general.architecture is 'gemma2'; files of llama and qwen2"),
        ({"llama.attention.sliding_window": 16}, "llama.attention.sliding_window is 16, which asks"),
        ({"llama.expert_count": 4}, "llama.expert_count is 4, which asks"),
        ({"llama.attention.causal": False}, "llama.attention.causal is False"),
        ({"llama.attn_logit_softcapping": 30.0}, "llama.attn_logit_softcapping is 30.0"),
        ({"llama.rope.dimension_count": 8}, "llama.rope.dimension_count is 8 where a head has 16"),
        ({"llama.attention.value_length": 8}, "llama.attention.value_length is 8 where a head has 16"),
        ({"llama.rope.scaling.type": "longrope"}, "rope.scaling.type is 'longrope'"),
        ({"llama.block_count": None}, "llama.block_count is missing or no number"),
        ({"llama.embedding_length": "wide"}, "llama.embedding_length is missing or no number"),
        ({"llama.attention.head_count_kv": 3}, "4 heads cannot share 3 kv_heads"),
        ({"llama.block_count": 3}, "weights that the configuration asks for are missing"),
    ],
)
def test_what_would_be_computed_otherwise_is_refused_by_its_key(
    keys: dict[str, Any], says: str, theirs: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.gguf", SIZES, theirs, keys=keys)
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_keys_that_ask_for_nothing_may_stand_there(theirs: Any, tmp_path: Path) -> None:
    keys = {"llama.expert_count": 0, "llama.expert_used_count": 0, "llama.attention.causal": True}
    load(write(tmp_path / "a.gguf", SIZES, theirs, keys=keys))
