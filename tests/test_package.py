"""``import glassformer as gf``: instant, complete, and its verbs never hidden by rooms of their name."""

import subprocess
import sys

import pytest

import glassformer as gf


def run(code: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return told.stdout.strip()


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'torch', 'numpy', 'pydantic', 'tokenizers', 'rich', 'typer'}"
    assert run(f"import sys, glassformer; print({heavy} & set(sys.modules))") == "set()"


@pytest.mark.parametrize("name", gf.__all__)
def test_every_name_that_is_offered_is_there(name):
    assert getattr(gf, name) is not None
    assert name in dir(gf)


def test_a_name_that_is_not_offered_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        gf.trian  # noqa: B018


def test_a_verb_stays_a_verb_after_the_room_of_its_name_was_imported():
    code = """
import glassformer.train.settings, glassformer.evaluate.lengths, glassformer as gf
from glassformer.train.settings import TrainConfig
print(gf.train.__name__, gf.evaluate.__name__, TrainConfig.__name__, gf.recipes.ls()[0].name != "")
"""
    assert run(code) == "train evaluate TrainConfig True"


def test_what_needs_no_torch_does_not_load_it():
    code = "import sys, glassformer as gf; gf.recipes.ls(); gf.Decoding(); print('torch' in sys.modules)"
    assert run(code) == "False"
