import copy

import pytest
import torch
import train_toys as toys
from torch import nn

from glassformer.base.errors import UserError
from glassformer.train.optim import OptimConfig, Optimizer


def backward(model: nn.Module, number: int, count: int = 5) -> None:
    torch.manual_seed(number)
    rows = torch.randint(0, toys.VOCAB, (count, 4))
    model(rows).float().square().sum().backward()


def flat_steps(model: nn.Module, config: OptimConfig, steps: int, micro: int = 1, **more) -> Optimizer:
    optimizer = Optimizer(model, config, **more)
    for step in range(steps):
        optimizer.zero()
        for part in range(micro):
            with optimizer.micro_batch():
                backward(model, step * micro + part)
        optimizer.tail[1] = 5.0 * micro
        optimizer.step(0.01 * (step + 1))
    return optimizer


def oracle_steps(model: nn.Module, config: OptimConfig, steps: int) -> None:
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    decays = [p for p in model.parameters() if p.ndim >= 2 and p.requires_grad]
    others = [p for p in model.parameters() if p.ndim < 2 and p.requires_grad]
    groups = [
        {"params": decays, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    adam = kind(groups, betas=config.betas, eps=config.eps, foreach=False, fused=False)
    for step in range(steps):
        adam.zero_grad()
        backward(model, step)
        for parameter in decays + others:
            parameter.grad /= 5.0
        if config.clip:
            nn.utils.clip_grad_norm_(decays + others, config.clip)
        for group in adam.param_groups:
            group["lr"] = 0.01 * (step + 1)
        adam.step()


@pytest.mark.parametrize("name", ["adam", "adamw"])
@pytest.mark.parametrize(("clip", "decay"), [(None, 0.1), (0.3, 0.1), (0.3, 0.0)])
def test_flat_adam_equals_pytorchs_adam_on_separate_parameters(name, clip, decay):
    config = OptimConfig(name=name, weight_decay=decay, clip=clip)
    model, other = toys.Toy(dropout=0), toys.Toy(dropout=0)
    flat_steps(model, config, 6)
    oracle_steps(other, config, 6)
    for (key, left), right in zip(model.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=1e-6, rtol=0, msg=key)


def test_weights_and_gradients_are_views_of_one_buffer_each_and_a_tied_weight_has_one_place():
    model = toys.Toy()
    optimizer = Optimizer(model, OptimConfig())
    storage = optimizer.master.untyped_storage().data_ptr()
    assert {p.untyped_storage().data_ptr() for p in model.parameters()} == {storage}
    assert len({p.grad.untyped_storage().data_ptr() for p in model.parameters()}) == 1
    assert model.output.weight is model.embed.weight
    assert [place.name for place in optimizer.places].count("embed.weight") == 1
    assert "output.weight" not in [place.name for place in optimizer.places]


def test_moving_in_and_out_changes_no_weight_and_no_buffer():
    model = toys.Toy()
    before = toys.weights(model)
    Optimizer(model, OptimConfig()).release()
    assert toys.same(before, toys.weights(model))


def test_a_frozen_parameter_and_a_buffer_stay_what_they_are():
    model = toys.Toy()
    model.mix.weight.requires_grad_(False)
    before = model.mix.weight.clone()
    optimizer = flat_steps(model, OptimConfig(weight_decay=0.5), 3, bfloat16=True)
    assert model.mix.weight.dtype == torch.bfloat16
    assert model.seen.dtype == torch.float32
    optimizer.release()
    assert torch.equal(model.mix.weight, before)
    assert model.mix.weight.grad is None


def test_a_model_without_trainable_parameters_is_refused():
    with pytest.raises(UserError, match="no trainable parameter"):
        Optimizer(toys.Toy().requires_grad_(False), OptimConfig())


def test_bfloat16_gradients_are_summed_in_float32():
    model = toys.Toy(dropout=0)
    optimizer = Optimizer(model, OptimConfig(), bfloat16=True)
    optimizer.zero()
    for _ in range(300):
        with optimizer.micro_batch():
            model.output.bias.grad += 1.0
    place = next(place for place in optimizer.places if place.name == "output.bias")
    assert torch.equal(place.view(optimizer.gradient), torch.full((toys.VOCAB,), 300.0))


def test_bfloat16_masters_move_by_less_than_bfloat16_can_see():
    model = nn.Linear(4, 4)
    nn.init.constant_(model.weight, 0.3)
    optimizer = Optimizer(model, OptimConfig(clip=None), bfloat16=True)
    start, rounded = optimizer.master.clone(), model.weight.clone()
    for _ in range(3):
        optimizer.zero()
        with optimizer.micro_batch():
            model.weight.grad.fill_(1)
        optimizer.step(1e-6)
    assert torch.equal(model.weight, rounded)
    moved = start[:16] - optimizer.master[:16]
    torch.testing.assert_close(moved, torch.full((16,), 3e-6), atol=1e-7, rtol=0)


def test_saving_sees_float32_weights_and_training_goes_on_in_bfloat16():
    model = toys.Toy()
    optimizer = flat_steps(model, OptimConfig(), 2, bfloat16=True)
    gradient = model.mix.weight.grad.data_ptr()
    with optimizer.full():
        assert model.mix.weight.dtype == torch.float32
        assert model.mix.weight.data_ptr() in range(
            optimizer.master.data_ptr(), optimizer.master.data_ptr() + 4 * len(optimizer.master)
        )
    assert model.mix.weight.dtype == torch.bfloat16
    assert model.mix.weight.grad.data_ptr() == gradient


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_changes_nothing(bad):
    model = toys.Toy()
    optimizer = flat_steps(model, OptimConfig(weight_decay=0.1), 2)
    before = copy.deepcopy(optimizer.state_dict())
    optimizer.gradient[3] = bad
    norm = optimizer.step(0.1)
    assert not torch.isfinite(norm)
    assert toys.same(before, optimizer.state_dict())
    assert optimizer.finite()


def test_the_norm_is_that_of_the_mean_gradient_before_clipping():
    model = nn.Linear(2, 1, bias=False)
    optimizer = Optimizer(model, OptimConfig(clip=0.1))
    optimizer.zero()
    model.weight.grad.copy_(torch.tensor([[6.0, 8.0]]))
    optimizer.tail[1] = 2.0
    assert optimizer.step(0.1).item() == pytest.approx(5.0)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_state_goes_on_exactly_in_another_optimizer(bfloat16):
    model, other = toys.Toy(dropout=0), toys.Toy(seed=3, dropout=0)
    config = OptimConfig(weight_decay=0.1)
    first = flat_steps(model, config, 3, bfloat16=bfloat16)
    second = Optimizer(other, config, bfloat16=bfloat16)
    second.load_state_dict(first.state_dict())
    for optimizer, net in ((first, model), (second, other)):
        optimizer.zero()
        with optimizer.micro_batch():
            backward(net, 9)
        optimizer.step(0.1)
    assert toys.same(first.state_dict(), second.state_dict())


def test_a_state_of_another_model_is_refused_in_one_sentence():
    first = Optimizer(toys.Toy(), OptimConfig())
    second = Optimizer(nn.Linear(3, 3), OptimConfig())
    with pytest.raises(UserError, match="of another model"):
        second.load_state_dict(first.state_dict())
