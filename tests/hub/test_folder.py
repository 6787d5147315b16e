"""The model folder: whole or absent, and one clear sentence for everything that is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.hub.tiny_model import SIZES

from glassformer.base import files
from glassformer.base.errors import RunError, UserError
from glassformer.hub import huggingface
from glassformer.hub.folder import generation_defaults, load, resolve, save, write_folder
from glassformer.models import llama
from glassformer.models.transformer import Config, Model
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

PAIRS = [
    ("나는 학교에 간다", "I go to school"),
    ("그는 집에 온다", "He comes home"),
    ("비가 온다", "It rains"),
]


def _model(**settings: Any) -> Model:
    return Model(Config(**(SIZES | settings)))


def _pair(*, shared: bool = True, size: int = 60) -> TokenizerPair:
    return train_pair(TokenizerConfig(name="word", vocab_size=size, shared=shared, min_frequency=1), PAIRS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "model", _model(), None)
    return tmp_path / "model"


def _edit(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file, and drop the manifest that would notice."""
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")
    (path.parent / "manifest.json").unlink(missing_ok=True)


def test_the_folder_holds_what_a_hugging_face_folder_holds_and_a_manifest_of_it(tmp_path: Path) -> None:
    contents = {"card": "# Card\n", "recipe": "model: {name: transformer}\n", "generation": {"num_beams": 3}}
    save(tmp_path / "model", _model(), _pair(), **contents, data={"train": "abc"})
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names >= {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"}
    assert names >= {"tokenizer_config.json", "README.md", "recipe.yaml", "manifest.json"}
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text("utf-8"))
    assert manifest["format_version"] == 1
    assert manifest["torch"] == torch.__version__
    assert manifest["data"] == {"train": "abc"}
    assert set(manifest["files"]) == names - {"manifest.json"}
    for name, facts in manifest["files"].items():
        assert facts["sha256"] == files.sha256(tmp_path / "model" / name)
    loaded = load(tmp_path / "model", verify=True)
    assert loaded.recipe == contents["recipe"]
    assert loaded.generation["num_beams"] == 3
    assert loaded.data == {"train": "abc"}
    assert loaded.model.training is False
    assert loaded.folder == tmp_path / "model"


@pytest.mark.parametrize("shared", [True, False])
def test_tokenizers_come_back_shared_or_apart(shared: bool, tmp_path: Path) -> None:
    pair = _pair(shared=shared)
    save(tmp_path / "model", _model(share="all" if shared else "target"), pair)
    loaded = load(tmp_path / "model")
    assert loaded.tokenizers is not None
    assert loaded.tokenizers.shared is shared
    assert loaded.tokenizers.fingerprint == pair.fingerprint


def test_two_saves_of_one_model_are_the_same_bytes(tmp_path: Path) -> None:
    model = _model()
    for name in ("one", "two"):
        save(tmp_path / name, model, None)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_type_may_be_chosen_when_loading(folder: Path) -> None:
    loaded = load(folder, dtype=torch.bfloat16)
    assert {weight.dtype for weight in loaded.model.parameters()} == {torch.bfloat16}
    # The computed position vectors keep their precision.
    assert {buffer.dtype for buffer in loaded.model.buffers()} == {torch.float32}


def test_loading_draws_no_random_numbers_and_keeps_what_is_tied(folder: Path) -> None:
    before = torch.get_rng_state()
    model: Any = load(folder).model
    assert torch.equal(before, torch.get_rng_state())
    assert model.output.weight is model.source.table.weight is model.target.table.weight


def test_a_loaded_model_learns_without_touching_its_file(folder: Path) -> None:
    before = files.sha256(folder / "model.safetensors")
    model: Any = load(folder).model
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    assert files.sha256(folder / "model.safetensors") == before


def test_one_limit_of_length_is_written_for_transformers_which_warns_of_two(tmp_path: Path) -> None:
    save(tmp_path / "short", _model(), None, generation={"max_new_tokens": 5})
    assert "max_length" not in load(tmp_path / "short").generation
    save(tmp_path / "long", _model(), None, generation={"max_new_tokens": None})
    assert load(tmp_path / "long").generation["max_length"] == 16


