"""Words reach the user on stderr, results alone reach stdout, and a broken stream breaks no run."""

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.cells import cell_len

from glassformer.base import report


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.fixture
def on_a_terminal(monkeypatch):
    """Put a terminal in place of stderr; to be called in the test, as pytest sets stderr before it."""

    def on_a_terminal() -> Terminal:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return on_a_terminal


@pytest.fixture(autouse=True)
def _speaking():
    yield
    report.quiet(False)


def test_messages_go_to_stderr_as_plain_lines(capsys):
    report.say("reading [bold]x[/bold]")
    report.warn("odd")
    report.fail("broken")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "reading [bold]x[/bold]\nwarning: odd\nerror: broken\n"


def test_quiet_keeps_warnings_and_failures(capsys):
    report.quiet()
    report.say("hidden")
    report.warn("odd")
    with report.progress(2, "steps") as bar:
        bar.advance(2)
    assert capsys.readouterr().err == "warning: odd\n"


def test_the_result_is_one_line_of_json_on_stdout(capsys):
    report.result(
        {
            "bleu": np.float32(0.5),
            "loss": math.nan,
            "n": torch.tensor(3),
            "path": Path("a/b"),
            "text": "한\n",
            "list": (1, math.inf),
        }
    )
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.count("\n") == 1
    assert json.loads(told.out) == {
        "bleu": 0.5,
        "loss": None,
        "n": 3,
        "path": "a/b",
        "text": "한\n",
        "list": [1, None],
    }
    assert "한" in told.out


def test_colour_is_for_terminals_without_no_color(on_a_terminal, monkeypatch):
    terminal = on_a_terminal()
    report.warn("odd")
    assert terminal.getvalue() == "warning: odd\n"
    monkeypatch.delenv("NO_COLOR")
    report.warn("odd [x]")
    assert "\x1b[33mwarning: odd [x]\x1b[0m" in terminal.getvalue()


def test_a_terminal_shows_a_bar_with_rate_and_figures(on_a_terminal):
    terminal = on_a_terminal()
    with report.progress(10, "training [x]") as bar:
        for _ in range(10):
            bar.advance(loss=2.3456789)
        report.say("a word in between")
    shown = terminal.getvalue()
    assert "training [x]" in shown
    assert "10/10" in shown
    assert "loss=2.346" in shown
    assert "a word in between" in shown
    assert "/s" in shown


def test_a_bar_inside_a_bar_shares_the_display(on_a_terminal):
    terminal = on_a_terminal()
    with report.progress(None, "outer") as outer, report.progress(3, "inner") as inner:
        outer.advance()
        inner.advance(3)
    with report.progress(3, "another") as bar:
        bar.advance()
    assert "another" in terminal.getvalue()


def test_a_failure_inside_a_bar_stops_the_display(on_a_terminal):
    on_a_terminal()
    with pytest.raises(KeyError), report.progress(3, "steps"):
        raise KeyError
    assert report._live is None


def test_a_log_gets_a_line_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(report.time, "monotonic", lambda: now[0])
    with report.progress(100, "training", done=20) as bar:
        for _ in range(40):
            now[0] += 1.0
            bar.advance(2, loss=1.5)
    assert capsys.readouterr().err.splitlines() == [
        "training 40/100 (40%), 2/s, 30 s left, loss=1.5",
        "training 60/100 (60%), 2/s, 20 s left, loss=1.5",
        "training 80/100 (80%), 2/s, 10 s left, loss=1.5",
        "training 100/100 (100%), 2/s, in 40 s, loss=1.5",
    ]


def test_slow_work_without_an_end_is_told_too(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(report.time, "monotonic", lambda: now[0])
    with report.progress(None, "reading") as bar:
        now[0] = 4.0
        bar.advance()
    assert capsys.readouterr().err == "reading 1, 4 s each, in 4 s\n"


@pytest.mark.parametrize("stream", [Broken(), None], ids=["broken", "none"])
def test_a_stderr_that_is_gone_ends_no_run(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    report.say("x")
    with report.progress(2, "steps") as bar:
        bar.advance(2)


def test_a_closed_stderr_ends_no_run(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    report.warn("x")


def test_a_terminal_that_goes_away_ends_no_run(monkeypatch):
    class Gone(Broken):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Gone())
    report.say("x")
    with report.progress(2, "steps") as bar:
        bar.advance(2)


def test_a_reader_that_leaves_early_sees_no_traceback():
    code = "from glassformer.base import report\nfor n in range(20000): report.result({'n': n})"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    told = child.stderr.read()
    child.stderr.close()
    assert (child.wait(60), told) == (0, b"")


def test_a_full_disk_under_stdout_is_told():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    code = """
from glassformer.base import errors, report
try:
    report.result({"n": 1})
except errors.RunError as error:
    report.fail(str(error))
"""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.stderr == "error: cannot write the result to standard output: no space left on device\n"
    assert ended.returncode == 0


def test_a_stdout_without_korean_still_gets_valid_json():
    code = "from glassformer.base import report\nreport.result({'text': '한'})"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    ).stdout
    assert json.loads(out) == {"text": "한"}


def test_columns_align_on_screen():
    text = report.table(["이름", "BLEU"], [["작은 모델", 31.25], ["base", None], ["x", 7.0]])
    lines = text.splitlines()
    assert lines[0] == "이름        BLEU"
    assert lines[2] == "작은 모델  31.25"
    assert lines[4] == "x              7"
    assert max(cell_len(line) for line in lines) == 16


def test_a_table_without_rows_is_its_header():
    assert report.table(["a", "b"], []).splitlines()[0] == "a  b"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (12000, "3 h 20 min")]
)
def test_durations_are_said_as_people_do(seconds, text):
    assert report.duration(seconds) == text


def test_work_on_many_bytes_is_told_in_megabytes_and_on_few_not_at_all(monkeypatch, capsys):
    monkeypatch.setattr(report, "SECONDS_BETWEEN_LINES", 0.0)
    with report.weighing(5, "reading") as done:
        done(5)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(report, "SHOWN_FROM", 4 * report.MEGABYTE)
    with report.weighing(5 * report.MEGABYTE + 1, "reading") as done:
        for _ in range(5):
            done(report.MEGABYTE)
        done(1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("reading (MB) 1/6 (16%)")
    assert lines[-1].startswith("reading (MB) 6/6 (100%)")


def test_brief_work_leaves_no_line_in_a_log(monkeypatch, capsys):
    monkeypatch.setattr(report, "SHOWN_FROM", 1)
    with report.weighing(5, "reading") as done:
        done(5)
    assert capsys.readouterr().err == ""
