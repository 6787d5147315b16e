"""Tokenizers on their own: learned from text and from pairs, opened from any folder, looked into."""

import json
import shutil

import pytest
from tests.hub.gguf_files import SIZES, state_of, write

from glassformer.api.tokenizing import (
    decode_ids,
    describe_tokenizer,
    load_tokenizer,
    train_tokenizer,
)
from glassformer.base.errors import UserError
from glassformer.text.train import TokenizerConfig

WORDS = TokenizerConfig(name="word", vocab_size=100, min_frequency=1)
APART = TokenizerConfig(name="word", vocab_size=100, min_frequency=1, shared=False)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.tsv").write_text("ko\ten\n나는 간다\tI go\n", encoding="utf-8")
    (tmp_path / "a.ko").write_text("나는 간다\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("I go\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["a.tsv", "a.ko+a.en"])
def test_pairs_teach_both_sides(files, name):
    pair = train_tokenizer([str(files / name)], files / "out", WORDS)
    assert pair.shared
    opened = load_tokenizer(files / "out")
    assert opened.decode(opened.encode("나는 go")) == "나는 go"
    assert opened.fingerprint == pair.source.fingerprint


def test_text_teaches_one_vocabulary(files):
    train_tokenizer([str(files / "a.ko"), str(files / "a.en")], files / "out", WORDS)
    opened = load_tokenizer(files / "out")
    assert opened.unk_id not in opened.encode("간다 I")


def test_what_closes_a_text_is_chosen_for_what_will_read_it(files):
    found = {}
    for frame in ("end", "none", "both"):
        train_tokenizer([str(files / "a.ko")], files / frame, WORDS, frame=frame)
        opened = load_tokenizer(files / frame)
        found[frame] = (len(opened.opening), len(opened.closing), opened.mask_id is not None)
    assert found == {"end": (0, 1, False), "none": (0, 0, False), "both": (1, 1, True)}


def test_separate_vocabularies_know_their_own_side_only(files):
    pair = train_tokenizer([str(files / "a.tsv")], files / "out", APART)
    assert not pair.shared
    source, target = (load_tokenizer(files / "out", side) for side in ("source", "target"))
    assert source.unk_id not in source.encode("나는") and source.unk_id in source.encode("go")
    assert target.unk_id not in target.encode("go") and target.unk_id in target.encode("나는")
    with pytest.raises(UserError, match="separate vocabularies need pairs"):
        train_tokenizer([str(files / "a.ko")], files / "other", APART)


def test_a_folder_that_holds_something_is_left_alone(files):
    with pytest.raises(UserError, match="holds something already and is not overwritten"):
        train_tokenizer([str(files / "a.tsv")], files, WORDS)
    with pytest.raises(UserError, match="holds something already"):
        train_tokenizer([str(files / "a.tsv")], files / "a.ko", WORDS)


def test_nothing_is_written_when_there_is_no_text(files):
    (files / "blank.txt").write_text("\n  \n", encoding="utf-8")
    with pytest.raises(UserError, match="no text to learn"):
        train_tokenizer([str(files / "blank.txt")], files / "out", WORDS)
    with pytest.raises(UserError, match="no such file"):
        train_tokenizer([str(files / "missing.txt")], files / "out", WORDS)
    assert not (files / "out").exists()


def test_the_folder_of_a_run_has_the_tokenizer_of_its_best_model(model_folder, tmp_path):
    shutil.copytree(model_folder, tmp_path / "run" / "best")
    assert load_tokenizer(tmp_path / "run").fingerprint == load_tokenizer(model_folder).fingerprint
    with pytest.raises(UserError, match="no tokenizer here"):
        load_tokenizer(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        load_tokenizer(tmp_path / "missing")


def test_a_description_says_what_it_is_and_how_a_text_is_cut(model_folder):
    opened = load_tokenizer(model_folder)
    plain = describe_tokenizer(opened)
    assert plain.cut is None
    assert plain.special_ids == {"pad": 0, "bos": 1, "eos": 2, "unk": 3}
    told = describe_tokenizer(opened, "I 학교")
    assert told.cut is not None
    assert [number for number, _, _ in told.cut] == opened.encode("I 학교")
    assert {word for _, _, word in told.cut} == {0, 1}
    assert json.loads(json.dumps(told.as_json()))["kind"] == "byte_bpe"
    assert "byte_bpe" in str(told) and "piece" in str(told)


def test_ids_become_text_and_what_is_no_id_is_told_with_its_line(model_folder):
    opened = load_tokenizer(model_folder)
    ids = " ".join(map(str, opened.encode("나는 간다")))
    assert list(decode_ids(opened, [(1, ids), (2, "")])) == ["나는 간다", ""]
    for bad in ("x", "-1", "٣"):
        with pytest.raises(UserError, match=r"line 7: .* is not an id"):
            list(decode_ids(opened, [(7, bad)]))
    with pytest.raises(UserError, match=r"line 2: there is no id 9999; .* from 0 to 299"):
        list(decode_ids(opened, [(1, "5"), (2, "9999")]))


def test_the_tokenizer_of_a_gguf_file_is_opened(tmp_path):
    path = write(tmp_path / "a.gguf", SIZES, state_of()[1].state_dict())
    assert load_tokenizer(path).decode(load_tokenizer(path).encode("ab 12")) == "ab 12"
