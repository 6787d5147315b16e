"""Labels and tags that cannot be learned, and models asked for what they cannot tell: one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contracts.lessons import LESSONS
from tests.contracts.refusals import SHORT, refused
from tests.contracts.small_runs import command

DATA = {"classification": "reviews.tsv", "tagging": "tags.conll"}
BAD: dict[str, list[tuple[str, str | bytes, list[str]]]] = {
    "classification": [
        ("empty", "", [r"bad:?.*empty"]),
        ("no header", "x\ty\n", ["bad:1", "no column 'text'", "first line should name"]),
        ("no label", "text\tlabel\nx\t\n", ["bad:2", "label is empty"]),
        ("one label", "text\tlabel\nx\ty\nz\ty\n", ["one label, y", "telling apart needs two"]),
        ("ragged", "text\tlabel\nx\ty\tz\n", ["bad:2", "3 columns", "2"]),
        ("latin", b"text\tlabel\nx\xe9\ty\n", ["bad:2", "UTF-8"]),
    ],
    "multi_label": [
        ("no text", "text\tlabel\n \tx,y\n", ["no text to learn a vocabulary from"]),
        ("no labels", "text\tlabel\nx\t\ny\t\n", ["there is no text with a label"]),
    ],
    "regression": [
        ("a word", "text\tlabel\nx\t1\ny\tgood\n", ["bad:3", "'good' is no number"]),
        ("no end", "text\tlabel\nx\t1\ny\tinf\n", ["bad:3", "'inf' is no number"]),
    ],
    "pair": [
        ("one text", "text\tlabel\nx\t1\ny\t2\n", ["two texts in a row", "data.pair"]),
        ("no label", "text\tpair\tlabel\nx\ty\t\n", ["bad:2", "label is empty"]),
        ("ragged", "text\tpair\tlabel\nx\t1\n", ["bad:2", "2 columns", "3"]),
    ],
    "similarity": [
        ("one text", "text\tlabel\nx\t1\ny\t2\n", ["two texts in a row", "data.pair"]),
        ("a word", "text\tpair\tlabel\nx\ty\tgood\nx\tz\t1\n", ["bad:2", "'good' is no number"]),
    ],
    "tagging": [
        ("empty", "", [r"bad.*empty"]),
        ("no tag", "Kim B\nruns\n", ["bad:2", "has 1 column where", "2"]),
        ("one tag", "Kim O\nruns O\n", ["one tag, O", "telling apart needs two"]),
        ("no columns", "Kim\nruns\n", ["bad:1", "one column", "its tag"]),
        ("latin", b"Kim\tB\nru\xe9ns\tO\n", ["bad:2", "UTF-8"]),
    ],
}


@pytest.mark.parametrize(
    ("objective", "content", "parts"),
    [
        pytest.param(name, content, parts, id=f"{name}-{id}")
        for name, rows in BAD.items()
        for id, content, parts in rows
    ],
)
def test_data_that_teaches_no_label(
    objective: str, content: str | bytes, parts: list[str], tmp_path: Path
) -> None:
    recipe = LESSONS[objective].write(tmp_path / "asked")
    bad = tmp_path / "bad"
    bad.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = command("train", recipe, "-o", tmp_path / "run", *SHORT, f"data.train={bad}")
    refused(told.sentence(2), *parts)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize("objective", DATA)
def test_a_label_that_is_not_in_training_is_told_with_its_line(
    objective: str, split: str, tmp_path: Path
) -> None:
    recipe = LESSONS[objective].write(tmp_path / "asked")
    content = (tmp_path / "asked" / DATA[objective]).read_text("utf-8")
    known, line = ("bad", 3) if objective == "classification" else ("I-PER", 4)
    bad = tmp_path / DATA[objective]
    bad.write_text(content.replace(known, "strange", 1), "utf-8")
    told = command("train", recipe, "-o", tmp_path / "run", *SHORT, f"data.{split}={bad}")
    refused(told.sentence(2), rf"{DATA[objective]}:{line}: the label 'strange'", "training data", known)


def test_what_a_classifier_and_a_tagger_cannot_do_is_said(tmp_path: Path) -> None:
    for objective, ability in (("classification", "classifies"), ("tagging", "tags")):
        recipe, run = LESSONS[objective].write(tmp_path / objective), tmp_path / ability
        assert command("train", recipe, "-o", run, *SHORT).code == 0
        told = command("generate", run, "x")
        refused(told.sentence(2), f"this model {ability}; use glassformer predict")
        told = command("predict", run, "정말 좋다", "--json")
        assert told.code == 0, told.err
        assert told.out.startswith('{"text": "정말 좋다"')
