"""Conversations in every form that files have them, and one sentence with its line for each mistake."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from glassformer.base.errors import UserError
from glassformer.data.instructions import Config, look, texts

ASKED = [("user", "안녕?"), ("assistant", "반가워요.")]


def _read(path: Path, **options: Any) -> list[Any]:
    config = Config.model_validate({"train": str(path), **options})
    return [(list(one.fields["messages"]), one.where) for one in config.read(str(path))]


def _lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records), "utf-8")
    return path


def _turns(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


def test_every_form_of_json_lines_is_read(tmp_path: Path) -> None:
    several = [("system", "짧게"), *ASKED, ("user", "뭐 해?"), ("assistant", "공부해요.")]
    path = _lines(
        tmp_path / "a.jsonl",
        _turns(*several),
        {"instruction": "Add.", "input": "1 2", "output": 3},
        {"instruction": "안녕?", "input": "", "output": "반가워요."},
        {"instruction": "안녕?", "output": "반가워요.", "source": "me"},
        {"prompt": "안녕?", "completion": "반가워요."},
        {"question": "안녕?", "answer": "반가워요."},
    )
    found = _read(path)
    assert found[0] == (several, f"{path}:1")
    assert found[1][0] == [("user", "Add.\n\n1 2"), ("assistant", "3")]
    assert [messages for messages, _ in found[2:]] == [ASKED] * 4


def test_tables_name_their_columns(tmp_path: Path) -> None:
    table = tmp_path / "a.tsv"
    table.write_text("question\tanswer\tlabel\n안녕?\t반가워요.\t0\n", "utf-8")
    assert _read(table) == [(ASKED, f"{table}:2")]
    comma = tmp_path / "a.csv.gz"
    comma.write_bytes(gzip.compress('q,a\n안녕?,"반가워요."\n'.encode()))
    assert _read(comma, question="q", answer="a") == [(ASKED, f"{comma}:2")]


def test_a_share_of_a_file_is_counted_in_conversations(tmp_path: Path) -> None:
    path = _lines(tmp_path / "a.jsonl", *[{"prompt": str(n), "completion": "x"} for n in range(10)])
    config = Config.model_validate({"train": f"{path}[:80%]", "valid": f"{path}[80%:]"})
    sizes = [sum(1 for _ in texts(config, split)) for split in ("train", "valid")]  # type: ignore[arg-type]
    assert sizes == [16, 4]
    assert next(texts(config)) == ("user", "0")


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (_turns(("user", "a")), "there is no answer"),
        (_turns(("user", "a"), ("assistant", " ")), "turn 2 is an empty answer"),
        (_turns(("user", "\n"), ("assistant", "a")), "turn 1 is an empty question"),
        (
            _turns(("user", "a"), ("assistant", "b"), ("assistant", "c")),
            "turns 2 and 3 are two answers in a row",
        ),
        (
            _turns(("user", "a"), ("user", "b"), ("assistant", "c")),
            "turns 1 and 2 are two questions in a row",
        ),
        (
            _turns(("user", "a"), ("system", "b"), ("assistant", "c")),
            "turn 2 is a system text; it can only come",
        ),
        (
            _turns(("asistant", "a")),
            "turn 1 has the unknown role 'asistant'; known are system, user, assistant",
        ),
        ({"messages": []}, "messages must be a list of turns"),
        ({"messages": "hello"}, "messages must be a list of turns"),
        ({"messages": [{"role": "user"}]}, "turn 1 needs a role and content"),
        ({"messages": [{"role": "user", "content": [1]}]}, "the field 'content' is a list"),
        ({"instruction": "a", "output": ""}, "turn 2 is an empty answer"),
        ({"prompt": None, "completion": "a"}, "turn 1 is an empty question"),
        (
            {"text": "a", "label": "b"},
            "this line has text, label; a conversation has messages, or instruction",
        ),
    ],
)
def test_mistakes_are_one_sentence_with_their_line(record: Any, says: str, tmp_path: Path) -> None:
    path = _lines(tmp_path / "a.jsonl", {"prompt": "a", "completion": "b"}, record)
    with pytest.raises(UserError) as caught:
        _read(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert says in str(caught.value)


def test_a_table_without_the_columns_says_which_it_has(tmp_path: Path) -> None:
    table = tmp_path / "a.tsv"
    table.write_text("questions\tanswer\n안녕?\t반가워요.\n", "utf-8")
    with pytest.raises(UserError, match=r"a\.tsv:1: no column 'question'.*did you mean 'questions'"):
        _read(table)


def test_a_look_shows_what_is_asked_and_what_is_answered(tmp_path: Path) -> None:
    path = _lines(tmp_path / "a.jsonl", _turns(*ASKED))
    config = Config.model_validate({"train": str(path)})
    (example,) = config.read(str(path))
    shown = look(config, example)
    assert (shown.texts, shown.answer) == (("안녕?",), "반가워요.")
