"""``glassformer predict``: blanks filled by an encoder, labels given by a model of images."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.contracts.asking import write_questions
from tiny_family import write_bert, write_gpt, write_vit

import glassformer as gf


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("bert") / "model")


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return write_vit(tmp_path_factory.mktemp("vit") / "model")


@pytest.fixture
def image(tmp_path):
    Image.fromarray(np.eye(8, dtype=np.uint8) * 200).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_blank_has_its_candidates_below_it(ask, bert):
    ended = ask("predict", bert, "티끌 [MASK] 태산", "--top-k", 3)
    assert (ended.code, ended.err) == (0, "")
    text, *rows = ended.out.splitlines()
    ((blank,),) = gf.load(bert).predict("티끌 [MASK] 태산", top_k=3)
    assert text == "티끌 [MASK] 태산"
    assert rows == [f"  {one.probability:.4f}  {one.text}" for one in blank.candidates]


def test_json_is_a_line_for_each_text(ask, bert, tmp_path):
    out = ask("predict", bert, "--json", "--top-k", 1, text="a ___\n\n[MASK] [MASK]\n").out
    records = [json.loads(line) for line in out.splitlines()]
    assert [len(one["blanks"]) for one in records] == [1, 0, 2]
    assert set(records[0]["blanks"][0]) == {"start", "end", "candidates"}
    (tmp_path / "in.txt").write_text("a ___\n", "utf-8")
    assert ask("predict", bert, "--json", "--input", tmp_path / "in.txt").code == 0


def test_an_image_has_its_labels_below_it(ask, vit, image):
    ended = ask("predict", vit, image, "--top-k", 2)
    (found,) = gf.load(vit).predict(image, top_k=2)
    assert ended.out.splitlines() == [str(image), *(f"  {share:.4f}  {label}" for label, share in found)]
    told = ask("predict", vit, "--json", text=f"{image}\n").result
    assert told["image"] == str(image) and len(told["labels"]) == 3


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (("no blank",), "", "text 1: the text has no blank; write [MASK]"),
        (("x", "--input", "in.txt"), "", "give one of them"),
        (("--input", "missing.txt"), "", "missing.txt: no such file"),
        ((), b"\xff\n", "standard input:1: not valid UTF-8"),
        (("a [MASK]", "--top-k", 0), "", "--top-k"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, bert, words, text, said):
    ended = ask("predict", bert, *words, text=text)
    assert ended.code == 2
    assert said in ended.err and "Traceback" not in ended.err


def test_what_is_no_image_is_told(ask, vit, tmp_path):
    (tmp_path / "a.png").write_text("text", "utf-8")
    for path, said in ((tmp_path / "a.png", "not a readable image"), ("b.png", "b.png: no such file")):
        ended = ask("predict", vit, path)
        assert ended.code == 2 and said in ended.err


def test_a_model_of_another_kind_names_its_verb(ask, model_folder, tmp_path):
    for other, verb in ((model_folder, "translate"), (write_gpt(tmp_path / "gpt"), "generate or score")):
        ended = ask("predict", other, "a [MASK]")
        assert ended.code == 2 and f"use glassformer {verb}" in ended.err


def test_a_question_has_its_answers_and_a_file_its_predictions(ask, tmp_path):
    gf.train(write_questions(tmp_path), ["train.steps=1"], output=tmp_path / "run")
    ended = ask("predict", tmp_path / "run", "who runs", "the old cat runs home", "--top-k", 2)
    question, *answers = ended.out.splitlines()
    assert (ended.code, question, len(answers)) == (0, "who runs", 2)
    one = {"context": "a b", "qas": [{"id": "x", "question": "?"}, {"id": "y", "question": "!"}]}
    (tmp_path / "q.json").write_text(json.dumps({"data": [{"paragraphs": [one]}]}), "utf-8")
    told = json.loads(ask("predict", tmp_path / "run", "--input", tmp_path / "q.json").out)
    assert list(told) == ["x", "y"] and set(told.values()) <= {"", "a", "b", "a b"}
    lines = ask("predict", tmp_path / "run", "--input", tmp_path / "q.json", "--json").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["x", "y"]
    wrong = ask("predict", tmp_path / "run", "no context")
    assert wrong.code == 2 and "expected a question, a tab and its context" in wrong.err
