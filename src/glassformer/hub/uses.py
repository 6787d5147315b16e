"""How a model of each ability is used: by which command, line of Python and lines for ``transformers``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TEXT, IMAGE = "AutoTokenizer", "AutoImageProcessor"
_TOKENS = 'tokenizer(["..."], return_tensors="pt")'
_TOLD = f"model(**{_TOKENS}).logits.argmax(-1)"
_DECODED = "print(tokenizer.batch_decode(written, skip_special_tokens=True))"
_LESS = "Of text unlike its training data (other topics, dialects, languages) it knows less."
_SURE = "It always answers with one of its labels, and text unlike its training data misleads it."
_ALWAYS = "It always answers with one of its classes, and images unlike its training data mislead it."


@dataclass(frozen=True)
class Use:
    """What a model of one ability is used by.

    ``command`` is a line to type, with ``{folder}`` for the model's folder; ``verbs`` names the commands that
    use it. ``foreign`` are lines for ``transformers``, whose class ``reader`` reads what the model reads;
    ``task`` is the name of model hubs for what it does. ``limits`` are sentences for its card; ``invents``
    says that its answers are text of its own making.
    """

    verbs: str
    command: str
    python: str
    foreign: tuple[str, ...]
    limits: tuple[str, ...]
    task: str | None = None
    reader: str = TEXT
    invents: bool = False


USES: Mapping[str, Use] = {
    "translates": Use(
        verbs="glassformer translate",
        command='echo "…" | glassformer translate {folder}',
        python='print(model.translate(["..."]))',
        foreign=(
            'written = model.generate(**tokenizer(["..."], return_tensors="pt", padding=True))',
            _DECODED,
        ),
        limits=(
            "It can leave out, add or invent words, and get names and numbers wrong; "
            "a person should check it.",
            "Text unlike its training data (other topics, dialects, slang, very long sentences) "
            "comes out worse.",
        ),
        task="translation",
        invents=True,
    ),
    "generates": Use(
        verbs="glassformer generate or score",
        command='glassformer generate {folder} "…"',
        python='print(model.generate(["..."]))',
        foreign=(f"written = model.generate(**{_TOKENS}, max_new_tokens=50)", _DECODED),
        limits=(
            "It goes on with what sounds likely, not with what is true; a person should check it.",
            "Text unlike its training data (other topics, dialects, other languages) comes out worse.",
        ),
        task="text-generation",
        invents=True,
    ),
    "encodes": Use(
        verbs="glassformer predict",
        command='glassformer predict {folder} "… [MASK] …"',
        python='print(model.predict(["..."]))',
        foreign=(f"print(model(**{_TOKENS}))",),
        limits=(_LESS,),
    ),
    "sees": Use(
        verbs="glassformer predict",
        command="glassformer predict {folder} image.png",
        python='print(model.predict(["image.png"]))',
        foreign=('print(model(**processor(image, return_tensors="pt")))',),
        limits=(_ALWAYS,),
        reader=IMAGE,
    ),
    "classifies": Use(
        verbs="glassformer predict",
        command='glassformer predict {folder} "…"',
        python='print(model.predict(["..."]))',
        foreign=(f"print(model(**{_TOKENS}).logits)",),
        limits=(_SURE,),
        task="text-classification",
    ),
    "compares": Use(
        verbs="glassformer predict",
        command="printf '…\\t…\\n' | glassformer predict {folder}",
        python='print(model.similarity([("...", "...")]))',
        foreign=(f"print(model(**{_TOKENS}).last_hidden_state.mean(dim=1))",),
        limits=(_LESS,),
        task="sentence-similarity",
    ),
    "answers": Use(
        verbs="glassformer predict",
        command='glassformer predict {folder} "question" "context"',
        python='print(model.predict("...", "..."))',
        foreign=('print(model(**tokenizer("...", "...", return_tensors="pt")))',),
        limits=(
            "It points at a part of the text, also where the text does not answer the question, unless it "
            "learned from questions without an answer.",
            "Text unlike its training data misleads it.",
        ),
        task="question-answering",
    ),
    "tags": Use(
        verbs="glassformer predict",
        command='glassformer predict {folder} "…"',
        python='print(model.predict(["..."]))',
        foreign=(f"print([model.config.id2label[n] for n in {_TOLD}[0].tolist()])",),
        limits=(_SURE,),
        task="token-classification",
    ),
    "embeds": Use(
        verbs="glassformer words",
        command='glassformer words {folder} "…"',
        python='print(model.neighbours("..."))',
        foreign=(),
        limits=("A word has one vector, whatever it means in a text; of rare words little is known.",),
        task="feature-extraction",
    ),
    "contextualizes": Use(
        verbs="glassformer predict",
        command='glassformer predict {folder} "…" "…"',
        python='print(model.vectors(["..."]))',
        foreign=(),
        limits=(_LESS,),
    ),
}
"""For each ability that a model can have, how it is used."""


def abilities_of(command: str) -> tuple[str, ...]:
    """The abilities of the models that a command, such as ``glassformer predict``, uses."""
    return tuple(ability for ability, use in USES.items() if use.verbs == command)
