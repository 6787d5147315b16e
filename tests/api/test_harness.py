"""lm-evaluation-harness gets the same figures from a folder through here as through its own model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.api.tiny_family import TEXTS, write_gpt, write_vit

import glassformer as gf
from glassformer.api import harness
from glassformer.api.harness import Answers, register
from glassformer.base.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")  # of lm_eval and what it imports

WORDS = ["once", "upon", "a time", "cat sat", "학교", "간다 .", "sleeps"]
CONTEXTS = ["the cat", "나는 학교에 ", "Once upon a time there was", "", "zzz "]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gpt(tmp_path_factory.mktemp("harness") / "gpt", max_length=24)


@pytest.fixture(scope="module")
def pair(folder: Path) -> tuple[Any, Any]:
    """The harness's own model and ours, of one folder."""
    models = pytest.importorskip("lm_eval.models.huggingface")
    theirs = models.HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=1)
    return theirs, register()(pretrained=str(folder), device="cpu")


def _asked(kind: str, *rows: tuple[Any, ...]) -> list[Any]:
    instance = pytest.importorskip("lm_eval.api.instance").Instance
    return [instance(kind, {}, row, number) for number, row in enumerate(rows)]


def test_likelihoods_are_those_of_their_own_model(pair: tuple[Any, Any]):
    theirs, ours = pair
    rows = [(context, continuation) for context in CONTEXTS for continuation in WORDS]
    rows += [("the cat " * 9, "sleeps"), ("the", " cat")]  # the first is longer than the model
    want = theirs.loglikelihood(_asked("loglikelihood", *rows), disable_tqdm=True)
    found = ours.loglikelihood(_asked("loglikelihood", *rows), disable_tqdm=True)
    torch.testing.assert_close(
        torch.tensor([one for one, _ in found]), torch.tensor([one for one, _ in want]), rtol=0, atol=1e-4
    )
    assert [greedy for _, greedy in found] == [greedy for _, greedy in want]


def test_greedy_continuations_are_told(pair: tuple[Any, Any]):
    _, ours = pair
    answers = ours.answers
    ids = answers.encode("the cat")
    with torch.no_grad():
        best = int(answers.model({"tokens": torch.tensor([ids])})[0, -1].argmax())
    (yes, no) = answers.likelihoods([(ids, [best]), (ids, [(best + 1) % 300])])
    assert (yes[1], no[1]) == (True, False)


def test_whole_texts_are_read_in_the_same_windows(pair: tuple[Any, Any]):
    theirs, ours = pair
    rows = [(text,) for text in (*TEXTS, " ".join(TEXTS * 3))]
    want = theirs.loglikelihood_rolling(_asked("loglikelihood_rolling", *rows), disable_tqdm=True)
    found = ours.loglikelihood_rolling(_asked("loglikelihood_rolling", *rows))
    torch.testing.assert_close(torch.tensor(found), torch.tensor(want), rtol=0, atol=1e-3)


def test_texts_are_written_as_theirs(pair: tuple[Any, Any]):
    theirs, ours = pair
    rows = [
        ("the cat", {"until": ["\n"], "max_gen_toks": 6}),
        ("나는 학교에", {"until": ["e", "간"], "max_gen_toks": 9, "do_sample": False, "temperature": 0.7}),
        ("Once upon a", {"max_gen_toks": 4}),
    ]
    want = theirs.generate_until(_asked("generate_until", *rows), disable_tqdm=True)
    assert ours.generate_until(_asked("generate_until", *rows)) == want
    assert len(set(want)) == 3


@pytest.mark.slow
def test_a_task_of_ones_own_comes_to_the_same(folder: Path, tmp_path: Path):
    lm_eval = pytest.importorskip("lm_eval")
    tasks = pytest.importorskip("lm_eval.tasks")
    rows = [
        {"text": text, "choices": WORDS[:3], "gold": number % 3} for number, text in enumerate(CONTEXTS[:3])
    ]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    task = {
        "task": "own",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}, "cache_dir": str(tmp_path / "cache")},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{text}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{gold}}",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }
    manager = tasks.TaskManager(include_defaults=False)
    register()
    found = {}
    for name, more in (("hf", {"dtype": "float32"}), ("glassformer", {})):
        outcome = lm_eval.simple_evaluate(
            model=name,
            model_args={"pretrained": str(folder), "device": "cpu", **more},
            tasks=[task],
            task_manager=manager,
            bootstrap_iters=0,
        )
        told = outcome["results"]["own"]
        found[name] = {key: told[key] for key in ("acc,none", "acc_norm,none")}
    assert found["glassformer"] == found["hf"]


def test_drawing_is_asked_by_name(folder: Path):
    answers = Answers(gf.load(folder, device="cpu"))
    others = {"do_sample": True, "temperature": 0.5, "top_p": 0.9, "unheard_of": 1}
    settings = harness.Wish("", ("", "x"), 7, others).settings(answers.opened.decoding)
    assert (settings.do_sample, settings.temperature, settings.top_p) == (True, 0.5, 0.9)
    assert (settings.stop_strings, settings.max_new_tokens) == (("x",), 7)


def test_what_cannot_be_asked_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    answers = Answers(gf.load(folder, device="cpu"))
    with pytest.raises(UserError, match="a continuation of 25 tokens is longer than the model, 24"):
        answers.likelihoods([([1], [5] * 25)])
    with pytest.raises(UserError, match="reads from the end"):
        backward = "objective: {name: causal_lm, direction: backward}\n"
        Answers(gf.load(write_gpt(tmp_path / "back", recipe=backward)))
    pytest.importorskip("lm_eval")
    with pytest.raises(UserError, match="this model sees"):
        register()(pretrained=str(write_vit(tmp_path / "vit")))
    with pytest.raises(UserError, match="unknown model argument 'revision'"):
        register()(pretrained=str(folder), revision="main")
    monkeypatch.setitem(sys.modules, "lm_eval.api.registry", None)
    with pytest.raises(UserError, match=r"not installed; pip install 'glassformer\[harness\]'"):
        register()


def test_the_command_line_knows_the_model(monkeypatch: pytest.MonkeyPatch):
    line = pytest.importorskip("lm_eval.__main__")
    called: list[list[str]] = []
    monkeypatch.setattr(line, "cli_evaluate", lambda: called.append(sys.argv[:1]))
    harness.main()
    assert called == [["lm_eval"]]
