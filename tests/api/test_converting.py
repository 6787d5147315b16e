"""Converting from Python: sizes as people write them, and what is said about what stays behind."""

from pathlib import Path

import pytest
from tiny_folder import write_model

import glassformer as gf
from glassformer.api.converting import shard_bytes
from glassformer.base.errors import UserError
from glassformer.hub import agreement


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "oracle", lambda: None)


def test_what_is_converted_translates_as_before(tmp_path: Path) -> None:
    source = write_model(tmp_path / "source")
    made = gf.convert(str(source), str(tmp_path / "new"), shard_size="2KB")
    assert made.folder == tmp_path / "new"
    assert "model.safetensors.index.json" in made.files
    lines = ["나는 책을 읽는다", "비가 온다"]
    settings = {"max_new_tokens": 5}
    assert gf.load(tmp_path / "new").translate(lines, **settings) == gf.load(source).translate(
        lines, **settings
    )


def test_files_that_stay_behind_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_model(tmp_path / "source")
    (source / "tf_model.h5").write_bytes(b"")
    (source / "onnx").mkdir()
    made = gf.convert(source, tmp_path / "new")
    assert made.left_out == ("onnx", "tf_model.h5")
    assert "not carried over: onnx, tf_model.h5\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "meant"),
    [("5GB", 5 * 10**9), ("500 mb", 5 * 10**8), ("1.5KB", 1500), ("1GiB", 2**30), ("7", 7), (12, 12)],
)
def test_sizes_are_read_as_people_write_them(written: int | str, meant: int) -> None:
    assert shard_bytes(written) == meant


@pytest.mark.parametrize("written", ["", "GB", "5 apples", "-5GB", "0", "0.1"])
def test_what_is_no_size_is_refused(written: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a size; write it as in 5GB"):
        gf.convert(write_model(tmp_path / "source"), tmp_path / "new", shard_size=written)
    assert not (tmp_path / "new").exists()


def test_an_unknown_dtype_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dtype 'int8' is not known; known are float32, bfloat16, float16"):
        gf.convert(write_model(tmp_path / "source"), tmp_path / "new", dtype="int8")
