"""How models are used is told once for every ability, and nothing of it is left blank."""

from __future__ import annotations

import pytest

from glassformer.base import plugins
from glassformer.hub.uses import USES


def test_every_ability_of_every_model_has_its_use() -> None:
    models = [plugins.find("models", name).Model for name in plugins.names("models")]
    assert {ability for model in models for ability in model.abilities} <= set(USES)


@pytest.mark.parametrize("ability", USES)
def test_a_use_names_commands_of_ours_and_the_folder(ability: str) -> None:
    use = USES[ability]
    assert use.verbs.startswith("glassformer ")
    assert "glassformer " in use.command.format(folder="runs/x")
    assert "runs/x" in use.command.format(folder="runs/x")
    assert "model." in use.python
    assert use.limits
    assert all(limit.endswith(".") for limit in use.limits)
