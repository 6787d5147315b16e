"""Files of sentence-transformers: the pooling they ask for, and a sentence for what is not computed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from glassformer.base.errors import UserError
from glassformer.hub.sentences import Vectors, kept, told


def write(folder: Path, pooling: Any, kinds: tuple[str, ...] | None = ("Transformer", "Pooling")) -> Path:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), "utf-8")
    if kinds is not None:
        places = {"Pooling": "1_Pooling"}
        modules = [{"type": f"a.b.{kind}", "path": places.get(kind, "")} for kind in kinds]
        (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("said", "pool"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True, "include_prompt": True}, "first"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode": "cls"}, "first"),
        ({"pooling_mode": "lasttoken"}, "last"),
    ],
)
def test_a_pooling_is_known_in_both_forms(tmp_path: Path, said: dict[str, Any], pool: Any) -> None:
    assert told(write(tmp_path, said)) == Vectors(pool, normalize=False)


def test_a_length_of_one_is_a_module_of_its_own(tmp_path: Path) -> None:
    folder = write(tmp_path, {"pooling_mode": "mean"}, ("Transformer", "Pooling", "Normalize"))
    assert told(folder) == Vectors("mean", normalize=True)
    assert set(kept(folder)) == {"modules.json", "1_Pooling/config.json"}
    (folder / "modules.json").unlink()
    assert told(folder) == Vectors("mean", normalize=False)


def test_a_folder_without_such_files_says_nothing(tmp_path: Path) -> None:
    assert told(tmp_path) is None
    assert kept(tmp_path) == {}
    assert told(write(tmp_path, {}, ("Transformer",))) is None


@pytest.mark.parametrize(
    ("said", "kinds", "sentence"),
    [
        ({"pooling_mode_weightedmean_tokens": True}, None, "asks for the pooling weightedmean_tokens, which"),
        (
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
            None,
            "mean_tokens and cls_token",
        ),
        ({"pooling_mode_mean_tokens": False}, None, "asks for the pooling of nothing"),
        ({"pooling_mode": "mean"}, ("Transformer", "Pooling", "Dense"), "asks for Dense behind the model"),
    ],
)
def test_what_is_not_computed_here_is_one_sentence(
    tmp_path: Path, said: dict[str, Any], kinds: tuple[str, ...] | None, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence) as error:
        told(write(tmp_path, said, kinds))
    assert "\n" not in str(error.value) and ".json: " in str(error.value)


@pytest.mark.parametrize("text", ["{", "[3]", '[{"type": "a"}]'])
def test_damaged_modules_are_told_with_their_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "modules.json").write_text(text, "utf-8")
    with pytest.raises(UserError, match=r"modules\.json: should be a list of modules"):
        told(tmp_path)


def test_a_pooling_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    modules = [{"type": "x.Pooling", "path": "../elsewhere"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules), "utf-8")
    with pytest.raises(UserError, match="leads out of this folder"):
        told(tmp_path)
