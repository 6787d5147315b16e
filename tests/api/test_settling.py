"""What is chosen when training is done: found on the validation set, and written beside the best weights."""

import json

import glassformer as gf
from glassformer.hub.folder import check

RECIPE = """\
model: {name: gpt, dim: 16, depth: 1, heads: 2, dropout: 0.0, max_length: 12}
tokenizer: {name: word, vocab_size: 60, min_frequency: 1}
objective: {name: OBJECTIVE, dropout: 0.0}
data: {name: labelled, train: rows.tsv, valid: rows.tsv, max_length: 12, workers: 0, separator: SEPARATOR}
optim: {lr: 1e-4}
train: {steps: 2, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}
"""


def run(folder, objective, separator):
    (folder / "rows.tsv").write_text("text\tlabel\na b\tx\nc\ty\nd e\tx\n", "utf-8")
    recipe = RECIPE.replace("OBJECTIVE", objective).replace("SEPARATOR", separator)
    (folder / "recipe.yaml").write_text(recipe, "utf-8")
    gf.train(folder / "recipe.yaml", output=folder / "run")
    return folder / "run"


def test_the_threshold_of_the_best_weights_is_in_their_folders(tmp_path):
    folder = run(tmp_path, "multi_label", '","')
    model = gf.load(folder)
    rows = ["a b", "c", "d e"]
    truth = [[True, False], [False, True], [True, False]]
    shares = model.probabilities(rows)
    told = shares >= model.head.threshold
    right = sum(one and other for row, wanted in zip(told.tolist(), truth, strict=True)
                for one, other in zip(row, wanted, strict=True))  # fmt: skip
    best = 2 * right / (int(told.sum()) + 3)
    usual = shares >= 0.5
    assert best >= 2 * sum(bool(usual[row, truth[row].index(True)]) for row in range(3)) / (
        int(usual.sum()) + 3
    )
    for place in (folder, folder / "best"):
        if place.exists():
            kept = json.loads((place / "config.json").read_text("utf-8"))["glassformer_head"]["threshold"]
            assert kept == model.head.threshold
            check(place, thorough=True)


def test_nothing_is_chosen_where_nothing_is_to_be(tmp_path, capsys):
    run(tmp_path, "classification", "null")
    assert "a label is told from" not in capsys.readouterr().err