def test_what_images_went_through_is_kept_beside_the_model(tmp_path: Path) -> None:
    asked = {"image_processor_type": "ViTImageProcessor", "image_mean": [0.5]}
    save(tmp_path / "model", _model(), None, preprocessor=asked)
    assert load(tmp_path / "model", verify=True).preprocessor == asked
    save(tmp_path / "other", _model(), None)
    assert load(tmp_path / "other").preprocessor is None


def test_files_that_are_kept_are_written_as_they_are_and_listed(tmp_path: Path) -> None:
    save(tmp_path / "model", _model(), None, kept={"chat_template.jinja": b"{{ x }}\r\n"})
    assert (tmp_path / "model" / "chat_template.jinja").read_bytes() == b"{{ x }}\r\n"
    assert "chat_template.jinja" in json.loads((tmp_path / "model" / "manifest.json").read_text())["files"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_may_be_written_in_half_the_space(dtype: torch.dtype, tmp_path: Path) -> None:
    model = _model()
    save(tmp_path / "model", model, None, dtype=dtype)
    assert json.loads((tmp_path / "model" / "config.json").read_text())["dtype"] == str(dtype)[6:]
    held = load_file(tmp_path / "model" / "model.safetensors")
    assert {weight.dtype for weight in held.values()} == {dtype}
    opened: Any = load(tmp_path / "model").model
    assert torch.equal(opened.source.table.weight, model.source.table.weight.to(dtype).float())


def test_a_weight_that_half_precision_cannot_hold_is_refused(tmp_path: Path) -> None:
    model: Any = _model()
    model.source.table.weight.data[0, 0] = 1e6
    with pytest.raises(UserError, match="too large for float16; choose bfloat16"):
        save(tmp_path / "model", model, None, dtype=torch.float16)
    assert list(tmp_path.iterdir()) == []


# --- whole or absent ---------------------------------------------------------------------------------------


def test_a_save_that_fails_leaves_the_old_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("glassformer.hub.huggingface.save_file", full)
    with pytest.raises(RunError, match="disk is full"):
        save(folder, _model(), None)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", [".glassformer-new-model", ".glassformer-old-model"])
def test_a_swap_that_was_cut_short_is_read_where_it_lies_and_moved_by_nobody(folder: Path, name: str) -> None:
    folder.rename(folder.parent / name)
    assert load(folder).folder == folder.parent / name
    assert [path.name for path in folder.parent.iterdir()] == [name]


def test_of_a_swap_that_was_cut_short_the_new_folder_is_read(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / ".glassformer-old-model")
    save(tmp_path / "other", _model(), None)
    (tmp_path / "other").rename(tmp_path / ".glassformer-new-model")
    assert resolve(folder) == tmp_path / ".glassformer-new-model"


def test_a_swap_that_goes_on_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staged = folder.parent / ".glassformer-new-model"
    folder.rename(staged)

    def swapped(_: float) -> None:
        staged.rename(folder)

    monkeypatch.setattr(files.time, "sleep", swapped)
    assert resolve(folder) == folder


# --- which folder ------------------------------------------------------------------------------------------


def test_a_run_opens_as_its_best_model_else_its_last_and_itself_first(tmp_path: Path) -> None:
    save(tmp_path / "last", _model(), None)
    assert resolve(tmp_path) == tmp_path / "last"
    save(tmp_path / "best", _model(), None)
    assert resolve(tmp_path) == tmp_path / "best"
    write_folder(tmp_path, _model(), None)
    assert resolve(tmp_path) == tmp_path


def test_a_best_model_whose_swap_was_cut_short_is_still_preferred(tmp_path: Path) -> None:
    save(tmp_path / "last", _model(), None)
    save(tmp_path / ".glassformer-old-best", _model(), None)
    assert resolve(tmp_path) == tmp_path / ".glassformer-old-best"


def test_a_place_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such folder"):
        load(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"no model here; a model folder has a config\.json"):
        load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        load(tmp_path / "file")


# --- what can be wrong -------------------------------------------------------------------------------------


def test_a_model_of_another_kind_is_refused_with_the_kinds_that_are_known(folder: Path) -> None:
    _edit(folder / "config.json", model_type="t5")
    with pytest.raises(UserError, match=r"model_type 't5' is not known here; known are .*marian"):
        load(folder)


def test_a_config_that_is_broken_is_named(folder: Path) -> None:
    _edit(folder / "config.json", activation_function="mish")
    with pytest.raises(
        UserError, match=r"config\.json: activation_function is 'mish', which is not known here"
    ):
        load(folder)
    _edit(folder / "config.json", activation_function="relu", d_model="wide")
    with pytest.raises(UserError, match=r"config\.json: dim: Input should be a valid integer"):
        load(folder)
    _edit(folder / "config.json", activation_function=["relu"])
    with pytest.raises(UserError, match=r"config\.json: holds a value of an unexpected kind"):
        load(folder)
    _edit(folder / "config.json", activation_function="relu", d_model=8, encoder_ffn_dim=10**15)
    with pytest.raises(UserError, match=r"config\.json: describes a model that does not fit into memory"):
        load(folder)
    _edit(folder / "config.json", d_model=9)
    with pytest.raises(UserError, match=r"config\.json: .*does not divide into 2 heads"):
        load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json: cannot be read as JSON"):
        load(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(UserError, match=r"config\.json: should hold keys and values"):
        load(folder)


def test_a_tokenizer_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    pair = _pair(size=60)
    few = pair.source.vocab_size - 1
    save(tmp_path / "model", _model(vocab_size=few, target_vocab_size=few), pair)
    with pytest.raises(UserError, match=rf"the tokenizer has {few + 1} pieces and the model knows {few}"):
        load(tmp_path / "model")


def test_a_tokenizer_of_another_model_is_refused_though_it_is_as_large(tmp_path: Path) -> None:
    pair, folder = _pair(size=60), tmp_path / "model"
    size = pair.source.vocab_size
    save(folder, _model(vocab_size=size, target_vocab_size=size), pair)
    path = folder / "tokenizer.json"
    written = json.loads(path.read_text("utf-8"))
    vocabulary = written["model"]["vocab"]
    one, other = list(vocabulary)[10:12]
    vocabulary[one], vocabulary[other] = vocabulary[other], vocabulary[one]
    path.write_text(json.dumps(written, ensure_ascii=False), "utf-8")
    manifest = folder / "manifest.json"  # where the sizes alone would tell, and need not
    manifest.write_text(json.dumps(json.loads(manifest.read_text("utf-8")) | {"files": {}}))
    with pytest.raises(UserError, match="not the one this model was trained with"):
        load(folder)


def test_end_tokens_that_generation_config_alone_names_end_texts_too(tmp_path: Path) -> None:
    sizes = {"dim": 8, "depth": 1, "heads": 2, "mlp_dim": 8, "max_length": 8, "vocab_size": 9}
    save(tmp_path / "llama", llama.Model(llama.Config(**sizes)), None)
    _edit(tmp_path / "llama" / "generation_config.json", eos_token_id=[5, 2, 7])
    opened = load(tmp_path / "llama")
    assert (opened.config.eos_id, opened.config.also_ends) == (2, (5, 7))
    save(tmp_path / "again", opened.model, None)
    assert json.loads((tmp_path / "again" / "generation_config.json").read_text("utf-8"))["eos_token_id"] == [
        2, 5, 7,
    ]  # fmt: skip


def test_padding_that_is_one_of_several_ends_may_be_written() -> None:
    written = {"is_encoder_decoder": True, "eos_token_id": [2, 3], "pad_token_id": 3}
    assert "bad_words_ids" not in generation_defaults(written)
    assert generation_defaults(written | {"decoder_start_token_id": 1})["bad_words_ids"] == [[1]]


def test_on_meta_a_folder_has_shapes_and_no_weight_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = load(folder).model
    monkeypatch.setattr(huggingface, "fill", lambda *_, **__: pytest.fail("weights were read"))
    shaped = load(folder, device="meta").model
    assert all(weight.is_meta for weight in shaped.parameters())
    shapes = [{name: p.shape for name, p in model.named_parameters()} for model in (real, shaped)]
    assert shapes[0] == shapes[1]
