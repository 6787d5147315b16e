"""What does not translate is measured by losses, at the end alone, and asks nothing of decoding."""

from glassformer.api import measuring_losses as room
from glassformer.api.measuring import Measuring, measuring
from glassformer.api.preparing import prepare
from glassformer.api.recipe import read_recipe

RECIPE = """\
model: {name: gpt, dim: 8, depth: 1, heads: 2, max_length: 16}
tokenizer: {name: character, vocab_size: 60, min_frequency: 1}
objective: {name: causal_lm}
data: {name: text, train: text.txt, block: 16, batch_size: 4, workers: 0}
train: {steps: 1}
"""


def test_a_language_model_is_measured_by_losses_and_not_without_a_set(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sleeps and the dog runs. " * 8, "utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, "utf-8")
    parts = prepare(read_recipe(tmp_path / "recipe.yaml"))
    assert measuring(parts) is room
    assert isinstance(room, Measuring)
    assert room.measure(parts, tmp_path) is None
    assert room.watching(parts) is None
    assert room.decoding(parts) == room.unmeasured() == {}
