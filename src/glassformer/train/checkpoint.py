"""The output folder of a run: what is saved where, in which order, and how it is found again."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

import glassformer
from glassformer.base import files
from glassformer.base.errors import RunError, UserError
from glassformer.data.stream import Position
from glassformer.train import metrics

try:
    import fcntl
except ImportError:  # Windows has no folder locks
    fcntl = None  # type: ignore[assignment]

FORMAT = 1
LAST, BEST, STATE = "last", "best", "train_state"
TENSORS, RECORD, RECIPE = "optimizer.safetensors", "state.json", "recipe.yaml"


@dataclass(frozen=True)
class Best:
    """The best value of a figure so far, and the step it was measured at."""

    metric: str
    value: float
    step: int


@dataclass
class RunState:
    """All that a run must know to go on, apart from the tensors.

    ``best`` chose ``best/``, whose ``figures`` are kept; ``aim`` is the best of the figure that early
    stopping follows, ``stale`` how many evaluations ago it was. ``loss_sum`` and ``loss_count`` gather the
    next line of ``metrics.jsonl``, ``epoch_sum`` and ``epoch_count`` that of the epoch. ``kept`` are the
    steps whose folders stand; ``evaluated`` is the step of the last evaluation; ``foreign`` are names in the
    run's folder that were there before it.
    """

    step: int = 0
    position: Position = field(default_factory=Position)
    best: Best | None = None
    aim: Best | None = None
    stale: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    loss_sum: float = 0.0
    loss_count: float = 0.0
    train_loss: float | None = None
    epoch_sum: float = 0.0
    epoch_count: float = 0.0
    tokens: int = 0
    seconds: float = 0.0
    kept: list[int] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    evaluated: int = -1


class Checkpoints:
    """The folder ``runs/x`` of one run.

    ::

        runs/x/            recipe.yaml, metrics.jsonl; at the end also the best model's files (hard links)
        runs/x/last/       a model folder, and train_state/ to resume from
        runs/x/best/       the model folder with the best figure
        runs/x/step-000500/   the model folders of the last saves

    Every folder is written under another name and swapped in when complete, so that a kill at any moment
    leaves a run that resumes. ``last/`` is the truth: what follows from it (``best/``, ``step-…/``,
    removals) is done after it and done again when a run resumes. Only folders listed in its record are ever
    removed.
    """

    def __init__(
        self, path: Path, save: Callable[[Path], None], *, identity: str, recipe: str, keep: int
    ) -> None:
        self.path, self.save, self.identity, self.recipe, self.keep = path, save, identity, recipe, keep
        self._held = -1

    def open(self, *, resume: bool) -> tuple[RunState, dict[str, Tensor]]:
        """Makes the folder ready; gives where to begin: what was saved when ``resume`` is set, else step 0
        and nothing.

        UserError when the folder holds another run, a run that was not asked to be resumed, a damaged one,
        or one that another process is training.
        """
        check_folder(self.path, resume=resume)
        self._lock()
        self._recover()
        if (self.path / LAST).exists():
            state, tensors = self._read()
            self._settle(state)
        else:
            # A run that was killed before its first save has written these three and nothing else.
            names = {path.name for path in self.path.iterdir()} - {metrics.NAME, RECIPE, BEST}
            state, tensors = RunState(foreign=sorted(names)), {}
        files.write_text(self.path / RECIPE, self.recipe)
        return state, tensors

    def _lock(self) -> None:
        """Holds the folder for this process until it ends, where the system can lock folders."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / metrics.NAME).touch()
        except OSError as error:
            raise RunError(f"cannot write {self.path}: {error.strerror}; choose another --output") from error
        if fcntl is None:
            return
        self._held = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise UserError(
                f"another process is training into {self.path}; wait for it or choose another --output"
            ) from error
        except OSError:
            return  # some network file systems have no locks

    def close(self) -> None:
        """Lets go of the folder."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def save_last(self, state: RunState, tensors: Mapping[str, Tensor], *, keep: bool) -> None:
        """Writes ``last/``, then what follows from it. After a RunError all stands as before."""
        if keep and self.keep and state.step not in state.kept:
            state.kept = [*state.kept, state.step]
        with files.building(self.path / LAST) as new:
            self.save(new)
            folder = new / STATE
            folder.mkdir()
            save_file(dict(tensors), folder / TENSORS)
            record = {
                "format": FORMAT,
                "identity": self.identity,
                "versions": versions(),
                "sha256": files.sha256(folder / TENSORS),
                "state": asdict(state),
            }
            files.write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")
        self._settle(state)

    def save_best(self) -> None:
        """Writes the model to ``best/``; at a step that is saved anyway, ``save_last`` does so by links."""
        with files.building(self.path / BEST) as new:
            self.save(new)

    def finish(self, state: RunState) -> list[str]:
        """Hard-links the best model's files into the run's own folder, so that ``runs/x`` opens as a model.

        Gives the names that were left out because files of these names were there before the run.
        """
        source = self.path / (BEST if (self.path / BEST).exists() else LAST)
        left = []
        for path in _model_files(source):
            name = path.relative_to(source)
            if name.parts[0] in state.foreign:
                left.append(str(name))
            elif str(name) not in (metrics.NAME, RECIPE):
                _place(path, self.path / name)
        return left

    def _settle(self, state: RunState) -> None:
        """Makes everything that follows from ``last/``; harmless to repeat."""
        if state.step in state.kept:
            self._link(folder_name(state.step))
        if state.best is not None and state.best.step == state.step:
            self._link(BEST)
        gone = state.kept[: -self.keep] if self.keep else state.kept
        for step in gone:
            shutil.rmtree(self.path / folder_name(step), ignore_errors=True)
        state.kept = state.kept[len(gone) :]

    def _link(self, name: str) -> None:
        """A model folder with the files of ``last/``, without its training state."""
        source = self.path / LAST
        with files.building(self.path / name) as new:
            for path in _model_files(source):
                _place(path, new / path.relative_to(source))

    def _recover(self) -> None:
        """Finishes or undoes the swaps that a killed run left half done."""
        if self.path.exists():
            steps = {
                re.sub(r"^\.glassformer-(old|new)-", "", left.name) for left in self.path.glob("*step-*")
            }
            for name in {LAST, BEST, *steps}:
                files.recover_folder(self.path / name)

    def _read(self) -> tuple[RunState, dict[str, Tensor]]:
        """The saved state, checked from the outside in: record, its owner, the tensors' digest."""
        record_path, tensors_path = (self.path / LAST / STATE / name for name in (RECORD, TENSORS))
        damaged = (
            f"start the run again in another --output, or remove {self.path / LAST} to begin from step 0"
        )
        try:
            record = json.loads(record_path.read_text(encoding="utf-8"))
            if not isinstance(record, dict) or record.get("format") != FORMAT:
                raise UserError(f"{record_path} is not a training state that this version reads; {damaged}")
            state = TypeAdapter(RunState).validate_python(record["state"])
            digest, identity = record["sha256"], record["identity"]
        except (OSError, ValueError, KeyError, ValidationError) as error:
            raise UserError(
                f"{record_path} is missing or damaged ({type(error).__name__}); {damaged}"
            ) from error
        if identity != self.identity:
            raise UserError(
                f"{self.path} holds another run: its model, objective, data or seed differ; resume it "
                f"with the recipe in {self.path / RECIPE}, or choose another --output"
            )
        if not tensors_path.is_file():
            raise UserError(f"{tensors_path} is missing; {damaged}")
        try:
            if files.sha256(tensors_path) != digest:
                raise UserError(f"{tensors_path} is damaged: it is not the file that was saved; {damaged}")
            return state, load_file(tensors_path)
        except (OSError, SafetensorError) as error:
            raise UserError(f"{tensors_path} is damaged ({error}); {damaged}") from error


