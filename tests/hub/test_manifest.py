"""The manifest notices what was changed, lost or added, and lets people edit what they may."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.hub.tiny_model import SIZES

from glassformer.base.errors import UserError
from glassformer.hub.folder import load, save, write_card, write_folder
from glassformer.models.transformer import Config, Model


def _model() -> Model:
    return Model(Config(**SIZES))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "model", _model(), None)
    return tmp_path / "model"


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


def test_a_card_written_later_belongs_to_the_folder_too(folder: Path) -> None:
    write_card(folder, "# Measured\n")
    assert (folder / "README.md").read_text("utf-8") == "# Measured\n"
    load(folder, verify=True)


def test_files_of_the_caller_beside_the_model_are_listed_too(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    write_folder(tmp_path, _model(), None)
    assert "metrics.jsonl" in json.loads((tmp_path / "manifest.json").read_text("utf-8"))["files"]
    assert load(tmp_path, verify=True).config == load(tmp_path).config


def test_a_folder_with_anything_else_in_it_is_never_replaced(folder: Path) -> None:
    save(folder, _model(), None)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds notes\.txt, which was not written with a model"):
        save(folder, _model(), None)
    assert (folder / "notes.txt").read_text() == "mine"
