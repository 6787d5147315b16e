"""BERT and its relatives: published sizes, where a text begins, and what a file may ask."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from tests.models.drawn import CLOSE, drawn
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.hub.folder import load, save
from glassformer.models.bert import PRESETS, Config, Model, fitted, read, write

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

TINY = {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "max_length": 12, "vocab_size": 31}
ROBERTA = TINY | {"kind": "roberta", "segments": 1, "pad_id": 1, "eps": 1e-5}
DISTILBERT = TINY | {"kind": "distilbert", "segments": 0}
KINDS = [
    pytest.param(TINY, id="bert"),
    pytest.param(ROBERTA, id="roberta"),
    pytest.param(DISTILBERT, id="distilbert"),
]
TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10, 2], [11, 12, 2, 3, 3, 3, 3]])
KEEP = torch.tensor([[True] * 7, [True] * 3 + [False] * 4])


def _model(settings: dict[str, Any], **more: Any) -> Model:
    return drawn(Model(Config(**(settings | more))))


def _hidden(model: Model, **batch: Tensor) -> Tensor:
    with torch.no_grad():
        return model.hidden(batch)


# --- sizes -------------------------------------------------------------------------------------------------

# With BERT's 30,522 words and RoBERTa's 50,265.
SIZES = [
    ("tiny", "pooler", 4_385_920),
    ("mini", "pooler", 11_170_560),
    ("small", "pooler", 28_763_648),
    ("medium", "pooler", 41_373_184),
    ("base", "pooler", 109_482_240),
    ("base", "masked_lm", 109_514_298),
    ("base", "pretraining", 110_106_428),
    ("large", "pooler", 335_141_888),
    ("roberta-base", "pooler", 124_645_632),
    ("roberta-base", "masked_lm", 124_697_433),
    ("distilbert-base", "none", 66_362_880),
    ("distilbert-base", "masked_lm", 66_985_530),
]


@pytest.mark.parametrize(("preset", "head", "size"), SIZES)
def test_the_published_sizes_have_as_many_weights_as_in_transformers(
    preset: str, head: str, size: int
) -> None:
    words = 50_265 if preset == "roberta-base" else 30_522
    config = Config(**(PRESETS[preset] | {"head": head, "vocab_size": words}))
    with torch.device("meta"):
        model = Model(config)
        settings = transformers.AutoConfig.for_model(**write(config))
        theirs = getattr(transformers, write(config)["architectures"][0])(settings)
    assert sum(weight.numel() for weight in model.parameters()) == size
    assert sum(weight.numel() for weight in theirs.parameters()) == size


def test_weights_begin_small_and_biases_at_nought() -> None:
    torch.manual_seed(1)
    model = Model(Config(dim=64, depth=2, heads=2, mlp_dim=128, vocab_size=500, head="pretraining"))
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            assert not weight.any(), name
        elif "norm" in name:
            assert bool((weight == 1).all()), name
        elif weight.numel() > 1000:
            assert 0.018 < float(weight.detach().std()) < 0.022, name


# --- what it reads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", KINDS)
def test_padding_on_either_side_and_of_any_word_changes_nothing(settings: dict[str, Any]) -> None:
    model = _model(settings)
    alone = _hidden(model, tokens=TOKENS[1:, :3])[0]
    right = _hidden(model, tokens=TOKENS, keep=KEEP)[1, :3]
    left = _hidden(model, tokens=TOKENS[1:].roll(4, dims=1), keep=KEEP[1:].roll(4, dims=1))[0, 4:]
    torch.testing.assert_close(right, alone, **CLOSE)
    torch.testing.assert_close(left, alone, **CLOSE)


def test_segments_are_told_apart_and_the_first_is_the_default() -> None:
    model = _model(TINY)
    plain = _hidden(model, tokens=TOKENS)
    torch.testing.assert_close(_hidden(model, tokens=TOKENS, segments=torch.zeros_like(TOKENS)), plain)
    second = _hidden(model, tokens=TOKENS, segments=torch.ones_like(TOKENS))
    assert not torch.allclose(second, plain, atol=1e-2)


def test_a_document_sees_only_itself() -> None:
    model = _model(TINY)
    documents = torch.tensor([[0, 0, 0, 1, 1, 1, 1]])
    before = _hidden(model, tokens=TOKENS[:1], documents=documents)
    after = _hidden(model, tokens=TOKENS[:1].index_fill(1, torch.tensor([5]), 20), documents=documents)
    torch.testing.assert_close(after[:, :3], before[:, :3])
    assert not torch.allclose(after[:, 3:], before[:, 3:], atol=1e-3)


def test_roberta_counts_from_behind_its_padding_word_and_over_real_words_only() -> None:
    model = _model(ROBERTA)
    tokens = torch.tensor([[1, 1, 5, 6, 7]])
    inside = _hidden(model, tokens=tokens, keep=tokens != 1)[:, 2:]
    torch.testing.assert_close(inside, _hidden(model, tokens=tokens[:, 2:]), **CLOSE)
    with torch.no_grad():
        model.positions.weight[:2] *= -1  # of nothing, and of padding
        torch.testing.assert_close(_hidden(model, tokens=tokens, keep=tokens != 1)[:, 2:], inside)
        model.positions.weight[2] *= -1
    assert not torch.allclose(_hidden(model, tokens=tokens, keep=tokens != 1)[:, 2:], inside, atol=1e-3)


def test_roberta_without_a_mask_gives_what_transformers_gives_without_one(tmp_path: Path) -> None:
    model = _model(ROBERTA, head="pooler")
    save(tmp_path / "model", model, None)
    theirs = transformers.RobertaModel.from_pretrained(tmp_path / "model").eval()
    tokens = torch.tensor([[5, 1, 6, 7], [5, 6, 1, 1]])
    with torch.no_grad():
        told = theirs(input_ids=tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state
    torch.testing.assert_close(_hidden(model, tokens=tokens), told, **CLOSE)


@pytest.mark.parametrize("settings", KINDS)
def test_a_text_longer_than_the_model_is_refused(settings: dict[str, Any]) -> None:
    model = _model(settings)
    longest = torch.full((1, 12), 5)
    assert bool(_hidden(model, tokens=longest).isfinite().all())
    for more in ({}, {"keep": torch.ones(1, 13, dtype=torch.bool)}):
        with pytest.raises(UserError, match="13 tokens is longer than the model, which reads 12"):
            _hidden(model, tokens=torch.full((1, 13), 5), **more)


# --- heads -------------------------------------------------------------------------------------------------


def test_a_model_without_scores_gives_its_hidden_states() -> None:
    model = _model(TINY, head="none")
    with torch.no_grad():
        assert torch.equal(model({"tokens": TOKENS}), model.hidden({"tokens": TOKENS}))


def test_a_model_without_a_pooler_says_so() -> None:
    model = _model(TINY)
    with pytest.raises(UserError, match="no pooler"):
        model.pooled(_hidden(model, tokens=TOKENS))


def test_the_scores_share_the_word_vectors() -> None:
    model = _model(TINY)
    assert model.output.weight is model.table.weight


def test_a_model_without_a_pooler_opens_in_transformers_when_it_is_told_so(tmp_path: Path) -> None:
    model = _model(TINY, head="none")
    save(tmp_path / "model", model, None)
    assert load(tmp_path / "model").config == model.config
    theirs = transformers.BertModel.from_pretrained(tmp_path / "model", add_pooling_layer=False).eval()
    with torch.no_grad():
        told = theirs(input_ids=TOKENS).last_hidden_state
    torch.testing.assert_close(_hidden(model, tokens=TOKENS), told, **CLOSE)


# --- configurations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"heads": 3}, "does not divide"),
        ({"segments": 0}, "segments: 0 does not suit kind: bert"),
        ({"kind": "distilbert"}, "segments: 2 does not suit"),
        ({"kind": "distilbert", "segments": 0, "head": "pooler"}, "take none or masked_lm"),
        ({"kind": "distilbert", "segments": 0, "eps": 1e-5}, "eps"),
        ({"kind": "roberta", "head": "pretraining"}, "take pooler or none or masked_lm"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Config(**(TINY | settings))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_configuration_comes_back_from_what_is_written(preset: str) -> None:
    config = Config(**(PRESETS[preset] | {"vocab_size": 100}))
    assert read(write(config)) == config


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("position_embedding_type", "relative_key", "position_embedding_type is 'relative_key'"),
        ("is_decoder", True, "is_decoder"),
        ("add_cross_attention", True, "add_cross_attention"),
        ("pruned_heads", {"0": [1]}, "pruned_heads"),
        ("tie_word_embeddings", False, "tie_word_embeddings"),
        ("hidden_act", "quick_gelu", "hidden_act is 'quick_gelu'"),
        ("architectures", ["BertForMultipleChoice"], "BertForMultipleChoice.*BertForMaskedLM"),
    ],
)
def test_what_a_file_asks_for_and_is_not_here_is_refused_by_its_key(key: str, value: Any, says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        read(write(Config(**TINY)) | {key: value})
    assert "\n" not in str(refused.value)


def test_what_does_not_concern_a_head_is_not_refused() -> None:
    bare = write(Config(**(TINY | {"head": "pooler"})))
    assert read(bare | {"tie_word_embeddings": False, "position_embedding_type": "absolute"}).head == "pooler"


@pytest.mark.parametrize(
    ("kind", "head"), [("bert", "pooler"), ("roberta", "pooler"), ("distilbert", "none")]
)
def test_a_file_that_names_no_class_is_a_bare_model(kind: str, head: str) -> None:
    settings = {"bert": TINY, "roberta": ROBERTA, "distilbert": DISTILBERT}[kind]
    written = write(Config(**settings))
    del written["architectures"]
    assert read(written).head == head


HELD = ["bert.pooler.dense.weight", "cls.seq_relationship.weight", "cls.predictions.bias"]


@pytest.mark.parametrize(
    ("settings", "held", "head"),
    [
        (TINY, HELD, "pretraining"),
        (TINY, HELD[:1], "masked_lm"),
        (TINY | {"head": "pooler"}, HELD, "pooler"),
        (TINY | {"head": "pooler"}, HELD[2:], "none"),
        (ROBERTA, HELD, "masked_lm"),
    ],
)
def test_the_head_is_that_of_the_file_where_its_config_says_less(
    settings: dict[str, Any], held: list[str], head: str
) -> None:
    assert fitted(Config(**settings), held).head == head


def test_old_files_with_more_than_their_class_has_are_opened(tmp_path: Path) -> None:
    """As Google's BERT-base: the letters of the first code, position numbers, every head that was trained."""
    whole = _model(TINY, head="pretraining")
    save(tmp_path / "whole", whole, None)
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    weights = load_file(tmp_path / "whole" / "model.safetensors")
    for new, letter in old.items():
        weights = {name.replace(new, letter): weight for name, weight in weights.items()}
    weights["bert.embeddings.position_ids"] = torch.arange(12)[None]
    weights["cls.predictions.decoder.weight"] = weights["bert.embeddings.word_embeddings.weight"].clone()
    written = write(Config(**TINY))
    (tmp_path / "config.json").write_text(json.dumps(written), "utf-8")
    save_file(weights, tmp_path / "model.safetensors")
    opened = load(tmp_path).model
    with torch.no_grad():
        told, expected = opened({"tokens": TOKENS}), whole({"tokens": TOKENS})
    assert torch.equal(told, expected)


