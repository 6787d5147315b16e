"""Rotary positions in config.json: every kind there and back, in the words of old and new files."""

from __future__ import annotations

from typing import Any

import pytest

from glassformer.base.errors import UserError
from glassformer.models.llama_rotary import read, write
from glassformer.nn.rotary import Scaling

LENGTH = {"max_position_embeddings": 64}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}


@pytest.mark.parametrize(
    "scaling",
    [
        Scaling(),
        Scaling(kind="linear", factor=2.0),
        Scaling(kind="dynamic", factor=3.0),
        Scaling(kind="llama3", factor=8.0, original_length=16, low_factor=2.0, high_factor=5.0),
        Scaling(kind="yarn", factor=4.0, original_length=16, attention_factor=1.1, truncate=False),
        Scaling(kind="yarn", factor=4.0, original_length=16, beta_fast=9.0, mscale=0.7, mscale_all_dim=0.8),
    ],
    ids=lambda scaling: scaling.kind,
)
def test_what_is_written_is_read_in_new_words_and_in_old(scaling: Scaling) -> None:
    written = LENGTH | write(500.0, scaling, 64)
    new = {key: value for key, value in written.items() if key not in ("rope_theta", "rope_scaling")}
    old = {key: value for key, value in written.items() if key != "rope_parameters"}
    for form in (written, new, old):
        assert read(form) == (500.0, scaling)


def test_the_names_that_the_first_files_used_are_known() -> None:
    assert read({"rope_scaling": {"type": "linear", "factor": 2.0}}) == (
        10000.0,
        Scaling(kind="linear", factor=2),
    )
    assert read({"rope_theta": 77.0, "rope_scaling": {"type": "default"}}) == (77.0, Scaling())
    assert read({}) == (10000.0, Scaling())


@pytest.mark.parametrize("kind", [LLAMA3, YARN], ids=["llama3", "yarn"])
def test_the_length_of_training_is_where_transformers_looks_for_it(kind: dict[str, Any]) -> None:
    transformers = pytest.importorskip("transformers")
    bare = {key: value for key, value in kind.items() if key != "original_max_position_embeddings"}
    inside = bare | {"original_max_position_embeddings": 32}
    first = {"original_max_position_embeddings": 16}
    for rope, outside, length in ((bare, {}, 64), (inside, {}, 32), (inside, first, 16)):
        said = LENGTH | outside | {"rope_scaling": rope}
        theirs = transformers.LlamaConfig(**(LENGTH | outside | {"rope_scaling": dict(rope)}))
        theirs.standardize_rope_params()  # as its rotary embedding does before it computes
        assert read(said)[1].original_length == length
        assert theirs.rope_parameters["original_max_position_embeddings"] == length


def test_a_factor_that_yarn_leaves_out_follows_from_the_lengths() -> None:
    rope = {"rope_type": "yarn", "factor": None, "original_max_position_embeddings": 16}
    assert read(LENGTH | {"rope_parameters": rope})[1].factor == 4.0


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"rope_scaling": {"type": "su", "factor": 2.0}}, "rope_scaling asks for rope_type 'su'"),
        ({"rope_parameters": {"rope_type": "proportional"}}, "rope_parameters asks for rope_type"),
        ({"rope_parameters": {"full_attention": {"rope_theta": 1.0}}}, "rope_parameters differs from layer"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor turns a part"),
        ({"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor turns a part"),
        ({"rope_scaling": {"type": "linear"}}, "rope_type linear needs factor, which is missing"),
        (
            {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0}} | LENGTH,
            "rope_type llama3 needs high_freq_factor",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_its_key(said: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=rf"config\.json: {says}"):
        read(said)
