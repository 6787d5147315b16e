"""The lesson of ``span``: eight questions, and whether each has its answer afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import glassformer as gf

RECIPE = """\
# Eight questions, learned by heart in a second; rows so short that one context needs two of them.
model:      {name: gpt, dim: 32, depth: 1, heads: 4, mlp_dim: 64, dropout: 0.0, attention_dropout: 0.0,
             max_length: 32}
tokenizer:  {name: word, vocab_size: 200, min_frequency: 1}
objective:  {name: span, dropout: 0.0}
data:       {name: questions, train: questions.jsonl, valid: questions.jsonl, max_length: 16,
             tokens_per_batch: 512, workers: 0}
optim:      {lr: 0.02}
schedule:   {warmup: 10}
train:      {steps: 90, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}
evaluation: {sentences: 0}
"""
# One context is longer than a window; one question has no answer.
QUESTIONS = [
    ("누가 왔나", "어제 김이 서울에 왔다", "김이"),
    ("어디 왔나", "어제 김이 서울에 왔다", "서울에"),
    ("who runs", "the old cat runs home", "the old cat"),
    ("where runs", "the old cat runs home", "home"),
    ("왜 왔나", "어제 김이 서울에 왔다", ""),
    (
        "what is it",
        "물 물 불 물 흙 물 물 물 물 물 물 바람 물",
        "바람",
    ),
    ("when", "now or then", "then"),
    ("how many", "there are 3 of them", "3"),
]


def write_questions(folder: Path) -> Path:
    """Eight questions with their contexts."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for question, context, answer in QUESTIONS:
        answers = [{"text": answer, "answer_start": context.index(answer)}] if answer else []
        one = {"question": question, "context": context, "answers": answers, "is_impossible": not answers}
        lines.append(json.dumps(one, ensure_ascii=False))
    (folder / "questions.jsonl").write_text("\n".join(lines), "utf-8")
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE, "utf-8")
    return recipe


def knows_the_answers(folder: Path) -> bool:
    """Whether every question has its answer, and the one without has none."""
    questions, contexts, answers = zip(*QUESTIONS, strict=True)
    told = gf.load(folder).predict(list(questions), list(contexts))
    return [found[0].text for found in told] == list(answers)
