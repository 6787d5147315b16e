"""A tagger opened for use: a tag for every word, the entities they mark, and what is left out."""

import pytest
from heads import trained

import glassformer as gf


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


def test_bio_tags_mark_entities(model):
    (found,) = model.predict("Lee Kim in 물")
    assert model.entities(found) == [{"text": "Lee Kim", "kind": "PER"}, {"text": "물", "kind": "LOC"}]


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
    assert model.entities(found) == [{"text": "가가", "kind": "PS"}]
    assert [one.word for one in model.predict("가 나")[0]] == ["가", " ", "나"]
