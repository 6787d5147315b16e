"""Lessons of what is told of texts: reviews, topics, numbers, pairs, and tags of words."""

from __future__ import annotations

from pathlib import Path

import glassformer as gf

_LABELS = """\
# {what}, learned by heart in a second.
model:      {{name: gpt, dim: 32, depth: 1, heads: 4, mlp_dim: 64, dropout: 0.0, attention_dropout: 0.0,
             max_length: 32}}
tokenizer:  {{name: word, vocab_size: 200, min_frequency: 1}}
objective:  {{name: {objective}, dropout: 0.0}}
data:       {{name: {kind}, train: {file}, valid: {file}, max_length: 32, tokens_per_batch: 512, workers: 0}}
optim:      {{lr: 0.02}}
schedule:   {{warmup: 10}}
train:      {{steps: 60, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}}
evaluation: {{sentences: 0}}
"""
# Texts of unlike lengths, so that rows are padded.
REVIEWS = [
    ("정말 좋다", "good"),
    ("정말 이 영화 별로", "bad"),
    ("그냥 그렇다", "so-so"),
    ("좋다 좋다 이 음악", "good"),
    ("this is bad", "bad"),
    ("배우 연기 이야기 모두 별로", "bad"),
    ("so what", "so-so"),
    ("really good this film", "good"),
    ("그냥 시간 보내기", "so-so"),
]
TOPICS = [
    (text, labels)
    for (text, _), labels in zip(REVIEWS, ["a", "b", "a,b", "", "c", "b,c", "a,b,c", "a,c", ""], strict=True)
]
NUMBERS = [
    (text, number)
    for (text, _), number in zip(
        REVIEWS, ["0.5", "-2", "3", "1e0", "0", "2.5", "-1", "1.25", "2"], strict=True
    )
]
# Each text stands in two rows, so that neither alone tells the label.
TWO = [
    ("비가 온다", "날이 맑다", "no"),
    ("비가 온다", "비가 내린다", "yes"),
    ("해가 났다", "날이 맑다", "yes"),
    ("해가 났다", "비가 내린다", "no"),
    ("a dog runs fast", "animal", "yes"),
    ("a dog runs fast", "stone", "no"),
    ("돌 하나", "stone", "yes"),
    ("돌 하나", "animal", "no"),
]
ALIKE = [(one, other, "5" if label == "yes" else "0") for one, other, label in TWO]
# What a word is called is told by the word and the one before it.
SENTENCES = [
    ("Kim sees Lee Park", "B-PER O B-PER I-PER"),
    ("Seoul sees Kim", "B-LOC O B-PER"),
    ("in Kim Park Lee", "O B-LOC B-PER I-PER"),
    ("물 in Lee", "O O B-LOC"),
    ("Lee Park", "B-PER I-PER"),
    ("sees 물 in Seoul Kim", "O O O B-LOC I-LOC"),
    ("Park", "B-PER"),
    ("in Seoul 물", "O B-LOC O"),
]


def write_reviews(folder: Path) -> Path:
    """Nine texts of three kinds, for any body with a head."""
    return write_table(folder, "classification", [("text", "label"), *REVIEWS])


def write_table(folder: Path, objective: str, rows: list[tuple[str, ...]]) -> Path:
    """Rows with a label or more, the first of which names the columns, and the recipe to learn them."""
    folder.mkdir(parents=True, exist_ok=True)
    table = "".join("\t".join(row) + "\n" for row in rows)
    (folder / "reviews.tsv").write_text(table, "utf-8")
    settings = {"objective": objective, "kind": "labelled", "file": "reviews.tsv"}
    recipe = folder / "recipe.yaml"
    recipe.write_text(_LABELS.format(what="Rows of texts", **settings), "utf-8")
    return recipe


def write_sentences(folder: Path) -> Path:
    """Eight sentences with a tag for every word."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [zip(text.split(), tags.split(), strict=True) for text, tags in SENTENCES]
    content = "\n".join("".join(f"{word}\t{tag}\n" for word, tag in row) for row in rows)
    (folder / "tags.conll").write_text(content, "utf-8")
    settings = {"objective": "tagging", "kind": "tagged", "file": "tags.conll"}
    recipe = folder / "recipe.yaml"
    recipe.write_text(_LABELS.format(what="Eight sentences", **settings), "utf-8")
    return recipe


def write_topics(folder: Path) -> Path:
    """The same texts with several labels each, or none."""
    recipe = write_table(folder, "multi_label", [("text", "label"), *TOPICS])
    recipe.write_text(
        recipe.read_text("utf-8").replace("max_length: 32, tok", 'separator: ",", max_length: 32, tok'),
        "utf-8",
    )
    return recipe


def knows_the_reviews(folder: Path) -> bool:
    """Whether every text has its label."""
    told = gf.load(folder).predict([text for text, _ in REVIEWS], top_k=1)
    return [found[0][0] for found in told] == [label for _, label in REVIEWS]


def knows_the_topics(folder: Path) -> bool:
    """Whether every text has all its labels, and no others."""
    told = gf.load(folder).predict([text for text, _ in TOPICS])
    return [{label for label, _ in found} for found in told] == [
        set(filter(None, labels.split(","))) for _, labels in TOPICS
    ]


def knows_the_numbers(folder: Path) -> bool:
    """Whether every text has its number, nearly."""
    told = gf.load(folder).predict([text for text, _ in NUMBERS])
    return all(abs(found - float(number)) < 0.5 for found, (_, number) in zip(told, NUMBERS, strict=True))


def knows_the_pairs(folder: Path) -> bool:
    """Whether every two texts have their label, which neither tells alone."""
    told = gf.load(folder).predict([(one, other) for one, other, _ in TWO], top_k=1)
    return [found[0][0] for found in told] == [label for _, _, label in TWO]


def knows_what_is_alike(folder: Path) -> bool:
    """Whether texts that are said to be alike are, and others are not."""
    told = gf.load(folder).similarity([(one, other) for one, other, _ in ALIKE]).tolist()
    return all(
        abs(found - float(number) / 5) < 0.35 for found, (_, _, number) in zip(told, ALIKE, strict=True)
    )


def knows_the_sentences(folder: Path) -> bool:
    """Whether every word has its tag."""
    told = gf.load(folder).predict([text for text, _ in SENTENCES])
    return [" ".join(one.tag for one in found) for found in told] == [tags for _, tags in SENTENCES]
