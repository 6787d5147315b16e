"""``glassformer data check`` for labelled data: a table of labels, and findings for people and machines."""


def test_labels_are_checked_with_the_settings_of_their_kind(ask, tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("document\tlabel\n좋다\t1\n좋다\t0\n", encoding="utf-8")
    words = ("data", "check", path, "--kind", "labelled", "--set", "text=document")
    ended = ask(*words)
    assert ended.code == 0
    assert "label  train" in ended.out
    assert f"{path}:3: the text of {path}:2 with another answer" in ended.out
    told = ask(*words, "--json").result
    assert told["counts"] == {"ambiguous": 1}
    assert [row["label"] for row in told["labels"]] == ["1", "0"]


def test_an_unknown_kind_is_a_mistake(ask, tmp_path):
    (tmp_path / "a.tsv").write_text("x", encoding="utf-8")
    ended = ask("data", "check", tmp_path / "a.tsv", "--kind", "labeled")
    assert ended.code == 2
    assert "did you mean 'labelled'" in ended.err
