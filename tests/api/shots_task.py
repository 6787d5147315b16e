"""A small task on disk: ten reviews to show, six to ask."""

from pathlib import Path

SHOWN = [
    "good fun 1",
    "so good",
    "good film",
    "a good one",
    "good good",
    "bad",
    "too bad",
    "bad film",
    "a bad one",
    "bad bad",
]
ASKED = ["good 7", "good or so", "bad 8", "a bad day", "was good", "bad end"]

TASK = """data:
  train: train.tsv
  test: test.tsv
  label: sentiment
template: "{text} is {label}"
labels: {pos: nice, neg: awful}
separator: " "
"""


def write_task(folder: Path, text: str = TASK) -> Path:
    """The task file, beside its data."""
    for name, rows in (("train", SHOWN), ("test", ASKED)):
        lines = [f"{row}\t{'pos' if 'good' in row else 'neg'}" for row in rows]
        (folder / f"{name}.tsv").write_text("\n".join(["text\tsentiment", *lines, ""]), encoding="utf-8")
    path = folder / "task.yaml"
    path.write_text(text, encoding="utf-8")
    return path
