"""A file or folder is the old one or the new one, whatever happens in between."""

import errno
import gzip
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassformer.base import files
from glassformer.base.errors import RunError, UserError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def raising(number: int):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_the_cache_is_where_the_environment_says_or_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/h")
    for asked, folder in (("/c", "/c"), ("~/c", "/h/c"), ("", "/h/.cache/glassformer")):
        monkeypatch.setenv("GLASSFORMER_CACHE", asked)
        assert files.cache_folder() == Path(folder)


def test_a_user_without_a_home_has_a_cache_too(monkeypatch, tmp_path):
    monkeypatch.setenv("GLASSFORMER_CACHE", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setattr(files.tempfile, "gettempdir", lambda: str(tmp_path))
    assert files.cache_folder() == tmp_path / "glassformer"


def test_what_is_written_is_there_and_nothing_else(tmp_path):
    files.write_bytes(tmp_path / "new" / "a.bin", b"\0\xff")
    files.write_text(tmp_path / "new" / "b.txt", "한국어\r\n")
    files.write_text(tmp_path / "new" / "b.txt", "again\n")
    assert (tmp_path / "new" / "a.bin").read_bytes() == b"\0\xff"
    assert (tmp_path / "new" / "b.txt").read_bytes() == b"again\n"
    assert names(tmp_path / "new") == ["a.bin", "b.txt"]


def test_a_new_file_follows_the_umask_and_an_old_one_keeps_its_mode(tmp_path):
    old = os.umask(0o022)
    try:
        files.write_text(tmp_path / "new", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o644
    (tmp_path / "new").chmod(0o600)
    files.write_text(tmp_path / "new", "y")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced():
    files.write_text(Path("/dev/null"), "x")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "input/output error"),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_disk_that_refuses_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch, number, advice, call):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(os if call == "fsync" else Path, call, raising(number))
        with pytest.raises(RunError, match=re.escape(advice)) as caught:
            files.write_text(path, "new")
    assert str(path) in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_disk_that_is_really_full_is_told_so():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(RunError, match="cannot write /dev/full: the disk is full"):
        files.write_text(Path("/dev/full"), "x")


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path, advice in [
        (tmp_path / "folder", "a folder with this name is in the way"),
        (tmp_path / "file" / "x", "a part of this path is a file|a file with this name is in the way"),
        (tmp_path / ("x" * 300), "the name is too long"),
        (Path("/proc/x/y"), "cannot write /proc/x/y: "),
    ]:
        with pytest.raises(RunError, match=advice):
            files.write_text(path, "x")
    assert names(tmp_path) == ["file", "folder"]


def test_a_name_as_long_as_a_name_can_be_is_fine(tmp_path):
    files.write_text(tmp_path / ("x" * 255), "y")
    assert names(tmp_path) == ["x" * 255]


def test_errors_that_hide_the_number_of_a_full_disk_are_understood(tmp_path):
    with pytest.raises(RunError, match="the disk is full"), files.writing(tmp_path / "a"):
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")
    with pytest.raises(KeyError), files.writing(tmp_path / "a"):
        raise KeyError("a mistake of the caller stays what it is")
    assert names(tmp_path) == []


def test_the_temporary_name_keeps_the_suffix(tmp_path):
    with files.writing(tmp_path / "model.safetensors") as temporary:
        assert temporary.suffix == ".safetensors"
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"x")


