"""Bytes are compared once, and again whenever a file can have changed; damage is never missed."""

import os
import zlib

import pytest

from glassformer.base import files, report
from glassformer.base.errors import RunError
from glassformer.data import intact
from glassformer.data.intact import NOTES, checksum, damaged


@pytest.fixture
def read(monkeypatch):
    """The names of the files whose bytes were read."""
    names = []

    def counted(path, seen=None):
        names.append(path.name)
        return checksum(path, seen)

    monkeypatch.setattr(intact, "checksum", counted)
    return names


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder of two files, as if they were written a while ago, and their sums."""
    monkeypatch.setattr(intact, "SETTLED", -intact.SETTLED)
    sums = {}
    for name, content in {"a": b"one" * 100, "b": b"two" * 200}.items():
        (tmp_path / name).write_bytes(content)
        sums[name] = zlib.crc32(content)
    return tmp_path, sums


def test_sound_files_are_read_once(kept, read):
    assert damaged(*kept) == []
    assert read == ["a", "b"]
    assert damaged(*kept) == []
    assert read == ["a", "b"]


def test_a_changed_file_is_noticed_though_its_size_and_its_own_time_are_the_same(kept):
    folder, sums = kept
    assert damaged(folder, sums) == []
    before = (folder / "b").stat()
    (folder / "b").write_bytes(b"tvo" * 200)
    os.utime(folder / "b", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert damaged(folder, sums) == ["b"]
    assert damaged(folder, sums) == ["b"]


def test_a_file_that_was_only_just_written_is_compared_again(kept, read, monkeypatch):
    folder, sums = kept
    monkeypatch.setattr(intact, "SETTLED", 10**12)
    assert damaged(folder, sums) == []
    assert not (folder / NOTES).exists()
    assert damaged(folder, sums) == []
    assert read == ["a", "b"] * 2


def test_a_file_that_is_gone_or_shorter_is_noticed(kept):
    folder, sums = kept
    assert damaged(folder, sums) == []
    with (folder / "a").open("rb+") as file:
        file.truncate(5)
    assert damaged(folder, sums) == ["a"]
    (folder / "a").unlink()
    with pytest.raises(OSError, match="a"):
        damaged(folder, sums)


@pytest.mark.parametrize("notes", ["", "{", "[1]", '{"a": [1, 2, 3, 4]}'])
def test_notes_that_cannot_be_used_are_as_none(kept, read, notes):
    folder, sums = kept
    (folder / NOTES).write_text(notes, "utf-8")
    assert damaged(folder, sums) == []
    assert read == ["a", "b"]


def test_a_folder_that_may_only_be_read_is_compared_each_time(kept, read, monkeypatch):
    def refuse(*_):
        raise RunError("the disk may only be read")

    monkeypatch.setattr(files, "write_text", refuse)
    assert damaged(*kept) == damaged(*kept) == []
    assert read == ["a", "b"] * 2


def test_many_bytes_are_compared_with_a_bar(kept, monkeypatch, capsys):
    monkeypatch.setattr(report, "SHOWN_FROM", 10)
    monkeypatch.setattr(report, "MEGABYTE", 100)
    monkeypatch.setattr(report, "SECONDS_BETWEEN_LINES", 0.0)
    folder, sums = kept
    assert damaged(folder, sums) == []
    assert f"checking {folder.name} (MB) 9/9 (100%)" in capsys.readouterr().err
    assert damaged(folder, sums) == []
    assert capsys.readouterr().err == ""
