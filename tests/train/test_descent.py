"""Plain descent: rows move as PyTorch's SGD moves whole tables, alone, in parts, on ranks and resumed."""

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import train_toys as toys
from torch import nn
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.train.compute import Gradients
from glassformer.train.descent import Descent, optimizer
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.parallel import Group, joined

SGD = {"name": "sgd", "clip": None}


class Table(nn.Module):
    """A table of which only some rows are read, and a weight that is whole."""

    def __init__(self, sparse: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(50, 4)
        self.mix = nn.Linear(4, 4)
        self.sparse = sparse

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        read = functional.embedding(rows, self.table.weight, sparse=self.sparse)
        return self.mix(read).float().square().sum()


def steps(model: Table, config: OptimConfig, micro: int = 1, **more: bool) -> Optimizer:
    moved = optimizer(model, config, **more)
    for step in range(5):
        moved.zero()
        rows = torch.randint(0, 50, (6,), generator=torch.Generator().manual_seed(step))
        for part in rows.chunk(micro):
            with moved.micro_batch():
                model.loss(part).backward()
        moved.tail[1] = 6.0
        moved.step(0.02 * (step + 1))
    return moved


def by_pytorch(model: Table, config: OptimConfig) -> None:
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    for step in range(5):
        sgd.zero_grad()
        rows = torch.randint(0, 50, (6,), generator=torch.Generator().manual_seed(step))
        (model.loss(rows) / 6).backward()
        if config.clip:
            nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        sgd.param_groups[0]["lr"] = 0.02 * (step + 1) * (6 if config.per == "answer" else 1)
        sgd.step()


@pytest.mark.parametrize("per", ["mean", "answer"])
@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("micro", [1, 3])
def test_rows_move_as_whole_tables_do_in_pytorch(per, clip, sparse, micro):
    config = OptimConfig(name="sgd", per=per, clip=clip)
    model, other = Table(sparse), Table(sparse=False)
    moved = steps(model, config, micro)
    by_pytorch(other, config)
    moved.release()
    for left, right in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=1e-6, rtol=1e-5)


def test_the_gradient_of_a_table_stays_a_gradient_of_rows():
    model = Table(sparse=True)
    moved = steps(model, OptimConfig(**SGD))
    assert isinstance(moved, Descent)
    assert model.table.weight.grad.is_sparse
    assert moved.gradient.numel() == 0


def test_in_bfloat16_the_model_computes_with_what_its_masters_round_to():
    model = Table(sparse=True)
    start = model.table.weight.detach().clone()
    moved = steps(model, OptimConfig(**SGD), bfloat16=True)
    assert model.table.weight.dtype == model.mix.weight.dtype == torch.bfloat16
    assert torch.equal(moved.low, moved.master.bfloat16())
    moved.release()
    assert model.table.weight.dtype == torch.float32
    assert not torch.equal(model.table.weight, start)


def test_a_gradient_that_is_no_number_moves_nothing():
    model = Table(sparse=True)
    moved = optimizer(model, OptimConfig(**SGD))
    before = moved.master.clone()
    moved.zero()
    (model.loss(torch.tensor([3])) * float("inf")).backward()
    moved.tail[1] = 1
    assert not torch.isfinite(moved.step(0.1))
    assert torch.equal(moved.master, before)


@pytest.mark.parametrize("sparse", [False, True])
def test_no_row_goes_further_in_a_step_than_it_may(sparse):
    model, free = Table(sparse), Table(sparse)
    ways = []
    for table, most in ((model, 0.05), (free, None)):
        moved = optimizer(table, OptimConfig(**SGD, clip_row=most))
        before = {place.name: place.view(moved.master).clone() for place in moved.places}
        moved.zero()
        table.loss(torch.tensor([3] * 40 + [4])).backward()
        moved.tail[1] = 1
        moved.step(0.01)
        ways.append({place.name: place.view(moved.master) - before[place.name] for place in moved.places})
    for name, way in ways[0].items():
        length, whole = (one.reshape(len(one), -1) for one in (way, ways[1][name]))
        wanted = whole * (0.05 / whole.norm(dim=1).clamp(min=1e-9)).clamp(max=1)[:, None]
        torch.testing.assert_close(length, wanted, atol=1e-6, rtol=1e-4)
    assert ways[1]["table.weight"][3].norm() > 0.05 > ways[1]["table.weight"][4].norm() > 0


