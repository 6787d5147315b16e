"""Conversion keeps everything or refuses: each family of ``transformers``, older files, and each loss."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.hub.tiny_model import SIZES

from glassformer.base import plugins, report
from glassformer.base.errors import RunError, UserError
from glassformer.hub import agreement, huggingface
from glassformer.hub.convert import convert
from glassformer.hub.folder import load, save
from glassformer.models.transformer import Config, Model
from glassformer.text.train import TokenizerConfig, train_pair

PAIRS = [("나는 학교에 간다", "I go to school"), ("그는 집에 온다", "He comes home")]
BERT = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "vocab_size": 40, "max_position_embeddings": 20,
}  # fmt: skip
GPT = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 40, "n_positions": 20}
LLAMA = BERT | {"num_key_value_heads": 1, "pad_token_id": 0}
VIT = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "image_size": 8, "patch_size": 4, "num_channels": 1, "id2label": {0: "cat", 1: "dog", 2: "hen"},
    "label2id": {"cat": 0, "dog": 1, "hen": 2},
}  # fmt: skip
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "vocab_size": 40}
MARIAN = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "vocab_size": 40,
    "max_position_embeddings": 20, "pad_token_id": 39, "eos_token_id": 0, "decoder_start_token_id": 39,
}  # fmt: skip

# What transformers calls the model, the settings of a tiny one, and the file here that reads it.
FAMILIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "gpt2": ("GPT2LMHeadModel", GPT, "gpt"),
    "openai-gpt": ("OpenAIGPTLMHeadModel", GPT, "gpt"),
    "bert": ("BertModel", BERT, "bert"),
    "bert-words": ("BertForMaskedLM", BERT, "bert"),
    "bert-pretraining": ("BertForPreTraining", BERT, "bert"),
    "roberta": ("RobertaForMaskedLM", BERT | {"max_position_embeddings": 22}, "bert"),
    "distilbert": ("DistilBertForMaskedLM", DISTIL, "bert"),
    "llama": ("LlamaForCausalLM", LLAMA, "llama"),
    "mistral": ("MistralForCausalLM", LLAMA | {"sliding_window": 4}, "llama"),
    "vit": ("ViTForImageClassification", VIT, "vit"),
    "marian": ("MarianMTModel", MARIAN, "transformer"),
}
READ = {family: one for family, one in FAMILIES.items() if one[2] in plugins.names("models")}


def _theirs(family: str, folder: Path, **options: Any) -> Any:
    """A tiny random model as ``transformers`` saves it; lively, so that a mistake shows in the scores."""
    transformers = pytest.importorskip("transformers")
    name, settings, _ = FAMILIES[family]
    kind = getattr(transformers, name)
    torch.manual_seed(1)
    model = kind(kind.config_class(**settings)).eval()
    with torch.no_grad():
        for one in model.parameters():
            if one.requires_grad:  # Marian's positions are not learned
                one.add_(torch.randn_like(one) * 0.1)
    model.save_pretrained(folder, **options)
    return model


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A translator that was written here, with everything a folder can have."""
    pair = train_pair(TokenizerConfig(name="word", vocab_size=60, shared=True, min_frequency=1), PAIRS)
    contents = {"recipe": "model: {name: transformer}\n", "card": "---\nlicense: mit\n---\n\n# Mine\n"}
    generation = {"num_beams": 3, "max_new_tokens": 9}
    size = pair.source.vocab_size
    model = Model(Config(**(SIZES | {"vocab_size": size, "target_vocab_size": size})))
    save(tmp_path / "source", model, pair, **contents, generation=generation, data={"train": "abc"})
    return tmp_path / "source"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without ``transformers``: quick, and what most users have."""
    monkeypatch.setattr(agreement, "oracle", lambda: None)


# --- every family ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", READ)
def test_a_model_of_transformers_is_the_same_model_afterwards(family: str, tmp_path: Path) -> None:
    _theirs(family, tmp_path / "source")
    made = convert(tmp_path / "source", tmp_path / "new")
    assert made.source_difference is not None and made.source_difference < 1e-4
    assert made.difference is not None and made.difference < 1e-4
    assert made.rounding == 0
    assert {"config.json", "model.safetensors", "README.md", "manifest.json"} <= set(made.files)
    assert load(tmp_path / "new", verify=True).config == load(tmp_path / "source").config
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text("utf-8"))
    assert manifest["parents"] == [f"{tmp_path.name}/source"]


@pytest.mark.parametrize("family", READ)
def test_sharded_and_pickled_weights_of_every_family_are_read(family: str, tmp_path: Path) -> None:
    _theirs(family, tmp_path / "source", max_shard_size="3KB")
    assert len(list((tmp_path / "source").glob("*.safetensors"))) > 1
    sharded = convert(tmp_path / "source", tmp_path / "one")
    older = tmp_path / "older"
    shutil.copytree(tmp_path / "source", older, ignore=shutil.ignore_patterns("*.safetensors*"))
    torch.save(huggingface.read(tmp_path / "source"), older / "pytorch_model.bin")
    pickled = load(older)
    batch = agreement.probe(pickled.model)
    ours = agreement.here(load(tmp_path / "one").model, batch)
    assert agreement.difference(ours, agreement.here(pickled.model, batch)) == 0
    assert "model.safetensors" in sharded.files


# --- what comes along --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("alone")
def test_everything_in_a_folder_of_ours_comes_along(source: Path, tmp_path: Path) -> None:
    made = convert(source, tmp_path / "new")
    before, after = load(source), load(tmp_path / "new", verify=True)
    assert after.generation == before.generation
    assert (after.recipe, after.data, after.config) == (before.recipe, before.data, before.config)
    assert after.tokenizers is not None and before.tokenizers is not None
    assert after.tokenizers.fingerprint == before.tokenizers.fingerprint
    card = (tmp_path / "new" / "README.md").read_text("utf-8")
    assert card.startswith("---\nlicense: mit\n---\n\n# Mine\n")
    assert f"Converted by Glassformer from {tmp_path.name}/source, weights in float32." in card
    assert made.left_out == ()
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        assert (tmp_path / "new" / name).read_bytes() == (source / name).read_bytes()


@pytest.mark.usefixtures("alone")
def test_what_is_not_carried_over_is_told(source: Path, tmp_path: Path) -> None:
    (source / "chat_template.jinja").write_text("{{ messages }}")
    (source / "flax_model.msgpack").write_bytes(b"")
    (source / "last").mkdir()  # what a run keeps beside its best model is not missed
    (source / "metrics.jsonl").write_text("{}\n")
    (source / "preprocessor_config.json").write_text('{"image_mean": [0.5]}')
    made = convert(source, tmp_path / "new")
    assert made.left_out == ("flax_model.msgpack",)
    assert load(tmp_path / "new").preprocessor == {"image_mean": [0.5]}
    assert "chat_template.jinja" in made.files


@pytest.mark.usefixtures("alone")
def test_decoding_that_an_older_config_asks_for_is_asked_for_still(source: Path, tmp_path: Path) -> None:
    (source / "generation_config.json").unlink()
    (source / "manifest.json").unlink()
    path = source / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_beams": 6, "bad_words_ids": [[0]]}))
    convert(source, tmp_path / "new")
    generation = load(tmp_path / "new").generation
    assert generation["num_beams"] == 6
    assert generation["bad_words_ids"] == [[0]]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_says_how_much_it_rounds(dtype: str, source: Path, tmp_path: Path) -> None:
    made = convert(source, tmp_path / "new", dtype=dtype)
    assert 0 < made.rounding < 0.1
    held = load_file(tmp_path / "new" / "model.safetensors")
    assert {str(weight.dtype) for weight in held.values()} == {f"torch.{dtype}"}


@pytest.mark.usefixtures("alone")
def test_large_weights_go_into_several_files(source: Path, tmp_path: Path) -> None:
    made = convert(source, tmp_path / "new", shard_bytes=2000)
    assert "model.safetensors.index.json" in made.files
    assert "model.safetensors" not in made.files


# --- agreement ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("alone")
def test_without_transformers_it_says_so_in_a_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = convert(source, tmp_path / "new")
    assert (made.source_difference, made.difference, made.rounding) == (None, None, 0)
    assert capsys.readouterr().err == (
        "transformers is not installed, so the scores were compared here only\n"
    )


def test_a_model_that_transformers_lacks_is_compared_here_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "source", Model(Config(**(SIZES | {"norm": "pre"}))), None)
    made = convert(tmp_path / "source", tmp_path / "new")
    assert made.difference is None
    assert capsys.readouterr().err.startswith("transformers has no such architecture")


def _off(by: float) -> Callable[..., agreement.Outputs]:
    def said(_: Any, folder: Path, written: Any, batch: agreement.Batch) -> agreement.Outputs:
        return tuple(output + by for output in agreement.here(load(folder).model, batch))

    return said


def test_scores_that_differ_keep_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(agreement, "oracle", lambda: agreement)
    monkeypatch.setattr(agreement, "there", _off(5e-4))
    made = convert(source, tmp_path / "near")
    assert made.difference == pytest.approx(5e-4, rel=1e-2)
    assert "comparing in transformers 2/2" in capsys.readouterr().err
    for by, said in ((2e-3, "0.002"), (float("nan"), "inf")):
        monkeypatch.setattr(agreement, "there", _off(by))
        with pytest.raises(RunError, match=f"differ by {said}, more than 0.001; nothing was kept") as told:
            convert(source, tmp_path / "far")
        assert told.value.exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["near", "source"]


def test_a_folder_that_transformers_cannot_open_keeps_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> agreement.Outputs:
        raise ValueError("no such thing\nand more")

    monkeypatch.setattr(agreement, "oracle", lambda: agreement)
    monkeypatch.setattr(agreement, "there", refuse)
    with pytest.raises(RunError, match=r"transformers cannot open it \(no such thing\); nothing was kept"):
        convert(source, tmp_path / "new")
    assert not (tmp_path / "new").exists()


# --- what is refused ---------------------------------------------------------------------------------------


def _config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    (folder / "manifest.json").unlink(missing_ok=True)


@pytest.mark.usefixtures("alone")
def test_weights_without_a_place_are_refused_by_name(source: Path, tmp_path: Path) -> None:
    held = load_file(source / "model.safetensors") | {"classifier.weight": torch.ones(2, 8)}
    save_file(held, source / "model.safetensors", metadata={"format": "pt"})
    (source / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"without these weights: classifier\.weight"):
        convert(source, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("alone")
def test_added_tokens_beyond_the_vocabulary_are_refused(source: Path, tmp_path: Path) -> None:
    path = source / "tokenizer.json"
    held = json.loads(path.read_text("utf-8"))
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    size = load(source).config.vocab_size
    held["added_tokens"].append(token | {"id": size, "content": "<new>"})
    path.write_text(json.dumps(held), "utf-8")
    (source / "manifest.json").unlink()
    with pytest.raises(UserError, match=rf"tokenizer has {size + 1} pieces and the model knows {size}"):
        convert(source, tmp_path / "new")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", ["tekken.json", "spiece.model"])
def test_a_tokenizer_in_an_unknown_form_is_refused(name: str, tmp_path: Path) -> None:
    save(tmp_path / "source", Model(Config(**SIZES)), None)
    (tmp_path / "source" / name).write_bytes(b"")
    with pytest.raises(UserError, match=f"its tokenizer {name} is in a form that is not read here"):
        convert(tmp_path / "source", tmp_path / "new")


@pytest.mark.usefixtures("alone")
def test_quantized_weights_are_refused(source: Path, tmp_path: Path) -> None:
    _config(source, quantization_config={"quant_method": "gptq", "bits": 4})
    with pytest.raises(UserError, match=r"config\.json: quantization_config .*gptq"):
        convert(source, tmp_path / "new")


@pytest.mark.usefixtures("alone")
def test_a_folder_that_is_in_the_way_stays_as_it_was(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds notes\.txt, which was not written with a model"):
        convert(source, tmp_path / "mine")
    with pytest.raises(UserError, match="is the folder that is converted"):
        convert(source, source)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"
    convert(source, tmp_path / "new")
    convert(source, tmp_path / "new", dtype="bfloat16")  # what was written with a model may be replaced
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "new", "source"]
