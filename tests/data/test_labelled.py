"""Labelled texts: what is read, which labels there are, what is refused with file and line."""

import os
from pathlib import Path

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data.example import Features
from glassformer.data.filter import Dropped
from glassformer.data.labelled import Config, facts, look, ordered, stores, texts, tokenizer_folder

TABLE = "text\tlabel\n좋다\tgood\n  \tgood\n별로\tbad\n정말 좋다\tgood\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.tsv").write_text(TABLE, "utf-8")
    return str(tmp_path / "a.tsv")


def encode(examples):
    return [Features({"tokens": np.array([ord(c) for c in one.fields["text"]])}) for one in examples]


def test_texts_and_labels_are_read_and_rows_without_text_left_out(path, tmp_path, capsys):
    config = Config(train=path, valid=f"{path}[:1]")
    assert [text for (text,) in texts(config)] == ["좋다", "별로", "정말 좋다"]
    assert [text for (text,) in texts(config, "valid")] == ["좋다"]
    assert list(texts(config, "test")) == []
    assert facts(config) == {"labels": ("bad", "good"), "counts": (1, 2), "called": "label", "texts": 1}
    ((store, weight),) = stores(config, "train", encode, {}, cache=tmp_path / "cache")
    assert (len(store), weight) == (3, 1.0)
    assert "1 without text" in capsys.readouterr().err
    assert tokenizer_folder(config) is None


def test_numbers_are_ordered_as_numbers_and_names_as_names():
    assert ordered({"10", "9", "1"}) == ("1", "9", "10")
    assert ordered({"10", "9", "x"}) == ("10", "9", "x")


def test_a_store_is_made_anew_when_labels_or_columns_are_others(path, tmp_path):
    config, cache = Config(train=path), tmp_path / "cache"
    names = {
        stores(one, "train", encode, about, cache=cache)[0][0].fingerprint
        for one, about in (
            (config, {}),
            (config, {"labels": ("bad", "good")}),
            (Config(train=f"{path}[:3]"), {}),
        )
    }
    assert len(names) == 3
    again = stores(config, "train", lambda _: pytest.fail("encoded again"), {}, cache=cache)
    assert len(again[0][0]) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\tlabel\nx\t \n", r"a\.tsv:2: the label is empty; every text needs one under 'label'"),
        (
            "text\tlabel\nx\tgood\ny\tgood\n",
            r"a\.tsv: all texts have one label, good; ",
        ),
        ("text\tlabel\n", r"a\.tsv: there is no text with a label"),
        ("words\tlabel\nx\ty\n", r"a\.tsv:1: no column 'text'"),
    ],
)
def test_labels_that_teach_nothing_are_refused(path, tmp_path, content, said):
    (tmp_path / "a.tsv").write_text(content, "utf-8")
    with pytest.raises(UserError, match=said):
        facts(Config(train=path))


LAID_OUT = {
    "nsmc": "id\tdocument\tlabel\n1\t좋다\t1\n2\t\t1\n3\t별로\t0\n",
    "kornli": "sentence1\tsentence2\tgold_label\n비\t해\tcontradiction\n비\t\tneutral\n비\t물\tentailment\n",
    "korsts": "genre\tscore\tsentence1\tsentence2\nx\t5.000\t비\t비\nx\t0.5\t비\t해\n",
    "questions": "question1\tquestion2\tis_duplicate\na\tb\t1\na\tc\t0\n",
    "pairs": "text\tlabel\tpair\na\t1\tb\na\t0\tc\n",
    "klue-nli": '{"guid": "x", "premise": "비", "hypothesis": "물", "label": "entailment"}\n'
    '{"premise": "비", "hypothesis": "해", "label": "neutral"}\n',
    "klue-sts": '{"sentence1": "비", "sentence2": "비", "score": 4.9, "binary": 1}\n'
    '{"sentence1": "비", "sentence2": "해", "score": 0, "binary": 0}\n',
}
LABELS = {
    "nsmc": ["1", "0"],
    "kornli": ["contradiction", "entailment"],
    "korsts": ["5.000", "0.5"],
    "questions": ["1", "0"],
    "pairs": ["1", "0"],
    "klue-nli": ["entailment", "neutral"],
    "klue-sts": ["4.9", "0"],
}


