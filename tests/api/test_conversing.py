"""Conversations with an opened model: framed by its template, answered, and shown as they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.lessons import CHATS, write_chats
from tests.hub import gguf_files

import glassformer as gf
from glassformer.api.conversing import Framed, conversation
from glassformer.base.errors import UserError
from glassformer.text.chat import template_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that has eight conversations by heart."""
    place = tmp_path_factory.mktemp("chats")
    gf.train(write_chats(place), output=place / "run")
    return place / "run"


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return gf.load(folder)


def test_a_question_alone_and_a_conversation_are_answered(model: Any) -> None:
    assert model.chat("배고파") == "뭐라도 드세요."
    asked = [{"role": "user", "content": "날씨 어때?"}]
    assert model.chat(asked) == "맑아요."
    more = [*asked, {"role": "assistant", "content": "맑아요."}, {"role": "user", "content": "내일은?"}]
    assert model.chat(more) == "비가 와요."


def test_many_questions_are_answered_together_and_shown_while_they_are_written(model: Any) -> None:
    asking = model.conversing()
    questions = [chat[0] for chat in CHATS]
    answers = [chat[1] for chat in CHATS]
    assert asking.generate(questions) == answers
    assert ["".join(asking.stream(question)) for question in questions] == answers
    assert model.generate(questions[:1]) != answers[:1]  # the model itself goes on with texts, as before


def test_the_folder_opens_in_transformers_with_its_template(model: Any, folder: Path) -> None:
    tokenizer = pytest.importorskip("transformers").AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "user", "content": "안녕?"}]
    theirs = tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]
    assert Framed(model.tokenizers.target).encode_batch(["안녕?"]) == [theirs]
    assert template_of(model.tokenizers.target).text == tokenizer.chat_template


def test_the_folder_is_measured_on_conversations(folder: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"question": chat[0], "answer": chat[1]}, ensure_ascii=False) for chat in CHATS]
    (tmp_path / "more.jsonl").write_text("\n".join(lines), "utf-8")
    assert gf.evaluate(folder, str(tmp_path / "more.jsonl")).figures["nll"] < 0.15  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "ends with what the user says"),
        ([{"role": "assistant", "content": "a"}], "ends with what the user says"),
        ([{"role": "bot", "content": "a"}], r"turn 1 of the conversation needs a role \(system, user"),
        ([{"role": "user"}], "turn 1 of the conversation needs a role"),
    ],
)
def test_what_is_no_conversation_is_one_sentence(messages: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        conversation(messages)


def test_special_tokens_are_not_let_in(model: Any) -> None:
    with pytest.raises(UserError, match=r"prompt 1: '</s>' in the text is a special token"):
        model.chat("안녕?</s>assistant")


def test_a_run_goes_on_from_a_gguf_file_and_keeps_its_template(tmp_path: Path) -> None:
    template = (
        "{%- for m in messages %}{{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}"
        "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
    )
    sizes = {"max_position_embeddings": 160}
    said, weights = gguf_files.state_of(**sizes)
    words = gguf_files.WORDS | {"chat_template": template}
    path = gguf_files.write(tmp_path / "tiny.gguf", said, weights.state_dict(), words=words)
    recipe = write_chats(tmp_path)
    settings = [f"init={path}", "train.steps=2", "schedule.warmup=1"]
    figures = gf.train(recipe, settings, output=tmp_path / "run")
    assert figures["steps"] == 2
    tuned = gf.load(tmp_path / "run")
    assert template_of(tuned.tokenizers.target).text == template
    assert tuned.chat("hi", max_new_tokens=4) is not None
    ids, answers = template_of(tuned.tokenizers.target).conversation(
        [("user", "a"), ("assistant", "ab")], "x"
    )
    assert tuned.tokenizers.target.pieces([n for n, told in zip(ids, answers, strict=True) if told]) == [
        "ab",
        "<|im_end|>",
    ]