# --- random sizes ------------------------------------------------------------------------------------------


def _drawn(seed: int) -> Config:
    """A small model of any kind, with any of its heads that a class of transformers has by itself."""
    chance = random.Random(seed)
    kind = chance.choice(["bert", "roberta", "distilbert"])
    heads = {"bert": ["pooler", "masked_lm", "pretraining"], "roberta": ["pooler", "masked_lm"]}
    count = chance.randint(1, 4)
    small = kind == "distilbert"
    return Config(
        kind=kind,
        head=chance.choice(heads.get(kind, ["none", "masked_lm"])),
        dim=count * chance.randint(2, 9),
        depth=chance.randint(1, 3),
        heads=count,
        mlp_dim=chance.randint(5, 40),
        activation=chance.choice(["relu", "gelu", "gelu_tanh", "silu"]),
        eps=1e-12 if small else chance.choice([1e-12, 1e-6, 1e-5]),
        segments=0 if small else chance.randint(1, 3),
        max_length=chance.randint(8, 20),
        vocab_size=chance.randint(20, 60),
        pad_id=chance.randint(0, 3),
    )


def _asked(config: Config, seed: int) -> dict[str, Tensor]:
    """Rows of unlike lengths, padded on the right."""
    chance = torch.Generator().manual_seed(seed)
    keep = torch.arange(7) < torch.tensor([[7], [4], [1]])
    tokens = torch.randint(4, config.vocab_size, (3, 7), generator=chance)
    batch = {"tokens": torch.where(keep, tokens, config.pad_id), "keep": keep}
    if config.segments:
        batch["segments"] = torch.randint(0, config.segments, (3, 7), generator=chance)
    return batch


