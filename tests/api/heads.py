"""Trained classifiers and taggers of a second, for the tests of what they are opened as."""

from pathlib import Path

import glassformer as gf

REVIEWS = [("정말 좋다", "good"), ("별로", "bad"), ("좋다 이 영화", "good"), ("이 영화 정말 별로", "bad")]
SENTENCES = ["Kim\tB-PER\nruns\tO", "Lee\tB-PER\nKim\tI-PER\nin\tO\n물\tB-LOC", "in\tO\n물\tB-LOC"]
SHORT = """\
model: {{name: {model}, dim: 16, depth: 1, heads: 2{sizes}, dropout: 0.0, max_length: 12}}
tokenizer: {{name: word, vocab_size: 60, min_frequency: 1}}
objective: {{name: {objective}, dropout: 0.0}}
data: {{name: {kind}, train: {file}, valid: {file}, max_length: 12, tokens_per_batch: 64, workers: 0}}
optim: {{lr: 0.03}}
schedule: {{warmup: 5}}
train: {{steps: 40, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}}
"""


def write_recipe(folder: Path, objective: str = "classification", model: str = "gpt") -> Path:
    """A recipe for reviews with a label or sentences with tags, and its data."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [("text", "label"), *REVIEWS]
    (folder / "reviews.tsv").write_text("".join(f"{text}\t{label}\n" for text, label in rows), "utf-8")
    (folder / "tags.conll").write_text("\n\n".join(SENTENCES) + "\n", "utf-8")
    kind, file = {"classification": ("labelled", "reviews.tsv"), "tagging": ("tagged", "tags.conll")}[
        objective
    ]
    sizes = ", mlp_dim: 32" if model == "bert" else ""
    told = SHORT.format(model=model, sizes=sizes, objective=objective, kind=kind, file=file)
    (folder / "recipe.yaml").write_text(told, "utf-8")
    return folder / "recipe.yaml"


def trained(folder: Path, objective: str = "classification", model: str = "gpt") -> Path:
    """A model folder that knows its few texts."""
    gf.train(write_recipe(folder, objective, model), output=folder / "run")
    return folder / "run"
