"""``glassformer train`` passes on what was typed and prints what came of it."""

from pathlib import Path

from glassformer.base.config import read_value
from glassformer.base.errors import RunError, Stopped, UserError

FIGURES = {
    "steps": 100,
    "seconds": 3.25,
    "tokens_per_second": 4096.0,
    "train_loss": 2.5,
    "valid_loss": None,
    "bleu": 31.415,
    "chrf": 50.0,
    "parameters": 44138496,
    "output": "runs/x",
    "next": 'echo "…" | glassformer translate runs/x',
}


def test_everything_typed_reaches_the_training(ask, instead):
    calls = instead("train", FIGURES)
    ended = ask("train", "my.yaml", "data.train=a.tsv", "optim.lr=-1", "-o", "runs/x", "--resume", "--json")
    assert ended.code == 0
    assert ended.result == FIGURES
    assert ended.out.count("\n") == 1
    expected = {"output": Path("runs/x"), "resume": True, "dry_run": False}
    assert calls == [(("my.yaml", ["data.train=a.tsv", "optim.lr=-1"]), expected)]


def test_options_may_stand_between_settings(ask, instead):
    calls = instead("train", FIGURES)
    assert ask("train", "--resume", "my.yaml", "a.b=c", "--output", "x", "d.e=f").code == 0
    assert calls[0][0] == ("my.yaml", ["a.b=c", "d.e=f"])


def test_a_process_that_is_not_the_first_prints_nothing(ask, instead):
    instead("train", {})
    for words in ((), ("--json",)):
        ended = ask("train", "my.yaml", *words)
        assert (ended.code, ended.out) == (0, "")


def test_for_a_reader_there_is_a_table_and_the_next_step(ask, instead):
    instead("train", FIGURES)
    out = ask("train", "my.yaml").out
    assert "bleu               31.41" in out
    assert "glassformer translate runs/x" in out


def test_a_dry_run_prints_a_recipe_that_can_be_read_again(ask, instead):
    calls = instead("train", {"recipe": "model:\n  dim: 8\n", "parameters": 1234567, "machine": "a: b"})
    ended = ask("train", "my.yaml", "--dry-run")
    assert calls[0][1]["dry_run"] is True
    assert "# parameters: 1,234,567\n" in ended.out
    assert read_value(ended.out, "test", Path()) == {"model": {"dim": 8}}
    assert ask("train", "my.yaml", "--dry-run", "--json").result["recipe"] == "model:\n  dim: 8\n"


def test_each_kind_of_failure_has_its_exit_code(ask, instead):
    for error, code in (
        (UserError("recipe.yaml:12: unknown key"), 2),
        (RunError("the loss is not a number"), 1),
        (Stopped("stopped at step 7", 2), 130),
        (Stopped("stopped at step 7", 15), 143),
    ):
        instead("train", error)
        ended = ask("train", "my.yaml", "--json")
        assert (ended.code, ended.out, ended.err) == (code, "", f"error: {error}\n")


def test_a_recipe_is_needed(ask):
    ended = ask("train")
    assert ended.code == 2
    assert "RECIPE" in ended.err


def test_a_recipe_that_is_not_there_is_one_sentence(ask):
    ended = ask("train", "no-such.yaml")
    assert ended.code == 2
    assert ended.err.startswith("error: ") and "no-such.yaml" in ended.err
    assert ended.err.count("\n") == 1
