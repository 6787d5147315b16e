"""The model folder: whole or absent, and one clear sentence for everything that is wrong with it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from glassformer.base import files
from glassformer.base.errors import RunError, UserError
from glassformer.hub.folder import load, resolve, save, write_folder
from glassformer.models.transformer import Config, Model
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

SIZES = {
    "dim": 8,
    "depth": 1,
    "heads": 2,
    "mlp_dim": 12,
    "max_length": 16,
    "vocab_size": 60,
    "target_vocab_size": 60,
}
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


def _change(folder: Path, change: Callable[[dict[str, Tensor]], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / "model.safetensors")
    (folder / "manifest.json").unlink()


def _without_bias(weights: dict[str, Tensor]) -> None:
    del weights["model.decoder.layers.0.fc1.bias"]


def _enormous(weights: dict[str, Tensor]) -> None:
    weights["model.decoder.layers.0.fc1.weight"].fill_(3e38)


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


def test_weights_in_half_precision_are_written_as_float32(tmp_path: Path) -> None:
    save(tmp_path / "model", _model().to(torch.bfloat16), None)
    assert {weight.dtype for weight in load_file(tmp_path / "model" / "model.safetensors").values()} == {
        torch.float32
    }


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


def test_large_models_are_sharded_and_come_back(tmp_path: Path) -> None:
    model = _model()
    save(tmp_path / "model", model, None, shard_bytes=1000)
    shards = sorted(path.name for path in (tmp_path / "model").glob("*.safetensors"))
    assert len(shards) > 2
    assert shards[0] == f"model-00001-of-{len(shards):05d}.safetensors"
    index = json.loads((tmp_path / "model" / "model.safetensors.index.json").read_text("utf-8"))
    assert set(index["weight_map"].values()) == set(shards)
    assert index["metadata"]["total_size"] == 4 * sum(weight.numel() for weight in model.parameters())
    loaded = load(tmp_path / "model", verify=True)
    for ours, theirs in zip(model.parameters(), loaded.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


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


def test_a_swap_that_was_cut_short_is_finished_when_the_folder_is_opened(folder: Path) -> None:
    folder.rename(folder.parent / ".glassformer-new-model")
    assert load(folder).folder == folder


def test_a_folder_with_anything_else_in_it_is_never_replaced(folder: Path) -> None:
    save(folder, _model(), None)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds notes\.txt, which was not written with a model"):
        save(folder, _model(), None)
    assert (folder / "notes.txt").read_text() == "mine"


def test_files_of_the_caller_beside_the_model_are_listed_too(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    write_folder(tmp_path, _model(), None)
    assert "metrics.jsonl" in json.loads((tmp_path / "manifest.json").read_text("utf-8"))["files"]
    assert load(tmp_path, verify=True).config == load(tmp_path).config


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
    assert resolve(tmp_path) == tmp_path / "best"


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
    with pytest.raises(UserError, match=r"config\.json: 'mish' is missing, or is a value that is not known"):
        load(folder)
    _edit(folder / "config.json", activation_function="relu", d_model="wide")
    with pytest.raises(UserError, match=r"config\.json: dim: Input should be a valid integer"):
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


def test_a_file_of_another_size_than_the_manifest_says_is_refused(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-4])
    with pytest.raises(UserError, match=r"model\.safetensors: differs from what manifest\.json says"):
        load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"model\.safetensors: missing although manifest\.json lists it"):
        load(folder)


def test_a_changed_byte_is_found_when_asked_for(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    load(folder)
    with pytest.raises(UserError, match=r"model\.safetensors: differs from what manifest\.json says"):
        load(folder, verify=True)


def test_what_people_edit_may_be_edited(folder: Path) -> None:
    (folder / "README.md").write_text("my own words")
    (folder / "generation_config.json").write_text('{"num_beams": 7}')
    assert load(folder).generation == {"num_beams": 7}


def test_a_manifest_of_a_later_version_or_with_names_that_escape_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    written = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(written | {"format_version": 2}))
    with pytest.raises(UserError, match="written by a newer Glassformer"):
        load(folder)
    path.write_text(json.dumps(written | {"files": {"../other": {"bytes": 1, "sha256": ""}}}))
    with pytest.raises(UserError, match="leads out of this folder"):
        load(folder)
    path.write_text(json.dumps(written | {"files": ["model.safetensors"]}))
    with pytest.raises(UserError, match="not a manifest"):
        load(folder)


@pytest.mark.parametrize("keep", [0, 4, 100, -4])
def test_weights_that_are_cut_short_are_refused(keep: int, folder: Path) -> None:
    (folder / "manifest.json").unlink()
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:keep])
    with pytest.raises(UserError, match=r"model\.safetensors: damaged or cut short"):
        load(folder)


def test_missing_weights_extra_weights_and_wrong_shapes_are_named(folder: Path) -> None:
    _change(folder, lambda weights: weights.update(extra=torch.ones(2)))
    with pytest.raises(UserError, match="a model without these weights: extra"):
        load(folder)
    save(folder.parent / "second", _model(), None)
    _change(folder.parent / "second", _without_bias)
    with pytest.raises(UserError, match=r"asks for are missing: model\.decoder\.layers\.0\.fc1\.bias"):
        load(folder.parent / "second")
    save(folder.parent / "third", _model(), None)
    _edit(folder.parent / "third" / "config.json", vocab_size=59, decoder_vocab_size=59)
    with pytest.raises(
        UserError, match=r"model\.shared\.weight is \[60, 8\] in the file and \[59, 8\] by config"
    ):
        load(folder.parent / "third")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(bad: float, folder: Path) -> None:
    def spoil(weights: dict[str, Tensor]) -> None:
        weights["model.decoder.layers.0.fc1.weight"][0, 0] = bad

    _change(folder, spoil)
    with pytest.raises(UserError, match=r"model\.decoder\.layers\.0\.fc1\.weight holds NaN or infinity"):
        load(folder)


def test_large_finite_weights_whose_sum_overflows_are_fine(folder: Path) -> None:
    _change(folder, _enormous)
    load(folder)


def test_weights_that_are_not_numbers_with_a_point_are_refused(folder: Path) -> None:
    def quantise(weights: dict[str, Tensor]) -> None:
        weights["model.decoder.layers.0.fc1.bias"] = weights["model.decoder.layers.0.fc1.bias"].to(torch.int8)

    _change(folder, quantise)
    with pytest.raises(UserError, match=r"fc1\.bias is torch\.int8"):
        load(folder)


def test_tied_copies_and_computed_positions_must_agree_with_what_is_used(folder: Path) -> None:
    _change(folder, lambda weights: weights.update({"lm_head.weight": weights["model.shared.weight"] + 1}))
    with pytest.raises(
        UserError, match=r"config\.json ties weights that differ in the file \(source\.table\.weight\)"
    ):
        load(folder)
    save(folder.parent / "second", _model(), None)
    _change(
        folder.parent / "second",
        lambda weights: weights.update({"model.encoder.embed_positions.weight": torch.ones(16, 8)}),
    )
    with pytest.raises(UserError, match=r"fixed vectors source\.positions\.weight"):
        load(folder.parent / "second")


def test_an_index_that_is_broken_or_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save(folder, _model(), None, shard_bytes=1000)
    (folder / "manifest.json").unlink()
    index = folder / "model.safetensors.index.json"
    shard = sorted(folder.glob("model-*.safetensors"))[1]
    shard.unlink()
    with pytest.raises(UserError, match=rf"weight files are missing \({shard.name}\)"):
        load(folder)
    index.write_text(json.dumps({"weight_map": {"a": "../../secret.safetensors"}}))
    with pytest.raises(UserError, match="leads out of this folder"):
        load(folder)
    for broken in ("{", "[]", "{}", '{"weight_map": {}}'):
        index.write_text(broken)
        with pytest.raises(UserError, match=r"index\.json: "):
            load(folder)
    index.unlink()
    with pytest.raises(UserError, match="no weights here"):
        load(folder)


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("a pickle was executed",)


def test_a_pickle_that_holds_more_than_weights_is_never_executed(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("model.safetensors", "manifest.json"):
        (folder / name).unlink()
    torch.save({"weight": _Trap()}, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="holds more than weights and is refused"):
        load(folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Trap()))
    with pytest.raises(UserError, match=r"pytorch_model\.bin: "):
        load(folder)
    torch.save([torch.ones(2)], folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="more than named weights"):
        load(folder)
    for content in (b"", b"PK\x03\x04 and no more"):
        (folder / "pytorch_model.bin").write_bytes(content)
        with pytest.raises(UserError, match=r"pytorch_model\.bin: damaged"):
            load(folder)
    assert "executed" not in capfd.readouterr().out


def test_a_tokenizer_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    pair = _pair(size=60)
    few = pair.source.vocab_size - 1
    save(tmp_path / "model", _model(vocab_size=few, target_vocab_size=few), pair)
    with pytest.raises(UserError, match=rf"the tokenizer has {few + 1} pieces and the model knows {few}"):
        load(tmp_path / "model")
