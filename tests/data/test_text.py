"""Text of a recipe: learned from, encoded once, streamed in blocks; a prepared store fits its tokenizer."""

import os
from pathlib import Path

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data import text as module
from glassformer.data.example import Features
from glassformer.data.store import StoreError, build
from glassformer.data.text import Config, facts, is_prepared, stores, texts, tokenizer_folder

DATA = Path(os.environ.get("GLASSFORMER_DATA", "../shared/data"))
SETTINGS = {"tokenizers": "t" * 64}


def encode(examples):
    """Bytes, and 256 at the end of a document."""
    rows = [[*one.fields["text"].encode(), *([256] if one.fields["last"] else [])] for one in examples]
    return [Features({"tokens": np.array(row, dtype=np.int64)}) for row in rows]


def config(train, **settings):
    return Config.model_validate({"train": str(train), **settings})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one two\n\nthree four five\n\nsix", encoding="utf-8")
    return path


def row(blocks, number=0):
    return bytes(token if token < 256 else ord("|") for token in blocks[number].arrays["tokens"]).decode()


def test_training_rows_are_cropped_and_others_stand_in_order(file, tmp_path):
    asked = config(file, valid=[{"path": str(file), "weight": 2}], block=10)
    ((train, one),) = stores(asked, "train", encode, SETTINGS, cache=tmp_path / "cache")
    ((valid, two),) = stores(asked, "valid", encode, SETTINGS, cache=tmp_path / "cache")
    assert (one, two, train.folder) == (1.0, 2.0, valid.folder)
    assert row(train) == "one two|three four f"
    assert [row(valid, number) for number in range(3)] == ["one two|thr", "ree four fi", "ive|six|"]
    assert stores(asked, "test", encode, SETTINGS) == []


def test_it_is_encoded_once_for_the_same_settings(file, tmp_path):
    def fail(examples):
        pytest.fail("encoded again")

    cache = tmp_path / "cache"
    stores(config(file), "train", encode, SETTINGS, cache=cache)
    stores(config(file, block=3), "train", fail, SETTINGS, cache=cache)
    for changed in ({"documents": "line"}, {"documents": "file"}):
        ((blocks, _),) = stores(config(file, **changed), "train", encode, SETTINGS, cache=cache)
        assert blocks.counts("tokens", 257)[256] == {"line": 3, "file": 1}[changed["documents"]]
    ((part, _),) = stores(config(f"{file}[:50%]"), "train", encode, SETTINGS, cache=cache)
    assert part.tokens("tokens") < blocks.tokens("tokens")


def test_a_tokenizer_learns_from_the_pieces_without_the_space_of_the_cut(file, monkeypatch):
    assert list(texts(config(file))) == [("one two",), ("three four five",), ("six",)]
    assert list(texts(config(file), "test")) == []
    monkeypatch.setattr(module.documents, "PIECE", 8)
    assert ("five",) in list(texts(config(file)))


def test_what_a_step_costs_is_rows_times_the_block(file):
    asked = config(file, block=64, batch_size=12)
    assert (asked.tokens_per_batch, asked.max_length, facts(asked)) == (768, 64, {})


def test_a_text_of_one_token_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x")

    def short(examples):
        return [Features({"tokens": np.array([1])}) for _ in examples]

    with pytest.raises(UserError, match=r"a\.txt: a single token is no text"):
        stores(config(path), "train", short, SETTINGS, cache=tmp_path / "cache")


def prepared(folder, file, **about):
    said = {"kind": "text", "tokenizers": SETTINGS["tokenizers"], **about}
    return build(config(file).read(str(file)), encode, folder, fingerprint="f", about=said).folder


def test_a_prepared_store_is_a_path_like_any_other(file, tmp_path):
    folder = prepared(tmp_path / "store", file)
    asked = config(folder, valid=str(file))
    assert is_prepared(str(folder))
    ((blocks, _),) = stores(asked, "train", encode, SETTINGS)
    assert row(blocks).startswith("one two|three")
    assert list(texts(asked)) == []
    assert tokenizer_folder(asked) == folder / "tokenizer"
    assert tokenizer_folder(config(file)) is None


def test_a_store_of_another_tokenizer_or_of_no_text_is_refused(file, tmp_path):
    folder = prepared(tmp_path / "store", file, tokenizers="other")
    with pytest.raises(UserError, match="prepared with another tokenizer than the model's"):
        stores(config(folder), "train", encode, SETTINGS)
    other = prepared(tmp_path / "other", file, kind="images")
    with pytest.raises(UserError, match="does not hold text"):
        stores(config(other), "train", encode, SETTINGS)


def test_a_damaged_store_is_told_before_anything_is_learned(file, tmp_path):
    folder = prepared(tmp_path / "store", file)
    (folder / "tokens.tokens").write_bytes(b"x")
    with pytest.raises(StoreError, match="is damaged"):
        list(texts(config(folder)))


@pytest.mark.parametrize("unknown", [{"documents": "page"}, {"block": 0}, {"size": 3}])
def test_settings_that_mean_nothing_are_refused(unknown, file):
    with pytest.raises(ValueError, match=next(iter(unknown))):
        config(file, **unknown)


def test_the_reference_of_python_is_text(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSFORMER_CACHE", str(tmp_path))
    ((blocks, _),) = stores(config("generated:python-docs/valid"), "train", encode, SETTINGS)
    assert blocks.tokens("tokens") > 10_000
    assert next(texts(config("generated:python-docs/valid")))[0].startswith("Binary bitwise")


def test_tiny_shakespeare_is_parted_as_by_nano_gpt():
    path = DATA / "en-lm" / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip("no tiny Shakespeare under GLASSFORMER_DATA")
    asked = config(f"{path}[:90%]", valid=f"{path}[90%:]", documents="file")
    parts = ["".join(piece for piece in _running(asked, split)) for split in ("train", "valid")]
    assert [len(part) for part in parts] == [1_003_854, 111_540]
    assert "".join(parts) == path.read_text(encoding="utf-8")


def _running(asked, split):
    return (one.fields["text"] for one in asked.read(asked.sources(split)[0].path))


def test_korean_speeches_are_documents_between_blank_lines():
    path = DATA / "ko-speeches" / "dev.txt.gz"
    if not path.exists():
        pytest.skip("no ko-speeches under GLASSFORMER_DATA")
    pieces = list(config(path).read(str(path)))
    count = sum(piece.fields["last"] for piece in pieces)
    assert count == 100
    assert len(pieces) > count
