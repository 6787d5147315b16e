"""For each objective a run of a second: what is taught, and whether it is known after, word for word.

``LESSONS`` is what the contracts on training go through; an objective without a lesson fails them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.contracts.asking import knows_the_answers, write_questions
from tests.contracts.lessons_of_labels import (
    ALIKE,
    NUMBERS,
    TWO,
    knows_the_numbers,
    knows_the_pairs,
    knows_the_reviews,
    knows_the_sentences,
    knows_the_topics,
    knows_what_is_alike,
    write_reviews,
    write_sentences,
    write_table,
    write_topics,
)
from tests.contracts.small_runs import PAIRS, RESTLESS, write_recipe

import glassformer as gf
from glassformer.base import plugins
from glassformer.base.tree import read_file
from glassformer.data.example import Batch, Example
from glassformer.hub import folder as hub


@dataclass(frozen=True)
class Lesson:
    """A recipe of a second, and whether the folder that came of it answers as it was taught.

    ``write`` writes the recipe and its data into a folder. ``restless`` are settings with everything that can
    go wrong when a run goes on: dropout, several batches a step and eight steps or fewer an epoch.
    ``rounding`` is how far a gradient in bfloat16 may be from itself, as a share of its largest part.
    """

    model: str
    write: Callable[[Path], Path]
    learned: Callable[[Path], bool]
    restless: tuple[str, ...]
    rounding: float = 3e-2


# --- text --------------------------------------------------------------------------------------------------

# Every word once, so that each is told by the one before it.
CHAIN = [first + second for first, second in product("가나다라마바사아자차", "거너더러머버서어저처")]
# One word a line, so that a hidden one is told by those that are left. Lines are so much longer than a block
# that few of its words have nothing but another line around them.
WORDS = ("봄", "여름", "가을", "겨울", "물", "fire", "흙", "바람", "snow")
BLOCK = 10
ATTENDS = ", heads: 4, mlp_dim: 64, attention_dropout: 0.0"
LINES = [" ".join([word] * (3 * BLOCK - 1)) for word in WORDS]

_TEXT = """\
# A page of text, learned by heart in a second.
model:      {{name: {model}, dim: 32, depth: 1, dropout: 0.0, max_length: 32{attends}}}
tokenizer:  {{name: word, vocab_size: 200, min_frequency: 1}}
objective:  {{name: {objective}}}
data:       {{name: text, train: text.txt, valid: text.txt, documents: {documents}, block: {block},
             batch_size: {rows}, workers: 0}}
optim:      {{lr: 0.02}}
schedule:   {{warmup: 10}}
train:      {{steps: {steps}, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}}
evaluation: {{sentences: 0}}
"""


def _write(folder: Path, text: str, attends: str = ATTENDS, **settings: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text(text, "utf-8")
    recipe = folder / "recipe.yaml"
    recipe.write_text(_TEXT.format(block=BLOCK, attends=attends, **settings), "utf-8")
    return recipe


def write_chain(folder: Path) -> Path:
    """A hundred words in a circle, for a model that foretells the next."""
    return _write_circle(folder, model="gpt", objective="causal_lm", steps=140)


def write_circle(folder: Path) -> Path:
    """The same for a model that foretells the next word and the one before."""
    return _write_circle(folder, model="elmo", objective="bidirectional_lm", steps=200, attends="")


def _write_circle(folder: Path, **settings: Any) -> Path:
    """Crops begin anywhere, so that the first words of a text stand in few of them; here they come again."""
    return _write(folder, " ".join([*CHAIN, *CHAIN[: 2 * BLOCK]]), documents="file", rows=8, **settings)


def write_lines(folder: Path) -> Path:
    """Nine lines, for a model that tells hidden words."""
    settings = {"model": "bert", "objective": "masked_lm", "documents": "line", "rows": 16, "steps": 160}
    return _write(folder, "\n".join(LINES), **settings)


def _answers(folder: Path, texts: list[str]) -> tuple[torch.Tensor, Batch]:
    """What the folder's model answers for each text with its objective, and what it was asked."""
    loaded = hub.load(folder)
    assert loaded.tokenizers is not None
    names = {"generates": "causal_lm", "encodes": "masked_lm", "contextualizes": "bidirectional_lm"}
    name = names[loaded.model.abilities[0]]
    module = plugins.find("objectives", name)
    objective = module.Objective(module.Config(), numbers=loaded.config, tokenizers=loaded.tokenizers)
    pieces = [Example({"text": text, "first": True, "last": False}, "x:1") for text in texts]
    batch = objective.collate(objective.encode(pieces, loaded.tokenizers), np.random.default_rng(0))
    with torch.no_grad():
        return objective.predict(loaded.model.eval(), batch), batch


