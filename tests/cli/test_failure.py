"""Whatever goes wrong ends as one sentence and an exit code, with a traceback only for those who ask."""

import pytest

from glassformer.base.errors import UserError


class OutOfMemoryError(RuntimeError):
    """Named as torch's, which is no MemoryError."""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("say it so"), 2, "error: say it so\n"),
        (
            ValueError("first line\nsecond"),
            1,
            "error: unexpected ValueError: first line (set GLASSFORMER_DEBUG=1",
        ),
        (RuntimeError(), 1, "error: unexpected RuntimeError: no further words"),
        (MemoryError(), 1, "error: there is not enough memory; use smaller batches"),
        (OutOfMemoryError("CUDA"), 1, "error: there is not enough memory"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
    ],
)
def test_an_error_is_a_sentence(ask, instead, error, code, said):
    instead("doctor", error)
    ended = ask("doctor", "--json")
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith(said)
    assert ended.err.count("\n") == 1


def test_a_traceback_is_for_those_who_ask(ask, instead, monkeypatch):
    monkeypatch.setenv("GLASSFORMER_DEBUG", "1")
    instead("doctor", ValueError("deep inside"))
    ended = ask("doctor")
    assert ended.code == 1
    assert ended.err.startswith("Traceback") and ended.err.splitlines()[-1].startswith("error: unexpected")
