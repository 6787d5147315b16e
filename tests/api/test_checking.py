"""Checking files of pairs: one path or several, splits against each other, and what cannot be asked."""

import pytest

from glassformer.api.checking import check
from glassformer.base.errors import UserError


def test_a_test_pair_that_was_trained_on_is_found(tmp_path):
    train, test = tmp_path / "train.tsv", tmp_path / "test.tsv"
    train.write_text("나는 간다\tI go\n너는 온다\tYou come\n", encoding="utf-8")
    test.write_text("너는 온다\tYou come\n", encoding="utf-8")
    found = check(str(train), test=[str(test)])
    assert found.rows == {"train": 2, "test": 1}
    assert found.counts == {"leak": 1}
    assert found.findings["leak"][0].where == f"{test}:1"


def test_field_names_choose_the_texts(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("id\tko\ten\n1\t나는\tI\n2\t나는\tI\n", encoding="utf-8")
    found = check([str(path)], source="ko", target="en")
    assert found.counts == {"duplicate": 1}


def test_the_longest_text_is_a_setting(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("나는 학교에 간다\tI go to school\n", encoding="utf-8")
    assert check(str(path), max_characters=5).counts == {"overlong": 2}


def test_half_a_question_is_refused(tmp_path):
    with pytest.raises(UserError, match="both fields, source and target, or of neither"):
        check("a.tsv", source="ko")
    with pytest.raises(UserError, match="no file to check"):
        check([])
    with pytest.raises(UserError, match="no such file"):
        check(str(tmp_path / "missing.tsv"))


def test_labels_are_checked_by_kind_with_its_settings_or_by_the_recipe(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("document\tlabel\n좋다\t1\n좋다\t0\n", encoding="utf-8")
    found = check(str(path), kind="labelled", settings=["text=document"])
    assert found.counts == {"ambiguous": 1}
    (tmp_path / "recipe.yaml").write_text(
        "model: {name: gpt, dim: 8, depth: 1, heads: 2}\nobjective: {name: classification}\n"
        "data: {name: labelled, train: a.tsv, test: a.tsv, text: document}\ntrain: {steps: 1}\n",
        encoding="utf-8",
    )
    found = check(str(tmp_path / "recipe.yaml"))
    assert found.rows == {"train": 2, "test": 2}
    assert found.counts == {"ambiguous": 2, "leak": 2}


def test_the_objective_of_a_recipe_says_whether_answers_are_numbers(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\na\t1\nb\t5\n", encoding="utf-8")
    tables = {}
    for objective in ("regression", "classification"):
        (tmp_path / "recipe.yaml").write_text(
            f"model: {{name: gpt, dim: 8, depth: 1, heads: 2}}\nobjective: {{name: {objective}}}\n"
            "data: {name: labelled, train: a.tsv}\ntrain: {steps: 1}\n",
            encoding="utf-8",
        )
        tables[objective] = set(check(str(tmp_path / "recipe.yaml")).tables)
    assert tables == {
        "regression": {"lengths", "numbers", "histogram"}, "classification": {"lengths", "labels"},
    }  # fmt: skip


def test_a_kind_without_answers_and_a_wrong_setting_are_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(UserError, match="the kind text has no examples with answers"):
        check(str(path), kind="text")
    with pytest.raises(UserError, match="unknown data 'labels'; did you mean 'labelled'"):
        check(str(path), kind="labels")
    with pytest.raises(UserError, match="unknown key 'txt'"):
        check(str(path), kind="labelled", settings=["txt=document"])
