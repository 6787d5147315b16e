"""word2vec against gensim: words a second with the same threads, in turn, and what the vectors know.

python -m bench.words [--text FILE …] [--epochs 3] [--threads 2]      (some four minutes without --text)

Both get the same words of the same texts, the same vocabulary, window, noise words, sub-sampling, size and
epochs. Words a second count every word of the text, also those that sub-sampling leaves out, as gensim does.
Of generated text the truth is known: ``classes`` is how often a word is more similar to one of its own class
than to another (1 is always, 0.5 is chance). Of real text ``forms`` is the mean reciprocal rank of a word's
other forms (walk, walked; 국민은, 국민을) among its neighbours: a fact of the data, no list of anybody's.
Beside words a second stand those a second of work of all processors, which other work does not disturb.
Each is run three times, gensim the second and third time on its sentences in another order, as ours are.
``agree`` is Spearman's correlation of similarities over pairs of frequent words, the least and the most: of
ours with each run of gensim, and, which is the noise to compare that with, of gensim's runs with each other.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glassformer.api.preparing import Parts, prepare
from glassformer.api.recipe import read_recipe
from glassformer.base import machine
from glassformer.data.example import Batch
from glassformer.data.stream import Position, Stream
from glassformer.train import trainer

DIM, WINDOW, NEGATIVE, SAMPLE, RARE = 100, 5, 5, 1e-3, 5
BLOCK, LEAST = 4096, 0.0001
ROWS = {"skip_gram": 1, "cbow": 2}
LR = {"skip_gram": 0.025, "cbow": 0.025}
OBJECTIVES = {"skip_gram": "name: skip_gram", "cbow": "name: cbow, whole: true"}  # as gensim has them
PRECISION = {"skip_gram": "auto", "cbow": "float32"}  # of CBOW the products are the lesser part
INIT = 1.0
ROUNDS = 3
DATA = Path(os.environ.get("GLASSFORMER_DATA", Path(__file__).parents[2] / "shared" / "data"))

RECIPE = """\
model:      {{name: word2vec, dim: {dim}}}
tokenizer:  {{name: word, vocab_size: 200000, min_frequency: {rare}}}
objective:  {{{objective}, window: {window}, negative: {negative}, sample: {sample}}}
data:
  name: text
  train: "{text}"
  documents: line
  block: {block}
  batch_size: {rows}
  workers: {workers}
optim:      {{name: sgd, per: answer, lr: {lr}, clip: null, clip_row: 1}}
schedule:   {{name: linear, floor: {floor}, steps: {steps}}}
train:
  epochs: {epochs}
  evaluate_every: 0
  save_every: 0
  keep_last: 0
  evaluate_first: false
  precision: {precision}
"""


@dataclass(frozen=True)
class Task:
    """A text ready for both: our parts of a run, gensim's sentences, and how many words an epoch has."""

    parts: Parts
    sentences: list[list[str]]
    raw: int
    words: list[str]
    epochs: int
    threads: int


@dataclass(frozen=True)
class Trained:
    """Vectors by number of the vocabulary, seconds of training, and seconds that processors worked on it."""

    vectors: np.ndarray
    seconds: float
    work: float


