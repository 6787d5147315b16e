import gzip
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassformer.base.config import dump, load
from glassformer.base.errors import UserError
from glassformer.data.filter import Dropped
from glassformer.data.pairs import Config
from glassformer.data.sources import Source, files_of, read, rows, settle

PAIRS = [
    ("내가 이겼어!", "I won!"),
    ('그는 "안녕"이라고 했다.', 'He said "hi".'),
    ('"열린 따옴표', "it's an open quote"),
    (" 앞뒤 공백 ", "spaces  around "),
    ("이모지 👩‍👩‍👧도 있다", "a line\u2028separator and\x85others"),
]


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return write


def table(pairs, header=""):
    return header + "".join(f"{one}\t{other}\n" for one, other in pairs)


def texts(path, *names, **options):
    return [(one.fields["source"], one.fields["target"]) for one in read(path, *names, **options)]


def complaint(path, *names):
    with pytest.raises(UserError) as caught:
        list(read(path, *names))
    return str(caught.value).replace(path, "FILE")


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a.txt"])
@pytest.mark.parametrize("header", ["", "ko\ten\n", "source\ttarget\n"])
def test_a_table_is_read_with_and_without_a_header(write, name, header):
    assert texts(write(name, table(PAIRS, header))) == PAIRS


def test_a_quotation_mark_is_a_character_like_any_other(write):
    assert texts(write("a.tsv", '"\t"\n"a\tb"\n')) == [('"', '"'), ('"a', 'b"')]


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_the_text(write):
    path = write("a.tsv", b"\xef\xbb\xbf" + table(PAIRS, "ko\ten\n").replace("\n", "\r\n").encode())
    assert texts(path, "ko", "en") == PAIRS


def test_columns_are_found_by_name_and_others_are_ignored(write):
    path = write("a.tsv", "id\ten\tlicence\tko\n1\tGo.\tCC\t가.\n")
    assert texts(path, "ko", "en") == [("가.", "Go.")]
    assert texts(path, "en", "ko") == [("Go.", "가.")]
    assert texts(path) == [("Go.", "가.")]
    assert texts(path, "licence", "id") == [("CC", "1")]


def test_roles_in_a_header_come_before_its_order(write):
    assert texts(write("a.tsv", "target\tsource\nGo.\t가.\n")) == [("가.", "Go.")]


def test_the_first_two_columns_are_taken_when_nothing_else_is_known(write):
    path = write("a.tsv", "Go.\t가.\tCC-BY\nRun.\t뛰어.\tCC-BY\n")
    assert texts(path) == [("Go.", "가."), ("Run.", "뛰어.")]


def test_two_columns_without_a_header_are_taken_in_order_whatever_they_are_called(write):
    assert texts(write("a.tsv", table(PAIRS)), "ko", "en") == PAIRS


def test_examples_know_their_file_and_line(write):
    path = write("a.tsv", "ko\ten\n가.\tGo.\n\n뛰어.\tRun.\n")
    assert [one.where for one in read(path)] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize("wrap", [lambda record: record, lambda record: {"id": 3, "translation": record}])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json.gz"])
def test_json_lines_are_read_flat_and_nested(write, wrap, name):
    path = write(name, "".join(json.dumps(wrap({"ko": one, "en": other})) + "\n" for one, other in PAIRS))
    assert texts(path) == PAIRS
    assert texts(path, "en", "ko") == [(other, one) for one, other in PAIRS]


def test_two_texts_of_any_name_are_enough_in_json(write):
    assert texts(write("a.jsonl", '{"id": 1, "question": "밥?", "answer": "네."}\n')) == [("밥?", "네.")]


def test_two_parallel_files_are_read_side_by_side(write, tmp_path):
    first = write("train.ko", "".join(one + "\n" for one, _ in PAIRS))
    second = write("train.en.gz", "".join(other + "\n" for _, other in PAIRS))
    assert texts(f"{first}+{second}") == PAIRS
    assert texts(f"{first}+train.en.gz") == PAIRS
    assert [one.where for one in read(f"{first}+{second}")][1] == f"{first}:2"
    assert files_of(f"{first}+{second}") == [first, second]


def test_a_file_with_a_plus_in_its_name_is_one_file(write):
    path = write("c++.tsv", table(PAIRS))
    assert files_of(path) == [path]
    assert texts(path) == PAIRS