def test_a_step_without_answers_moves_nothing():
    moved = steps(Table(sparse=True), OptimConfig(**SGD))
    before = moved.master.clone()
    moved.zero()
    moved.idle()
    assert moved.step(0.1) == 0
    assert torch.equal(moved.master, before)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "sgd", "weight_decay": 0.1}, "no weight decay"),
        ({"per": "answer"}, "adamw has no per"),
        ({"clip_row": 1}, "no clip_row"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        OptimConfig(**wrong)


def test_the_name_chooses_the_optimiser():
    assert type(optimizer(Table(sparse=False), OptimConfig())) is Optimizer
    assert type(optimizer(Table(sparse=False), OptimConfig(name="sgd"))) is Descent


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(tmp_path, precision):
    plan = {"precision": precision, "accumulate": 2, "optim": {**SGD, "lr": 0.3, "weight_decay": 0}}
    _, whole = toys.train(tmp_path / "whole", toys.settings(**plan))
    toys.train(tmp_path / "parts", toys.settings(**plan, steps=5))
    _, resumed = toys.train(tmp_path / "parts", toys.settings(**plan), toys.Toy(seed=5), resume=True)
    assert toys.same(toys.weights(whole), toys.weights(resumed))
    assert not toys.same(toys.weights(whole), toys.weights(toys.Toy()))


def test_the_state_of_another_optimiser_is_refused():
    state = optimizer(Table(sparse=True), OptimConfig()).state_dict()
    with pytest.raises(UserError, match="of another model"):
        optimizer(Table(sparse=True), OptimConfig(**SGD)).load_state_dict(state)


class Rows(toys.NextToken):
    """The objective of ``Table``; rows are dealt out to the ranks."""

    def loss(self, model: Table, batch: toys.Batch) -> toys.Loss:
        total = model.loss(batch["rows"])
        return toys.Loss(total, {"nll": total.detach()})


def moved_by(ranks: Group, rows: list[int]) -> dict[str, torch.Tensor]:
    model = Table(sparse=True)
    moving = optimizer(model, OptimConfig(**SGD))
    gradients = Gradients(model, Rows(), moving, ranks, seed=1, compiled=False)
    mine = torch.tensor(rows[ranks.rank :: ranks.size])
    gradients([toys.Batch({"rows": mine}, len(mine))], 1)
    moving.sum_over(ranks)
    moving.step(0.1)
    moving.release()
    return {**model.state_dict(), "tail": moving.tail}


def work(rank: int, folder: Path) -> None:
    """What each of two processes does; the second has nothing to learn from in the second case."""
    os.environ.update(RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    with joined(torch.device("cpu")) as ranks:
        torch.save([moved_by(ranks, [4, 9, 4, 7, 30]), moved_by(ranks, [8])], folder / f"moved{rank}")
    dist.destroy_process_group()


def test_two_ranks_move_as_one_process_does_also_when_one_has_nothing(tmp_path):
    both = [toys.PROCESSES.Process(target=work, args=(rank, tmp_path)) for rank in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    for number, rows in enumerate(([4, 9, 4, 7, 30], [8])):
        alone = moved_by(Group(), rows)
        for rank in range(2):
            found = torch.load(tmp_path / f"moved{rank}")[number]
            for name, tensor in alone.items():
                torch.testing.assert_close(found[name], tensor, atol=1e-6, rtol=1e-6)
