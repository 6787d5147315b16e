"""``glassformer shots``: a table for people, one line of JSON for machines, and mistakes as one sentence."""

from pathlib import Path

import pytest
from tests.api.shots_task import write_task
from tests.api.tiny_family import write_gpt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gpt(tmp_path_factory.mktemp("shots") / "gpt", max_length=96)


def test_a_table_and_a_curve_or_json(ask, folder, tmp_path):
    task = write_task(tmp_path)
    told = ask("shots", folder, "--task", task, "--k", "0,2", "--orders", 2)
    assert told.code == 0
    assert told.out.startswith("task: 6 questions")
    assert "examples shown" in told.out
    found = ask(
        "shots", folder, "--task", task, "score=token", "--k", "0, 2", "--no-control", "--json"
    ).result
    assert [level["k"] for level in found["shots"]] == [0, 2]
    assert found["shots"][1]["orders"] == 5
    assert found["shots"][1]["control_accuracy"] is None


def test_options_reach_the_work(ask, instead, folder):
    calls = instead("shots", _Nothing())
    ask("shots", folder, "a=b", "--task", "nsmc", "--k", "4", "--seed", 7, "--device", "cpu")
    (call,) = calls
    assert call[0] == (folder, "nsmc", ["a=b"])
    wanted = {"k": [4], "orders": 5, "control": True, "seed": 7, "device": "cpu", "dtype": "auto"}
    assert call[1] == wanted


class _Nothing:
    def as_json(self):
        return {}

    def lines(self):
        return []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--k", "0,x"), "--k 0,x: give numbers with commas between"),
        (("--k", "99"), "k is 99, but the training set has 10 examples"),
        (('template="{tex} {label}"',), "did you mean 'text'"),
    ],
)
def test_a_mistake_is_one_sentence_and_code_2(ask, folder, tmp_path, words, said):
    ended = ask("shots", folder, "--task", write_task(tmp_path), *words)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""
