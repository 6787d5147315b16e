"""Questions as data: shares that keep a context together, answers that are looked for, and real files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data.example import Features
from glassformer.data.filter import Dropped
from glassformer.data.questions import Config, facts, stores, texts, tokenizer_folder

DATA = Path(os.environ.get("GLASSFORMER_DATA", Path(__file__).parents[3] / "shared" / "data"))
XQUAD = DATA / "en-qa-xquad" / "xquad.en.json.gz"


def write(folder: Path, *records: Any) -> str:
    (folder / "q.jsonl").write_text("\n".join(json.dumps(one) for one in records), "utf-8")
    return str(folder / "q.jsonl")


def ask(context: str, question: str, *answers: tuple[str, int]) -> dict[str, Any]:
    listed = [{"text": text, "answer_start": start} for text, start in answers]
    return {"context": context, "question": question, "answers": listed, "is_impossible": not answers}


def four(folder: Path) -> str:
    """Three contexts, the second with two questions."""
    return write(
        folder, ask("a b", "1", ("b", 2)), ask("c d", "2", ("c", 0)), ask("c d", "3", ("d", 2)), ask("e", "4")
    )


def read(path: str, **said: Any) -> list[str]:
    return [one.fields["question"] for one in Config(train=path, **said).read(path)]


def test_a_share_is_counted_in_contexts(tmp_path: Path) -> None:
    path = four(tmp_path)
    assert read(f"{path}[:2]") == ["1", "2", "3"]
    assert read(f"{path}[2:]") == ["4"]
    assert read(f"{path}[:34%]") + read(f"{path}[34%:]") == ["1", "2", "3", "4"]


def test_a_tokenizer_reads_each_context_once_and_facts_know_what_cannot_be_answered(tmp_path: Path) -> None:
    path = four(tmp_path)
    assert list(texts(Config(train=path))) == [("a b",), ("1",), ("c d",), ("2",), ("3",), ("e",), ("4",)]
    assert facts(Config(train=path)) == {"labels": ("start", "end"), "impossible": True}
    assert facts(Config(train=f"{path}[:2]"))["impossible"] is False
    assert tokenizer_folder(Config(train=path)) is None


def test_answers_are_looked_for_only_when_asked_and_the_repair_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path, ask("ab ab", "1", ("ab", 2)), ask("c", "2", ("z", 0)), ask("d", "3", ("d", 0), ("y", 0))
    )
    with pytest.raises(UserError, match=r"q\.jsonl:1: the answer 'ab' does not begin at character 2"):
        read(path)
    dropped = Dropped()
    found = list(Config(train=path, repair=True).read(path, dropped))
    assert [one.fields["answers"] for one in found] == [(("ab", 3),), (("d", 0),)]
    assert (
        "1 without an answer that stands in its context" in dropped.sentence()
        and "q.jsonl:2" in dropped.sentence()
    )
    assert "1 answer stood elsewhere in the context than the file says" in capsys.readouterr().err


def test_a_store_holds_one_row_for_a_question(tmp_path: Path) -> None:
    def encode(examples):
        return [Features({"tokens": np.arange(len(one.fields["context"]))}) for one in examples]

    ((store, _),) = stores(Config(train=four(tmp_path)), "train", encode, {}, cache=tmp_path / "cache")
    assert store.lengths.tolist() == [3, 3, 3, 1]


@pytest.mark.skipif(not XQUAD.exists(), reason="needs the shared data")
def test_xquad_is_read_whole() -> None:
    path = str(XQUAD)
    found = list(Config(train=path).read(path))
    assert len(found) == 1190 and len({one.fields["context"] for one in found}) == 240
    assert all(
        one.fields["context"].startswith(text, at) for one in found for text, at in one.fields["answers"]
    )
    shares = [
        {one.fields["context"] for one in Config(train=path).read(f"{path}{part}")}
        for part in ("[:80%]", "[80%:]")
    ]
    assert len(shares[0]) == 192 and len(shares[1]) == 48 and not shares[0] & shares[1]
