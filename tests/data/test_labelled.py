"""Labelled texts: what is read, which labels there are, what is refused with file and line."""

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data.example import Features
from glassformer.data.labelled import Config, facts, ordered, stores, texts, tokenizer_folder

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
    assert facts(config) == {"labels": ("bad", "good")}
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
