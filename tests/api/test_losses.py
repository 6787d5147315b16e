"""A set is measured as its run was, or by what the model is for; bits are of the bytes that were foretold."""

import math

import numpy as np
import pytest
from tiny_family import TEXTS, write_bert, write_gpt, write_vit

import glassformer as gf
from glassformer.api.losses import losses
from glassformer.base import report
from glassformer.base.errors import UserError


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(TEXTS) + "\n", "utf-8")
    return str(path)


def test_bits_per_byte_are_those_of_every_token_but_the_first(text, tmp_path):
    model = gf.load(write_gpt(tmp_path / "gpt", max_length=256))
    found = losses(model, [text])
    (scored,) = model.score(["\n".join(TEXTS)])
    end = len(scored.tokens)  # the end of the document is foretold too, the first token is not
    figures = found.figures
    tokens, size = end + 1, len(("\n".join(TEXTS)).encode())
    assert figures["perplexity"] == pytest.approx(math.exp(figures["nll"]))
    assert figures["bits_per_byte"] == pytest.approx(figures["nll"] * tokens / math.log(2) / size, rel=0.02)


def test_the_settings_of_the_run_are_those_of_the_measure(text, tmp_path):
    recipe = f"""\
model: {{name: gpt, dim: 16, depth: 2, heads: 2, max_length: 32}}
objective: {{name: causal_lm, direction: backward}}
data: {{name: text, train: {text}, documents: line, block: 8}}
train: {{steps: 1}}
"""
    forward = losses(gf.load(write_gpt(tmp_path / "one")), [text]).figures
    backward = losses(gf.load(write_gpt(tmp_path / "two", recipe=recipe)), [text]).figures
    assert backward["nll"] != pytest.approx(forward["nll"], rel=1e-4)


def test_hidden_words_have_a_perplexity_but_no_bits(text, tmp_path):
    found = losses(gf.load(write_bert(tmp_path / "bert")), [text])
    assert {"accuracy", "perplexity"} <= found.figures.keys()
    assert "bits_per_byte" not in found.figures
    assert found.as_json()["seconds"] >= 0
    assert "accuracy: " in str(found)


def _images(folder, labels):
    image = pytest.importorskip("PIL.Image", reason="image files need pillow (extra: images)")
    for number, label in enumerate(labels):
        (folder / label).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)
        image.fromarray(pixels).save(folder / label / f"{number}.png")
    return str(folder)


def test_images_are_counted_by_the_classes_that_the_model_knows(tmp_path):
    model = gf.load(write_vit(tmp_path / "vit"))
    found = losses(model, [_images(tmp_path / "right", ["cat", "dog", "고래", "dog"])])
    assert found.figures["accuracy"] in (0.0, 0.25, 0.5, 0.75, 1.0)
    other = _images(tmp_path / "other", ["cat", "dog", "owl"])
    with pytest.raises(UserError, match="the classes are cat dog owl, but the model knows cat dog 고래"):
        losses(model, [other])


def test_options_of_translations_are_refused_for_others(text, tmp_path):
    folder = write_gpt(tmp_path / "gpt")
    assert gf.evaluate(folder, text).figures["nll"] > 0
    with pytest.raises(UserError, match="this model generates; paper is for models that translate"):
        gf.evaluate(folder, text, paper=True)
    with pytest.raises(UserError, match="this model generates; num_beams is for models that translate"):
        gf.evaluate(folder, text, settings={"num_beams": 3})


def test_measuring_is_shown_row_by_row(text, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "SECONDS_BETWEEN_LINES", 0.0)
    losses(gf.load(write_gpt(tmp_path / "gpt", max_length=8)), [text])
    last = [line for line in capsys.readouterr().err.splitlines() if line.startswith("measuring")][-1]
    done, total = last.split()[1].split("/")
    assert done == total
    assert int(total) > 1
