import math

import pytest
import torch
import train_toys as toys

from glassformer.base.errors import RunError, UserError
from glassformer.data.stream import Position
from glassformer.train.trainer import EarlyStopping


def test_a_run_learns_and_says_what_it_came_to(tmp_path):
    outcome, model = toys.train(tmp_path, toys.settings(steps=40, optim={"lr": 0.1}))
    assert (outcome.steps, outcome.reason, outcome.output) == (40, "steps", tmp_path)
    assert outcome.figures["loss"] < 2 < toys.lines(tmp_path)[0]["loss"]
    assert outcome.best.step > 0
    assert outcome.best.value == min(line["loss"] for line in toys.lines(tmp_path) if line["kind"] == "valid")
    assert outcome.tokens == sum(toys.Counting().batch(number).count for number in range(40))
    assert all(p.dtype == torch.float32 and p.grad is None for p in model.parameters())


def test_the_figures_of_a_run_are_those_of_its_best_model(tmp_path):
    values = iter([1.0, 5.0, 3.0, 2.0])
    plan = toys.settings(steps=10, best="bleu")
    outcome, _ = toys.train(tmp_path, plan, evaluate=lambda _: {"bleu": next(values)})
    assert (outcome.best.step, outcome.figures["bleu"]) == (4, 5.0)
    at_best = [line for line in toys.lines(tmp_path) if line["kind"] == "valid" and line["step"] == 4]
    assert outcome.figures["loss"] == at_best[0]["loss"]


def test_metrics_have_an_evaluation_before_the_first_step_during_and_at_the_end(tmp_path):
    toys.train(tmp_path, toys.settings(steps=10))
    lines = toys.lines(tmp_path)
    assert [line["step"] for line in lines if line["kind"] == "valid"] == [0, 4, 8, 10]
    assert [line["step"] for line in lines if line["kind"] == "train"] == [3, 6, 9, 10]
    assert {"loss", "lr", "gradient_norm", "tokens_per_second"} <= lines[-2].keys()
    assert {"loss", "right"} <= lines[-1].keys()


def test_validation_loss_is_per_answer_and_without_dropout(tmp_path):
    model = toys.Toy().eval()
    batches = list(toys.Counting().once())
    total = sum(toys.NextToken().loss(model, batch).total.item() for batch in batches)
    toys.train(tmp_path, toys.settings(steps=1), model)
    assert toys.lines(tmp_path)[0]["loss"] == pytest.approx(total / sum(batch.count for batch in batches))


def test_eight_rows_at_once_train_like_two_times_four(tmp_path):
    class Halves(toys.Counting):
        def batches(self, position=Position()):  # noqa: B008
            for batch, after in super().batches(position):
                for part in (slice(0, 4), slice(4, 8)):
                    tensors = {name: tensor[part] for name, tensor in batch.items()}
                    yield toys.Batch(tensors, int((tensors["labels"] != -100).sum())), after

    plans = [toys.settings(accumulate=times, optim={"eps": 1e-3}) for times in (1, 2)]
    _, whole = toys.train(tmp_path / "8", plans[0], toys.Toy(dropout=0), stream=toys.Counting(rows=8))
    _, parts = toys.train(tmp_path / "4", plans[1], toys.Toy(dropout=0), stream=Halves(rows=8))
    for left, right in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=1e-5, rtol=0)


def test_a_model_without_blocks_has_nothing_to_recompute(tmp_path):
    with pytest.raises(UserError, match="gradient_checkpointing: this model has no Transformer blocks"):
        toys.train(tmp_path, toys.settings(steps=1, gradient_checkpointing=True))


def test_blocks_recompute_while_the_run_lasts_and_no_longer(tmp_path):
    model = toys.Toy()
    model.recomputes = False
    seen = []
    plan = toys.settings(steps=2, gradient_checkpointing=True)
    toys.train(tmp_path, plan, model, evaluate=lambda asked: seen.append(asked.recomputes) or {})
    assert set(seen) == {True}
    assert model.recomputes is False


def test_the_folder_holds_last_best_the_last_steps_and_the_model_itself(tmp_path):
    toys.train(tmp_path, toys.settings(steps=20, save_every=4, keep_last=2))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "best", "last", "step-000016", "step-000020", "recipe.yaml", "metrics.jsonl",
        "model.safetensors", "config.json", "README.md",
    }  # fmt: skip
    assert (tmp_path / "model.safetensors").samefile(tmp_path / "best" / "model.safetensors")
    assert (tmp_path / "last" / "train_state" / "state.json").exists()
    assert not (tmp_path / "best" / "train_state").exists()
    assert (tmp_path / "recipe.yaml").read_text() == "model: toy\n"


def test_best_is_the_model_of_the_best_evaluation(tmp_path):
    scores = iter([1.0, 5.0, 3.0, 4.0])
    kept = []

    def evaluate(model):
        assert not model.training
        kept.append(toys.weights(model))
        return {"bleu": next(scores)}

    plan = toys.settings(steps=9, evaluate_every=3, save_every=0, best="bleu")
    outcome, _ = toys.train(tmp_path, plan, evaluate=evaluate)
    assert (outcome.best.metric, outcome.best.value, outcome.best.step) == ("bleu", 5.0, 3)
    best = toys.load_file(tmp_path / "best" / "model.safetensors")
    assert all(torch.equal(best[name], kept[1][name]) for name in best)


