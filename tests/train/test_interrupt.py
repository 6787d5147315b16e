import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import train_toys as toys

from glassformer.base.errors import UserError
from glassformer.train.interrupt import Interrupt


def run(folder: Path, pause: float, steps: int) -> None:
    """A run in a process of its own; each step takes a while."""

    class Slow(toys.Counting):
        def batches(self, position=toys.Position()):  # noqa: B008
            for item in super().batches(position):
                (folder.parent / "began").touch()
                time.sleep(pause)
                yield item

    os.fsync = lambda _: None
    try:
        toys.train(folder, toys.settings(steps=steps), stream=Slow(), resume=True)
    except UserError as error:
        sys.exit(error.exit_code)


def start(folder: Path, pause: float = 0.01, steps: int = 100_000):
    process = toys.PROCESSES.Process(target=run, args=(folder, pause, steps))
    process.start()
    return process


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_saving_and_it_goes_on_exactly(tmp_path, number, code):
    process = start(tmp_path / "run")
    wait_for(tmp_path / "run" / "last")
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode == code
    lines = toys.lines(tmp_path / "run")
    plan = toys.settings(steps=lines[-1]["step"] + 7, evaluate_every=0)
    _, resumed = toys.train(tmp_path / "run", plan, resume=True)
    _, whole = toys.train(tmp_path / "whole", plan)
    assert toys.same(toys.weights(resumed), toys.weights(whole))


def test_a_second_ctrl_c_ends_at_once(tmp_path):
    process = start(tmp_path / "run", pause=30)
    wait_for(tmp_path / "began")
    while process.is_alive():
        os.kill(process.pid, signal.SIGINT)
        process.join(0.2)
    assert process.exitcode == -signal.SIGINT
    assert not (tmp_path / "run" / "last").exists()


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.number == signal.SIGTERM
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_signals_are_left_alone(tmp_path):
    found = []

    def body() -> None:
        outcome, _ = toys.train(tmp_path, toys.settings(steps=2))
        found.append(outcome.steps)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found == [2]


@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path, kills):
    steps, chance, killed = 40 * kills, random.Random(1), []
    (tmp_path / "run").mkdir()
    for _ in range(kills):
        process = start(tmp_path / "run", 0.0, steps)
        seen = (tmp_path / "run").stat().st_mtime_ns
        while (tmp_path / "run").stat().st_mtime_ns == seen and process.is_alive():
            time.sleep(0.001)
        time.sleep(chance.random() * 0.3)
        process.kill()
        process.join()
        killed.append(process.exitcode)
    assert killed[0] == -signal.SIGKILL
    process = start(tmp_path / "run", 0.0, steps)
    process.join(120)
    assert process.exitcode == 0
    _, whole = toys.train(tmp_path / "whole", toys.settings(steps=steps))
    _, resumed = toys.train(tmp_path / "run", toys.settings(steps=steps), toys.Toy(seed=9), resume=True)
    assert toys.same(toys.weights(whole), toys.weights(resumed))
    left, right = (
        [{name: line.get(name) for name in ("kind", "step", "loss", "tokens")} for line in toys.lines(folder)]
        for folder in (tmp_path / "whole", tmp_path / "run")
    )
    assert left == right
    names = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("whole", "run")]
    assert names[0] == names[1]
    for name in ("best", "last", "."):
        weights = [toys.load_file(tmp_path / run / name / "model.safetensors") for run in ("whole", "run")]
        assert toys.same(*weights)
