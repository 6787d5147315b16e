"""``glassformer parameters``: a table, the sums, the memory, and all of it for machines."""

import pytest

GPT2 = ("model=gpt", "model.preset=gpt2", "model.vocab_size=50257")


def test_a_model_is_counted_layer_by_layer(ask):
    out = ask("parameters", *GPT2).out
    assert "embedding.table.weight" in out
    assert "blocks × 12" in out
    assert "with embeddings:    38,597,376 + 786,432 + 85,056,000 = 124,439,808" in out
    assert "training: about" in out
    assert "in use: 475 MiB in float32, 237 MiB in bfloat16" in out


def test_layers_are_shown_one_by_one_when_asked(ask):
    assert "blocks.11.mlp_norm.bias" in ask("parameters", *GPT2, "--layers").out


def test_machines_are_told_everything(ask):
    told = ask("parameters", *GPT2, "--json").result
    assert told["parameters"] == 124_439_808
    assert told["memory"]["use"]["cache_per_1000_tokens"] == 1000 * 12 * 2 * 768 * 4


def test_a_recipe_says_what_was_assumed(ask):
    out = ask("parameters", "translation/small", "model.depth=1").out
    assert "assumed: the vocabulary is as large as the recipe asks for" in out


@pytest.mark.parametrize("words", [("model=gpt",), ("model=nothing",), ("runs/nowhere",)])
def test_a_mistake_ends_with_two_and_a_sentence(ask, words):
    ended = ask("parameters", *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
