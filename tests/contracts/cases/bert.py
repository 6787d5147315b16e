"""Encoders of the three kinds, each with every head that a class of ``transformers`` has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tests.contracts.case import Case, Oracle
from tests.contracts.inputs import TOKENS
from torch import Tensor, nn

KEEP = TOKENS != 0
SEGMENTS = (torch.arange(TOKENS.shape[1]) > 2).long().expand_as(TOKENS)
LENGTH = 20


def _batch(model: Any) -> dict[str, Tensor]:
    """What the model reads: padding is 0 for some and 1 for RoBERTa."""
    tokens = torch.where(KEEP, TOKENS, model.config.pad_id)
    batch = {"tokens": tokens, "keep": KEEP}
    return batch | ({"segments": SEGMENTS} if model.config.segments > 1 else {})


def _asked(model: Any) -> Any:
    config = model.config
    tokens = torch.where(KEEP, TOKENS, config.pad_token_id)
    more = {"token_type_ids": SEGMENTS} if getattr(config, "type_vocab_size", 0) > 1 else {}
    return model(input_ids=tokens, attention_mask=KEEP.long(), **more)


def _scores(model: nn.Module) -> Tensor:
    return model(_batch(model))[KEEP]


def _pooled(model: Any) -> Tensor:
    hidden = model.hidden(_batch(model))
    return torch.cat([hidden[KEEP], model.pooled(hidden)])


def _both(model: Any) -> Tensor:
    hidden = model.hidden(_batch(model))
    words = model.output(model.transform(hidden))
    return torch.cat([words[KEEP].flatten(), model.next_sentence(model.pooled(hidden)).flatten()])


def _their_scores(model: Any) -> Tensor:
    return _asked(model).logits[KEEP]


def _their_hidden(model: Any) -> Tensor:
    return _asked(model).last_hidden_state[KEEP]


def _their_pooled(model: Any) -> Tensor:
    told = _asked(model)
    return torch.cat([told.last_hidden_state[KEEP], told.pooler_output])


def _their_both(model: Any) -> Tensor:
    told = _asked(model)
    return torch.cat([told.prediction_logits[KEEP].flatten(), told.seq_relationship_logits.flatten()])


SIZES = {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "max_length": LENGTH, "vocab_size": 31}
ROBERTA = SIZES | {"kind": "roberta", "segments": 1, "eps": 1e-5, "start_id": 1, "eos_id": 2}
DISTILBERT = SIZES | {"kind": "distilbert", "segments": 0}

CASES = [
    Case("bert", SIZES),
    Case("bert-pooler", SIZES | {"head": "pooler", "activation": "relu", "segments": 3}),
    Case("bert-pretraining", SIZES | {"head": "pretraining", "activation": "gelu_tanh", "eps": 1e-6}),
    Case("roberta", ROBERTA | {"activation": "silu"}),
    Case("roberta-pooler", ROBERTA | {"head": "pooler", "segments": 2}),
    Case("distilbert", DISTILBERT | {"activation": "relu"}),
    Case("distilbert-bare", DISTILBERT | {"head": "none"}),
]

BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": LENGTH,
    "vocab_size": 31,
}
AS_BERT = {
    "plain": BERT,
    "other": BERT | {"hidden_act": "gelu_new", "type_vocab_size": 1, "num_attention_heads": 2},
}
AS_ROBERTA = {
    "published": BERT | {"type_vocab_size": 1, "layer_norm_eps": 1e-5},
    "other": BERT | {"hidden_act": "relu"},
}
AS_DISTILBERT = {
    "plain": {
        "dim": 16,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 24,
        "max_position_embeddings": LENGTH,
        "vocab_size": 31,
        "sinusoidal_pos_embds": True,
    }
}


def _oracle(
    kind: str, model: str, settings: Any, ours: Callable[[nn.Module], Tensor], theirs: Callable[[Any], Tensor]
) -> Oracle:
    return Oracle(f"{kind}Config", f"{kind}{model}", settings, ours, theirs)


ORACLES = [
    _oracle("Bert", "Model", AS_BERT, _pooled, _their_pooled),
    _oracle("Bert", "ForMaskedLM", AS_BERT, _scores, _their_scores),
    _oracle("Bert", "ForPreTraining", AS_BERT, _both, _their_both),
    _oracle("Roberta", "Model", AS_ROBERTA, _pooled, _their_pooled),
    _oracle("Roberta", "ForMaskedLM", AS_ROBERTA, _scores, _their_scores),
    _oracle("DistilBert", "Model", AS_DISTILBERT, _scores, _their_hidden),
    _oracle("DistilBert", "ForMaskedLM", AS_DISTILBERT, _scores, _their_scores),
]
