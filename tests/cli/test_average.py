"""``glassformer average``: a run's last checkpoints, or the folders that were named."""

import json
import shutil

from tiny_folder import write_model


def test_the_named_folders_are_averaged(ask, model_folder, tmp_path):
    other = write_model(tmp_path / "other", seed=1)
    ended = ask("average", model_folder, other, "--output", tmp_path / "mean", "--json")
    assert ended.code == 0
    assert ended.result == {"output": str(tmp_path / "mean"), "averaged": [str(model_folder), str(other)]}
    assert (tmp_path / "mean" / "model.safetensors").exists()


def test_a_run_gives_all_its_checkpoints_or_the_last_few(ask, model_folder, tmp_path):
    for step in (10, 20, 30):
        shutil.copytree(model_folder, tmp_path / "run" / f"step-{step}")
    assert ask("average", tmp_path / "run", "-o", tmp_path / "a").code == 0
    assert ask("average", tmp_path / "run", "--last", 2, "-o", tmp_path / "b").code == 0
    parents = [json.loads((tmp_path / name / "manifest.json").read_text())["parents"] for name in "ab"]
    assert parents == [["run/step-10", "run/step-20", "run/step-30"], ["run/step-20", "run/step-30"]]


def test_mistakes_are_told_with_exit_code_two(ask, model_folder, tmp_path):
    too_many = ask("average", tmp_path, "--last", 5, "-o", tmp_path / "mean")
    assert too_many.code == 2 and "5 are needed" in too_many.err
    both = ask("average", model_folder, model_folder, "--last", 2, "-o", tmp_path / "mean")
    assert both.code == 2 and "goes with the folder of one run" in both.err
    assert ask("average", model_folder).code == 2
    assert not (tmp_path / "mean").exists()
