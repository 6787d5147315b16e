import json
import os
import shutil

import pytest
import torch
import train_toys as toys

from glassformer.base.errors import RunError, UserError


@pytest.fixture
def run(tmp_path):
    """A finished run of four steps."""
    toys.train(tmp_path / "run", toys.settings(steps=4))
    return tmp_path / "run"


def again(folder, model=None, **more):
    return toys.train(folder, toys.settings(steps=6), model, **{"resume": True, **more})


def test_a_folder_that_holds_a_run_wants_resume_or_another_name(run):
    before = sorted(path.name for path in run.rglob("*"))
    with pytest.raises(UserError, match=r"already holds a run; add --resume .* or choose another --output"):
        again(run, resume=False)
    assert sorted(path.name for path in run.rglob("*")) == before


def test_another_run_is_not_resumed(run):
    with pytest.raises(UserError, match="holds another run"):
        again(run, key="other data")
    with pytest.raises(UserError, match="holds another run"):
        again(run, torch.nn.Linear(3, 3))


@pytest.mark.parametrize("name", ["config.json", "recipe.yaml", "best"])
@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_with_something_else_is_left_alone(tmp_path, name, resume):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match="of something else"):
        again(tmp_path, resume=resume)
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(UserError, match="is a file"):
        again(tmp_path / "x")


def test_nothing_that_the_run_did_not_write_is_touched(tmp_path):
    for name in ("notes.txt", "README.md", "step-000001/mine"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    toys.train(tmp_path, toys.settings(steps=12, save_every=1, keep_last=1))
    assert {(tmp_path / name).read_text() for name in ("notes.txt", "README.md")} == {"mine"}
    assert (tmp_path / "model.safetensors").exists()


def test_resume_where_nothing_is_yet_begins(tmp_path):
    outcome, _ = again(tmp_path / "new")
    assert outcome.steps == 6


def test_resume_of_a_finished_run_gives_its_outcome_again(run):
    before = (run / "last" / "model.safetensors").read_bytes()
    lines = toys.lines(run)
    outcome, _ = toys.train(run, toys.settings(steps=4), resume=True)
    assert (outcome.steps, outcome.reason) == (4, "steps")
    assert outcome.figures["loss"] == [line for line in lines if line["kind"] == "valid"][-1]["loss"]
    assert toys.lines(run) == lines
    assert (run / "last" / "model.safetensors").read_bytes() == before


def cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


def other_version(path):
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


def no_state(path):
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": {"step": "many"}}))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("optimizer.safetensors", cut_short),
        ("optimizer.safetensors", flip),
        ("optimizer.safetensors", os.remove),
        ("state.json", cut_short),
        ("state.json", os.remove),
        ("state.json", other_version),
        ("state.json", no_state),
        ("", shutil.rmtree),
    ],
)
def test_a_damaged_state_is_one_sentence_that_says_what_to_do(run, name, damage):
    damage(run / "last" / "train_state" / name if name else run / "last" / "train_state")
    with pytest.raises(UserError) as caught:
        again(run)
    assert type(caught.value) is UserError
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "another --output" in str(caught.value)


def test_two_processes_do_not_train_into_one_folder(run):
    def evaluate(_):
        with pytest.raises(UserError, match="another process is training"):
            toys.train(run, toys.settings(steps=8), resume=True)
        return {"bleu": 1.0}

    outcome, _ = again(run, evaluate=evaluate)
    assert outcome.figures["bleu"] == 1.0


@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_full_disk_is_one_sentence_and_the_checkpoint_before_stays_valid(run, tmp_path, number):
    model, calls = toys.Toy(), iter(range(100))
    good = toys.saver(model)

    def save(folder):
        good(folder)
        if next(calls) == number - 2:
            raise OSError(28, "No space left on device", str(folder / "model.safetensors"))

    with pytest.raises(RunError, match="disk is full"):
        toys.train(run, toys.settings(steps=12, save_every=2), model, save=save, resume=True)
    assert not list(run.rglob(".glassformer-*"))
    _, resumed = toys.train(run, toys.settings(save_every=2), resume=True)
    _, whole = toys.train(tmp_path / "whole", toys.settings(save_every=2))
    assert toys.same(toys.weights(resumed), toys.weights(whole))


def test_a_resumed_run_has_the_metrics_of_one_that_was_not_stopped(tmp_path):
    toys.train(tmp_path / "whole", toys.settings())
    toys.train(tmp_path / "parts", toys.settings(steps=8))
    shutil.copytree(tmp_path / "parts", tmp_path / "copy")
    toys.train(tmp_path / "parts", toys.settings(steps=12), resume=True)
    timeless = [
        [(line["kind"], line["step"], line["loss"]) for line in toys.lines(tmp_path / name)]
        for name in ("whole", "parts")
    ]
    assert [line for line in timeless[1] if line[:2] != ("train", 8)][:2] == timeless[0][:2]
    assert [line for line in timeless[1] if line[0] == "valid"] == [
        line for line in timeless[0] if line[0] == "valid"
    ]
