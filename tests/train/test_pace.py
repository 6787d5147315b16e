"""Layers learn at their own pace: slower below, later below, and resumed they are where they were."""

import pytest
import torch

from glassformer.models import gpt, transformer
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.pace import Pace, depths, paces


def _model() -> gpt.Model:
    torch.manual_seed(0)
    return gpt.Model(
        gpt.Config(dim=8, depth=2, heads=2, max_length=6, vocab_size=9, dropout=0.0, attention_dropout=0.0)
    )


def _step(model, optimizer, step: int) -> None:
    optimizer.zero()
    optimizer.begin(step)
    with optimizer.micro_batch():
        model({"tokens": torch.tensor([[1, 2, 3]])}).float().square().sum().backward()
    optimizer.tail[1] += 1
    optimizer.step(0.01)


def test_depth_is_counted_from_the_top():
    told = depths(_model())
    assert (told["norm.weight"], told["blocks.1.mlp.up.weight"], told["blocks.0.mlp.up.weight"]) == (0, 1, 2)
    assert told["embedding.table.weight"] == told["embedding.positions.weight"] == 3
    config = transformer.Config(
        dim=8, heads=2, mlp_dim=8, depth=2, decoder_depth=1, vocab_size=9, target_vocab_size=9
    )
    both = depths(transformer.Model(config))
    assert (
        both["encoder.1.mlp.up.weight"],
        both["decoder.0.mlp.up.weight"],
        both["source.table.weight"],
    ) == (1, 1, 3)


def test_a_layer_below_learns_slower_by_the_factor():
    model = _model()
    before = {name: one.detach().clone() for name, one in model.named_parameters()}
    optimizer = Optimizer(model, OptimConfig(clip=None, eps=1e-20), paces=paces(model, decay=0.5))
    _step(model, optimizer, 1)
    moved = {name: float((one - before[name]).detach().abs().max()) for name, one in model.named_parameters()}
    assert moved["blocks.1.mlp.up.weight"] == pytest.approx(0.005, rel=1e-3)
    assert moved["blocks.0.mlp.up.weight"] == pytest.approx(0.0025, rel=1e-3)
    assert moved["embedding.table.weight"] == pytest.approx(0.00125, rel=1e-3)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_layers_are_freed_from_the_top_down_and_resume_exactly(bfloat16: bool):
    def run(stop: int | None) -> dict[str, torch.Tensor]:
        model = _model()
        asked = paces(model, every=2)
        settings = OptimConfig(weight_decay=0.1)
        optimizer = Optimizer(model, settings, bfloat16=bfloat16, paces=asked)
        before = optimizer.master.clone()
        for step in range(1, 8):
            _step(model, optimizer, step)
            for place in optimizer.places:
                same = torch.equal(place.view(optimizer.master), place.view(before))
                assert same == (step < place.pace.begins), (step, place.name)
                assert not same or not place.view(optimizer.moments["exp_avg"]).any()
            if step == stop:
                saved = {name: one.clone() for name, one in optimizer.state_dict().items()}
                model = _model()
                optimizer = Optimizer(model, settings, bfloat16=bfloat16, paces=asked)
                optimizer.load_state_dict(saved)
        return {name: one.clone() for name, one in optimizer.state_dict().items()}

    whole = run(None)
    assert {name for name in whole if name.startswith("step")} == {
        "step", "step.from.3", "step.from.5", "step.from.7",
    }  # fmt: skip
    for stop in (3, 5):
        again = run(stop)
        assert all(torch.equal(again[name], one) for name, one in whole.items())


def test_without_paces_the_buffers_are_cut_as_ever():
    model = _model()
    plain = Optimizer(model, OptimConfig(weight_decay=0.1))
    assert [one.decays for one in plain.stretches] == [True, False]
    assert len(Optimizer(_model(), OptimConfig()).stretches) == 1
    assert paces(model)["norm.weight"] == Pace()