def test_a_model_that_only_gets_worse_stays_as_it_was(tmp_path):
    model, rising = toys.Toy(), iter(range(9))
    before = toys.weights(model)
    outcome, _ = toys.train(tmp_path, toys.settings(), model, valid=lambda _: {"loss": next(rising)})
    found = toys.load_file(tmp_path / "model.safetensors")
    assert outcome.best.step == 0
    assert all(torch.equal(found[name], before[name]) for name in found)


def test_early_stopping_ends_after_patience_evaluations_without_a_better_one(tmp_path):
    losses = iter([5.0, 4.0, 4.0, float("nan"), 3.9])
    plan = toys.settings(steps=100, evaluate_every=2, early_stopping=EarlyStopping(patience=2))
    outcome, _ = toys.train(tmp_path, plan, valid=lambda _: {"loss": next(losses)})
    assert (outcome.reason, outcome.steps, outcome.best.step) == ("early stopping", 6, 2)


def test_epochs_end_the_run_where_the_stream_begins_again(tmp_path):
    outcome, _ = toys.train(tmp_path, toys.settings(steps=None, epochs=2))
    assert (outcome.reason, outcome.steps) == ("epochs", 16)


def test_a_time_limit_ends_the_run_whole_and_it_can_go_on(tmp_path):
    outcome, _ = toys.train(tmp_path, toys.settings(steps=10**9, time_limit=0.001, evaluate_every=0))
    assert outcome.reason == "time limit"
    assert (tmp_path / "model.safetensors").exists()
    more, _ = toys.train(tmp_path, toys.settings(steps=outcome.steps + 2), resume=True)
    assert (more.reason, more.steps) == ("steps", outcome.steps + 2)


def test_every_epoch_has_a_line_with_the_mean_loss_of_its_steps_though_the_run_was_stopped_within(tmp_path):
    toys.train(tmp_path, toys.settings(steps=11, log_every=1, save_every=0))
    toys.train(tmp_path, toys.settings(steps=16, log_every=1, save_every=0), resume=True)
    lines = toys.lines(tmp_path)
    # Rows are of unlike length, so the mean of an epoch is not that of its steps' means.
    said = [(line["loss"], line["tokens"]) for line in lines if line["kind"] == "train"]
    before = [0, *(tokens for _, tokens in said)]
    sums = [loss * (tokens - before[at]) for at, (loss, tokens) in enumerate(said)]
    told = [(line["step"], line["epoch"], line["loss"]) for line in lines if line["kind"] == "epoch"]
    assert told == [
        (8, 1, pytest.approx(sum(sums[:8]) / before[8])),
        (16, 2, pytest.approx(sum(sums[8:]) / (before[16] - before[8]))),
    ]


def test_a_figure_that_nobody_measures_is_a_mistake_found_before_the_first_step(tmp_path):
    with pytest.raises(UserError, match="asks for the figure 'bleu'"):
        toys.train(tmp_path, toys.settings(best="bleu"))
    assert not (tmp_path / "last").exists()


def test_without_validation_the_last_model_is_the_result(tmp_path):
    outcome, _ = toys.train(tmp_path, toys.settings(), valid=None)
    assert outcome.best is None
    assert (tmp_path / "model.safetensors").samefile(tmp_path / "last" / "model.safetensors")
    assert not (tmp_path / "best").exists()


def test_training_leaves_the_callers_chance_and_switches_alone(tmp_path):
    toys.Toy()
    before = torch.get_rng_state()
    model = toys.Toy()
    torch.set_rng_state(before)
    toys.train(tmp_path, toys.settings(deterministic=True), model)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


class Breaks(toys.NextToken):
    """A loss that becomes NaN when the step in the buffer comes to 7."""

    def loss(self, model, batch):
        found = super().loss(model, batch)
        bad = model.training and model.seen > 7
        return toys.Loss(found.total * math.nan if bad else found.total, found.parts)


def test_a_loss_that_is_not_a_number_ends_the_run_and_the_last_good_state_stays(tmp_path):
    model = toys.Toy()
    plan = toys.settings()
    with pytest.raises(RunError, match=r"no longer a finite number at step 8 .*optim\.lr"):
        toys.fit(
            model, Breaks(), toys.Counting(), plan, output=tmp_path, save=toys.saver(model), device="cpu"
        )
    assert all(torch.isfinite(p).all() for p in model.parameters())
    saved = toys.load_file(tmp_path / "last" / "train_state" / "optimizer.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in saved.values())
    outcome, resumed = toys.train(tmp_path, plan, resume=True)
    _, whole = toys.train(tmp_path.parent / "whole", plan)
    assert outcome.steps == 12
    assert toys.same(toys.weights(resumed), toys.weights(whole))


def test_weights_that_are_not_numbers_are_never_saved(tmp_path):
    model = toys.Toy()
    with torch.no_grad():
        model.embed.weight[10] = math.nan
    with pytest.raises(RunError):
        toys.train(tmp_path, toys.settings(evaluate_first=False), model)
    assert not (tmp_path / "last").exists()


def test_signs_of_trouble_are_said_once(tmp_path, capsys):
    model = toys.Toy()
    with torch.no_grad():
        model.embed.weight.mul_(60)
    toys.train(tmp_path, toys.settings(steps=3), model, vocab_size=toys.VOCAB)
    assert capsys.readouterr().err.count("of an even guess") == 1
