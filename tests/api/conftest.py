"""One tiny model folder for all tests of this room, and the folder its writer lies in."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tiny_folder import write_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that tests only read."""
    return write_model(tmp_path_factory.mktemp("tiny") / "model")
