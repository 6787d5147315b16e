"""A run of a second for the contracts: eight sentence pairs, a recipe for them, and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from glassformer.cli import app

SUBJECTS = {"나는": "I", "우리는": "we"}
OBJECTS = {"물을": "the water", "책을": "the book"}
VERBS = {"본다": "see", "산다": "buy"}
PAIRS = [
    (f"오늘 {subject} {thing} {verb}", f"{SUBJECTS[subject]} {VERBS[verb]} {OBJECTS[thing]} today")
    for subject in SUBJECTS
    for thing in OBJECTS
    for verb in VERBS
]

RECIPE = """\
# Eight pairs, learned by heart in a second.
model:      {name: transformer, dim: 32, depth: 1, heads: 4, mlp_dim: 64, dropout: 0.0, max_length: 32}
tokenizer:  {name: word, vocab_size: 100, min_frequency: 1}
objective:  {name: translation, label_smoothing: 0.0}
data:       {train: train.tsv, valid: train.tsv, max_length: 32, tokens_per_batch: 512, workers: 0}
optim:      {lr: 0.01}
schedule:   {warmup: 10}
train:      {steps: 60, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}
evaluation: {sentences: 0, decoding: {num_beams: 2}}
"""

# Everything that can go wrong when a run goes on: dropout, several batches a step, several epochs.
RESTLESS = (
    "model.dropout=0.2",
    "data.tokens_per_batch=16",
    "train.accumulate=2",
    "train.evaluate_every=5",
    "train.save_every=4",
    "objective.label_smoothing=0.1",
)


@dataclass(frozen=True)
class Told:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines of failure."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]

    def sentence(self, code: int) -> str:
        """The one sentence of a command that ended with ``code``; fails when it is not exactly one."""
        assert self.code == code, f"ended with {self.code}, not {code}:\n{self.err}"
        assert "Traceback" not in self.err
        assert "unexpected" not in self.err
        assert len(self.errors) == 1, self.err
        assert self.err.splitlines()[-1] == self.errors[0]
        return self.errors[0].removeprefix("error: ")


def command(*arguments: str | Path, text: str | bytes = "") -> Told:
    """What ``glassformer …`` says in this process, with ``text`` on its standard input."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=text)
    return Told(done.exit_code, done.stdout, done.stderr)


def write_pairs(path: Path, pairs: Sequence[tuple[str, str]] = PAIRS) -> Path:
    """A TSV without a header."""
    path.write_text("".join(f"{one}\t{other}\n" for one, other in pairs), "utf-8")
    return path


def write_recipe(folder: Path, text: str = RECIPE) -> Path:
    """The recipe, with its data beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_pairs(folder / "train.tsv")
    recipe = folder / "recipe.yaml"
    recipe.write_text(text, "utf-8")
    return recipe
