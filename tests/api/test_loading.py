"""A folder opened for use: it translates, aligns, saves, and decodes as it asks for."""

import dataclasses
import json
import subprocess
import sys

import pytest
import torch
from tiny_family import write_bert, write_gpt, write_vit
from tiny_folder import PAIRS, write_model

import glassformer as gf
from glassformer.api import loading
from glassformer.api.loading import KINDS, kind_of, load
from glassformer.api.opened import FOREIGN, Opened
from glassformer.api.translator import Translator
from glassformer.base import machine
from glassformer.base.errors import UserError
from glassformer.hub.uses import USES
from glassformer.models.transformer import Model
from glassformer.nn import int8
from glassformer.nn.int8 import Integers
from glassformer.nn.packed import LEAST

LINES = [one for one, _ in PAIRS]


def test_a_folder_not_written_here_is_decoded_as_its_own_library_would(tmp_path):
    folder = write_model(tmp_path / "model")
    (folder / "manifest.json").unlink()
    (folder / "generation_config.json").write_text(json.dumps({"num_beams": 5, "max_length": 9}), "utf-8")
    decoding = load(folder).decoding
    assert decoding.num_beams == 5
    assert decoding.length_penalty_form == FOREIGN["length_penalty_form"] == "power"
    assert decoding.early_stopping is False


def test_what_is_saved_translates_the_same(model_folder, tmp_path):
    model = load(model_folder)
    model.save(tmp_path / "again")
    again = load(tmp_path / "again")
    assert again.decoding == model.decoding
    assert again.translate(LINES, max_new_tokens=6) == model.translate(LINES, max_new_tokens=6)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(UserError, match=r"notes\.txt"):
        model.save(tmp_path / "mine")


def test_half_precision_is_asked_for_and_translates(model_folder):
    model = load(model_folder, dtype="bfloat16", device="cpu")
    assert next(model.model.parameters()).dtype == torch.bfloat16
    assert len(model.translate(LINES, max_new_tokens=4)) == len(LINES)
    assert next(load(model_folder).model.parameters()).dtype == torch.float32


@pytest.mark.skipif(not (int8.can() and int8.exact()), reason="no exact int8 products here")
def test_int8_is_asked_for_and_translates(model_folder, monkeypatch, capsys):
    monkeypatch.setattr(loading, "int8_pays", lambda _: True)
    monkeypatch.setitem(LEAST, torch.int8, 0)
    model = load(model_folder, dtype="int8", device="cpu")
    assert sum(isinstance(part, Integers) for part in model.model.modules()) > 4
    assert len(model.translate(LINES, max_new_tokens=4)) == len(LINES)
    assert capsys.readouterr().err == ""
    monkeypatch.undo()
    assert not any(isinstance(part, Integers) for part in load(model_folder).model.modules())


@pytest.mark.parametrize(("fast", "instead"), [(True, "bfloat16"), (False, "float32")])
def test_where_int8_does_not_pay_one_sentence_says_what_is_used(
    model_folder, monkeypatch, capsys, fast, instead
):
    here = dataclasses.replace(machine.look(), device="cpu", name="Old CPU", bf16=fast)
    monkeypatch.setattr(machine, "look", lambda: here)
    monkeypatch.setattr(loading, "int8_pays", lambda _: False)
    model = load(model_folder, dtype="int8")
    assert f"Old CPU is no faster in int8; {instead} is used instead" in capsys.readouterr().err
    assert next(model.model.parameters()).dtype == getattr(torch, instead)
    assert loading._precision("int8", "cuda:1", here) == torch.float32
    assert "int8 is for CPUs, not for cuda:1; float32 is used instead" in capsys.readouterr().err


def test_a_model_too_small_for_int8_is_float32_and_says_so(model_folder, monkeypatch, capsys):
    monkeypatch.setattr(loading, "int8_pays", lambda _: True)
    model = load(model_folder, dtype="int8", device="cpu")
    assert "no matrix is so large that int8 pays; float32 is used instead" in capsys.readouterr().err
    assert len(model.translate(LINES[:1], max_new_tokens=4)) == 1


def test_what_is_no_precision_is_refused():
    with pytest.raises(UserError, match="dtype 'int4' is not known; known are auto, float32, bfloat16, int8"):
        loading._precision("int4", "cpu", machine.look())


def test_an_opened_model_does_not_learn_or_drop(model_folder):
    model = load(model_folder)
    assert isinstance(model, Translator)
    assert not model.model.training


def test_a_model_without_its_tokenizer_or_without_the_ability_is_refused(tmp_path, monkeypatch):
    folder = write_model(tmp_path / "model")
    with monkeypatch.context() as patch:
        patch.setattr(Model, "abilities", ("generates",))
        with pytest.raises(UserError, match="this model generates; use glassformer generate"):
            load(folder, able="translates")
    for name in ("tokenizer.json", "manifest.json"):
        (folder / name).unlink()
    with pytest.raises(UserError, match="no tokenizer lies beside the model"):
        load(folder)


def test_a_folder_opens_as_what_its_model_can_do(tmp_path):
    folders = {
        gf.Generator: write_gpt(tmp_path / "gpt"),
        gf.Filler: write_bert(tmp_path / "bert"),
        gf.Viewer: write_vit(tmp_path / "vit"),
    }
    assert {kind: type(load(folder)) for kind, folder in folders.items()} == {kind: kind for kind in folders}
    assert isinstance(load(folders[gf.Viewer], able=("encodes", "sees")), gf.Viewer)
    with pytest.raises(UserError, match="this model generates; use glassformer generate or score"):
        load(folders[gf.Generator], able=("encodes", "sees"))
    with pytest.raises(UserError, match="this model sees; use glassformer predict"):
        load(folders[gf.Viewer], able="generates")
    assert set(KINDS) == set(USES)
    assert all(issubclass(kind_of(ability), Opened) for ability in KINDS)


def test_only_what_is_opened_is_imported(model_folder):
    code = f"import sys, glassformer as gf; gf.load({str(model_folder)!r}); print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    there = set(told.stdout.split())
    assert "glassformer.models.transformer" in there
    assert not there & {"glassformer.models.bert", "glassformer.api.filler", "glassformer.data.samples"}
