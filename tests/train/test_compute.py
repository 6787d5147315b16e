import pytest
import torch
import train_toys as toys

from glassformer.base.errors import RunError
from glassformer.data.example import Batch
from glassformer.train.compute import Gradients, mix
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.parallel import Group


def gradient(
    batches: list[Batch], dropout: float = 0.0, compiled: bool = False, step: int = 1
) -> torch.Tensor:
    model = toys.Toy(dropout=dropout)
    optimizer = Optimizer(model, OptimConfig())
    compute = Gradients(model, toys.NextToken(), optimizer, Group(), seed=1, compiled=compiled)
    compute(batches, step)
    return optimizer.buffer.clone()


def cut(batch: Batch, size: int) -> list[Batch]:
    rows = len(batch["tokens"])
    parts = [{name: tensor[at : at + size] for name, tensor in batch.items()} for at in range(0, rows, size)]
    return [Batch(part, int((part["labels"] != -100).sum())) for part in parts]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_one_batch_of_eight_equals_any_split_of_it(size):
    batch = toys.Counting(rows=8).batch(0)
    torch.testing.assert_close(gradient([batch]), gradient(cut(batch, size)), atol=1e-5, rtol=1e-5)


def test_loss_and_count_ride_behind_the_gradient():
    batch = toys.Counting(rows=8).batch(0)
    tail = gradient([batch])[-4:]
    loss = toys.NextToken().loss(toys.Toy(dropout=0), batch)
    assert tail.tolist() == pytest.approx([loss.total.item(), batch.count, 0, 0])


def test_a_batch_without_rows_adds_nothing():
    batch = toys.Counting().batch(0)
    assert torch.equal(gradient([batch]), gradient([Batch({}, 0), batch]))


def test_a_step_without_any_rows_has_no_gradient_of_the_step_before():
    model = toys.Toy()
    optimizer = Optimizer(model, OptimConfig(), bfloat16=True)
    compute = Gradients(model, toys.NextToken(), optimizer, Group(), seed=1, compiled=False)
    compute([toys.Counting().batch(0)], 1)
    assert optimizer.gradient.any()
    compute([Batch({}, 0)], 2)
    assert not optimizer.buffer.any()


def test_dropout_is_a_function_of_seed_and_step():
    batch = toys.Counting().batch(0)
    assert torch.equal(gradient([batch], dropout=0.5), gradient([batch], dropout=0.5))
    assert not torch.equal(gradient([batch], dropout=0.5), gradient([batch], dropout=0.5, step=2))


def test_seeds_spread():
    seeds = {
        mix(seed, step, part, rank)
        for seed in range(4)
        for step in range(50)
        for part in (0, 1)
        for rank in (0, 1)
    }
    assert len(seeds) == 800
    assert all(0 <= seed < 1 << 63 for seed in seeds)


def refuses(*_, **__):
    raise RuntimeError("no compiler here\nand a long trace")


class FailsBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError("backward does not compile")


@pytest.mark.parametrize(
    "fake",
    [
        refuses,
        lambda function, **_: refuses,
        lambda function, **_: lambda model, batch: FailsBackward.apply(function(model, batch)),
    ],
    ids=["when asked", "when called", "on the way back"],
)
def test_a_failing_compiler_falls_back_with_one_warning(monkeypatch, capsys, fake):
    monkeypatch.setattr(torch, "compile", fake)
    batches = [toys.Counting().batch(number) for number in range(3)]
    assert torch.equal(gradient(batches, dropout=0.3, compiled=True), gradient(batches, dropout=0.3))
    said = capsys.readouterr().err
    assert said.count("the compiler failed") == 1
    assert "long trace" not in said


def test_too_little_memory_is_one_sentence_with_advice(monkeypatch):
    def greedy(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(toys.NextToken, "loss", greedy)
    with pytest.raises(RunError, match=r"halve data\.tokens_per_batch"):
        gradient([toys.Counting().batch(0)])


@pytest.mark.slow
def test_compiled_gradients_equal_eager_ones():
    batches = [toys.Counting().batch(number) for number in range(4)]
    torch.testing.assert_close(gradient(batches, compiled=True), gradient(batches), atol=1e-5, rtol=1e-5)


def test_a_real_error_is_not_hidden_by_the_fallback(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    broken = Batch({"tokens": torch.tensor([[99]]), "labels": torch.tensor([[0]])}, 1)
    with pytest.raises(IndexError):
        gradient([broken], compiled=True)
