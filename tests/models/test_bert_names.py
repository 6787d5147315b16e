"""Where the weights of BERT, RoBERTa and DistilBERT stand in files, with every habit of published ones."""

from __future__ import annotations

import pytest

from glassformer.models.bert_names import names

BLOCK = {
    "bert": "encoder.layer.3.attention.self.query.weight",
    "roberta": "encoder.layer.3.attention.self.query.weight",
    "distilbert": "transformer.layer.3.attention.q_lin.weight",
}
SCORES = {
    "bert": "cls.predictions.bias",
    "roberta": "lm_head.bias",
    "distilbert": "vocab_projector.bias",
}


@pytest.mark.parametrize("kind", BLOCK)
def test_a_bare_class_is_written_without_the_prefix_and_either_is_read(kind: str) -> None:
    memory, file = "blocks.3.attention.q.weight", BLOCK[kind]
    for head, written in (("none", file), ("masked_lm", f"{kind}.{file}")):
        table = names(kind, head)
        assert table.to_file(memory) == written
        assert table.to_memory(file) == table.to_memory(f"{kind}.{file}") == (memory,)


@pytest.mark.parametrize("kind", SCORES)
def test_scores_of_words_have_a_place_outside_the_prefix_where_the_class_has_them(kind: str) -> None:
    assert names(kind, "masked_lm").to_file("output.bias") == SCORES[kind]
    assert names(kind, "masked_lm").to_memory(SCORES[kind]) == ("output.bias",)
    assert names(kind, "none").to_memory(SCORES[kind]) is None


@pytest.mark.parametrize("copy", ["cls.predictions.decoder.bias", "cls.predictions.bias"])
def test_the_bias_of_the_scores_is_known_under_both_its_names(copy: str) -> None:
    assert names("bert", "masked_lm").to_memory(copy) == ("output.bias",)


@pytest.mark.parametrize(("letter", "name"), [("gamma", "weight"), ("beta", "bias")])
@pytest.mark.parametrize("prefix", ["", "bert."])
def test_norms_are_known_under_the_letters_of_the_first_files(letter: str, name: str, prefix: str) -> None:
    table = names("bert", "masked_lm")
    places = {
        "norm": "embeddings",
        "blocks.11.attention_norm": "encoder.layer.11.attention.output",
        "blocks.11.mlp_norm": "encoder.layer.11.output",
    }
    for memory, file in places.items():
        assert table.to_memory(f"{prefix}{file}.LayerNorm.{letter}") == (f"{memory}.{name}",)
        assert table.to_file(f"{memory}.{name}") == f"bert.{file}.LayerNorm.{name}"
    assert table.to_memory(f"cls.predictions.transform.LayerNorm.{letter}") == (f"transform.norm.{name}",)


def test_distilbert_has_no_place_for_segments_and_pooler() -> None:
    table = names("distilbert", "none")
    assert table.to_file("segments.weight") is None
    assert table.to_file("pooler.weight") is None


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_the_numbers_of_the_positions_carry_nothing(prefix: str) -> None:
    for head in ("none", "pooler", "masked_lm", "pretraining"):
        assert names("bert", head).to_memory(f"{prefix}embeddings.position_ids") == ()


@pytest.mark.parametrize("part", ["bert.pooler.dense.weight", "cls.seq_relationship.bias"])
def test_what_a_class_for_masked_words_leaves_out_may_be_in_its_file(part: str) -> None:
    assert names("bert", "masked_lm").to_memory(part) == ()
    held = names("bert", "pretraining").to_memory(part)
    assert held
    assert names("bert", "pretraining").to_file(held[0]) == part
