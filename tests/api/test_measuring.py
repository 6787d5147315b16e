"""A run is measured by what it learns; the figures reach the result and the card."""

import pytest

import glassformer as gf
from glassformer.base.errors import UserError
from glassformer.hub.folder import load

RECIPE = """\
model: {name: gpt, dim: 16, depth: 1, heads: 2, max_length: 16}
tokenizer: {name: character, vocab_size: 60, min_frequency: 1}
objective: {name: causal_lm}
data: {name: text, train: text.txt, valid: text.txt, test: other.txt, block: 16, batch_size: 4, workers: 0}
schedule: {warmup: 2}
train: {steps: 3, evaluate_every: 0, save_every: 0, precision: float32}
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sleeps and the dog runs. " * 8, "utf-8")
    (tmp_path / "other.txt").write_text("the dog sleeps and the cat runs. " * 3, "utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE, "utf-8")
    return path


def test_a_language_model_is_measured_on_the_test_set_and_the_card_says_so(recipe, tmp_path):
    found = gf.train(recipe, output=tmp_path / "run")
    assert found["measured_on"] == "test"
    assert "bleu" not in found
    again = gf.evaluate(tmp_path / "run", str(tmp_path / "other.txt"))
    assert again.figures["nll"] == pytest.approx(found["nll"], rel=1e-5)
    assert again.figures["bits_per_byte"] == pytest.approx(found["bits_per_byte"], rel=1e-5)
    card = (tmp_path / "run" / "README.md").read_text("utf-8")
    assert f"| bits per byte | {found['bits_per_byte']:.2f} | other.txt |" in card
    assert "glassformer evaluate run --data other.txt" in card
    assert "glassformer generate" in card


def test_without_a_set_nothing_is_measured(recipe, tmp_path):
    found = gf.train(recipe, ["data.valid=null", "data.test=null"], output=tmp_path / "run")
    assert "measured_on" not in found
    assert found["valid_loss"] is None


def test_running_text_begins_with_its_end_whatever_the_tokenizer_says(recipe, tmp_path):
    words = gf.TokenizerConfig(name="character", vocab_size=60, min_frequency=1)
    gf.train_tokenizer([str(tmp_path / "text.txt")], tmp_path / "words", words)  # framed for translation
    gf.prepare_data([str(tmp_path / "text.txt")], tmp_path / "store", tmp_path / "words")
    sets = [f"data.train={tmp_path / 'store'}", "data.valid=null", "data.test=null"]
    gf.train(recipe, sets, output=tmp_path / "run")
    config = load(tmp_path / "run").config
    assert config.start_id == config.eos_id


def test_a_block_longer_than_the_model_is_told_by_its_name(recipe, tmp_path):
    with pytest.raises(UserError, match=r"data\.block is 17 but the model reads at most 16 .* data\.block"):
        gf.train(recipe, ["data.block=17"], output=tmp_path / "run")


def test_a_folder_that_does_not_translate_says_nothing_of_beams(recipe, tmp_path):
    gf.train(recipe, output=tmp_path / "run")
    assert "num_beams" not in load(tmp_path / "run").generation
