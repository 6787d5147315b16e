"""A prepared store is whole, describes itself, and is read in the place of its files."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import glassformer as gf
from glassformer.api.storing import Prepared, prepare_data
from glassformer.base.errors import RunError, UserError
from glassformer.data import store as store_module
from glassformer.data.store import Store
from glassformer.data.text import Config, stores, tokenizer_folder
from glassformer.text.tokenizer import load_pair, load_tokenizer
from glassformer.text.train import TokenizerConfig, train

TEXT = "나는 학교에 간다.\nI go to school.\n\nYou come home, and we eat rice.\n\n그는 책을 읽는다.\n"


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabulary")
    train(TokenizerConfig(name="byte_bpe", vocab_size=300, min_frequency=1), [TEXT]).save(folder)
    return folder


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def test_the_tokens_are_those_of_the_documents_each_with_its_end(file, vocabulary, tmp_path):
    made = prepare_data([file, file], tmp_path / "store", vocabulary)
    tokenizer = load_tokenizer(vocabulary)
    expected = [
        number
        for document in TEXT.rstrip().split("\n\n") * 2
        for number in [*tokenizer.encode(document), tokenizer.eos_id]
    ]
    store = Store(tmp_path / "store")
    assert store.joined("tokens").tolist() == expected
    size = sum(path.stat().st_size for path in store.folder.glob("*") if path.is_file())
    assert made == Prepared(str(tmp_path / "store"), 6, len(expected), size)
    assert str(made).startswith(f"{tmp_path / 'store'}: 6 documents, {len(expected)} tokens, 0.0 MB")
    assert made.as_json()["documents"] == 6


def test_documents_are_parted_as_asked_and_may_come_on_stdin(vocabulary, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert prepare_data(["-"], tmp_path / "store", vocabulary, apart="line").documents == 4
    lines = tmp_path / "a.jsonl"
    lines.write_text(json.dumps({"body": TEXT}) + "\n")
    assert prepare_data([str(lines)], tmp_path / "other", vocabulary, field="body").documents == 1


def test_it_describes_itself_and_keeps_its_tokenizer(file, vocabulary, tmp_path):
    prepare_data([file], tmp_path / "store", vocabulary)
    pair = load_pair(tmp_path / "store" / "tokenizer")
    about = Store(tmp_path / "store").about
    assert about["tokenizers"] == pair.fingerprint == load_pair(vocabulary).fingerprint
    assert about["eos_id"] == pair.source.eos_id
    assert Store(tmp_path / "store").fingerprint
    config = Config.model_validate({"train": str(tmp_path / "store"), "block": 8})
    assert tokenizer_folder(config) == tmp_path / "store" / "tokenizer"
    ((blocks, _),) = stores(config, "train", lambda examples: [], {"tokenizers": pair.fingerprint})
    assert blocks[0].arrays["tokens"].tolist() == np.asarray(blocks.store.joined("tokens"))[:16].tolist()
    with pytest.raises(UserError, match="prepared with another tokenizer"):
        stores(config, "train", lambda examples: [], {"tokenizers": "another"})


def test_what_is_there_already_is_not_overwritten(file, vocabulary, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("mine")
    for place in (tmp_path / "full", Path(file)):
        with pytest.raises(UserError, match="holds something already and is not overwritten"):
            prepare_data([file], place, vocabulary)
    assert Path(file).read_text(encoding="utf-8") == TEXT


def test_a_folder_of_two_vocabularies_is_refused(file, vocabulary, tmp_path):
    other = train(TokenizerConfig(name="character", min_frequency=1), [TEXT])
    load_tokenizer(vocabulary).save(tmp_path / "two")
    other.save(tmp_path / "two", "tokenizer_target")
    with pytest.raises(UserError, match="two: has two vocabularies, for translation"):
        prepare_data([file], tmp_path / "store", tmp_path / "two")


def test_a_file_that_is_missing_stops_it_before_anything_is_read(file, vocabulary, tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_write", lambda *given: pytest.fail("began to write"))
    with pytest.raises(UserError, match=r"missing\.txt: no such file"):
        prepare_data([file, str(tmp_path / "missing.txt")], tmp_path / "store", vocabulary)


def test_a_bad_line_late_in_a_file_leaves_nothing_behind(file, vocabulary, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(TEXT.encode() * 3 + b"\xff")
    with pytest.raises(UserError, match=r"bad\.txt:19: not valid UTF-8"):
        prepare_data([file, str(bad)], tmp_path / "store", vocabulary)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "bad.txt"]


def test_a_disk_that_refuses_is_one_sentence(file, vocabulary, tmp_path):
    with pytest.raises(RunError, match="cannot write"):
        prepare_data([file], Path(file) / "store", vocabulary)


def test_it_is_among_the_verbs_of_the_package():
    assert gf.prepare_data is prepare_data


@pytest.mark.slow
def test_real_processes_write_the_same_bytes(file, vocabulary, tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "CHUNK", 2)
    for count in (1, 3):
        prepare_data([file] * 9, tmp_path / str(count), vocabulary, processes=count)
    names = [path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*") if path.is_file()]
    assert len(names) >= 7
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c_leaves_nothing_and_nobody_behind(processes, vocabulary, tmp_path):
    command = [sys.executable, "-m", "glassformer", "data", "prepare", "-", "--tokenizer", str(vocabulary)]
    command += ["--output", str(tmp_path / "new" / "store"), "--processes", processes]
    # A group of its own, which hears Ctrl-C as one, as in a terminal.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as running:
        running.stdin.write(TEXT.encode() * 60_000)
        running.stdin.flush()
        until = time.monotonic() + 60
        while not list(tmp_path.glob("new/*/tokens.tokens")) and time.monotonic() < until:
            time.sleep(0.05)
        assert list(tmp_path.glob("new/.glassformer-tmp-*"))
        os.killpg(running.pid, signal.SIGINT)
        said = running.communicate(timeout=60)[1].decode()
    assert running.returncode == 130
    assert "Traceback" not in said
    assert list((tmp_path / "new").iterdir()) == []
    until = time.monotonic() + 20
    while _alive(running.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert _alive(running.pid) == []


def _alive(group):
    """The processes of a group that have not ended; who ended may still wait to be counted by its parent."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
            found += [path.parent.name] * (int(of) == group and state != "Z")
    return found
