"""What a recipe names ``generated:…`` becomes a file, once, and only if it exists."""

import json
import sys
from pathlib import Path

import numpy as np
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
    monkeypatch.setattr(generated, "_grammar", lambda name: "another")
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


TOPICS = {f"topic {number}": f"About {number}.\n\nMore." for number in range(40)}


def test_the_reference_of_python_is_parted_by_topic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "topics", lambda: TOPICS)
    found = {}
    for split in generated.SPLITS:
        path = generated.file_of(f"generated:python-docs/{split}", tmp_path, "text")
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        found[split] = {record["topic"]: record["text"] for record in map(json.loads, lines)}
    assert found["train"] | found["valid"] | found["test"] == TOPICS
    assert all(found.values())
    assert sum(map(len, found.values())) == len(TOPICS)


def test_a_topic_stays_in_its_part_when_others_come() -> None:
    held = {topic for topic in generated.topics() if generated.split_of(topic) != "train"}
    assert {"bitwise", "return", "calls", "assert"} & held == {"bitwise", "return"}
    assert len(held) < len(generated.topics()) / 4


def test_a_python_without_its_reference_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(UserError, match="this Python came without its documentation"):
        generated.topics()


def test_the_digits_are_parted_once_and_for_all(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    images, labels = [], []
    for split, count in (("train", 1397), ("valid", 200), ("test", 200)):
        with np.load(generated.file_of(f"generated:digits/{split}", tmp_path, "images")) as arrays:
            assert arrays["x"].shape == (count, 8, 8)
            assert set(arrays["y"].tolist()) == set(range(10))
            images.append(arrays["x"])
            labels.append(arrays["y"])
    every = np.concatenate(images)
    assert (every.dtype, int(every.min()), int(every.max())) == (np.uint8, 0, 255)
    assert np.bincount(np.concatenate(labels)).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_without_scikit_learn_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(
        UserError, match=r"needs the package scikit-learn; pip install 'glassformer\[images\]'"
    ):
        generated.file_of("generated:digits", tmp_path, "images")
    assert list(tmp_path.rglob("*.npz")) == []


def test_data_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="generated:digits: this is data of the kind images, not pairs"):
        generated.file_of("generated:digits", tmp_path)
    with pytest.raises(UserError, match=r"kind pairs, not text; set data.name"):
        generated.file_of("generated:korean-english", tmp_path, "text")


def test_hello_is_one_word_to_learn_and_to_be_asked(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        path = generated.file_of(f"generated:hello/{split}", tmp_path, "text")
        assert Path(path).read_text("utf-8") == "hello\n"
