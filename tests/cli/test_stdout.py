"""Data on standard output: UTF-8 whatever the locale, sent off at once, never mixed with a progress bar."""

import io
import os
import subprocess
import sys

import pytest

from glassformer.base import report
from glassformer.base.errors import RunError
from glassformer.cli import stdout


class Stream(io.StringIO):
    """A stdout that says whether it is a terminal, and may refuse."""

    def __init__(self, terminal=False, error=None):
        super().__init__()
        self.terminal, self.error, self.flushed = terminal, error, 0

    def isatty(self):
        return self.terminal

    def flush(self):
        self.flushed += 1
        if self.error:
            raise self.error


def test_each_line_is_sent_off_at_once(monkeypatch):
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    stdout.line("가")
    assert (stream.getvalue(), stream.flushed) == ("가\n", 1)


def test_a_full_disk_is_a_sentence_and_a_reader_that_left_is_not(monkeypatch):
    monkeypatch.setattr(report, "drop_stdout", lambda: None)
    monkeypatch.setattr(sys, "stdout", Stream(error=OSError(28, "No space left on device")))
    with pytest.raises(RunError, match="cannot write to standard output: no space left on device"):
        stdout.line("x")
    monkeypatch.setattr(sys, "stdout", Stream(error=BrokenPipeError()))
    with pytest.raises(BrokenPipeError):
        stdout.line("x")


def test_text_is_utf8_with_plain_line_ends_in_any_locale():
    code = "from glassformer.cli import stdout; stdout.prepare(); stdout.line('가\\u2028')"
    environ = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, check=True, timeout=60
    )
    assert told.stdout == "가\u2028\n".encode()


@pytest.mark.parametrize(
    ("err", "out", "shown", "bar"),
    [
        (True, False, True, True),
        (True, True, True, False),
        (False, False, True, False),
        (True, False, False, False),
    ],
)
def test_a_bar_is_shown_to_a_terminal_that_gets_no_lines(monkeypatch, err, out, shown, bar):
    monkeypatch.setattr(sys, "stdout", Stream(out))
    monkeypatch.setattr(sys, "stderr", Stream(err))
    with stdout.progress("translating", shown) as advance:
        assert (advance is not None) is bar


@pytest.mark.parametrize(("as_json", "written"), [(True, '{"a": "가"}\n'), (False, "one\ntwo\n")])
def test_an_answer_is_a_record_for_machines_or_lines_for_people(monkeypatch, as_json, written):
    monkeypatch.setattr(sys, "stdout", stream := Stream())
    stdout.answer(as_json, lambda: {"a": "가"}, iter(["one", "two"]))
    assert stream.getvalue() == written


def test_only_a_person_at_a_terminal_is_told_how_to_type(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Stream(terminal=False))
    assert not stdout.typed("-", "a line")
    monkeypatch.setattr(sys, "stdin", Stream(terminal=True))
    assert not stdout.typed("in.txt", "a line") and not stdout.typed(["-"], "a line")
    assert capsys.readouterr().err == ""
    assert stdout.typed("-", "a line")
    assert "Type a line and press Enter; Ctrl-D ends." in capsys.readouterr().err


def test_the_program_is_named_so_that_what_is_shown_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [".venv/bin/glassformer"])
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert stdout.program() == ".venv/bin/glassformer"
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/glassformer")
    assert stdout.program() == "glassformer"
    monkeypatch.setattr("sys.argv", ["__main__.py"])
    assert stdout.program() == "glassformer"
