"""Memory is what training and decoding really lay out, and an estimate says so where it is one."""

import pytest
import torch
from tests.contracts.cases import CASES
from torch import nn

from glassformer.api.memory import Batch, held, memory
from glassformer.base import plugins
from glassformer.models import gpt
from glassformer.train.optim import OptimConfig, Optimizer

SIZES = {"dim": 32, "depth": 2, "heads": 2, "vocab_size": 64, "max_length": 32}
MODELS = [
    pytest.param(name, case, id=f"{name}-{case.id}")
    for name in plugins.names("models")
    for case in CASES.get(name, [])[::3]
]


def counted(*, bfloat16: bool = False, rows: int = 2, length: int = 16, **settings):
    with torch.device("meta"):
        model = gpt.Model(gpt.Config(**(SIZES | settings)))
    return memory(model, OptimConfig(), Batch(rows, length), bfloat16=bfloat16)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_what_stays_is_what_the_optimiser_lays_out(bfloat16):
    model = gpt.Model(gpt.Config(**SIZES))
    told = held(model, OptimConfig(), bfloat16=bfloat16)
    real = Optimizer(model, OptimConfig(), bfloat16=bfloat16)
    buffers = [real.master, real.gradient, *real.moments.values(), real.low, real.low_gradient]
    bytes_held = sum(flat.numel() * flat.element_size() for flat in buffers if flat is not None)
    assert sum(told.values()) == bytes_held
    assert ("masters" in told) == bfloat16
    assert bytes_held >= (20 if bfloat16 else 16) * sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("bfloat16", [False, True])
def test_what_does_not_learn_has_no_gradient_and_no_moments(bfloat16):
    model = nn.Sequential(nn.Linear(64, 64, bias=False), nn.Linear(64, 64, bias=False))
    model[0].requires_grad_(False)
    told = held(model, OptimConfig(), bfloat16=bfloat16)
    learned = held(model[1], OptimConfig(), bfloat16=bfloat16)
    assert told == learned | {"frozen": 64 * 64 * (6 if bfloat16 else 4)}


def test_activations_are_what_autograd_keeps_of_a_real_step():
    sizes = {"dropout": 0.0, "attention_dropout": 0.0}
    model = gpt.Model(gpt.Config(**(SIZES | sizes))).train()
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden = model.hidden({"tokens": torch.zeros(2, 16, dtype=torch.long)})
    scores, of_hidden, of_matrix = 2 * 2 * 16 * 64 * 4, hidden.numel() * 4, 2 * 64 * 32 * 4
    assert counted(**sizes).activations == sum(kept.values()) + scores + of_hidden + of_matrix


def test_activations_grow_with_the_batch_and_shrink_in_bfloat16():
    small, large = counted(rows=4).activations, counted(rows=8).activations
    assert 1.5 * small < large < 2 * small
    assert counted(rows=64, bfloat16=True).activations < 0.7 * counted(rows=64).activations


@pytest.mark.parametrize(("name", "case"), MODELS)
def test_every_model_can_be_felt_out(name, case):
    module = plugins.find("models", name)
    with torch.device("meta"):
        model = module.Model(module.Config(**case.settings))
    found = memory(model, OptimConfig(), Batch(2, 8), bfloat16=True)
    assert found.activations is not None
    assert found.activations > 0
    assert (found.cache is None) == (not hasattr(model, "start"))


def test_a_model_that_needs_numbers_is_not_estimated_and_that_is_said():
    class Odd(nn.Module):
        abilities = ("generates",)

        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(5, 4)

        def hidden(self, batch):
            return self.table(batch["tokens"][: int(batch["tokens"].max())])

    found = memory(Odd(), OptimConfig(), Batch(2, 8), bfloat16=False)
    assert found.activations is None
    assert "cannot be estimated" in "\n".join(found.lines())
    assert found.total == sum(found.training.values())


def test_a_cache_holds_keys_and_values_of_every_layer():
    model = gpt.Model(gpt.Config(**SIZES)).eval()
    state = model.start(torch.ones(1, 10, dtype=torch.long))
    real = sum(part.numel() * 4 for slot in state.slots for part in slot.held())
    found = counted()
    assert found.cache == 100 * real == 1000 * 2 * 2 * 32 * 4
    assert found.state == 0


def test_a_recurrence_remembers_the_same_of_every_text():
    module = plugins.find("models", "seq2seq")
    none = next(case for case in CASES["seq2seq"] if case.settings.get("attention") == "none")
    with torch.device("meta"):
        model = module.Model(module.Config(**none.settings))
    found = memory(model, OptimConfig(), Batch(1, 8), bfloat16=False)
    assert found.cache == 0
    assert found.state > 0


def test_people_are_told_every_part_in_units_they_know():
    told = "\n".join(counted(bfloat16=True).lines())
    assert "weights" in told
    assert "masters" in told
    assert "activations about" in told
    assert "KiB" in told
    assert "batches of 2 rows of 16 tokens" in told
    assert "for every thousand tokens" in told
