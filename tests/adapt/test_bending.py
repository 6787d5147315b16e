"""What of a bent model learns, and what is refused before anything is read."""

import pytest
from torch import nn

from glassformer.adapt import bending, full, probe
from glassformer.base.errors import UserError


def test_everything_learns_unless_a_way_keeps_the_base():
    body = nn.Linear(3, 2)
    bending.bend(full.Config(), body, None)
    assert bending.trained(body) == 8
    bending.bend(probe.Config(), body, None)
    assert bending.trained(body) == 0
    assert bending.trained(nn.Sequential(body, nn.Linear(2, 2))) == 6


def test_a_way_that_keeps_the_base_needs_one():
    bending.check(full.Config(), started=False, headed=False)
    bending.check(probe.Config(), started=True, headed=True)
    with pytest.raises(UserError, match=r"probe bends a trained model.*name a model folder in init"):
        bending.check(probe.Config(), started=False, headed=True)
    with pytest.raises(UserError, match="probe trains the head alone, and this objective brings none"):
        bending.check(probe.Config(), started=True, headed=False)


def test_what_trains_nothing_is_no_way_to_train(monkeypatch):
    monkeypatch.delattr(probe, "bend")
    with pytest.raises(UserError, match=r"probe trains nothing.*use glassformer shots"):
        bending.check(probe.Config(), started=True, headed=True)
