"""A small package of plug-ins, so that choices are tested without any model."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.base.schemas import Recipe

from glassformer.base import plugins
from glassformer.base.config import load
from glassformer.base.errors import UserError

ROSE = """
from typing import Literal
from glassformer.base.config import Settings

PRESETS = {"small": {"petals": 3, "soil": {"depth": 1, "kind": "sand"}}}

class Soil(Settings):
    depth: int = 9
    kind: Literal["sand", "clay"] = "clay"

class Config(Settings):
    name: Literal["rose"] = "rose"
    petals: int
    soil: Soil = Soil()
"""

TULIP = """
from typing import Literal
from glassformer.base.config import Settings

class Config(Settings):
    name: Literal["tulip"] = "tulip"
    height: float = 0.3
"""


@pytest.fixture
def garden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``garden.flowers``: plug-ins rose and tulip, orchid which needs a package, and water which is none."""
    room = tmp_path / "path" / "garden" / "flowers"
    room.mkdir(parents=True)
    sources = {
        "rose": ROSE,
        "tulip": TULIP,
        "water": "litres = 3\n",
        "orchid": "import glasshouse_x\nclass Config: ...\n",
    }
    for name, source in sources.items():
        (room / f"{name}.py").write_text(source)
    for folder in (room, room.parent):
        (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(room.parents[1]))
    monkeypatch.setattr(plugins, "PACKAGE", "garden")
    for name in [name for name in sys.modules if name.split(".")[0] == "garden"]:
        monkeypatch.delitem(sys.modules, name)
    plugins._names.cache_clear()
    yield
    plugins._names.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "garden"]:
        del sys.modules[name]


@pytest.fixture
def read(tmp_path):
    def read(text, *overrides, schema=Recipe, **environ):
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return load(schema, path, overrides, environ)

    return read


@pytest.fixture
def complaint(read, tmp_path):
    def complaint(text, *overrides, **options):
        with pytest.raises(UserError) as caught:
            read(text, *overrides, **options)
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return complaint
