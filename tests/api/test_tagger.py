"""A tagger opened for use: a tag for every word, the entities they mark, and what is left out."""

import pytest
import torch
from heads import trained

import glassformer as gf
from glassformer.data.tags import faults


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return gf.load(trained(tmp_path_factory.mktemp("tags"), "tagging", "bert"))


def told(found):
    return " ".join(one.tag for one in found)


def test_every_word_has_its_tag_with_a_probability(model):
    assert isinstance(model, gf.Tagger)
    assert model.labels == ("B-LOC", "B-PER", "I-PER", "O")
    found = model.predict(["Lee Kim in 물", "Kim runs"])
    assert [told(one) for one in found] == ["B-PER I-PER O B-LOC", "B-PER O"]
    assert [one.word for one in found[0]] == ["Lee", "Kim", "in", "물"]
    assert all(0.3 < one.probability <= 1 for one in found[0])


def test_words_may_be_given_as_a_list_and_company_changes_nothing(model):
    (alone,) = model.predict([["Kim", "runs"]])
    again, *_ = model.predict(["Kim runs", "Lee Kim in 물", "", "in 물"])
    assert told(alone) == told(again)
    assert [one.probability for one in alone] == pytest.approx([one.probability for one in again], abs=1e-6)


def marked(model, text):
    (found,) = model.predict(text)
    return [(one.text, one.label, one.start, one.end) for one in model.entities(found, text)]


def test_bio_tags_mark_entities_with_their_characters(model):
    assert marked(model, "Lee Kim in 물") == [("Lee Kim", "PER", 0, 7), ("물", "LOC", 11, 12)]
    text = "  Lee\tKim  in 물 "
    found = marked(model, text)
    assert found == [("Lee\tKim", "PER", 2, 9), ("물", "LOC", 14, 15)]
    assert all(text[start:end] == shown for shown, _, start, end in found)


def test_entities_of_a_list_of_words_stand_as_in_a_text_with_spaces(model):
    (found,) = model.predict([["Lee", "Kim", "in", "물"]])
    told = [(one.text, one.start, one.end) for one in model.entities(found)]
    assert told == [("Lee Kim", 0, 7), ("물", 11, 12)]


def test_the_probability_of_an_entity_is_the_mean_of_its_words(model):
    (found,) = model.predict("Lee Kim in 물")
    assert model.entities(found)[0].probability == pytest.approx(
        (found[0].probability + found[1].probability) / 2
    )


def test_only_legal_tags_are_told_where_tags_mark_spans(model):
    assert model.model.head.scheme == "iob2"
    rows = [["in", "Kim"] * size + ["물"] for size in (1, 2, 3)]
    free = model.model.head.labels.index("I-PER")
    with torch.no_grad():
        bias = model.model.classifier.bias.clone()
        model.model.classifier.bias[free] += 9.0  # now an I-PER is likeliest everywhere
    try:
        for found in model.predict(rows):
            tags = [one.tag for one in found]
            assert not list(faults(tags, "iob2"))
            assert "I-PER" in tags
    finally:
        with torch.no_grad():
            model.model.classifier.bias.copy_(bias)


def test_people_and_machines_are_told_words_and_entities(model):
    (found,) = model.answers(iter(["Lee Kim in"]), 5)
    lines = list(found.lines())
    assert lines[0].startswith("## 0-7 PER 0.")
    assert lines[0].endswith(" Lee Kim")
    assert lines[1:] == ["Lee\tB-PER", "Kim\tI-PER", "in\tO", ""]
    (told,) = found.as_json()["entities"]
    assert (told["text"], told["label"], told["start"], told["end"]) == ("Lee Kim", "PER", 0, 7)


def test_a_text_without_words_has_no_tags_and_a_long_one_loses_its_end(model, capsys):
    assert model.predict(["", "  "]) == [[], []]
    assert len(model.predict(" ".join(["Kim"] * 30))[0]) == 10
    assert "text 1: it has 30 words; only the first 10 have tags" in capsys.readouterr().err


def test_a_model_of_characters_tags_spaces_too(tmp_path):
    (tmp_path / "tags.tsv").write_text("가\tB-PS\n \tO\n나\tO\n\n나\tO\n가\tB-PS\n가\tI-PS\n", "utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "model: {name: gpt, dim: 16, depth: 1, heads: 2, dropout: 0.0, max_length: 12}\n"
        "tokenizer: {name: character, vocab_size: 20, min_frequency: 1}\n"
        "objective: {name: tagging, dropout: 0.0}\n"
        "data: {name: tagged, train: tags.tsv, unit: character, max_length: 12, workers: 0}\n"
        "optim: {lr: 0.03}\nschedule: {warmup: 5}\n"
        "train: {steps: 40, evaluate_every: 0, save_every: 0, precision: float32}\n",
        "utf-8",
    )
    gf.train(recipe, output=tmp_path / "run")
    model = gf.load(tmp_path / "run")
    (found,) = model.predict("나가가")
    assert told(found) == "O B-PS I-PS"
    assert [(one.text, one.label, one.start, one.end) for one in model.entities(found)] == [
        ("가가", "PS", 1, 3)
    ]
    assert [one.word for one in model.predict("가 나")[0]] == ["가", " ", "나"]