@pytest.mark.parametrize("layout", LAID_OUT)
@pytest.mark.parametrize("asked", ["auto", "by name"])
def test_known_files_are_read_without_naming_columns(layout, asked, tmp_path):
    path = tmp_path / ("a.jsonl" if "klue" in layout else "a.tsv")
    path.write_text(LAID_OUT[layout], "utf-8")
    config = Config(train=str(path), layout="auto" if asked == "auto" else layout)
    dropped = Dropped()
    found = list(config.read(str(path), dropped))
    assert [one.fields["label"] for one in found] == LABELS[layout]
    assert ("pair" in found[0].fields) == (layout != "nsmc") == (facts(config)["texts"] == 2)
    assert dropped.total == (layout in ("nsmc", "kornli"))
    assert [text for (text,) in texts(config)][:1] == [found[0].fields["text"]]
    assert len(list(texts(config))) == len(found) * (1 if layout == "nsmc" else 2)


def test_columns_that_are_named_replace_those_of_the_layout(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(LAID_OUT["klue-sts"], "utf-8")
    found = list(Config(train=str(path), label="binary").read(str(path)))
    assert [one.fields["label"] for one in found] == ["1", "0"]
    assert facts(Config(train=str(path), label="binary"))["called"] == "binary"
    with pytest.raises(UserError, match=r"a\.jsonl:1: no field 'premise'"):
        list(Config(train=str(path), layout="klue-nli").read(str(path)))


def test_several_labels_stand_in_a_cell_or_a_list_and_none_may(tmp_path):
    table = tmp_path / "a.tsv"
    table.write_text("text\tlabel\na\tx, y,x\nb\t\nc\ty\n", "utf-8")
    config = Config(train=str(table), separator=",")
    assert [one.fields["label"] for one in config.read(str(table))] == [("x", "y"), (), ("y",)]
    assert facts(config) == {"labels": ("x", "y"), "counts": (1, 2), "called": "label", "texts": 1}
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"text": "a", "label": ["x", 3]}\n{"text": "b", "label": []}\n', "utf-8")
    config = Config(train=str(rows))
    assert [one.fields["label"] for one in config.read(str(rows))] == [("x", "3"), ()]
    rows.write_text('{"text": ["a"], "label": ["x"]}\n', "utf-8")
    with pytest.raises(UserError, match=r"a\.jsonl:1: the field 'text' is a list"):
        list(config.read(str(rows)))


def test_files_with_one_text_and_with_two_are_not_mixed(path, tmp_path):
    other = tmp_path / "b.tsv"
    other.write_text(LAID_OUT["pairs"], "utf-8")
    with pytest.raises(UserError, match="some of these files have one text in a row and some two"):
        facts(Config(train=[path, str(other)]))


def test_an_example_is_shown_with_both_texts_and_all_labels(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "pair": "b", "label": ["y", "x"]}\n', "utf-8")
    config = Config(train=str(path))
    (seen,) = (look(config, one) for one in config.read(str(path)))
    assert (seen.text, seen.answer, seen.labels) == ("a / b", "x, y", ("x", "y"))


REAL = Path(os.environ.get("GLASSFORMER_DATA", "../shared/data"))
ROWS = {
    "ko-nsmc/train.tsv.gz": (60_000, 1, 2),
    "ko-klue/nli_dev.jsonl": (3_000, 2, 3),
    "ko-klue/sts_dev.jsonl": (519, 2, 0),
    "ko-kornlu/sts-train.tsv": (5_749, 2, 0),
    "ko-kornlu/xnli.dev.ko.tsv": (2_490, 2, 3),
}


@pytest.mark.parametrize("name", ROWS)
def test_real_files_are_read_as_they_are(name):
    if not (REAL / name).is_file():
        pytest.skip(f"needs {name} in GLASSFORMER_DATA")
    config, dropped = Config(train=str(REAL / name)), Dropped()
    found = list(config.read(str(REAL / name), dropped))
    rows, width, labels = ROWS[name]
    assert (len(found) + dropped.total, len(found[0].fields) - 1) == (rows, width)
    if labels:
        assert len({one.fields["label"] for one in found}) == labels