def check_folder(path: Path, *, resume: bool) -> None:
    """Refuses (UserError) a folder that holds something else, or a run that was not asked to be resumed."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # it will be made, or refused with advice
    except OSError as error:
        raise UserError(f"cannot use {path}: {error.strerror}; choose another --output") from error
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; --output must be a folder")
    begun = (path / metrics.NAME).exists() or (path / LAST / STATE).exists()
    if begun and not resume:
        raise UserError(
            f"{path} already holds a run; add --resume to go on with it, or choose another --output"
        )
    names = (LAST, BEST, RECIPE, "config.json", "model.safetensors", "model.safetensors.index.json",
             "adapter_config.json", "adapter_model.safetensors")  # fmt: skip
    for name in () if begun else names:
        if (path / name).exists():
            raise UserError(f"{path} holds {name} of something else, not of a run; choose another --output")


def folder_name(step: int) -> str:
    """``step-000500`` for step 500."""
    return f"step-{step:06d}"


def versions() -> dict[str, str]:
    """What exactness depends on besides the recipe."""
    return {
        "glassformer": glassformer.__version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
    }


def _model_files(folder: Path) -> list[Path]:
    """Every file of a model folder; weights first, so that what names them is never there without them."""
    found = (
        path for path in folder.rglob("*") if path.is_file() and STATE not in path.relative_to(folder).parts
    )
    return sorted(found, key=lambda path: (path.suffix != ".safetensors", path))


def _place(source: Path, target: Path) -> None:
    """Links weights; copies text, which a user may edit in one place and not mean the other."""
    if source.suffix == ".safetensors":
        files.link_or_copy(source, target)
    else:
        files.write_bytes(target, source.read_bytes())


def identity(parts: Mapping[str, Any]) -> str:
    """A short text that is equal for equal parts; the parts must be JSON."""
    return json.dumps(parts, sort_keys=True)
