import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import train_toys as toys
from torch import nn

from glassformer.train.compute import Gradients
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.parallel import Group, group, joined, own_device
from glassformer.train.validate import mean_loss


def test_one_process_alone_needs_nobody():
    alone = Group()
    tensor = torch.ones(2)
    assert alone.first
    assert alone.sum_(tensor) is alone.share_(tensor) is tensor
    assert alone.share("x") == "x"
    assert alone.all(3) == [3]
    alone.wait()


def test_a_process_of_torchrun_knows_its_place_and_its_device(monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert group() == Group(3, 8)
    assert own_device(torch.device("cuda")) == torch.device("cuda", 1)
    assert own_device(torch.device("cpu")) == torch.device("cpu")


def gradient(model: nn.Module, ranks: Group) -> torch.Tensor:
    """The summed gradient of eight rows, dealt out to the ranks, with loss and count behind it."""
    optimizer = Optimizer(model, OptimConfig())
    compute = Gradients(model, toys.NextToken(), optimizer, ranks, seed=1, compiled=False)
    compute([toys.Counting(rows=8, rank=ranks.rank, ranks=ranks.size).batch(0)], 1)
    ranks.sum_(optimizer.buffer)
    return optimizer.buffer.clone()


def work(rank: int, folder: Path) -> None:
    """What each of two processes does; the results are files, named by rank."""
    os.environ.update(RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    with joined(torch.device("cpu")) as ranks:
        torch.save({"gradient": gradient(toys.Toy(dropout=0), ranks)}, folder / f"gradient{rank}")
        stream = toys.Counting(rows=8, rank=rank, ranks=2)
        model = toys.Toy(seed=rank, dropout=0)
        valid = mean_loss(model.eval(), toys.NextToken(), stream.once(), Group(), torch.device("cpu"))
        ranks.wait()
        plan = toys.settings(optim={"eps": 1e-3})
        outcome, model = toys.train(folder / "run", plan, model, stream=stream, valid=stream)
        result = {"weights": toys.weights(model), "loss": outcome.figures["loss"], "valid": valid["loss"]}
        torch.save(result, folder / f"run{rank}")
    dist.destroy_process_group()


def two(target, *arguments) -> None:
    processes = [toys.PROCESSES.Process(target=target, args=(rank, *arguments)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    two(work, folder)
    return folder


def test_two_ranks_of_four_have_the_gradient_of_one_of_eight(done):
    whole = gradient(toys.Toy(dropout=0), Group())
    for rank in range(2):
        found = torch.load(done / f"gradient{rank}")["gradient"]
        torch.testing.assert_close(found, whole, atol=1e-6, rtol=1e-6)


def test_two_ranks_train_as_one_process_does_and_end_equal(done, tmp_path):
    stream = toys.Counting(rows=8)
    plan = toys.settings(optim={"eps": 1e-3})
    outcome, model = toys.train(tmp_path, plan, toys.Toy(dropout=0), stream=stream, valid=stream)
    first, second = (torch.load(done / f"run{rank}") for rank in range(2))
    for name, tensor in toys.weights(model).items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        torch.testing.assert_close(first["weights"][name], tensor, atol=1e-5, rtol=0)
    assert first["loss"] == second["loss"] == pytest.approx(outcome.figures["loss"], abs=1e-5)
    assert len(toys.lines(done / "run")) == len(toys.lines(tmp_path))