def knows_the_chain(folder: Path) -> bool:
    """Whether each word calls the next, from the first to the last and on to the first again."""
    circle = [*CHAIN, *CHAIN]
    answers, batch = _answers(folder, [" ".join(circle[at : at + BLOCK + 1]) for at in range(len(CHAIN))])
    told = batch["labels"] != -100
    return bool((answers == batch["labels"])[told].all())


def knows_the_lines(folder: Path) -> bool:
    """Whether a hidden word is told by its line, wherever it is hidden."""
    answers, batch = _answers(folder, [" ".join([word] * size) for word in WORDS for size in range(6, BLOCK)])
    hidden = batch["labels"] != -100
    return bool((answers[hidden] == batch["labels"][hidden]).all())


# --- words -------------------------------------------------------------------------------------------------

_WORDS = """\
# Nine words that stand beside nothing but themselves.
model:      {{name: word2vec, dim: 16}}
tokenizer:  {{name: word, vocab_size: 200, min_frequency: 1}}
objective:  {{name: {objective}, window: 2, sample: 0}}
data:       {{name: text, train: text.txt, valid: text.txt, documents: line, block: {block}, batch_size: 16,
             workers: 0}}
optim:      {{lr: 0.1, clip: null}}
schedule:   {{name: constant}}
train:      {{steps: 60, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}}
evaluation: {{sentences: 0}}
"""


def _write_words(folder: Path, objective: str) -> Path:
    recipe = _write(folder, "\n".join(LINES), model="gpt", objective="", documents="line", rows=1, steps=1)
    recipe.write_text(_WORDS.format(objective=objective, block=BLOCK), "utf-8")
    return recipe


def knows_the_company(folder: Path) -> bool:
    """Whether every word is told by itself, and surely; the words are the last pieces of the vocabulary."""
    model = hub.load(folder).model
    words = slice(-len(WORDS), None)
    scores = model.input.weight.detach()[words] @ model.output.weight.detach()[words].T
    right = torch.eye(len(WORDS), dtype=torch.bool)
    return bool((scores[right] > 1).all() and (scores[~right] < -1).all())


# --- images ------------------------------------------------------------------------------------------------

_IMAGES = """\
# Eight pictures of three kinds, known by heart in a second.
model:      {name: vit, dim: 32, depth: 1, heads: 4, mlp_dim: 64, patch: 4, dropout: 0.0}
objective:  {name: image}
data:       {name: images, train: pictures.npz, valid: pictures.npz, batch_size: 8, workers: 0}
optim:      {lr: 0.01}
schedule:   {warmup: 10}
train:      {steps: 60, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}
evaluation: {sentences: 0}
"""
KINDS = np.array([0, 1, 2, 0, 1, 2, 0, 1])


def pictures() -> np.ndarray:
    """Noise, so that nothing but memory tells a picture's kind."""
    return np.random.default_rng(5).integers(0, 256, (len(KINDS), 8, 8), dtype=np.uint8)


def write_pictures(folder: Path) -> Path:
    """Eight pictures in an ``.npz``, for a model that sees."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "pictures.npz", x=pictures(), y=KINDS)
    recipe = folder / "recipe.yaml"
    recipe.write_text(_IMAGES, "utf-8")
    return recipe


def knows_the_pictures(folder: Path) -> bool:
    """Whether the kind of every picture is told, and surely."""
    told = gf.load(folder).predict(list(pictures()), top_k=1)
    best = [found[0] for found in told]
    return [label for label, _ in best] == list(map(str, KINDS)) and min(share for _, share in best) > 0.8


# --- pairs -------------------------------------------------------------------------------------------------


def translates(folder: Path) -> bool:
    """Whether every sentence becomes its translation, with one beam and with four."""
    model = gf.load(folder)
    lines = [one for one, _ in PAIRS]
    wanted = [other for _, other in PAIRS]
    return model.translate(lines, num_beams=1) == wanted == model.translate(lines, num_beams=4)


# --- conversations -----------------------------------------------------------------------------------------

_CHATS = """\
# Eight conversations, answered by heart after a second.
model:      {name: gpt, dim: 32, depth: 1, heads: 4, mlp_dim: 64, dropout: 0.0, attention_dropout: 0.0,
             max_length: 48}
