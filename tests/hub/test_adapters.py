"""Adapter folders beside their base: small, found again, and refused for another base."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from tests.hub.peft_folders import TOKENS, write_adapter, write_base

from glassformer.adapt import lora
from glassformer.adapt.bending import bend
from glassformer.base.errors import UserError
from glassformer.hub import adapters
from glassformer.hub import folder as hub
from glassformer.hub.average import average
from glassformer.hub.heads import put_on
from glassformer.nn.adapter import Adapter, adapter_of, learns, note
from glassformer.nn.headed import Head


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A base and an adapter of it, side by side."""
    base = write_base(tmp_path / "base", "gpt")
    write_adapter(tmp_path / "adapter", base, "lora", rank=2)
    return base, tmp_path / "adapter"


def _scores(folder: Path) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = hub.load(folder).model({"tokens": TOKENS})
        return found


def test_both_may_be_moved_together(folders, tmp_path):
    before = _scores(folders[1])
    (tmp_path / "elsewhere").mkdir()
    for one in folders:
        shutil.move(one, tmp_path / "elsewhere" / one.name)
    assert torch.equal(_scores(tmp_path / "elsewhere" / "adapter"), before)
    names = {path.name for path in (tmp_path / "elsewhere" / "adapter").iterdir()}
    assert names == {
        "adapter_config.json", "adapter_model.safetensors", "glassformer.json", "README.md", "manifest.json",
        "generation_config.json",
    }  # fmt: skip


def test_another_base_is_refused(folders, tmp_path):
    shutil.rmtree(folders[0])
    write_base(tmp_path / "base", "gpt", seed=5)
    with pytest.raises(UserError, match=r"trained on another base than .*base, whose weights differ"):
        hub.load(folders[1])


def test_a_base_that_is_not_there_is_named(folders):
    shutil.rmtree(folders[0])
    with pytest.raises(UserError, match=r"its base '\.\./base' is not there; put the model there"):
        hub.load(folders[1])


@pytest.mark.parametrize("path", ["", None, 3, "a\0b"])
def test_no_base_is_no_adapter(path, folders):
    config = folders[1] / "adapter_config.json"
    told = json.loads(config.read_text("utf-8")) | {"base_model_name_or_path": path}
    config.write_text(json.dumps(told), "utf-8")
    (folders[1] / "manifest.json").unlink()
    with pytest.raises(UserError, match="names no base, and an adapter is nothing without one"):
        hub.load(folders[1])


def test_an_adapter_is_no_base(folders, tmp_path):
    config = folders[1] / "adapter_config.json"
    told = json.loads(config.read_text("utf-8")) | {"base_model_name_or_path": "."}
    config.write_text(json.dumps(told), "utf-8")
    (folders[1] / "manifest.json").unlink()
    shutil.copytree(folders[1], tmp_path / "second")
    told["base_model_name_or_path"] = "../second"
    config.write_text(json.dumps(told), "utf-8")
    with pytest.raises(UserError, match="is an adapter itself"):
        hub.load(folders[1])


def test_a_newer_form_is_refused(folders):
    path = folders[1] / "glassformer.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"format_version": 9}), "utf-8")
    (folders[1] / "manifest.json").unlink()
    with pytest.raises(UserError, match="written by a newer Glassformer"):
        hub.load(folders[1])


def test_a_whole_model_of_it_gives_the_same(folders, tmp_path):
    opened = hub.load(folders[1])
    whole = adapters.whole(opened.model)
    assert adapter_of(whole) is None
    hub.save(tmp_path / "whole", whole, None)
    torch.testing.assert_close(_scores(tmp_path / "whole"), _scores(folders[1]), rtol=0, atol=1e-5)
    assert adapters.whole(whole) is whole


def test_a_fingerprint_is_of_the_weights(folders, tmp_path):
    found = adapters.fingerprint(folders[0])
    (folders[0] / "manifest.json").unlink()
    assert adapters.fingerprint(folders[0]) == found
    assert adapters.fingerprint(write_base(tmp_path / "other", "gpt", seed=3)) != found


def test_adapters_of_one_base_are_averaged(folders, tmp_path):
    shutil.copytree(folders[1], tmp_path / "twin")
    average([folders[1], tmp_path / "twin"], tmp_path / "mean")
    assert torch.equal(_scores(tmp_path / "mean"), _scores(folders[1]))
    with pytest.raises(UserError, match="adapters of different kinds or bases"):
        average([folders[0], folders[1]], tmp_path / "odd")


def _code(card: str) -> str:
    """The lines for Python that mention peft, up to what is done with the model."""
    (block,) = (
        one.split("```")[0] for one in card.split("```python\n") if "PeftModel" in one.split("```")[0]
    )
    return "\n".join(line for line in block.splitlines() if line.startswith(("from", "base", "model")))


@pytest.mark.parametrize(
    ("way", "size"), [("lora", {"rank": 2}), ("prompt", {"tokens": 3}), ("prefix", {"tokens": 3})]
)
def test_the_lines_of_the_card_open_the_adapter_in_peft(way, size, tmp_path):
    pytest.importorskip("peft")
    base = write_base(tmp_path / "base", "gpt")
    model = write_adapter(tmp_path / "adapter", base, way, **size)
    card = (tmp_path / "adapter" / "README.md").read_text("utf-8")
    assert "base_model: ../base" in card and "library_name: peft" in card
    code = _code(card).replace("BASE_FOLDER", str(base)).replace("THIS_FOLDER", str(tmp_path / "adapter"))
    code = code.replace("import AutoTokenizer, ", "import ")
    made: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        exec(code, made)
    with torch.no_grad():
        there = made["model"].eval()(input_ids=TOKENS).logits[:, -TOKENS.shape[1] :]
        torch.testing.assert_close(model({"tokens": TOKENS}), there, rtol=0, atol=1e-5)


def test_the_lines_of_the_card_open_an_adapter_with_a_head_in_peft(tmp_path):
    pytest.importorskip("peft")
    base = write_base(tmp_path / "base", "bert", head="none")
    body = hub.load(base).model
    bend(lora.Config(rank=2), body, None)
    settings = {"ability": "classifies", "pool": "first", "labels": ("a", "b", "c"), "max_length": 12}
    model = put_on(body, Head(objective="classification", outputs=3, width=16, texts=1, **settings))
    for one in learns(model).values():
        one.data.add_(torch.randn_like(one), alpha=0.1)
    note(model, Adapter(name="lora", base=str(base), fingerprint=adapters.fingerprint(base)))
    hub.save(tmp_path / "adapter", model, None)
    code = _code((tmp_path / "adapter" / "README.md").read_text("utf-8"))
    assert "num_labels=3" in code
    code = code.replace("BASE_FOLDER", str(base)).replace("THIS_FOLDER", str(tmp_path / "adapter"))
    made: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        exec(code, made)
    with torch.no_grad():
        there = made["model"].eval()(input_ids=TOKENS).logits
        torch.testing.assert_close(model.eval()({"tokens": TOKENS}), there, rtol=0, atol=1e-5)
