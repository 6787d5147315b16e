"""The names of weights in the files of BERT, RoBERTa and DistilBERT, and the heads that these build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from glassformer.nn.headed import Native
from glassformer.nn.names import Names

# Our part, its name in BERT's and RoBERTa's files, and in DistilBERT's where it has the part.
PARTS = [
    ("table", "embeddings.word_embeddings", "embeddings.word_embeddings"),
    ("positions", "embeddings.position_embeddings", "embeddings.position_embeddings"),
    ("segments", "embeddings.token_type_embeddings", None),
    ("norm", "embeddings.LayerNorm", "embeddings.LayerNorm"),
    ("pooler", "pooler.dense", None),
]
LAYER = [
    ("attention.q", "attention.self.query", "attention.q_lin"),
    ("attention.k", "attention.self.key", "attention.k_lin"),
    ("attention.v", "attention.self.value", "attention.v_lin"),
    ("attention.out", "attention.output.dense", "attention.out_lin"),
    ("attention_norm", "attention.output.LayerNorm", "sa_layer_norm"),
    ("mlp.up", "intermediate.dense", "ffn.lin1"),
    ("mlp.down", "output.dense", "ffn.lin2"),
    ("mlp_norm", "output.LayerNorm", "output_layer_norm"),
]
PARTS += [
    (f"blocks.*.{ours}", f"encoder.layer.*.{bert}", f"transformer.layer.*.{distil}")
    for ours, bert, distil in LAYER
]
HEADS = {
    "bert": [
        ("transform.dense", "cls.predictions.transform.dense"),
        ("transform.norm", "cls.predictions.transform.LayerNorm"),
        ("output.bias", "cls.predictions.bias"),
        ("output", "cls.predictions.decoder"),
        ("next_sentence", "cls.seq_relationship"),
    ],
    "roberta": [
        ("transform.dense", "lm_head.dense"),
        ("transform.norm", "lm_head.layer_norm"),
        ("output.bias", "lm_head.bias"),
        ("output", "lm_head.decoder"),
    ],
    "distilbert": [
        ("transform.dense", "vocab_transform"),
        ("transform.norm", "vocab_layer_norm"),
        ("output", "vocab_projector"),
    ],
}


def names(kind: str, head: str) -> Names:
    """Every weight's name in memory and in a file of this kind.

    Files with scores of words have the kind's name before all but these; others have no prefix. Either is
    read. Old files also hold the numbers of the positions; and files of a class that scores words may hold
    what that class leaves out, since they were taken from a larger model.
    """
    bare, inside = head in ("none", "pooler"), f"{kind}."
    prefixes = ("", inside) if bare else (inside, "")
    pairs = [
        (ours, prefix + file)
        for prefix in prefixes
        for ours, bert, distil in PARTS
        if (file := distil if kind == "distilbert" else bert)
    ]
    pairs += [] if bare else HEADS[kind]
    ignored = [f"{prefix}embeddings.position_ids" for prefix in prefixes]
    if head == "masked_lm":
        ignored += [*(f"{prefix}pooler" for prefix in prefixes), "cls.seq_relationship"]
    return Names([pair for ours, file in pairs for pair in _spellings(ours, file)], ignored=ignored)


def _spellings(memory: str, file: str) -> list[tuple[str, str]]:
    """The name as it is, and for norms also the letters under which the first BERT files have them."""
    if not file.endswith("LayerNorm"):
        return [(memory, file)]
    spellings = [("weight", "weight"), ("bias", "bias"), ("weight", "gamma"), ("bias", "beta")]
    return [(f"{memory}.{name}", f"{file}.{spelt}") for name, spelt in spellings]


CLASSES = {"bert": "Bert", "roberta": "Roberta", "distilbert": "DistilBert"}
# What stands between the first token and the scores: its name in files, its function, what it goes on from.
DENSE: dict[str, dict[str, Any]] = {
    "bert": {"dense": "bert.pooler.dense", "inherits": "pooler"},
    "roberta": {"dense": "classifier.dense", "output": "classifier.out_proj", "early": True},
    "distilbert": {"dense": "pre_classifier", "squash": "relu"},
}
RATES: dict[str, dict[str, str]] = {
    "distilbert": {"classifies": "seq_classif_dropout", "answers": "qa_dropout"}
}
USUAL_RATES = {"classifies": "classifier_dropout", "tags": "classifier_dropout"}


def heads(kind: str) -> dict[str, Native]:
    """How this kind builds the head of each ability (Devlin et al. 2019, §4; Liu et al. 2019, §5).

    RoBERTa and DistilBERT have no pooler below any head; files that were taken from a model with one hold it.
    """
    rates = RATES.get(kind, USUAL_RATES)
    pooler = f"{kind}.pooler"

    def native(ability: str, name: str, **others: Any) -> Native:
        options = {"prefix": ("", f"{kind}."), "ignored": (pooler,), "rate": rates.get(ability)}
        return Native(f"{CLASSES[kind]}For{name}", **(options | others))

    classifies = native("classifies", "SequenceClassification", pool="first", **DENSE[kind])
    return {
        "classifies": classifies if kind != "bert" else replace(classifies, ignored=()),
        "tags": native("tags", "TokenClassification", pool="each"),
        "answers": native("answers", "QuestionAnswering", pool="each", output="qa_outputs"),
        "compares": Native(f"{CLASSES[kind]}Model", None, output=None, ignored=("pooler", pooler)),
    }
