"""Ctrl-C and SIGTERM as a wish that the loop asks about between steps; what it does then stands there."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Inside ``with``, a signal is only noted in ``number``; a second Ctrl-C ends the process at once.

    A second one within a second counts as the first: the terminal and torchrun both send what one key said.

    Signals reach only the main thread; in any other thread this notes nothing and changes nothing.
    """

    def __init__(self) -> None:
        self.number = 0
        self._since = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _note(self, number: int, _: FrameType | None) -> None:
        if not self.number:
            self._since = time.monotonic()
        elif number == signal.SIGINT and time.monotonic() - self._since > 1:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.number = number