@pytest.fixture
def pipe(tmp_path, monkeypatch):
    """Gives standard input its bytes."""

    def pipe(data):
        (tmp_path / "pipe").write_bytes(data)
        monkeypatch.setattr(sys, "stdin", (tmp_path / "pipe").open(encoding="utf-8"))

    yield pipe
    sys.stdin.close()


def test_standard_input_is_a_table(pipe):
    pipe(table(PAIRS, "ko\ten\n").encode())
    assert texts("-") == PAIRS


def test_standard_input_can_be_kept_and_read_twice(pipe, tmp_path):
    pipe(gzip.compress(table(PAIRS).encode()))
    path = settle("-", tmp_path / "kept")
    assert texts(path) == texts(path) == PAIRS
    assert settle("a.tsv", tmp_path) == "a.tsv"


def test_blank_lines_and_sides_are_left_out_and_noted(write):
    dropped = Dropped()
    path = write("a.tsv", "가.\tGo.\n\n \t\u3000\n뛰어.\t\n\tRun.\n")
    assert texts(path, dropped=dropped) == [("가.", "Go.")]
    assert dropped.counts == {"blank": 2, "blank on one side": 2}
    assert dropped.places["blank on one side"] == [f"{path}:4", f"{path}:5"]
    assert [row[1:] for row in rows(path)][1:] == [("", ""), ("", ""), ("뛰어.", ""), ("", "Run.")]


def test_null_in_json_is_blank(write):
    dropped = Dropped()
    assert texts(write("a.jsonl", '{"ko": "가.", "en": "Go."}\n{"ko": null, "en": "x"}\n'), dropped=dropped)
    assert dropped.counts == {"blank on one side": 1}


@pytest.mark.parametrize(
    ("name", "content", "names", "sentence"),
    [
        ("a.tsv", "", (), "FILE is empty; it should have a source and a target text on each line"),
        (
            "a.tsv",
            "ko\ten\n가.\tGo.\tx\n",
            (),
            "FILE:2: 3 columns where the first line has 2; columns are separated",
        ),
        (
            "a.tsv",
            "가.\tGo.\n뛰어.\n",
            (),
            "FILE:2: 1 column where the first line has 2; columns are separated",
        ),
        ("a.txt", "한 줄\n", (), "FILE:1: one column where two are needed; give a tab-separated file"),
        ("a.csv", "ko,en\n", (), "FILE:1: one column where two are needed; give a tab-separated file"),
        ("a.tsv", "ko\ten\n", ("kr", "en"), "FILE:1: no column 'kr'; the header names ko, en"),
        (
            "a.tsv",
            "korean\tx\n",
            ("korea", "x"),
            "no column 'korea'; the header names korean, x; did you mean 'korean'?",
        ),
        (
            "a.tsv",
            "1\t가\tgo\n",
            ("ko", "en"),
            "FILE:1: 3 columns and no header that names 'ko' and 'en'; add a header",
        ),
        (
            "a.tsv",
            "ko\ten\tja\n",
            (),
            "FILE:1: the texts ko, en, ja are here; say which two with data.source",
        ),
        (
            "a.tsv",
            b"\xb0\xa1\tGo.\n",
            (),
            "FILE:1: not valid UTF-8 (byte 0xb0 at column 1); convert the file",
        ),
        ("a.jsonl", '{"ko": "가."}\n', ("ko", "en"), "FILE:1: no field 'en'; this line has ko"),
        (
            "a.jsonl",
            '{"ko": ["가"], "en": "x"}\n',
            ("ko", "en"),
            "FILE:1: field 'ko' is a list; expected text",
        ),
        ("a.jsonl", '{"ko": true, "en": "x"}\n', (), "FILE:1: field 'ko' is a truth value; expected text"),
        (
            "a.jsonl",
            '{"a": "1", "b": "2", "c": "3"}\n',
            (),
            "FILE:1: cannot tell which of a, b, c are the texts; set",
        ),
        ("a.jsonl", "{}\n", (), "FILE:1: cannot tell which of no fields are the texts; set data.source"),
        ("a.jsonl", '{"translation": 3}\n', (), "FILE:1: 'translation' is a number; expected an object"),
        ("a.jsonl", '["가", "Go"]\n', (), "FILE:1: a list; each line must be one JSON object"),
        ("a.json", '[\n{"ko": "가"}]\n', (), "FILE:1: not valid JSON (Expecting value at column"),
        ("a.jsonl", "[" * 100_000 + "\n", (), "FILE:1: not valid JSON ("),
        (
            "a.jsonl",
            '{"ko": "\\ud83d", "en": "x"}\n',
            (),
            "FILE:1: field 'ko' holds half a character (a lone surrogate",
        ),
    ],
)
def test_each_mistake_is_one_sentence_with_its_place(write, name, content, names, sentence):
    said = complaint(write(name, content), *names)
    assert sentence in said
    assert "\n" not in said
    assert said.startswith("FILE")


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "no such file" in complaint(str(tmp_path / "nothing.tsv"))


