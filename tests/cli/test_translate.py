"""``glassformer translate``: a line in, a line out, in every way it can be asked."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from tiny_folder import write_model

TEXT = "나는 학교에 간다\n\n우리는 밥을 먹는다\n"
SHORT = ("--max-new-tokens", 4)


def start(*words, **streams):
    """A process that hears Ctrl-C, also where these tests run in the background of a shell, which do not."""
    command = [sys.executable, "-m", "glassformer", *map(str, words)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, **streams)
    finally:
        signal.signal(signal.SIGINT, before)


def test_lines_come_out_as_they_go_in(ask, model_folder):
    ended = ask("translate", model_folder, *SHORT, text=TEXT)
    assert ended.code == 0
    lines = ended.out.split("\n")
    assert len(lines) == 4 and lines[0] and lines[1] == "" and lines[2]
    assert ask("translate", model_folder, *SHORT, text="우리는 밥을 먹는다").out == lines[2] + "\n"
    assert ended.err == ""


def test_a_file_is_translated_like_stdin(ask, model_folder, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text(TEXT, encoding="utf-8")
    from_file = ask("translate", model_folder, *SHORT, "--input", path)
    assert from_file.out == ask("translate", model_folder, *SHORT, text=TEXT).out


def test_n_best_lists_are_numbered_as_in_moses(ask, model_folder):
    out = ask("translate", model_folder, *SHORT, "--num-beams", 3, "--n-best", 3, text=TEXT).out
    rows = [line.split(" ||| ") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["0"] * 3 + ["1"] + ["2"] * 3
    assert rows[3] == ["1", "", "0.0000", "0.0000"]
    assert float(rows[0][3]) >= float(rows[1][3]) >= float(rows[2][3])


def test_json_is_a_line_for_each_line(ask, model_folder):
    out = ask("translate", model_folder, *SHORT, "--n-best", 2, "--alignment", "--json", text=TEXT).out
    records = [json.loads(line) for line in out.splitlines()]
    assert [one["source"] for one in records] == TEXT.splitlines()
    assert len(records[0]["alternatives"]) == 1
    assert all(len(link) == 2 for link in records[0]["alignment"])
    assert "나는" in out


def test_alignments_stand_at_the_end_of_the_line(ask, model_folder):
    out = ask(
        "translate", model_folder, "--max-new-tokens", 12, "--prefix", "I go", "--alignment", text=TEXT
    ).out
    first, blank, _ = out.splitlines()
    text, links = first.split(" ||| ")
    assert text.startswith("I go") and blank == ""
    assert all(int(target) < len(text.split()) for _, target in (link.split("-") for link in links.split()))


def test_sampling_depends_on_the_seed_alone(ask, model_folder):
    asked = ("translate", model_folder, *SHORT, "--sample", "--top-k", 20, "--seed")
    assert ask(*asked, 1, text=TEXT).out == ask(*asked, 1, text=TEXT).out
    assert ask(*asked, 1, text=TEXT).out != ask(*asked, 2, text=TEXT).out


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ((), b"\xeb\x82\x98\n\xff\n", "standard input:2: not valid UTF-8"),
        ((), "나는 " * 40, "line 1: the source has"),
        (("--n-best", 5), "나는\n", "raise num_beams"),
        (("--top-p", 2), "나는\n", "--top-p"),
        (("--too-long", "cit"), "나는\n", "--too-long"),
        (("--device", "tpu"), "나는\n", "there is no device 'tpu' here; choose auto"),
        (("--device", "cpu:"), "나는\n", "there is no device 'cpu:'"),
        (("--device", "cpu:7"), "나는\n", "there is no device 'cpu:7'"),
        (("--num-beam", 2), "나는\n", "--num-beams"),
        (("--input", "missing.txt"), "", "missing.txt: no such file"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, model_folder, words, text, said):
    ended = ask("translate", model_folder, *words, text=text)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_a_folder_with_senseless_settings_is_named(ask, tmp_path):
    write_model(tmp_path / "model", num_beams=0)
    ended = ask("translate", tmp_path / "model", text="나는\n")
    assert ended.code == 2
    assert "generation_config.json: num_beams: " in ended.err


def test_a_line_that_is_too_long_may_be_cut(ask, model_folder):
    ended = ask("translate", model_folder, *SHORT, "--too-long", "cut", text="나는 " * 40)
    assert ended.code == 0
    assert "warning: line 1" in ended.err


def test_no_input_gives_no_output(ask, model_folder):
    ended = ask("translate", model_folder, text="")
    assert (ended.code, ended.out) == (0, "")


def test_a_reader_that_leaves_ends_it_quietly(model_folder):
    with start(
        "translate",
        model_folder,
        *SHORT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        process.stdin.write("나는 간다\n".encode() * 50)
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")  # noqa: PTH110
def test_a_full_disk_is_one_sentence(model_folder):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        process = start(
            "translate", model_folder, *SHORT, stdin=subprocess.PIPE, stdout=full, stderr=subprocess.PIPE
        )
        _, err = process.communicate("나는\n".encode())
    assert process.returncode == 1
    assert err == b"error: cannot write to standard output: no space left on device\n"


def _interrupted(process):
    """The exit code after Ctrl-C, pressed again where a loaded machine was not yet waiting for a line."""
    for _ in range(6):
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(10)
    return None


def test_at_a_terminal_each_line_is_answered_before_the_next_and_control_c_ends_it(model_folder):
    keyboard, stdin = pty.openpty()
    process = start(
        "translate", model_folder, *SHORT, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.close(stdin)
    try:
        assert "Ctrl-D" in process.stderr.readline().decode()
        for line in ("나는 학교에 간다\n", "너는 집에 온다\n"):
            os.write(keyboard, line.encode())
            ready, _, _ = select.select([process.stdout], [], [], 30)
            assert ready
            assert process.stdout.readline().strip()
        assert _interrupted(process) == 130
        assert process.stderr.read() == b"error: interrupted\n"
    finally:
        process.kill()
        process.communicate()
        os.close(keyboard)
