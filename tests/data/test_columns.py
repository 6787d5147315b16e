"""Tables by the names of their columns: TSV, CSV, JSON lines; every mistake with its file and line."""

import gzip

import pytest

from glassformer.base.errors import UserError
from glassformer.data.columns import columns, part_of, rows, shared_out, suffix

NAMES = ("text", "label")


def write(folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder / name)


def cells(path):
    return [tuple(found[name] for name in NAMES) for _, found in rows(path, NAMES)]


def test_columns_are_found_by_name_wherever_they_stand(tmp_path):
    path = write(tmp_path, "a.tsv", 'id\tlabel\ttext\n1\tgood\t"좋다, 정말\n\n2\tbad\t별로\n')
    assert cells(path) == [('"좋다, 정말', "good"), ("별로", "bad")]
    assert [where for where, _ in rows(path, NAMES)] == [f"{path}:2", f"{path}:4"]


def test_a_csv_has_commas_quotation_marks_and_texts_of_several_lines(tmp_path):
    path = write(tmp_path, "a.csv", 'text,label\n"one, ""two""\nthree",good\n\nfour,bad\n')
    assert cells(path) == [('one, "two"\nthree', "good"), ("four", "bad")]
    assert [where for where, _ in rows(path, NAMES)] == [f"{path}:2", f"{path}:5"]


def test_json_lines_may_have_numbers_and_truth_values_as_labels(tmp_path):
    lines = '{"text": "a", "label": 1}\n\n{"label": true, "text": "b", "more": []}\n'
    lines += '{"text": null, "label": "x"}\n'
    path = write(tmp_path, "a.jsonl.gz", gzip.compress(lines.encode()))
    assert cells(path) == [("a", "1"), ("b", "true"), ("", "x")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.tsv", "", "a.tsv is empty; its first line should name the columns"),
        ("a.tsv", "txet\tlabel\nx\ty\n", "a.tsv:1: no column 'text'.*names txet, label; did you mean 'txet'"),
        ("a.tsv", "text\tlabel\nx\ty\nz\n", "a.tsv:3: has 1 column where the first line has 2; one tab"),
        ("a.csv", "text,label\nx,y,z\n", "a.csv:2: has 3 columns where the first line has 2; one comma"),
        ("a.csv", 'text,label\nx,y\n"x"z,y\n', "a.csv:3: not valid CSV"),
        ("a.jsonl", "\n", "a.jsonl is empty"),
        ("a.jsonl", '{"text": "x"}\n', "a.jsonl:1: no field 'label'; this line has text"),
        ("a.jsonl", '{"text": "x", "label": "y"}\n{"text"\n', "a.jsonl:2: not valid JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl:1: each line must be one JSON object"),
        ("a.jsonl", '{"text": ["x"], "label": 1}\n', "a.jsonl:1: the field 'text' is a list or an object"),
        (
            "a.jsonl",
            '{"text": "\\ud83d", "label": 1}\n',
            "a.jsonl:1: the field 'text' holds half",
        ),
        ("a.tsv", b"text\tlabel\nx\xe9\ty\n", "a.tsv:2: not valid UTF-8"),
    ],
)
def test_what_is_no_such_table_is_told_with_file_and_line(tmp_path, name, content, said):
    with pytest.raises(UserError, match=said):
        cells(write(tmp_path, name, content))


def test_a_share_is_counted_in_rows_and_both_parts_are_the_whole(tmp_path):
    path = write(tmp_path, "a.tsv", "")
    found = []
    for end in ("[:70%]", "[70%:]"):
        name, share = shared_out(path + end)
        assert name == path
        found.append(list(part_of(iter(range(10)), iter(range(10)), share)))
    assert found == [list(range(7)), [7, 8, 9]]
    assert list(part_of(iter(()), iter(range(3)), None)) == [0, 1, 2]
    with pytest.raises(UserError, match="standard input cannot be shared out"):
        shared_out("-[:50%]")


def test_a_file_is_what_it_is_called_compressed_or_not():
    assert (suffix("a.csv.gz"), suffix("b.jsonl"), suffix("-")) == (".csv", ".jsonl", "")


def test_the_columns_of_a_file_are_what_its_first_line_or_object_has(tmp_path):
    for name, text in (
        ("a.tsv", "id\t text \n1\tx\n"),
        ("a.csv", 'id,"text"\n'),
        ("a.jsonl", '{"id": 1, "text": 2}\n'),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert columns(str(tmp_path / name)) == ("id", "text")
    (tmp_path / "none.tsv").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="is empty; its first line should name the columns"):
        columns(str(tmp_path / "none.tsv"))
