"""The parts of a run: they fit each other, are the same each time, and what does not fit is said at once."""

from pathlib import Path

import pytest
import torch
from tiny_folder import PAIRS, write_model

from glassformer.api import preparing
from glassformer.api.loading import load
from glassformer.api.preparing import new_model, planned_model, prepare
from glassformer.api.recipe import read_recipe
from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.objectives import translation

RECIPE = """\
model: {dim: 8, depth: 1, heads: 2, mlp_dim: 16, max_length: 32, dropout: 0.2}
tokenizer: {name: byte_bpe, vocab_size: 300, min_frequency: 1}
data: {train: train.tsv, valid: train.tsv, max_length: 32, workers: 0}
train: {steps: 5}
"""


@pytest.fixture
def asked(tmp_path):
    (tmp_path / "train.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS), "utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE, "utf-8")
    return lambda *settings: read_recipe(path, settings)


def test_model_and_tokenizer_know_the_same_numbers(asked):
    parts = prepare(asked())
    config, source = parts.model.config, parts.tokenizers.source
    assert (config.vocab_size, config.target_vocab_size) == (source.vocab_size, source.vocab_size)
    assert (config.pad_id, config.start_id, config.eos_id) == (source.pad_id, source.bos_id, source.eos_id)
    batch, _ = next(parts.train.batches())
    assert batch.count == sum(len(source.encode(target)) + 1 for _, target in PAIRS)
    assert parts.train.epoch_size() == len(PAIRS)
    assert len(list(parts.valid.once())) == 1


def test_each_side_may_have_a_vocabulary_of_its_own(asked):
    parts = prepare(asked("tokenizer.shared=false", "tokenizer.name=word", "model.share=target"))
    config, pair = parts.model.config, parts.tokenizers
    assert not pair.shared
    assert (config.vocab_size, config.target_vocab_size) == (pair.source.vocab_size, pair.target.vocab_size)
    with pytest.raises(UserError, match=r"tokenizer\.shared=true or model\.share=target"):
        prepare(asked("tokenizer.shared=false"))


def test_the_seed_decides_the_first_weights_and_nothing_else_does(asked):
    def first(*settings: str) -> torch.Tensor:
        torch.rand(7)
        return prepare(asked(*settings)).model.source.table.weight

    assert torch.equal(first(), first())
    assert not torch.equal(first(), first("train.seed=2"))


def test_fingerprints_follow_the_data(asked, tmp_path):
    before = prepare(asked()).fingerprints
    assert prepare(asked("optim.lr=0.5")).fingerprints == before
    (tmp_path / "train.tsv").write_text("".join(f"{a}\t{b}.\n" for a, b in PAIRS), "utf-8")
    assert prepare(asked()).fingerprints != before


def test_data_is_encoded_anew_only_for_settings_that_change_what_is_encoded(asked, monkeypatch):
    before = prepare(asked()).fingerprints
    assert prepare(asked("objective.label_smoothing=0.3")).fingerprints == before
    monkeypatch.setattr(translation.Objective, "shaping", ("label_smoothing",))
    named = prepare(asked("objective.label_smoothing=0.3")).fingerprints
    assert named != before
    # An objective that says nothing may encode by any of its settings.
    monkeypatch.delattr(translation.Objective, "shaping")
    assert prepare(asked("objective.label_smoothing=0.3")).fingerprints == named
    assert prepare(asked("objective.label_smoothing=0.2")).fingerprints != named


@pytest.mark.parametrize("name", plugins.names("objectives"))
def test_what_shapes_an_encoding_are_settings_of_the_objective(name):
    module = plugins.find("objectives", name)
    assert set(getattr(module.Objective, "shaping", ())) <= module.Config.model_fields.keys()


def test_going_on_takes_the_folder_and_only_the_dropout_of_the_recipe(asked, tmp_path, capsys):
    folder = write_model(tmp_path / "model", seed=5)
    there = load(folder)
    parts = prepare(asked(f"init={folder}", "model.dim=64", "tokenizer.vocab_size=290"))
    assert "replace the recipe's" in capsys.readouterr().err
    assert parts.tokenizers.fingerprint == there.tokenizers.fingerprint
    assert (parts.model.config.dim, parts.model.config.dropout) == (8, 0.2)
    ours, theirs = parts.model.state_dict(), there.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_going_on_without_a_word_on_dropout_keeps_the_folders(asked, tmp_path):
    folder = write_model(tmp_path / "model")
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.replace(", dropout: 0.2", ""), "utf-8")
    parts = prepare(asked(f"init={folder}"))
    assert parts.model.config == load(folder).model.config


def test_a_folder_without_a_tokenizer_cannot_be_gone_on_from(asked, tmp_path):
    folder = write_model(tmp_path / "model")
    for name in ("tokenizer.json", "manifest.json"):
        (folder / name).unlink()
    with pytest.raises(UserError, match="has no tokenizer"):
        prepare(asked(f"init={folder}"))


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_split_without_a_usable_pair_is_told_before_anything_is_trained(asked, tmp_path, split):
    (tmp_path / "blank.tsv").write_text("\n\n", "utf-8")
    with pytest.raises(UserError, match=r"blank\.tsv"):
        prepare(asked(f"data.{split}={tmp_path / 'blank.tsv'}"))


def test_texts_beyond_the_model_are_refused_as_a_setting(asked):
    with pytest.raises(UserError, match=r"data\.max_length is 33 but the model reads at most 32"):
        prepare(asked("data.max_length=33"))


def _unread(*_: object) -> None:
    raise AssertionError("the data was read")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("tokenizer.shared=false",), r"tokenizer\.shared=true or model\.share=target"),
        (("data.max_length=33",), r"data\.max_length is 33"),
        (("data.valid=null", "train.early_stopping={patience: 2}"), r"give data\.valid"),
        (("data.valid=null", "train.best=bleu"), r"give data\.valid"),
        (("train.steps=null", "train.epochs=2", "schedule.name=cosine"), r"set schedule\.steps"),
    ],
)
def test_settings_that_do_not_fit_are_told_before_the_data_is_read(asked, monkeypatch, settings, said):
    monkeypatch.setattr(preparing, "settled", _unread)
    for look in (prepare, planned_model):
        with pytest.raises(UserError, match=said):
            look(asked(*settings))


def test_several_processes_cannot_share_standard_input(asked, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="cannot share standard input"):
        prepare(asked("data.train='-'"))


def test_a_plan_to_go_on_is_of_the_folders_model(asked, tmp_path):
    model = planned_model(asked(f"init={write_model(tmp_path / 'model')}", "model.dim=64"))
    assert model.config.dim == 8


def test_a_model_is_counted_without_memory(asked):
    model = new_model(asked("model.dim=1024"), 37_000)
    assert all(weight.is_meta for weight in model.parameters())
    assert sum(weight.numel() for weight in model.parameters()) > 37_000 * 1024
    assert Path(asked().data.sources("train")[0].path).name == "train.tsv"
