"""What is wrong with labelled and tagged data: told with its line, beside tables of lengths and labels."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.data import instructions, labelled, questions, tagged
from glassformer.data.check import KINDS, Report
from glassformer.data.check_answers import check

TRAIN = "text\tlabel\n정말 좋다\tgood\n별로\tbad\n별로\tbad\n별로\tgood\n\tgood\n그냥\t\n"
TEST = "text\tlabel\n정말 좋다!\tgood\n별로\tso-so\n새 영화\tgood\n"


def labels(folder: Path, train: str = TRAIN, test: str = TEST, **options: Any) -> Report:
    (folder / "train.tsv").write_text(train, "utf-8")
    (folder / "test.tsv").write_text(test, "utf-8")
    paths = {"train": str(folder / "train.tsv"), "test": str(folder / "test.tsv")}
    return check(labelled, labelled.Config(**paths), **options)


def told(report: Report, kind: str) -> list[tuple[str, str]]:
    return [(Path(one.where).name, one.text) for one in report.findings.get(kind, [])]


def test_each_kind_of_trouble_is_found_in_its_line(tmp_path: Path) -> None:
    found = labels(tmp_path)
    where = tmp_path / "train.tsv"
    assert found.rows == {"train": 4, "test": 3}
    assert told(found, "duplicate") == [("train.tsv:4", f"the same row as {where}:3")]
    assert told(found, "ambiguous") == [("train.tsv:5", f"the text of {where}:3 with another answer")]
    assert told(found, "empty") == [("train.tsv:6", "without text")]
    assert told(found, "unlabelled") == [
        ("train.tsv:7", "the label is empty; every text needs one under 'label'")
    ]
    assert told(found, "near_leak") == [("test.tsv:2", f"test has nearly the row of {where}:2")]
    assert told(found, "source_leak") == [("test.tsv:3", f"test has the text of {where}:3")]
    assert told(found, "unknown_label") == [("test.tsv:3", "test has 'so-so' (1), train has not")]
    assert set(found.counts) <= set(KINDS)


def test_labels_and_lengths_are_told_for_each_split(tmp_path: Path) -> None:
    found = labels(tmp_path)
    headers, rows = found.tables["labels"]
    assert headers == ("label", "train", "train %", "test", "test %")
    assert ("bad", 2, 50.0, 0, 0.0) in rows
    assert ("good", 2, 50.0, 2, 66.67) in rows
    assert found.tables["lengths"][1][0] == ("train", 4, 2.0, 2.0, 4.55, 5.0)
    assert found.to_json()["labels"][0] == {
        "label": "good",
        "train": 2,
        "train %": 50.0,
        "test": 2,
        "test %": 66.67,
    }
    said = "\n".join(found.sentences())
    assert "shortest" in said and "labels of held-out rows" in said


def test_data_of_one_label_and_texts_that_are_odd_are_told(tmp_path: Path) -> None:
    found = labels(tmp_path, "text\tlabel\na\u200bb\tx\ncc\tx\n", "text\tlabel\nd\tx\n", max_characters=2)
    assert told(found, "one_label") == [
        ("train", "all rows are 'x'; telling labels apart needs two"),
        ("test", "all rows are 'x'; telling labels apart needs two"),
    ]
    assert told(found, "control") == [("train.tsv:2", "the text has U+200B at character 2")]
    assert told(found, "overlong") == [("train.tsv:2", "the text has 3 characters, the limit is 2")]


def test_good_data_is_clean(tmp_path: Path) -> None:
    found = labels(tmp_path, "text\tlabel\na\tx\nb\ty\n", "text\tlabel\nc\tx\nd\ty\n")
    assert found.clean
    assert found.sentences()[-1] == "nothing was found"


def test_lines_that_cannot_be_used_are_listed_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_bytes(b"text\tlabel\na\tx\nb\nc\xff\ty\nd\ty\n")
    found = check(labelled, labelled.Config(train=str(path)))
    assert found.rows == {"train": 2}
    assert [where for where, _ in told(found, "unreadable")] == ["train.tsv:3"]
    assert [where for where, _ in told(found, "invalid_utf8")] == ["train.tsv:4"]
    path.write_text("text\tgrade\na\tx\n", "utf-8")
    found = check(labelled, labelled.Config(train=str(path)))
    assert "no column 'label'" in told(found, "unreadable")[0][1]


def test_tags_that_are_illegal_missing_or_too_few_are_told(tmp_path: Path) -> None:
    path = tmp_path / "tags.conll"
    path.write_text("Kim\tB-PER\nsees\tO\nLee\tI-PER\n\nin\nSeoul\tB-LOC\n\nin\tO\nhere\tO\n", "utf-8")
    found = check(tagged, tagged.Config(train=str(path)))
    assert [text.partition(": ")[2] for _, text in told(found, "wrong")] == [
        "the tag I-PER behind O is illegal in IOB2"
    ]
    assert told(found, "wrong")[0][1].startswith("line 3: ")
    assert [where for where, _ in told(found, "unreadable")] == ["tags.conll:5"]
    assert {row[0] for row in found.tables["labels"][1]} == {"O", "B-PER", "I-PER", "B-LOC"}
    lines = tmp_path / "tags.jsonl"
    lines.write_text('{"words": ["a", "b"], "tags": ["O"]}\n{"words": ["a"], "tags": ["B-X"]}\n', "utf-8")
    found = check(tagged, tagged.Config(train=str(lines)))
    assert "2 words in 'words' but 1 in 'tags'" in told(found, "unreadable")[0][1]


SQUAD = {
    "data": [
        {"paragraphs": [
            {"context": "Kim lives in Seoul.", "qas": [
                {"id": "a", "question": "Who?", "answers": [{"text": "Kim", "answer_start": 0}]},
                {"id": "b", "question": "Where?", "answers": [{"text": "Seoul", "answer_start": 12}]},
                {"id": "c", "question": "When?", "answers": []},
                {"id": "d", "question": " ", "answers": [{"text": "Kim", "answer_start": 0}]},
                {"id": "a", "question": "Again?", "answers": [{"text": "Kim", "answer_start": 0}]},
                {"question": "Nameless?", "answers": []},
                "no object",
            ]},
            {"context": 3, "qas": []},
            {"context": "Lee sleeps.", "qas": [
                {"id": "e", "question": "Who?", "answers": [{"text": "Lee", "answer_start": 0}]},
            ]},
        ]},
        {"title": "no paragraphs"},
        {"paragraphs": [{"context": "x", "qas": [
            {"id": "f", "question": "What?", "answers": [{"text": "x", "answer_start": 7}]},
        ]}]},
    ]
}  # fmt: skip


def test_every_question_that_is_wrong_is_listed_and_the_others_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps(SQUAD), "utf-8")
    found = check(questions, questions.Config(train=str(path)))
    assert found.rows == {"train": 2}
    wrong = [(where.partition(": ")[2], text) for where, text in told(found, "wrong")]
    assert [where for where, _ in wrong] == [
        "article 1, paragraph 1, question b", "article 3, paragraph 1, question f",
    ]  # fmt: skip
    assert wrong[0][1].startswith("the answer 'Seoul' does not begin at character 12: there stands ' Seoul")
    assert [where[-10:] for where, _ in told(found, "unlabelled")] == ["question c"]
    unreadable = [text for _, text in told(found, "unreadable")]
    assert [text.split(";")[0] for text in unreadable] == [
        "the question is empty",
        f"the id 'a' is also that of {path}: article 1, paragraph 1, question a",
        "no field 'id'",
        "expected a JSON object, in the form of SQuAD",
        "'context' must be a text",
        "no field 'paragraphs'",
    ]


def test_lines_of_questions_that_are_wrong_are_listed_and_training_still_refuses_them(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    answer = {"context": "a b", "question": "which?", "answers": [{"text": "b", "answer_start": 2}]}
    lines = [answer, answer | {"answers": [{"text": "b"}]}, answer | {"context": None}, answer]
    path.write_text("\n".join([*map(json.dumps, lines), "{"]), "utf-8")
    config = questions.Config(train=str(path))
    found = check(questions, config)
    assert found.rows == {"train": 2}
    assert [where for where, _ in told(found, "wrong")] == ["train.jsonl:2"]
    assert [where for where, _ in told(found, "unreadable")] == ["train.jsonl:3", "train.jsonl:5"]
    with pytest.raises(UserError, match=r"train\.jsonl:2: the answer 'b' does not say its answer_start"):
        list(config.read(str(path)))


def test_conversations_that_are_wrong_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    good = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
    lines = [good, {"messages": good["messages"][:1]}, {"text": "x"}, {"messages": 3}, good]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    found = check(instructions, instructions.Config(train=str(path)))
    assert found.rows == {"train": 2}
    assert told(found, "unreadable")[0] == (
        "chat.jsonl:2", "there is no answer; a conversation needs a turn of the assistant",
    )  # fmt: skip
    assert [where for where, _ in told(found, "unreadable")][1:] == ["chat.jsonl:3", "chat.jsonl:4"]


def test_a_file_that_cannot_be_read_at_all_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text('{"data": [', "utf-8")
    found = check(questions, questions.Config(train=str(path)))
    assert [text for _, text in told(found, "unreadable")] == [
        "the file ends in the middle; it was cut short"
    ]


SCORES = "text\tlabel\n" + "".join(f"{name}\t{score}\n" for name, score in zip("abcde", "01235", strict=True))


def test_answers_that_are_measured_are_shown_as_numbers(tmp_path: Path) -> None:
    test = "text\tlabel\nx\t0.50\ny\t4.0\n"
    found = labels(tmp_path, SCORES, test)
    assert "labels" not in found.tables and found.clean
    headers, rows = found.tables["numbers"]
    assert headers == ("answers", "rows", "mean", "least", "median", "95 %", "most")
    assert rows[0] == ("train", 5, 2.2, 0.0, 2.0, 4.6, 5.0)
    headers, rows = found.tables["histogram"]
    assert headers == ("from", "to", "train", "train %", "test", "test %")
    assert rows[0] == (0.0, 0.5, 1, 20.0, 0, 0.0) and rows[1] == (0.5, 1.0, 0, 0.0, 1, 50.0)
    assert [sum(column) for column in list(zip(*rows, strict=True))[2::2]] == [5, 2]


def test_whole_numbers_are_labels_unless_it_is_said_that_they_are_numbers(tmp_path: Path) -> None:
    assert {row[0] for row in labels(tmp_path, SCORES, SCORES).tables["labels"][1]} == set("01235")
    found = labels(tmp_path, SCORES.replace("\t5", "\tmany"), SCORES, numbers=True)
    assert "labels" not in found.tables
    assert told(found, "wrong") == [("train.tsv:6", "the answer 'many' is no number (1)")]
    decimal = SCORES.replace("\t5", "\t5.0")
    assert "labels" in labels(tmp_path, decimal, decimal, numbers=False).tables


@pytest.mark.parametrize("name", plugins.names("data"))
def test_a_kind_that_can_be_looked_at_reads_row_by_row(name: str) -> None:
    kind = plugins.find("data", name)
    if hasattr(kind, "look"):
        assert list(inspect.signature(kind.look).parameters) == ["config", "example"]
        assert callable(kind.Config.read)
