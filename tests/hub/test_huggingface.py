"""Weight files: sharded and old forms, and one clear sentence for everything that is wrong with one."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.hub.tiny_model import SIZES
from torch import Tensor, nn

from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.hub.folder import load, save
from glassformer.hub.huggingface import fill, read, weights_of, write
from glassformer.models.transformer import Config, Model, names
from glassformer.nn.names import Form, Names


def _model(**settings: Any) -> Model:
    return Model(Config(**(SIZES | settings)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "model", _model(), None)
    return tmp_path / "model"


def _change(folder: Path, change: Callable[[dict[str, Tensor]], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / "model.safetensors")
    (folder / "manifest.json").unlink()


def _without_bias(weights: dict[str, Tensor]) -> None:
    del weights["model.decoder.layers.0.fc1.bias"]


def _enormous(weights: dict[str, Tensor]) -> None:
    weights["model.decoder.layers.0.fc1.weight"].fill_(3e38)


def test_weights_are_written_under_their_file_names_each_tied_one_once() -> None:
    model = _model(output_bias=True)
    weights = weights_of(model, names(model.config))
    assert "model.shared.weight" in weights
    assert "lm_head.weight" not in weights
    assert weights["final_logits_bias"].shape == (1, 60)
    assert sum(weight.numel() for weight in weights.values()) == sum(
        weight.numel() for weight in model.parameters()
    )


def test_a_weight_that_the_table_of_names_forgot_is_a_mistake_of_the_model_file() -> None:
    with pytest.raises(ValueError, match="no file name for weight"):
        weights_of(nn.Linear(2, 2), Names([]))


# --- several weights in one tensor -------------------------------------------------------------------------


class _Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(3, 2), nn.Linear(3, 4)


TURNED = Form(torch.t, torch.t)
PAIR = Names([], {"q.weight": TURNED, "k.weight": TURNED}, fused=[(("q", "k"), "qk")], ignored=["mask"])


def test_fused_weights_are_joined_in_a_file_and_come_apart_again(tmp_path: Path) -> None:
    model, other = _Pair(), _Pair()
    weights = weights_of(model, PAIR)
    assert {name: list(weight.shape) for name, weight in weights.items()} == {
        "qk.weight": [3, 6],
        "qk.bias": [6],
    }
    assert torch.equal(weights["qk.weight"], torch.cat([model.q.weight, model.k.weight]).T)
    fill(other, PAIR, weights | {"mask": torch.full((1,), float("nan"))}, tmp_path, dtype=torch.float32)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert theirs.is_contiguous()


def test_fused_weights_are_checked_as_others_are(tmp_path: Path) -> None:
    weights = weights_of(_Pair(), PAIR)

    def filled(changed: dict[str, Tensor]) -> None:
        fill(_Pair(), PAIR, changed, tmp_path, dtype=torch.float32)

    with pytest.raises(UserError, match=r"qk\.weight is \[6, 3\] in the file and \[3, 6\] by config"):
        filled(weights | {"qk.weight": torch.ones(6, 3)})
    with pytest.raises(UserError, match=r"qk\.bias holds NaN"):
        filled(weights | {"qk.bias": torch.full((6,), float("nan"))})
    with pytest.raises(UserError, match=r"asks for are missing: qk\.bias$"):
        filled({"qk.weight": weights["qk.weight"]})
    with pytest.raises(UserError, match=r"without these weights: qk\.scale"):
        filled(weights | {"qk.scale": torch.ones(6)})


def test_a_part_that_is_fused_with_what_the_model_lacks_is_a_mistake_of_the_model_file() -> None:
    with pytest.raises(ValueError, match=r"the model takes qkv\.weight for"):
        weights_of(_Pair(), Names([], fused=[(("q", "k", "v"), "qkv")]))


# --- files -------------------------------------------------------------------------------------------------


def test_shards_are_filled_up_to_the_limit_and_one_large_weight_may_pass_it(tmp_path: Path) -> None:
    weights = {"a": torch.ones(10), "b": torch.ones(10), "c": torch.ones(50), "d": torch.ones(5)}
    write(tmp_path, weights, shard_bytes=100)
    where = json.loads((tmp_path / "model.safetensors.index.json").read_text("utf-8"))["weight_map"]
    assert [where[name][6:11] for name in "abcd"] == ["00001", "00001", "00002", "00003"]
    back = read(tmp_path)
    assert {name: len(weight) for name, weight in back.items()} == {"a": 10, "b": 10, "c": 50, "d": 5}


def test_safetensors_are_preferred_to_an_older_pickle_beside_them(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"not read")
    load(folder)


def test_weights_in_half_precision_are_written_as_float32(tmp_path: Path) -> None:
    save(tmp_path / "model", _model().to(torch.bfloat16), None)
    assert {weight.dtype for weight in load_file(tmp_path / "model" / "model.safetensors").values()} == {
        torch.float32
    }


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
    (folder.parent / "third" / "manifest.json").unlink()
    config = folder.parent / "third" / "config.json"
    config.write_text(config.read_text("utf-8").replace("60", "59"), "utf-8")
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


def test_large_weights_are_written_and_read_with_a_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = {name: torch.ones(300, 1000) for name in "abc"}
    for name, value in {"SHOWN_FROM": 1, "SECONDS_BETWEEN_LINES": 0.0}.items():
        monkeypatch.setattr(report, name, value)
    write(tmp_path, weights, shard_bytes=1_500_000)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert told[-1].startswith("writing weights (MB) 4/4 (100%)")
    model = nn.ParameterDict({name: nn.Parameter(torch.zeros(300, 1000)) for name in "abc"})
    same = Names([(name, name) for name in "abc"])
    fill(model, same, read(tmp_path), tmp_path, dtype=torch.float32)
    assert capsys.readouterr().err.splitlines()[-1].startswith("reading weights (MB) 4/4 (100%)")
    assert torch.equal(model["c"], weights["c"])