def test_files_of_unequal_length_are_counted(write):
    path = write("a.ko", "하나\n둘\n셋\n") + "+" + write("a.en", "one\ntwo\n")
    with pytest.raises(
        UserError, match=r"a\.ko:3: \S+a\.ko has 3 lines but \S+a\.en has 2; each line of one"
    ):
        list(read(path))


def test_a_caller_may_go_on_after_bad_lines(write):
    problems = []
    path = write("a.tsv", b"\xea\xb0\x80\tGo.\n\xff\tx\nno tab\n\xeb\x9b\xb0\tRun.\n")
    found = list(rows(path, bad=lambda where, problem: problems.append((where, problem))))
    assert [row[1:] for row in found] == [("가", "Go."), ("\ufffd", "x"), ("뛰", "Run.")]
    assert [where for where, _ in problems] == [f"{path}:2", f"{path}:3"]


plain = st.text(
    st.characters(blacklist_characters="\t\n\r", blacklist_categories=["Cs"]), min_size=1, max_size=20
)


@given(st.lists(st.tuples(plain, plain), min_size=1, max_size=8))
def test_any_text_without_tabs_and_line_ends_comes_back_exactly(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.tsv").write_bytes(("ko\ten\n" + table(pairs)).encode())
    (folder / "a.ko").write_bytes("".join(one + "\n" for one, _ in pairs).encode())
    (folder / "a.en").write_bytes("".join(other + "\n" for _, other in pairs).encode())
    (folder / "a.jsonl").write_bytes(
        "".join(json.dumps({"ko": a, "en": b}) + "\n" for a, b in pairs).encode()
    )
    expected = [pair for pair in pairs if pair[0].strip() and pair[1].strip()]
    assert texts(str(folder / "a.tsv"), "ko", "en") == expected
    assert texts(str(folder / "a.jsonl"), "ko", "en") == expected
    if not pairs[0][0].startswith("\ufeff") and not pairs[0][1].startswith("\ufeff"):
        assert texts(f"{folder / 'a.ko'}+{folder / 'a.en'}") == expected


def test_a_recipe_may_name_one_path_or_several_with_weights(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("train: [a.tsv, {path: b.ko+b.en, weight: 0.5}]\nvalid: c.tsv\n")
    config = load(Config, recipe, environ={})
    assert config.sources("train") == (
        Source(path=str(tmp_path / "a.tsv")),
        Source(path=f"{tmp_path / 'b.ko'}+{tmp_path / 'b.en'}", weight=0.5),
    )
    assert config.sources("valid") == (Source(path=str(tmp_path / "c.tsv")),)
    assert config.sources("test") == ()
    again = tmp_path / "again.yaml"
    again.write_text(dump(config))
    assert load(Config, again, environ={}) == config


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("train: []", "recipe.yaml:1: train: "),
        ("valid: a.tsv", "train"),
        ("train: {path: a.tsv, wieght: 2}", "unknown key 'wieght'; did you mean 'weight'?"),
        ("train: {path: a.tsv, weight: 0}", "weight"),
        ("train: 3", "recipe.yaml:1: train"),
        ("train: a.tsv\nsource: ko", "give both 'source' and 'target', or neither"),
        ("train: a.tsv\nmax_length: 0", "recipe.yaml:2: max_length"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(tmp_path, recipe, sentence):
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe + "\n")
    with pytest.raises(UserError, match=re.escape(sentence)):
        load(Config, path, environ={})


def test_a_recipe_reads_its_fields(write):
    config = Config(train=write("a.tsv", "id\tko\ten\n1\t가.\tGo.\n"), source="en", target="ko")
    example = next(config.read(config.train[0].path))
    assert example.fields == {"source": "Go.", "target": "가."}
    assert config.limits.max_length == config.max_length
