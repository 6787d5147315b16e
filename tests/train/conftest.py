"""Lets the tests of this room, and the processes they start, share the toy run beside them."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """A process that is killed loses nothing that it has handed to the system; only a power cut would."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