def killed(folder: Path, body: str) -> None:
    """Run ``body`` in a process of its own, in which ``die()`` is the SIGKILL that no code survives."""
    start = """
        import os, signal, sys
        from pathlib import Path
        from glassformer.base import files
        folder = Path(sys.argv[1])
        def die(*_, **__):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    code = textwrap.dedent(start) + textwrap.dedent(body)
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL


def test_a_kill_while_writing_leaves_the_old_file_and_the_next_write_tidies_up(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / ".glassformer-tmp-theirs").write_text("not made by us on this host")
    killed(tmp_path, "os.fsync = die\nfiles.write_text(folder / 'a.txt', 'new')")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(names(tmp_path)) == 3
    files.write_text(tmp_path / "b.txt", "x")
    assert names(tmp_path) == [".glassformer-tmp-theirs", "a.txt", "b.txt"]


def test_two_writers_do_not_sweep_each_other(tmp_path):
    with files.writing(tmp_path / "a") as first:
        first.write_text("first")
        files.write_text(tmp_path / "b", "second")
    assert (tmp_path / "a").read_text() == "first"


def folder_with(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "file").write_text(text)
    return path


def test_a_finished_folder_takes_the_place_of_another(tmp_path):
    for text in ("one", "two"):
        files.replace_folder(folder_with(tmp_path / "new", text), tmp_path / "final")
        assert (tmp_path / "final" / "file").read_text() == text
        assert names(tmp_path) == ["final"]


def test_a_folder_is_built_out_of_sight(tmp_path):
    with files.building(tmp_path / "final") as place:
        (place / "file").write_text("one")
        assert not (tmp_path / "final").exists()
    with pytest.raises(KeyError), files.building(tmp_path / "final") as place:
        (place / "file").write_text("two")
        raise KeyError
    assert (tmp_path / "final" / "file").read_text() == "one"
    assert names(tmp_path) == ["final"]


def test_a_folder_does_not_replace_a_file(tmp_path):
    (tmp_path / "final").write_text("precious")
    with pytest.raises(RunError, match="a file with this name is in the way"):
        files.replace_folder(folder_with(tmp_path / "new", "x"), tmp_path / "final")
    assert (tmp_path / "final").read_text() == "precious"


@pytest.mark.parametrize("renames", [0, 1, 2, 3])
def test_a_kill_between_any_two_steps_leaves_one_whole_folder(tmp_path, renames):
    """The renames are: new to staged, final to old, staged to final; then old is removed."""
    folder_with(tmp_path / "final", "old")
    folder_with(tmp_path / "new", "new")
    killed(
        tmp_path,
        f"""
        rename, done = Path.rename, []
        def counted(self, target):
            if len(done) == {renames}:
                die()
            done.append(self)
            return rename(self, target)
        Path.rename = counted
        if {renames} == 3:
            import shutil
            shutil.rmtree = die
        files.replace_folder(folder / "new", folder / "final")
        """,
    )
    files.recover_folder(tmp_path / "final")
    assert (tmp_path / "final" / "file").read_text() == ("old" if renames < 2 else "new")
    assert names(tmp_path) == (["final", "new"] if renames == 0 else ["final"])
    files.recover_folder(tmp_path / "final")
    assert (tmp_path / "final").is_dir()


def test_a_swap_that_the_disk_refuses_is_undone(tmp_path, monkeypatch):
    folder_with(tmp_path / "final", "old")
    folder_with(tmp_path / "new", "new")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if Path(target).name == "final" and "new" in self.name:
            raise OSError(errno.ENOSPC, "full")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(RunError, match="the disk is full"):
            files.replace_folder(tmp_path / "new", tmp_path / "final")
    assert (tmp_path / "final" / "file").read_text() == "old"
    assert names(tmp_path) == ["final", "new"]


def test_a_swap_that_a_reader_finished_first_is_no_failure(tmp_path, monkeypatch):
    folder_with(tmp_path / "final", "old")
    folder_with(tmp_path / "new", "new")
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        if Path(target).name == "final":
            monkeypatch.setattr(Path, "rename", rename)
            files.recover_folder(tmp_path / "final")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    files.replace_folder(tmp_path / "new", tmp_path / "final")
    assert (tmp_path / "final" / "file").read_text() == "new"
    assert names(tmp_path) == ["final"]


def test_a_closed_standard_input_is_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UserError, match="standard input is closed"):
        next(files.open_lines("-"))


def test_a_link_shares_the_bytes_and_a_copy_serves_where_links_do_not(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.write_text("x")
    files.link_or_copy(source, tmp_path / "a" / "linked")
    assert (tmp_path / "a" / "linked").samefile(source)
    files.link_or_copy(source, tmp_path / "a" / "linked")
    assert names(tmp_path / "a") == ["linked"]
    monkeypatch.setattr(os, "link", raising(errno.EXDEV))
    files.link_or_copy(source, tmp_path / "a" / "copied")
    assert (tmp_path / "a" / "copied").read_text() == "x"
    assert not (tmp_path / "a" / "copied").samefile(source)
    with pytest.raises(UserError, match="no such file"):
        files.link_or_copy(tmp_path / "none", tmp_path / "b")
    assert source.read_text() == "x"


def test_the_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(UserError, match="is a folder"):
        files.sha256(tmp_path)


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/../../x", "/etc/passwd", "a\0b", "..\\x", "C:\\x", "\\x", "out/x"]
)
def test_a_name_cannot_lead_out_of_its_folder(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    with pytest.raises(UserError, match="leads out of this folder"):
        files.inside(folder, name)


def test_an_honest_name_stays(tmp_path):
    assert files.inside(tmp_path, "a/b.json") == tmp_path / "a" / "b.json"
    assert files.inside(tmp_path, "model..json") == tmp_path / "model..json"


def lines(path: Path | str) -> list[tuple[int, str]]:
    return list(files.open_lines(path))


def test_only_newlines_end_a_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("one\r\ntwo\u2028two\x85\x0b\x0c\x1c\rtwo\n\nfour\r".encode())
    assert lines(path) == [(1, "one"), (2, "two\u2028two\x85\x0b\x0c\x1c\rtwo"), (3, ""), (4, "four\r")]


def test_a_byte_order_mark_is_dropped_once(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff\ufeffa\n\ufeffb".encode())
    assert lines(path) == [(1, "\ufeffa"), (2, "\ufeffb")]


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").write_bytes(gzip.compress(b""))
    assert lines(tmp_path / "a") == lines(tmp_path / "b") == []


def test_gzip_is_known_by_its_first_bytes(tmp_path):
    path = tmp_path / "plainly.txt"
    path.write_bytes(gzip.compress("가\n".encode()) + gzip.compress(b"b\n"))
    assert lines(path) == [(1, "가"), (2, "b")]


def test_standard_input_may_be_plain_or_gzip(monkeypatch):
    for content in (b"a\nb\n", gzip.compress(b"a\nb\n")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert lines("-") == [(1, "a"), (2, "b")]


def test_what_is_not_utf_8_is_told_with_line_and_column(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"fine\nab\xff\n")
    with pytest.raises(
        UserError, match=r"a\.txt:2: not valid UTF-8 \(byte 0xff at column 3\); convert the file"
    ):
        lines(path)
    path.write_text("text", encoding="utf-16")
    with pytest.raises(UserError, match=r"a\.txt:1: this is UTF-16"):
        lines(path)


def test_a_gzip_cut_short_or_damaged_is_told(tmp_path):
    whole = gzip.compress(b"".join(b"%d\n" % number**3 for number in range(5000)))
    damaged = whole[:2000] + bytes(200) + whole[2200:]
    for content in (whole[: len(whole) // 2], whole[:-4], whole[:5], damaged, whole + b"rubbish"):
        (tmp_path / "a.gz").write_bytes(content)
        with pytest.raises(UserError, match=r"a\.gz:\d+: the gzip file is damaged or cut short"):
            lines(tmp_path / "a.gz")


def test_files_that_cannot_be_opened_are_told(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="none: no such file"):
        lines(tmp_path / "none")
    with pytest.raises(UserError, match="is a folder, not a file"):
        lines(tmp_path)
    monkeypatch.setattr(Path, "open", raising(errno.EACCES))
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        lines(tmp_path / "a")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r\ufeff"), max_size=10))
)
def test_lines_written_are_the_lines_read(tmp_path, texts):
    path = tmp_path / "a.txt"
    files.write_text(path, "".join(text + "\n" for text in texts))
    assert lines(path) == list(enumerate(texts, start=1))


def test_an_abandoned_reader_closes_its_file(tmp_path):
    (tmp_path / "a").write_text("1\n2\n")
    reader = files.open_lines(tmp_path / "a")
    assert next(reader) == (1, "1")
    reader.close()
    shutil.rmtree(tmp_path)
