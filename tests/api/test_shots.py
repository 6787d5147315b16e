"""Shots: every figure is that of the model asked by hand, whatever is batched, cached or calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score
from tests.api.shots_task import write_task
from tests.api.tiny_family import write_bert, write_gpt

import glassformer as gf
from glassformer.adapt.examples import drawn, ordered
from glassformer.api import shots as module
from glassformer.api.shots import shots
from glassformer.api.task import open_task
from glassformer.base.errors import UserError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return gf.load(write_gpt(tmp_path_factory.mktemp("shots") / "gpt", seed=4, max_length=110), device="cpu")


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return write_task(tmp_path)


def _by_hand(model: Any, path: Path, shown: Sequence[int]) -> list[str]:
    """The likeliest label of every question, each full text scored alone."""
    task = open_task(path)
    words = {"pos": "nice", "neg": "awful"}
    before = "".join(
        f"{task.shown[place].fields['text']} is {words[task.shown[place].label]} " for place in shown
    )
    found = []
    for case in task.asked:
        context = f"{before}{case.fields['text']} is "
        scores = {label: model.score(word, context)[0].logp for label, word in words.items()}
        found.append(max(scores, key=scores.__getitem__))
    return found


def test_the_figures_are_those_of_every_text_scored_alone(model: Any, task: Path):
    report = shots(model, task, k=(0, 2, 3), orders=2, control=False)
    opened = open_task(task)
    true = [case.label for case in opened.asked]
    labels = [case.label for case in opened.shown]
    assert [(run.k, run.order) for run in report.runs] == [(0, 0), (2, 0), (2, 1), (3, 0), (3, 1)]
    for run in report.runs:
        told = _by_hand(model, task, ordered(drawn(labels, run.k, 1, balanced=True), run.order))
        assert run.figures.accuracy == np.mean([one == other for one, other in zip(told, true, strict=True)])
        assert run.figures.macro_f1 == pytest.approx(f1_score(true, told, average="macro", zero_division=0))


def test_the_control_shows_the_same_texts_with_other_labels(model: Any, task: Path, monkeypatch: Any):
    seen: list[Any] = []
    read = module.Continuing.read

    def reading(self: Any, prompts: Any) -> Any:
        seen.append(prompts[0][0])
        return read(self, prompts)

    monkeypatch.setattr(module.Continuing, "read", reading)
    report = shots(model, task, k=(3,), orders=3)
    assert [run.control for run in report.runs] == [False] * 3 + [True] * 3
    pairs = list(zip(seen[::2], seen[1::2], strict=True))
    assert all([one.fields for one in own] == [one.fields for one in other] for own, other in pairs)
    assert any([one.label for one in own] != [one.label for one in other] for own, other in pairs)


def test_only_the_order_varies_unless_the_examples_are_to(model: Any, task: Path, monkeypatch: Any):
    def shown(*overrides: str) -> list[frozenset[str]]:
        found: list[frozenset[str]] = []
        read = module.Continuing.read

        def reading(self: Any, prompts: Any) -> Any:
            found.append(frozenset(one.where for one in prompts[0][0]))
            return read(self, prompts)

        with monkeypatch.context() as patch:
            patch.setattr(module.Continuing, "read", reading)
            shots(model, task, overrides, k=(2,), orders=4, control=False)
        return found

    assert len(set(shown())) == 1
    assert len(set(shown("vary=examples"))) > 1


def test_the_order_of_the_labels_changes_nothing(model: Any, tmp_path: Path, task: Path):
    turned = task.with_name("turned.yaml")
    turned.write_text(
        task.read_text("utf-8").replace("pos: nice, neg: awful", "neg: awful, pos: nice"), "utf-8"
    )
    for settings in ([], ["calibration=contextual"], ["choice=nearest", "score=token"]):
        one, two = (
            shots(model, path, settings, k=(0, 2), orders=2, control=False) for path in (task, turned)
        )
        assert [run.figures for run in one.runs] == [run.figures for run in two.runs]


def test_the_nearest_examples_stand_beside_each_question(model: Any, task: Path, monkeypatch: Any):
    asked: list[Any] = []
    read = module.Continuing.read

    def reading(self: Any, prompts: Any) -> Any:
        asked.extend(prompts)
        return read(self, prompts)

    monkeypatch.setattr(module.Continuing, "read", reading)
    shots(model, task, ["choice=nearest"], k=(1,), orders=1, control=False)
    beside = {fields["text"]: shown[-1].fields["text"] for shown, fields in asked}
    assert beside["good 7"] == "good good"
    assert beside["a bad day"] == "a bad one"


def test_an_encoder_may_say_what_is_near(model: Any, task: Path, tmp_path: Path):
    folder = write_bert(tmp_path / "bert", head="none")
    report = shots(model, task, ["choice=nearest", f"vectors={folder}"], k=(1,), orders=1, control=False)
    assert report.levels[0].mean("accuracy") is not None


def test_calibration_takes_away_what_the_model_prefers_without_an_example(model: Any, task: Path):
    plain = shots(model, task, k=(0,), control=False).runs[0].figures.accuracy
    for calibration in ("contextual", "domain"):
        found = shots(model, task, [f"calibration={calibration}"], k=(0, 2), orders=1, control=False)
        assert [run.k for run in found.runs] == [0, 2]
    session = module._Session(model, open_task(task, ["calibration=domain"]), 1)
    alone = [model.score(word, " is ")[0].logp for word in ("nice", "awful")]
    np.testing.assert_allclose(session._premise(), [alone], atol=1e-5)
    assert plain == shots(model, task, k=(0,)).runs[0].figures.accuracy


def test_without_labels_the_answer_is_written_and_must_be_the_text(model: Any, task: Path, monkeypatch: Any):
    answers = iter([" pos ", "pos", "neg", "pos", "POS", "neg"])
    monkeypatch.setattr(module.Continuing, "write", lambda *_: list(answers))
    report = shots(model, task, ["labels={}"], k=(0,))
    assert report.runs[0].figures.accuracy == pytest.approx(4 / 6)
    assert report.runs[0].figures.macro_f1 is None


def test_an_encoder_is_asked_by_blanks_and_writes_nothing(task: Path, tmp_path: Path):
    folder = write_bert(tmp_path / "bert")
    words = ["labels={pos: a, neg: o}", 'template="{text}{label}"']
    report = shots(folder, task, words, k=(0, 1), orders=1, device="cpu")
    assert [level.k for level in report.levels] == [0, 1]
    with pytest.raises(UserError, match="the task task has no labels: answers are written, and this model"):
        shots(folder, task, ["labels={}"], k=(0,))


def test_what_does_not_fit_is_refused_before_anything_is_asked(model: Any, task: Path):
    with pytest.raises(UserError, match="k is 11, but the training set has 10 examples; ask for fewer"):
        shots(model, task, k=(0, 11))
    with pytest.raises(UserError, match="k is a list of numbers from 0"):
        shots(model, task, k=())
    with pytest.raises(UserError) as refused:
        shots(model, task, k=(0, 9))
    assert "and the model reads 110: 5 examples fit; ask for --k up to 5" in str(refused.value)
    assert str(refused.value).startswith("with 9 examples the longest prompt has 1")
    fits = shots(model, task, k=(5,), orders=1)
    assert fits.runs[0].k == 5


def test_a_question_that_is_too_long_by_itself_is_said_so(model: Any, task: Path):
    long = task.with_name("test.tsv")
    long.write_text("text\tsentiment\n" + "good " * 90 + "\tpos\n", encoding="utf-8")
    with pytest.raises(UserError, match="not even a question alone fits; shorten the texts with limits"):
        shots(model, task, k=(0,))
    assert shots(model, task, ["limits.characters=20"], k=(0,)).questions == 1