tokenizer:  {name: word, vocab_size: 200, min_frequency: 1}
objective:  {name: instruction}
data:       {name: instructions, train: chats.jsonl, valid: chats.jsonl, tokens_per_batch: 512, workers: 0}
optim:      {lr: 0.02}
schedule:   {warmup: 10}
train:      {steps: 90, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}
evaluation: {sentences: 0}
"""
# Of unlike lengths; each question has a word of its own, by which its answer is known.
CHATS = [
    ["안녕?", "반가워요."],
    ["배고파", "뭐라도 드세요."],
    ["오늘 너무 피곤해", "푹 쉬세요.", "고마워", "좋은 밤 되세요."],
    ["who are you", "a small model"],
    ["날씨 어때?", "맑아요.", "내일은?", "비가 와요."],
    ["count", "one two three four five"],
    ["심심해", "산책을 가세요."],
    ["good morning", "좋은 아침이에요."],
]


def _turns(chat: list[str]) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": said} for place, said in enumerate(chat)]


def write_chats(folder: Path) -> Path:
    """Eight conversations of one answer or two, for a model that writes."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"messages": _turns(chat)}, ensure_ascii=False) for chat in CHATS]
    (folder / "chats.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    recipe = folder / "recipe.yaml"
    recipe.write_text(_CHATS, "utf-8")
    return recipe


def knows_the_chats(folder: Path) -> bool:
    """Whether every question of every conversation is answered, and the answer ends."""
    model = gf.load(folder)
    asked = [(chat[:at], chat[at]) for chat in CHATS for at in range(1, len(chat), 2)]
    return [model.chat(_turns(before), max_new_tokens=12) for before, _ in asked] == [
        told for _, told in asked
    ]


# --- all ---------------------------------------------------------------------------------------------------

_OFTEN = ("train.accumulate=2", "train.evaluate_every=5", "train.save_every=4", "model.dropout=0.2")
_ROWS = (*_OFTEN, "data.batch_size=2")
_WORD_ROWS = tuple(setting for setting in _ROWS if not setting.startswith("model."))

_SHORT_ROWS = (*_OFTEN, "data.tokens_per_batch=12")

LESSONS: Mapping[str, Lesson] = {
    "classification": Lesson("gpt", write_reviews, knows_the_reviews, _SHORT_ROWS),
    # A softmax over the tokens of a row: what they have in common cancels, and its roundings stay.
    "span": Lesson("gpt", write_questions, knows_the_answers, (*_OFTEN, "data.tokens_per_batch=40"), 5e-2),
    "multi_label": Lesson("gpt", write_topics, knows_the_topics, _SHORT_ROWS),
    "regression": Lesson(
        "gpt",
        partial(write_table, objective="regression", rows=[("text", "label"), *NUMBERS]),
        knows_the_numbers,
        _SHORT_ROWS,
    ),
    "pair": Lesson(
        "gpt",
        partial(write_table, objective="pair", rows=[("text", "pair", "label"), *TWO]),
        knows_the_pairs,
        _SHORT_ROWS,
    ),
    # A mean of all states: where a norm stands last, its gradient in bfloat16 is a sum of many roundings.
    "similarity": Lesson(
        "rnn",
        partial(write_table, objective="similarity", rows=[("sentence1", "sentence2", "score"), *ALIKE]),
        knows_what_is_alike,
        _SHORT_ROWS,
    ),
    "tagging": Lesson("gpt", write_sentences, knows_the_sentences, _SHORT_ROWS),
    "bidirectional_lm": Lesson("elmo", write_circle, knows_the_chain, _ROWS),
    "cbow": Lesson("word2vec", partial(_write_words, objective="cbow"), knows_the_company, _WORD_ROWS),
    "skip_gram": Lesson(
        "word2vec", partial(_write_words, objective="skip_gram"), knows_the_company, _WORD_ROWS
    ),
    "instruction": Lesson("gpt", write_chats, knows_the_chats, (*_OFTEN, "data.tokens_per_batch=40")),
    "causal_lm": Lesson("gpt", write_chain, knows_the_chain, _ROWS),
    "image": Lesson(
        "vit", write_pictures, knows_the_pictures, (*_ROWS, "data.augment={shift: 1, flip: true}")
    ),
    "masked_lm": Lesson("bert", write_lines, knows_the_lines, _ROWS),
    "translation": Lesson("transformer", write_recipe, translates, RESTLESS),
}


def given_to(model: str, recipe: Path) -> str:
    """The setting that has another model learn a lesson: with the lesson's sizes, as far as it has them."""
    known = plugins.find("models", model).Config.model_fields
    sizes: Mapping[str, Any] = read_file(recipe).values["model"]
    chosen = {key: value for key, value in sizes.items() if key in known} | {"name": model}
    return f"model={json.dumps(chosen)}"


SISTERS = ("multi_label", "regression", "pair", "similarity")
"""What a head makes of any body, classification shows: these are learned by an encoder and one other."""


def able() -> list[tuple[str, str]]:
    """Each model with each objective whose ability it has."""
    return [
        (model, objective)
        for objective in plugins.names("objectives")
        for model in plugins.names("models")
        if set(plugins.find("objectives", objective).Objective.needs)
        & set(plugins.find("models", model).Model.abilities)
    ]


ABLE = able()
ALLOWED = [
    (model, objective)
    for model, objective in ABLE
    if objective not in SISTERS or model in ("bert", LESSONS[objective].model)
]
