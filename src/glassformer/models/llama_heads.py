"""The heads that Llama, Mistral and Qwen2 build, and what their files call the parts."""

from __future__ import annotations

from glassformer.nn.headed import Native

KNOWN = (
    "ForCausalLM",
    "Model",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
)
"""What the classes of these kinds are called beside the kind, as far as they are read here."""
ANSWERS = {"llama": ("model.", "transformer."), "qwen2": ("model.", "transformer.")}
"""Two of the kinds call the body otherwise in files of a model that answers questions."""


def heads(kind: str, family: str) -> dict[str, Native]:
    """How a kind, whose classes begin with ``family``, builds the head of each ability."""
    return {
        "classifies": Native(f"{family}ForSequenceClassification", "last", output="score", bias=False),
        "tags": Native(f"{family}ForTokenClassification", "each", output="score", rate="classifier_dropout"),
        "answers": Native(
            f"{family}ForQuestionAnswering",
            "each",
            output="qa_outputs",
            prefix=ANSWERS.get(kind, ("", "")),
        ),
        "compares": Native(f"{family}Model", None, output=None),
    }
