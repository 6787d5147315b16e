"""A judgement as people read it, as machines do, and as files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassformer.evaluate.judge import Table
from glassformer.evaluate.judgement import judgement


class Fixed:
    """A judge of four rows, of which one figure is undefined."""

    shown: Mapping[str, str] = {"accuracy": "accuracy", "matthews": "Matthews correlation"}
    columns = 2

    def __len__(self) -> int:
        return 4

    def figures(self, rows: np.ndarray | None = None) -> dict[str, float]:
        values = np.array([1.0, 1.0, 0.0, 1.0])
        return {"accuracy": float(values[slice(None) if rows is None else rows].mean()), "matthews": math.nan}

    def notes(self) -> list[str]:
        return ["one label only"]

    def tables(self) -> list[Table]:
        names = tuple("abcdefghijklmnopq"[: self.columns])
        return [Table("confusion", "Who is who", names, ((1,) * self.columns,))]

    def wrong(self, most: int) -> Table:
        rows = tuple((f"x:{row}", 0.5, "tab\there " + "long " * 30) for row in range(min(most, 12)))
        return Table("wrong", "Most sure and wrong", ("where", "probability", "text"), rows)


def test_people_read_figures_tables_and_mistakes() -> None:
    told = "\n\n".join(judgement(Fixed(), samples=50).paragraphs())
    assert "accuracy: 0.7500  (95 %: " in told
    assert "Matthews correlation: undefined" in told
    assert "Who is who" in told
    assert "x:9" in told and "x:10" not in told
    assert "…" in told
    assert told.endswith("one label only")


def test_without_resamples_there_are_no_intervals() -> None:
    found = judgement(Fixed(), samples=0)
    assert found.line("accuracy") == "accuracy: 0.7500"
    assert found.as_json()["intervals"] == {}


def test_a_table_too_wide_for_a_terminal_is_only_written(tmp_path: Path) -> None:
    wide = Fixed()
    wide.columns = 17
    found = judgement(wide, samples=5)
    assert "Who is who" not in "\n".join(found.paragraphs())
    found.write(tmp_path / "evaluation" / "test", {})
    assert (tmp_path / "evaluation" / "test" / "confusion.tsv").read_text("utf-8").startswith("a\tb\tc")


def test_machines_have_all_and_files_are_written_again(tmp_path: Path) -> None:
    found = judgement(Fixed(), samples=20)
    told: dict[str, Any] = found.as_json()
    assert told["confusion"] == [{"a": 1, "b": 1}]
    assert len(told["wrong"]) == 12
    assert told["rows"] == 4
    assert told["intervals"]["matthews"] == [None, None]
    for _ in range(2):
        found.write(tmp_path / "deep" / "test", {"data": ["test.tsv"]})
    files = sorted(path.name for path in (tmp_path / "deep" / "test").iterdir())
    assert files == ["confusion.tsv", "figures.json", "wrong.tsv"]
    figures = json.loads((tmp_path / "deep" / "test" / "figures.json").read_text("utf-8"))
    assert (figures["accuracy"], figures["matthews"], figures["data"]) == (0.75, None, ["test.tsv"])
    lines = (tmp_path / "deep" / "test" / "wrong.tsv").read_text("utf-8").splitlines()
    assert lines[0] == "where\tprobability\ttext"
    assert {line.count("\t") for line in lines} == {2}
