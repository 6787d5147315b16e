"""What holds for every test: shapes are checked, nothing is fetched, nothing is written at home."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_CACHE = tempfile.mkdtemp(prefix="glassformer-tests-")

os.environ.update(
    GLASSFORMER_CACHE=_CACHE,
    HF_HUB_OFFLINE="1",
    NO_COLOR="1",
    OMP_NUM_THREADS="1",
    PYTHONPATH=os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH")))),
    TOKENIZERS_PARALLELISM="false",
)
for _name in [name for name in os.environ if name.startswith("GLASSFORMER_") and "__" in name]:
    del os.environ[_name]

from typing import runtime_checkable  # noqa: E402

import jaxtyping  # noqa: E402 - the environment must stand before anything reads it
from pydantic_core import core_schema  # noqa: E402

# Protocols of pydantic that cannot be checked as they come.
for _protocol in (core_schema.ValidationInfo, core_schema.SerializationInfo):
    runtime_checkable(_protocol)

# Every function of the package checks its shapes and types in tests. This must stand before its first import.
# As in PEP 484, a whole number may stand where a float is asked for.
_HOOK = jaxtyping.install_import_hook(
    "glassformer", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
)

import shutil  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402

# The workers of pytest-xdist share the cores; with one thread each, sums also come out alike everywhere.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _same_chance_everywhere() -> None:
    torch.manual_seed(0)


def pytest_unconfigure() -> None:
    shutil.rmtree(_CACHE, ignore_errors=True)
