"""Typing commands in this process, functions that answer at once, and one tiny model folder."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import glassformer as gf
from glassformer.cli import app

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

from tiny_folder import write_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that tests only read."""
    return write_model(tmp_path_factory.mktemp("tiny") / "model")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """The JSON on the last line."""
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture
def ask() -> Callable[..., Ended]:
    """Types a command: ``ask("recipes", "ls")``; ``text`` is what comes on stdin."""

    def run(*words: object, text: str | bytes = "") -> Ended:
        found = CliRunner().invoke(app, [str(word) for word in words], input=text)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Ended(found.exit_code, found.stdout, found.stderr)

    return run


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Lets a function of ``glassformer`` answer at once: ``instead("train", {...})`` gives the calls made."""

    def replace(name: str, answer: Any) -> list[Any]:
        calls: list[Any] = []

        def fake(*given: Any, **named: Any) -> Any:
            calls.append((given, named))
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setitem(vars(gf), name, fake)
        return calls

    return replace
