"""``glassformer compare``: a table, or one line of JSON."""

from pathlib import Path

from glassformer.api.comparing import Compared, Row


def test_a_table_or_json(ask, instead):
    row = Row("lora", 10, 1000, 2.0, 0.9, 0.8, 0.95)
    calls = instead("compare", Compared("accuracy", (row,), Path("runs/x")))
    told = ask("compare", "my.yaml", "train.steps=5", "-o", "runs/x")
    assert (told.code, calls) == (0, [(("my.yaml", ["train.steps=5"]), {"output": Path("runs/x")})])
    assert "lora" in told.out
    assert "0.8000 to 0.9500" in told.out
    found = ask("compare", "my.yaml", "--json").result
    assert (found["ways"][0]["way"], found["output"]) == ("lora", "runs/x")


def test_a_mistake_is_one_sentence(ask, tmp_path):
    ended = ask("compare", tmp_path / "none.yaml")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "no such recipe file" in ended.err
