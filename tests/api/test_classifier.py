"""A classifier opened for use: labels with probabilities, in any company, cut where a text is too long."""

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
