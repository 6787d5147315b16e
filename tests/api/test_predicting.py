"""Predictions ready to be printed: a text with its candidates, an image with its labels."""

import numpy as np
import pytest
from PIL import Image
from tiny_family import write_bert, write_vit

import glassformer as gf
from glassformer.api.classifier import Labelled
from glassformer.api.filler import Filled
from glassformer.api.loading import KINDS, kind_of
from glassformer.api.predicting import Predicts, predictions
from glassformer.base.errors import UserError
from glassformer.decode.fill import Blank, Candidate
from glassformer.hub.uses import abilities_of


def test_texts_come_with_their_blanks(tmp_path):
    model = gf.load(write_bert(tmp_path / "model"))
    texts = ["티끌 [MASK] 태산", "", "the ___"]
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in texts), "utf-8")
    found = list(predictions(model, str(tmp_path / "in.txt"), top_k=2))
    assert [one.text for one in found] == texts
    assert [list(one.blanks) for one in found] == model.predict(texts, top_k=2)
    assert list(found[1].lines()) == [""]
    with pytest.raises(UserError, match="text 2: the text has no blank"):
        list(predictions(model, ["[MASK]", "none"]))


def test_images_come_with_their_labels_and_blank_lines_name_none(tmp_path):
    model = gf.load(write_vit(tmp_path / "model"))
    paths = [str(tmp_path / f"{name}.png") for name in "ab"]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((8, 8), 90 * number, np.uint8)).save(path)
    (tmp_path / "in.txt").write_text(f"{paths[0]}\n\n{paths[1]}\n", "utf-8")
    found = list(predictions(model, str(tmp_path / "in.txt"), top_k=2))
    assert [one.name for one in found] == paths
    assert [list(one.labels) for one in found] == model.predict(paths, top_k=2)


def test_both_are_written_for_people_and_for_machines():
    blanks = (Blank(0, 6, (Candidate("모아", 7, 0.75),)), Blank(7, 10, (Candidate("태", 9, 0.5),)))
    assert list(Filled("[MASK] ___", blanks).lines()) == [
        "[MASK] ___",
        "  blank 1",
        "  0.7500  모아",
        "  blank 2",
        "  0.5000  태",
    ]
    assert list(Filled("[MASK]", blanks[:1]).lines()) == ["[MASK]", "  0.7500  모아"]
    assert Filled("[MASK]", blanks[:1]).as_json() == {
        "text": "[MASK]",
        "blanks": [{"start": 0, "end": 6, "candidates": [{"text": "모아", "token": 7, "probability": 0.75}]}],
    }
    one = Labelled("image", "a.png", (("고래", 0.9),))
    assert list(one.lines()) == ["a.png", "  0.9000  고래"]
    assert Labelled("text", "말", one.labels).as_json()["text"] == "말"
    assert one.as_json() == {"image": "a.png", "labels": [{"label": "고래", "probability": 0.9}]}


def test_what_the_command_opens_are_the_models_that_answer_lines():
    answering = {ability for ability in KINDS if issubclass(kind_of(ability), Predicts)}
    assert set(abilities_of("glassformer predict")) == answering
