"""What the contracts share: a folder trained through the front door, and a machine left as it was found."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.contracts.small_runs import write_recipe

import glassformer as gf


@pytest.fixture(autouse=True)
def _machine_as_it_was() -> Iterator[None]:
    """``gf.train`` and ``gf.load`` choose threads and precision for the whole process."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder that tests only read: it knows its eight sentences."""
    folder = tmp_path_factory.mktemp("trained")
    gf.train(write_recipe(folder), output=folder / "run")
    return folder / "run"