def generated(path: Path, classes: int = 40, each: int = 200, size: int = 800_000) -> None:
    """Words of four letters, the first two their class: a class calls one of three, its words are by Zipf."""
    chance = np.random.default_rng(5)
    after = chance.integers(0, classes, (classes, 3))
    share = 1 / np.arange(1, each + 1)
    drawn = chance.choice(each, size, p=share / share.sum())
    turns, at, lines = chance.integers(0, 3, size), 0, []
    for start in range(0, size, 20):
        line = []
        for place in range(start, start + 20):
            at = int(after[at, turns[place]]) if place > start else int(chance.integers(classes))
            line.append(_letters(at) + _letters(int(drawn[place])))
        lines.append(" ".join(line))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _letters(number: int) -> str:
    return chr(97 + number // 26) + chr(97 + number % 26)


def _task(text: Path, objective: str, epochs: int, threads: int, folder: Path) -> Task:
    settings: dict[str, Any] = {
        "dim": DIM,
        "rare": RARE,
        "window": WINDOW,
        "negative": NEGATIVE,
        "sample": SAMPLE,
    }
    settings |= {"objective": OBJECTIVES[objective], "text": text, "block": BLOCK, "rows": ROWS[objective]}
    settings |= {"lr": LR[objective], "floor": LEAST / LR[objective], "precision": PRECISION[objective]}
    settings["workers"] = threads - 1  # with one thread there is none to make batches beside the steps
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(**settings, epochs=epochs, steps=1), "utf-8")
    with contextlib.redirect_stderr(io.StringIO()):
        parts = prepare(read_recipe(recipe))
    steps = epochs * -(-parts.train.epoch_size() // ROWS[objective])
    asked = parts.recipe.schedule.model_copy(update={"steps": steps})
    recipe_with = parts.recipe.model_copy(update={"schedule": asked})
    parts = Parts(**{**vars(parts), "recipe": recipe_with})
    store: Any = parts.train.stores[0]
    tokens = np.asarray(store.store.joined("tokens"))
    model: Any = parts.model
    assert parts.tokenizers is not None
    special = np.isin(tokens, list(parts.tokenizers.source.specials_ids()))
    ends = np.flatnonzero(tokens == model.config.eos_id) + 1
    names = np.char.mod("%d", np.arange(model.config.vocab_size))
    lines = zip(np.split(tokens, ends), np.split(~special, ends), strict=True)
    sentences = [names[line[kept]].tolist() for line, kept in lines]
    words = parts.tokenizers.source.pieces(range(model.config.vocab_size))
    return Task(
        parts, sentences, len(tokens) - len(ends), [word.strip(" ▁") for word in words], epochs, threads
    )


def by_gensim(task: Task, seed: int = 1) -> Trained:
    """gensim's vectors."""
    from gensim.models import Word2Vec  # the peer may be absent

    objective: Any = task.parts.recipe.objective
    model = Word2Vec(
        vector_size=DIM, window=WINDOW, negative=NEGATIVE, sample=SAMPLE, min_count=1, seed=seed,
        sg=int(objective.name == "skip_gram"), workers=task.threads,
    )  # fmt: skip
    model.build_vocab(task.sentences)
    began, worked = time.perf_counter(), time.process_time()
    model.train(task.sentences, total_examples=model.corpus_count, epochs=task.epochs)
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    vectors = np.zeros((len(task.words), DIM), np.float32)
    vectors[[int(word) for word in model.wv.index_to_key]] = model.wv.vectors
    return Trained(vectors, seconds, work)


def by_us(task: Task, folder: Path, seed: int = 1) -> Trained:
    """Ours, by the trainer, from first weights drawn as gensim draws them."""
    recipe, model = task.parts.recipe, task.parts.model
    train = recipe.train.model_copy(update={"seed": seed})
    tables: Any = model
    torch.manual_seed(seed)
    with torch.no_grad():
        tables.input.weight.uniform_(-INIT / DIM, INIT / DIM)
        tables.output.weight.zero_()
    torch.set_num_threads(task.threads)
    stream = Timed(task.parts.train)
    with contextlib.redirect_stderr(io.StringIO()), tempfile.TemporaryDirectory(dir=folder) as run:
        outcome = trainer.fit(
            model, task.parts.objective, stream,
            trainer.Plan(recipe.optim, recipe.schedule, train),
            output=Path(run) / "run", save=_nothing,
        )  # fmt: skip
    return Trained(tables.vectors.numpy().copy(), outcome.seconds, stream.work)


class Timed:
    """Batches, and how long processors worked from the first to the end of training, before any saving."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.work = stream, 0.0

    def batches(self, position: Position) -> Iterator[tuple[Batch, Position]]:
        """Those of the stream."""
        began = time.process_time()
        try:
            yield from self.stream.batches(position)
        finally:
            self.work = time.process_time() - began


def _nothing(place: Path) -> None:
    """No folder is written: training alone is measured."""
    del place


def _unit(vectors: np.ndarray) -> np.ndarray:
    found: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
    return found


def classes(vectors: np.ndarray, words: Sequence[str]) -> float:
    """How often a pair of one class is more similar than a pair of two."""
    known = [(number, word[:2]) for number, word in enumerate(words) if len(word) == 4 and word.isalpha()]
    numbers, kinds = np.array([number for number, _ in known]), np.array([kind for _, kind in known])
    first, second = np.random.default_rng(0).integers(0, len(known), (2, 200_000))
    unit = _unit(vectors[numbers])
    scores, same = (unit[first] * unit[second]).sum(1), (kinds[first] == kinds[second]) & (first != second)
    ranks: Any = np.argsort(np.argsort(scores)) + 1.0
    own, others = same.sum(), (~same).sum()
    return float((ranks[same].sum() - own * (own + 1) / 2) / (own * others))


def forms(vectors: np.ndarray, words: Sequence[str], most: int = 10_000) -> float:
    """The mean reciprocal rank, among a word's neighbours, of words that differ from it in their end."""
    numbers = [number for number, word in enumerate(words[:most]) if word.isalpha()]
    stems: dict[str, list[int]] = {}
    for number in numbers:
        word = words[number]
        for end in (1, 2, 3):
            if len(word) - end >= (2 if ord(word[0]) > 0x1100 else 4):
                stems.setdefault(word[:-end], []).append(number)
        stems.setdefault(word, []).append(number)
    pairs = [
        (group[0], other) for stem, group in stems.items() if words[group[0]] == stem for other in group[1:]
    ]
    if not pairs:
        return float("nan")
    chosen = np.array(pairs[:3000])
    unit = _unit(vectors)
    scores = unit[chosen[:, 0]] @ unit[numbers].T
    own = (unit[chosen[:, 0]] * unit[chosen[:, 1]]).sum(1, keepdims=True)
    ranks = (scores > own + 1e-6).sum(1)  # the word itself is among them, so that the best rank is 1
    return float((1 / ranks.clip(1)).mean())


def agree(one: np.ndarray, other: np.ndarray, most: int = 3000) -> float:
    """Spearman's correlation of two models' similarities."""
    first, second = np.random.default_rng(0).integers(5, min(most, len(one)), (2, 20_000))
    ranks = []
    for vectors in (_unit(one), _unit(other)):
        ranks.append(np.argsort(np.argsort((vectors[first] * vectors[second]).sum(1))))
    found: Any = np.corrcoef(np.stack(ranks))
    return float(found[0, 1])


def compare(name: str, text: Path, asked: argparse.Namespace, folder: Path) -> None:
    """A line for each objective and each of the two."""
    for objective in asked.objectives:
        task = _task(text, objective, asked.epochs, asked.threads, folder)
        theirs, ours = [], []
        for round_ in range(ROUNDS):
            theirs.append(by_gensim(task, seed=round_ + 1))
            ours.append(by_us(task, folder, seed=round_ + 1))
            np.random.default_rng(round_).shuffle(task.sentences)
        knows = classes if name.startswith("generated") else forms
        speeds = [task.raw * asked.epochs / min(one.seconds for one in runs) for runs in (theirs, ours)]
        works = [task.raw * asked.epochs / min(one.work for one in runs) for runs in (theirs, ours)]
        told = [[knows(run.vectors, task.words) for run in runs] for runs in (theirs, ours)]
        near = [
            [agree(one.vectors, other.vectors) for one, other in pairs]
            for pairs in (combinations(theirs, 2), product(theirs, ours))
        ]
        for who, speed, work, quality, close in zip(
            ("gensim", "ours"), speeds, works, told, near, strict=True
        ):
            print(
                f"{name:<12} {objective:<10} {who:<7} {speed:>12,.0f} words/s"
                f" {work:>12,.0f} a processor second"
                f"   {knows.__name__} {min(quality):.4f}-{max(quality):.4f}"
                f"   agree {min(close):.3f}-{max(close):.3f}",
                flush=True,
            )
        print(
            f"{name:<12} {objective:<10} ratio   {speeds[1] / speeds[0]:>12.2f}"
            f"         {works[1] / works[0]:>12.2f}",
            flush=True,
        )


def _known(folder: Path) -> dict[str, Path]:
    """The generated text, and the real ones that are at hand, as single files."""
    texts = {"generated": folder / "generated.txt"}
    generated(texts["generated"])
    real = {
        "wikitext2": sorted((DATA / "en-wikitext2").glob("*.txt.gz")),
        "speeches": sorted((DATA / "ko-speeches").glob("train.txt.gz")),
    }
    for name, paths in real.items():
        if paths:
            texts[name] = folder / f"{name}.txt"
            texts[name].write_bytes(b"".join(gzip.decompress(path.read_bytes()) for path in paths))
    return texts


def main() -> None:
    """Prints the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--text", type=Path, nargs="*", help="plain text, a document a line")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--objectives", nargs="*", choices=tuple(OBJECTIVES), default=tuple(OBJECTIVES))
    asked = parser.parse_args()
    machine.prepare(machine.look())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        texts = {path.stem: path.resolve() for path in asked.text} if asked.text else _known(folder)
        for name, text in texts.items():
            compare(name, text, asked, folder)


if __name__ == "__main__":
    main()