def _agree(ours: Model, theirs: Any, batch: dict[str, Tensor]) -> None:
    named = {"input_ids": batch["tokens"], "attention_mask": batch["keep"].long()}
    if "segments" in batch:
        named["token_type_ids"] = batch["segments"]
    with torch.no_grad():
        told = theirs(**named)
        expected = next(
            told[key] for key in ("logits", "prediction_logits", "last_hidden_state") if key in told
        )
        torch.testing.assert_close(ours(batch)[batch["keep"]], expected[batch["keep"]], **CLOSE)
        if ours.config.head == "pooler":
            torch.testing.assert_close(ours.pooled(ours.hidden(batch)), told.pooler_output, **CLOSE)


@pytest.mark.parametrize("seed", range(8))
def test_random_sizes_agree_with_transformers_in_both_directions(seed: int, tmp_path: Path) -> None:
    torch.manual_seed(seed)
    config = _drawn(seed)
    ours, batch = _model(config.model_dump()), _asked(config, seed)
    save(tmp_path / "ours", ours, None)
    kind = getattr(transformers, write(config)["architectures"][0])
    theirs = kind.from_pretrained(tmp_path / "ours").eval()
    _agree(ours, theirs, batch)
    drawn(theirs)
    theirs.save_pretrained(tmp_path / "theirs")
    opened = load(tmp_path / "theirs")
    assert opened.config == config
    _agree(opened.model, theirs, batch)
