import json
from itertools import repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.base.errors import RunError, UserError
from glassformer.data import store as store_module
from glassformer.data.characters import Meter
from glassformer.data.example import Example, Features
from glassformer.data.filter import Dropped, Limits
from glassformer.data.store import Store, StoreError, build, cached, fingerprint


def numbered(pairs):
    return [
        Example({"source": one, "target": other}, f"a.tsv:{n}") for n, (one, other) in enumerate(pairs, 1)
    ]


def encode(examples):
    return [
        Features({k: np.array(v, dtype=np.int64) for k, v in example.fields.items()}) for example in examples
    ]


PAIRS = [([5, 6, 7], [8]), ([9], [10, 11]), ([], [12])]
ids = st.lists(st.one_of(st.integers(0, 100), st.integers(-100, 70_000)), max_size=5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=9), st.integers(1, 4))
def test_what_was_written_is_read_back(tmp_path_factory, pairs, chunk):
    folder = tmp_path_factory.mktemp("stores") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "CHUNK", chunk)
        store = build(numbered(pairs), encode, folder)
    assert len(store) == len(pairs)
    for row, (source, target) in enumerate(pairs):
        assert store[row].arrays["source"].tolist() == source
        assert store[row].arrays["target"].tolist() == target
    assert store.lengths.tolist() == [max(len(source), len(target)) for source, target in pairs]


def test_small_numbers_take_two_bytes_and_large_ones_four(tmp_path):
    small = build(numbered([([65_535], [0])]), encode, tmp_path / "small")
    large = build(numbered([([1], [0]), ([65_536], [0])]), encode, tmp_path / "large")
    assert (small.folder / "source.tokens").stat().st_size == 2
    assert (large.folder / "source.tokens").stat().st_size == 8
    assert (large.folder / "target.tokens").stat().st_size == 4
    assert large[1].arrays["source"].tolist() == [65_536]


def test_a_row_outside_is_an_index_error(tmp_path):
    store = build(numbered(PAIRS), encode, tmp_path / "store")
    assert store.names == ("source", "target")
    for row in (-1, 3):
        with pytest.raises(IndexError):
            store[row]


def test_tokens_are_counted_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "BLOCK", 2)
    store = build(numbered([([1, 1, 3], [-100, 2]), ([1], [2])]), encode, tmp_path / "store")
    assert store.tokens("source") == 4
    assert store.counts("source", 5).tolist() == [0, 3, 0, 1, 0]
    assert store.counts("target", 5).tolist() == [0, 0, 2, 0, 0]
    with pytest.raises(ValueError, match="token 3 in a vocabulary of 3"):
        store.counts("source", 3)


def test_only_a_finished_store_appears(tmp_path):
    def broken(examples):
        yield examples[0]
        raise RuntimeError("the reader failed")

    with pytest.raises(RuntimeError, match="the reader failed"):
        build(broken(numbered(PAIRS)), encode, tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["source.tokens", "target.ends", "lengths", "store.json"])
@pytest.mark.parametrize("damage", ["cut", "change", "remove"])
def test_a_damaged_store_is_noticed_and_built_again(tmp_path, name, damage, capsys):
    def make():
        return cached("f" * 64, lambda: numbered(PAIRS), encode, cache=tmp_path)

    path = make().folder / name
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "change":
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    else:
        path.unlink()
    with pytest.raises(StoreError):
        Store(path.parent)
    again = make()
    assert [again[row].arrays["source"].tolist() for row in range(3)] == [source for source, _ in PAIRS]
    assert "building it again" in capsys.readouterr().err


def test_a_store_of_another_format_is_built_again(tmp_path, capsys):
    folder = build(numbered(PAIRS), encode, tmp_path / "store").folder
    about = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps({**about, "format": 99}))
    with pytest.raises(StoreError, match="has format 99"):
        Store(folder)


def test_a_store_in_the_cache_is_not_built_twice(tmp_path):
    first = cached("a" * 64, lambda: numbered(PAIRS), encode, cache=tmp_path)
    second = cached("a" * 64, lambda: pytest.fail("read again"), encode, cache=tmp_path)
    assert second.folder == first.folder
    other = cached("b" * 64, lambda: numbered(PAIRS[:1]), encode, cache=tmp_path)
    assert len(other) == 1


def test_another_process_that_was_faster_does_no_harm(tmp_path, monkeypatch):
    def build_and_fail(*arguments, **options):
        build(*arguments, **options)
        raise RunError("cannot write: a file with this name is in the way")

    monkeypatch.setattr(store_module, "build", build_and_fail)
    assert len(cached("c" * 64, lambda: numbered(PAIRS), encode, cache=tmp_path)) == 3

    def only_fail(*arguments, **options):
        raise RunError("the disk is full")

    monkeypatch.setattr(store_module, "build", only_fail)
    with pytest.raises(RunError, match="the disk is full"):
        cached("d" * 64, lambda: numbered(PAIRS), encode, cache=tmp_path)


def test_what_was_dropped_is_said_once_and_kept_with_the_store(tmp_path, capsys):
    pairs = [([1, 2], [3]), ([1, 2, 3, 4], [5])]
    dropped = Dropped()
    dropped.note("blank", "a.tsv:7")
    store = build(
        numbered(pairs), encode, tmp_path / "s", limits=Limits(max_length=3), dropped=dropped, what="train"
    )
    sentence = "2 examples were dropped: 1 blank (a.tsv:7); 1 longer than 3 tokens (a.tsv:2)"
    assert sentence in capsys.readouterr().err
    assert len(store) == 1
    assert Store(store.folder).dropped.sentence() == sentence


