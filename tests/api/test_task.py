"""The file of a task is read with its data, and what does not fit is said with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.api.shots_task import ASKED, SHOWN, TASK, write_task

from glassformer.api.task import open_task
from glassformer.base.errors import UserError


def test_a_task_has_its_examples_its_questions_and_its_majority(tmp_path: Path):
    task = open_task(write_task(tmp_path), ["limits.characters=8"])
    assert (task.name, task.labels) == ("task", ("pos", "neg"))
    assert [case.fields["text"] for case in task.shown] == [text[:8].strip() for text in SHOWN]
    assert [case.label for case in task.asked] == ["pos" if "good" in text else "neg" for text in ASKED]
    assert task.shown[0].where == f"{tmp_path / 'train.tsv'}:2"
    assert task.majority == 0.5


def test_a_limit_takes_questions_at_random_and_in_order(tmp_path: Path):
    path = write_task(tmp_path)
    every = [case.where for case in open_task(path).asked]
    some = [[case.where for case in open_task(path, ["limits.test=3"], seed).asked] for seed in range(8)]
    assert all(len(set(one)) == 3 and sorted(one, key=every.index) == one for one in some)
    assert len({tuple(one) for one in some}) > 2
    assert some[2] == [case.where for case in open_task(path, ["limits.test=3"], 2).asked]


def test_fields_may_be_several_and_of_json_lines(tmp_path: Path):
    rows = [
        {"premise": "비", "hypothesis": "물", "gold": "예"},
        {"premise": "불", "hypothesis": "", "gold": "아니오"},
    ]
    for name in ("train", "test"):
        text = "".join(
            json.dumps(row) + "\n" for row in [*rows, {**rows[0], "premise": " ", "hypothesis": ""}]
        )
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    path = tmp_path / "task.yaml"
    path.write_text(
        "data: {train: train.jsonl, test: test.jsonl, label: gold}\n"
        'template: "{premise} {hypothesis} {label}"\n',
        encoding="utf-8",
    )
    task = open_task(path)
    assert [dict(case.fields) for case in task.asked] == [
        {"premise": "비", "hypothesis": "물"},
        {"premise": "불", "hypothesis": ""},
    ]
    assert task.labels == ()


def test_a_field_that_the_data_has_not_is_said_with_line_and_suggestion(tmp_path: Path):
    path = write_task(tmp_path, TASK.replace("{text}", "{txt}"))
    with pytest.raises(UserError) as refused:
        open_task(path)
    assert str(refused.value) == (
        f"{path}:5: the template names {{txt}}, but {tmp_path / 'train.tsv'} has text, sentiment; "
        "did you mean 'text'?"
    )
    with pytest.raises(UserError, match=r"^command line: 'template=.*the template names \{body\}"):
        open_task(path, ['template="{body} {label}"'])


def test_a_label_without_words_is_said_with_both_places(tmp_path: Path):
    path = write_task(tmp_path, TASK.replace("neg:", "neq:"))
    with pytest.raises(UserError) as refused:
        open_task(path)
    where = f"{tmp_path / 'train.tsv'}:7"
    assert str(refused.value) == (
        f"{path}:6: the label 'neg' of {where} has no words; give it some under labels; did you mean 'neq'?"
    )


def test_words_for_a_label_that_no_example_has_are_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    open_task(write_task(tmp_path), ["labels.even=so so"])
    assert "no example has the label 'even'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text\tsentiment\n", "there is no example here"),
        ("", "is empty; its first line should name the columns"),
        (
            "text\tsentiment\ngood\t \n",
            r"test\.tsv:2: the label is empty; every example needs one under 'sentiment'",
        ),
        ("text\tlabel\ngood\tpos\n", r"test\.tsv:1: no column 'sentiment'"),
    ],
)
def test_a_test_set_that_cannot_be_asked_is_refused(tmp_path: Path, text: str, said: str):
    path = write_task(tmp_path)
    (tmp_path / "test.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        open_task(path)


def test_a_missing_file_is_said(tmp_path: Path):
    with pytest.raises(UserError, match="no such recipe file"):
        open_task(tmp_path / "none.yaml")
    with pytest.raises(UserError, match=r"none\.tsv: no such file"):
        open_task(write_task(tmp_path), ["data.test=none.tsv"])
