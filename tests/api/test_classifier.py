"""A classifier opened for use: labels with probabilities, in any company, cut where a text is too long."""

import json

import pytest
import torch
from heads import REVIEWS, trained

import glassformer as gf
from glassformer.base.errors import RunError, UserError

TEXTS = [text for text, _ in REVIEWS]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return gf.load(trained(tmp_path_factory.mktemp("reviews")))


def test_every_text_has_its_label_and_probabilities_that_sum_to_one(model):
    assert isinstance(model, gf.Classifier)
    assert model.labels == ("bad", "good")
    found = model.predict(TEXTS)
    assert [one[0][0] for one in found] == [label for _, label in REVIEWS]
    for one in found:
        assert sum(share for _, share in one) == pytest.approx(1.0)
        assert one == sorted(one, key=lambda pair: -pair[1])
    assert [len(one) for one in model.predict(TEXTS, top_k=1)] == [1] * len(TEXTS)


def test_a_text_alone_or_in_company_is_told_alike(model):
    together = model.predict([*TEXTS, *TEXTS[::-1]])
    for text, one in zip(TEXTS, together, strict=False):
        (alone,) = model.predict(text)
        assert alone == [(label, pytest.approx(share, abs=1e-6)) for label, share in one]


def test_a_blank_text_has_no_labels_and_a_long_one_loses_its_end(model, capsys):
    assert model.predict(["", "  "]) == [[], []]
    long = " ".join(["정말"] * 40)
    assert model.predict(long) == model.predict(" ".join(["정말"] * 10))
    assert "text 1: it has 40 tokens; only the first 10 are read" in capsys.readouterr().err


def test_what_is_saved_tells_the_same(model, tmp_path):
    model.save(tmp_path / "again")
    assert gf.load(tmp_path / "again").predict(TEXTS) == model.predict(TEXTS)


def test_no_label_at_all_is_refused_and_broken_weights_are_told(model, tmp_path):
    with pytest.raises(UserError, match="top_k is 0; a text has at least 1 label"):
        model.predict("x", top_k=0)
    model.save(tmp_path / "broken")
    broken = gf.load(tmp_path / "broken")
    with torch.no_grad():
        broken.model.classifier.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="scores that are not numbers"):
        broken.predict("좋다")


ROWS = {
    "pair": [
        "text\tpair\tlabel",
        "정말 좋다\t좋다\tyes",
        "정말 좋다\t별로\tno",
        "별로\t좋다\tno",
        "별로\t별로\tyes",
    ],
    "multi_label": ["text\tlabel", "정말 좋다\ta,b", "별로\t", "이 영화\tb"],
    "regression": ["text\tscore", "정말 좋다\t4.5", "별로\t-1", "이 영화\t2"],
}


@pytest.fixture(scope="module", params=ROWS)
def other(request, tmp_path_factory):
    """A model of another kind, and what it learned."""
    folder, objective = tmp_path_factory.mktemp(request.param), request.param
    trained_there = folder / "rows.tsv"
    trained_there.write_text("\n".join(ROWS[objective]) + "\n", "utf-8")
    column = {"regression": ", label: score", "multi_label": ', separator: ","'}.get(objective, "")
    (folder / "recipe.yaml").write_text(
        RECIPE.format(objective=objective, column=column, file=trained_there), "utf-8"
    )
    gf.train(folder / "recipe.yaml", output=folder / "run")
    return gf.load(folder / "run"), objective


RECIPE = """\
model: {{name: bert, dim: 16, depth: 1, heads: 2, mlp_dim: 32, dropout: 0.0, attention_dropout: 0.0}}
tokenizer: {{name: word, vocab_size: 60, min_frequency: 1}}
objective: {{name: {objective}, dropout: 0.0}}
data: {{name: labelled, train: "{file}", valid: "{file}", max_length: 12, tokens_per_batch: 64,
  workers: 0{column}}}
optim: {{lr: 0.03}}
schedule: {{warmup: 5}}
train: {{steps: 60, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}}
"""


def test_two_texts_several_labels_and_numbers_are_told_and_answered(other):
    model, objective = other
    rows = [row.split("\t") for row in ROWS[objective][1:]]
    texts = [tuple(row[:2]) if objective == "pair" else row[0] for row in rows]
    found = model.predict(texts)
    answers = list(gf.predictions(model, [*("\t".join(row[:-1]) for row in rows), ""]))
    told = [one.as_json() for one in answers]
    assert told[0]["text"] == rows[0][0]
    assert told[-1]["text"] == ""
    if objective == "regression":
        true = [float(row[1]) for row in rows]
        assert found == [pytest.approx(number, abs=1.5) for number in true]
        assert sorted(found) == [one for _, one in sorted(zip(true, found, strict=True))]
        assert [one["number"] for one in told] == [*map(pytest.approx, found), None]
        assert list(answers[0].lines()) == [rows[0][0], f"  {found[0]:.4f}  score"]
        with pytest.raises(UserError, match="tells a number, which has no probability"):
            model.probabilities(texts)
        return
    shares = model.probabilities(texts)
    if objective == "multi_label":
        assert [{label for label, _ in one} for one in found] == [
            set(filter(None, row[1].split(","))) for row in rows
        ]
        assert ((shares > model.head.threshold).sum(1)).tolist() == [len(one) for one in found]
    else:
        assert [one[0][0] for one in found] == [row[2] for row in rows]
        assert shares.sum(1).tolist() == pytest.approx([1.0] * len(rows))
        assert told[0]["pair"] == rows[0][1]
        assert json.dumps(told[0], ensure_ascii=False)
    with pytest.raises(UserError, match="text 2: it is blank"):
        model.probabilities([texts[0], ""])


def test_one_text_where_two_are_read_is_refused_and_the_other_way_round(model, other):
    with pytest.raises(UserError, match="text 1: this model reads one text at once"):
        model.predict([("정말", "좋다")])
    pairs, objective = other
    if objective == "pair":
        with pytest.raises(
            UserError, match="text 2: this model reads two texts at once; give both as a tuple"
        ):
            pairs.predict([("정말", "좋다"), "좋다"])
        with pytest.raises(UserError, match="line 1: this model reads two texts at once"):
            list(gf.predictions(pairs, ["정말 좋다"]))
