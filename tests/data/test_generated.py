"""The texts that a recipe names ``generated:…`` become files, once, and only if they exist."""

from pathlib import Path

import pytest

import glassformer as gf
from glassformer.base.errors import RunError, UserError
from glassformer.data import generated
from glassformer.data.pairs import Config, texts
from glassformer.data.samples import AlignedPair
from glassformer.data.sources import read, settled

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


def test_each_split_is_a_file_that_reads_as_the_texts(made: list[int], tmp_path: Path) -> None:
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


def test_its_name_is_a_path_like_any_other_and_a_recipe_keeps_it(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSFORMER_CACHE", str(tmp_path))
    config = settled(Config.model_validate({"train": "generated:korean-english"}))
    assert config.sources("train")[0].path == "generated:korean-english"
    assert list(texts(config)) == [("안녕.", "Hi.")]
    assert [example.fields["target"] for example in read("generated:korean-english/test")] == ["Come."]
    assert gf.check("generated:korean-english/valid").rows == {"train": 1}
    tokenizer = gf.train_tokenizer(
        ["generated:korean-english"], tmp_path / "new", gf.TokenizerConfig(name="character", min_frequency=1)
    )
    assert {"안", "H"} <= set(tokenizer.source.pieces(range(tokenizer.source.vocab_size)))
    assert made == [1]


def test_a_process_that_was_faster_is_no_failure(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beaten(name: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        raise RunError("a file with this name is in the way")

    monkeypatch.setattr(generated, "_write", beaten)
    assert generated.file_of("generated:korean-english", tmp_path).endswith("train.tsv")
    assert made == []
