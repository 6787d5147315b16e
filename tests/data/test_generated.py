"""The texts that a recipe names ``generated:…`` become files, once, and only if they exist."""

from pathlib import Path

import pytest

from glassformer.base.errors import UserError
from glassformer.data import generated
from glassformer.data.prepare import settled
from glassformer.data.samples import AlignedPair
from glassformer.data.sources import DataConfig, read

PAIRS = {
    "train": [AlignedPair("안녕.", "Hi.", ((0, 0),), "greeting")],
    "valid": [AlignedPair("가.", "Go.", ((0, 0),), "request")],
    "test": [AlignedPair("와.", "Come.", ((0, 0),), "request")],
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    monkeypatch.setattr(generated, "CORPORA", {"korean-english": lambda: calls.append(1) or PAIRS})
    return calls


def test_each_split_is_a_file_that_reads_as_the_pairs(made: list[int], tmp_path: Path) -> None:
    for name, split in (("", "train"), ("/train", "train"), ("/valid", "valid"), ("/test", "test")):
        path = generated.file_of(f"generated:korean-english{name}", tmp_path)
        fields = [example.fields for example in read(path, "ko", "en")]
        assert fields == [{"source": pair.source, "target": pair.target} for pair in PAIRS[split]]
    assert made == [1]


def test_a_changed_grammar_is_written_anew(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generated.file_of("generated:korean-english", tmp_path)
    monkeypatch.setattr(generated, "_grammar", lambda: "another")
    assert generated.file_of("generated:korean-english", tmp_path) != before
    assert made == [1, 1]


@pytest.mark.parametrize("path", ["generated:korean-englsh", "generated:", "generated:korean-english/tests"])
def test_an_unknown_name_is_one_sentence(made: list[int], path: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such generated text"):
        generated.file_of(path, tmp_path)
    assert made == []


def test_a_recipe_is_settled_to_the_file_and_other_paths_stay(made: list[int], tmp_path: Path) -> None:
    config = DataConfig.model_validate({"train": ["a.tsv", "generated:korean-english"], "valid": "b.tsv"})
    found = settled(config, tmp_path)
    first, second = (source.path for source in found.sources("train"))
    assert (first, found.sources("valid")[0].path) == ("a.tsv", "b.tsv")
    assert Path(second).read_text("utf-8") == "ko\ten\n안녕.\tHi.\n"