def test_when_everything_was_dropped_the_error_says_why(tmp_path):
    with pytest.raises(
        UserError, match=r"no example is left to use: all 3 .*: 3 longer than 0 tokens \(a.tsv:1,"
    ):
        build(numbered(PAIRS), encode, tmp_path / "store", limits=Limits(max_length=0))
    with pytest.raises(UserError, match="no examples at all"):
        build([], encode, tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError):
        build(numbered(PAIRS), encode, tmp_path / "file" / "store")


def test_the_fingerprint_follows_contents_and_settings_and_not_names(tmp_path):
    one, other = tmp_path / "one.tsv", tmp_path / "other.tsv"
    one.write_text("가\tgo\n")
    other.write_text("가\tgo\n")
    settings = {"max_length": 4}
    assert fingerprint([one], settings) == fingerprint([other], settings)
    assert fingerprint([one], settings) != fingerprint([one], {"max_length": 5})
    before = fingerprint([one, other], settings)
    other.write_text("가\tgo!\n")
    assert fingerprint([one, other], settings) != before
    assert fingerprint([other, one], settings) != fingerprint([one, other], settings)


def test_examples_are_taken_a_chunk_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "CHUNK", 10)
    sizes = []

    def counting(examples):
        sizes.append(len(examples))
        return encode(examples)

    build(
        (Example({"source": [1], "target": [2]}, "a") for _ in repeat(None, 25)), counting, tmp_path / "store"
    )
    assert sizes == [10, 10, 5]


def test_bytes_stay_bytes(tmp_path):
    images = [np.array([0, 255], dtype=np.uint8), np.array([7], dtype=np.uint8)]
    examples = [Example({"image": image, "label": [3]}, "a") for image in images]

    def encoded(chunk):
        return [Features({name: np.asarray(value) for name, value in one.fields.items()}) for one in chunk]

    store = build(examples, encoded, tmp_path / "store")
    assert (store.folder / "image.tokens").read_bytes() == bytes([0, 255, 7])
    assert [store[row].arrays["image"].dtype for row in range(2)] == [np.uint8] * 2
    assert [store[row].arrays["image"].tolist() for row in range(2)] == [[0, 255], [7]]
    assert store[0].arrays["label"].dtype == np.int64
    with pytest.raises(ValueError, match="image began as bytes and goes on as int64"):
        build([*examples, Example({"image": [256], "label": [3]}, "a")], one_by_one(encoded), tmp_path / "x")


def one_by_one(function):
    """An encoder whose rows are not joined before they are written."""
    return lambda chunk: [function([example])[0] for example in chunk]


def test_a_chunk_holds_no_more_text_than_it_must(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "CHARACTERS", 10)
    sizes = []

    def counting(examples):
        sizes.append(len(examples))
        return [Features({"tokens": np.array([1])}) for _ in examples]

    build((Example({"text": "four"}, "a") for _ in range(7)), counting, tmp_path / "store")
    assert sizes == [3, 3, 1]


def test_any_number_of_processes_writes_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "CHUNK", 3)

    def backwards(function, items, processes):
        assert processes in (1, 2)
        yield from ((item, function(item)) for item in items)

    monkeypatch.setattr(store_module, "spread", backwards)
    folders = [
        build(numbered(PAIRS * 3), encode, tmp_path / str(count), processes=count).folder for count in (1, 2)
    ]
    names = sorted(path.name for path in folders[0].iterdir())
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_the_builder_may_write_beside_it_and_about_it(tmp_path):
    store = build(
        numbered(PAIRS),
        encode,
        tmp_path / "store",
        about={"kind": "text"},
        beside=lambda place: (place / "note").write_text("hello"),
    )
    assert Store(store.folder).about == {"kind": "text"}
    (store.folder / "note").write_text("changed")
    with pytest.raises(StoreError, match=r"damaged \(note changed"):
        Store(store.folder)


def test_ctrl_c_leaves_nothing_half_written(tmp_path):
    def interrupted(examples):
        yield examples[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(interrupted(numbered(PAIRS)), encode, tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_in_kilobytes_where_there_is_a_meter(tmp_path, capsys):
    meter = Meter(total=9_000)

    def read():
        for example in numbered(PAIRS):
            meter.done += 3_000
            yield example

    build(read(), encode, tmp_path / "store", meter=meter, what="encoding")
    assert "encoding (kB) 9/9 (100%)" in capsys.readouterr().err


def test_the_joined_array_is_read_where_it_lies(tmp_path):
    store = build(numbered(PAIRS), encode, tmp_path / "store")
    assert isinstance(store.joined("source"), np.memmap)
    assert store.joined("source").tolist() == [5, 6, 7, 9]


def test_without_a_name_a_store_is_named_by_its_content(tmp_path):
    names = [
        build(numbered(pairs), encode, tmp_path / str(number), about=about).fingerprint
        for number, (pairs, about) in enumerate(
            [(PAIRS, {}), (PAIRS, {}), (PAIRS[:2], {}), (PAIRS, {"a": 1})]
        )
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 3
