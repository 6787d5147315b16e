"""``glassformer convert``: a folder in, a folder out, and how exactly they agree."""

import json

import pytest

from glassformer.hub import agreement
from glassformer.hub.folder import load


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.setattr(agreement, "oracle", lambda: None)


def test_the_new_folder_and_its_differences_are_printed(ask, model_folder, tmp_path):
    ended = ask("convert", model_folder, tmp_path / "new")
    assert ended.code == 0
    first, second = ended.out.splitlines()
    assert first.startswith(f"{tmp_path / 'new'}: marian, ") and first.endswith(" parameters, float32")
    assert second == "largest difference of scores, source and result, both here: 0"
    assert "transformers is not installed" in ended.err


def test_differences_from_transformers_are_printed_where_it_is_installed(
    ask, model_folder, tmp_path, monkeypatch
):
    def near(_, folder, written, batch):
        return tuple(output + 2.5e-4 for output in agreement.here(load(folder).model, batch))

    monkeypatch.setattr(agreement, "oracle", lambda: agreement)
    monkeypatch.setattr(agreement, "there", near)
    ended = ask("convert", model_folder, tmp_path / "new")
    assert "source, here and in transformers: 0.00025" in ended.out
    assert "result, here and in transformers: 0.00025" in ended.out


def test_json_holds_all_that_is_known(ask, model_folder, tmp_path):
    ended = ask("convert", model_folder, tmp_path / "new", "--dtype", "bfloat16", "--json")
    assert ended.result["folder"] == str(tmp_path / "new")
    assert ended.result["dtype"] == "bfloat16"
    assert ended.result["difference"] is None
    assert 0 < ended.result["rounding"] < 0.1
    assert json.loads((tmp_path / "new" / "config.json").read_text())["dtype"] == "bfloat16"


def test_scores_that_differ_end_with_exit_code_one(ask, model_folder, tmp_path, monkeypatch):
    def far(_, folder, written, batch):
        return (next(iter(batch.values())).float(),)

    monkeypatch.setattr(agreement, "oracle", lambda: agreement)
    monkeypatch.setattr(agreement, "there", far)
    ended = ask("convert", model_folder, tmp_path / "new")
    assert ended.code == 1 and "nothing was kept" in ended.err and ended.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere", "new"], "there is no such folder"),
        (["hf://name", "new"], "write hf://owner/name"),
        (["{model}", "new", "--shard-size", "much"], "is not a size"),
        (["{model}", "new", "--dtype", "int8"], "int8"),
        (["{model}", "{model}"], "is the folder that is converted"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(  # noqa: PLR0917
    words, says, ask, model_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    ended = ask("convert", *(word.format(model=model_folder) for word in words))
    assert ended.code == 2 and says in ended.err
    assert list(tmp_path.iterdir()) == []
