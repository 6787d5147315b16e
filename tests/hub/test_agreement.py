"""The batch that models are compared on, and what counts as the same."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
import torch
from tests.contracts.cases import CASES

from glassformer.base import plugins
from glassformer.base.errors import RunError
from glassformer.hub.agreement import check, difference, here, oracle, probe

ONES = [(name, case) for name, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(("name", "case"), ONES, ids=[f"{name}-{case.id}" for name, case in ONES])
def test_every_model_answers_a_batch_of_its_own_with_padding(name: str, case: Any) -> None:
    module = plugins.find("models", name)
    model = module.Model(module.Config(**case.settings)).eval()
    batch, again = probe(model), probe(model)
    assert all(torch.equal(batch[key], again[key]) for key in batch)
    said = here(model, batch)
    assert all(one.isfinite().all() for one in said)
    for tokens, keep in (("tokens", "keep"), ("source", "source_keep")):
        if tokens in batch:
            pad_id = model.config.pad_id
            assert not batch[keep].all() and batch[keep].any(dim=1).all()
            assert (batch[tokens][batch[keep]] != pad_id).all()
            assert (batch[tokens][~batch[keep]] == pad_id).all()
            assert batch[tokens].max() < model.config.vocab_size


def test_the_largest_difference_counts_and_what_is_no_number_is_none() -> None:
    one, other = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5])
    assert difference((one, one), (one, other)) == 0.5
    assert difference((one,), (one * torch.nan,)) == float("inf")
    assert difference((one,), (one[:1],)) == float("inf")
    check("it", 1e-3)
    with pytest.raises(RunError, match="it: scores differ by inf"):
        check("it", float("inf"))


def test_transformers_is_none_where_it_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *given: Any) -> Any:
        if name == "transformers":
            raise ModuleNotFoundError(name)
        return whole(name, *given)

    monkeypatch.setattr(builtins, "__import__", without)
    assert oracle() is None
