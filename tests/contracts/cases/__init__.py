"""For every model a file of its name: ``CASES`` that reach all its branches, ``ORACLES`` that agree with it.

A model file with ``names`` and no file here fails the contracts, so that no new model is left untested.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from tests.contracts.case import Case, Oracle

_FILES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")
_MODULES = {name: importlib.import_module(f"{__name__}.{name}") for name in _FILES}

CASES: Mapping[str, list[Case]] = {name: module.CASES for name, module in _MODULES.items()}
ORACLES: Mapping[str, list[Oracle]] = {
    name: getattr(module, "ORACLES", []) for name, module in _MODULES.items()
}
