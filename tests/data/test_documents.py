"""Documents come in pieces that joined are the document, cut where every tokenizer can bear it."""

import gzip
import io
import json
import sys
import unicodedata
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.base.errors import UserError
from glassformer.data import characters, documents
from glassformer.data.characters import Meter
from glassformer.data.documents import read, size
from glassformer.text.train import TokenizerConfig, train


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(documents, "PIECE", 16)
    monkeypatch.setattr(characters, "BLOCK", 5)


def write(folder, text, name="a.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def joined(pieces):
    """The documents behind pieces; every document begins and ends once."""
    whole, inside = [], False
    for piece in pieces:
        assert piece.fields["first"] is not inside
        whole.append(piece.fields["text"] if not inside else whole.pop() + piece.fields["text"])
        inside = not piece.fields["last"]
    assert not inside
    return whole


TEXT = "one\ntwo  \n\nthree\n \t\r\n\n\n four\n"


@pytest.mark.parametrize(
    ("apart", "expected"),
    [
        ("blank", ["one\ntwo  ", "three\n \t", " four"]),
        ("line", ["one", "two  ", "three", " four"]),
        ("file", ["one\ntwo  \n\nthree\n \t\n\n\n four\n"]),
    ],
)
@pytest.mark.parametrize("block", [1, 4, 1000])
def test_documents_are_parted_as_asked(apart, expected, block, tmp_path, monkeypatch):
    monkeypatch.setattr(characters, "BLOCK", block)
    assert joined(read(write(tmp_path, TEXT), documents=apart)) == expected


def test_each_piece_knows_where_it_stands(small, tmp_path):
    path = write(tmp_path, "\n\nfirst line\nsecond line and more\n\nlast")
    found = [(piece.where.rpartition(":")[2], piece.fields["text"]) for piece in read(path)]
    assert found == [
        ("3", "first line\n"),
        ("4", "second line and"),
        ("4", " more"),
        ("6", "last"),
    ]


words = st.text(alphabet="ab \n가각́\u200d\U0001f469\U0001f3fd", max_size=80)


@settings(max_examples=60, deadline=None)
@given(words, st.sampled_from([1, 3, 50]))
def test_pieces_joined_are_the_document_and_the_same_for_any_block(text, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "PIECE", 12)
        stretches = [(1, text[at : at + block], False) for at in range(0, len(text), block)]
        found = list(documents._pieces(iter([*stretches, (1, "", True)]), "a"))
        whole = list(documents._pieces(iter([(1, text, True)]), "a"))
    assert found == whole
    assert all(len(piece.fields["text"]) <= 12 for piece in found)
    assert joined(found) == ([text] if text.strip() or len(text) > 12 else [])


PROSE = (
    "The quick (brown) fox, 12 times:  it  jumps!\n\nOver  the lazy dog's back. "
    "나는 학교에 간다 API를 \n쓴다. "
)


@pytest.mark.parametrize("kind", ["word", "character", "bpe", "byte_bpe", "wordpiece", "unigram"])
def test_the_ids_of_the_pieces_are_the_ids_of_the_whole(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "PIECE", 60)
    config = TokenizerConfig(name=kind, vocab_size=400, min_frequency=1)
    tokenizer = train(config, [PROSE])
    pieces = list(read(write(tmp_path, PROSE * 9), documents="file"))
    assert len(pieces) > 15
    ids = tokenizer.encode_running([(piece.fields["text"], piece.fields["first"]) for piece in pieces])
    assert [number for row in ids for number in row] == tokenizer.encode(PROSE * 9)


def test_without_spaces_a_cut_leaves_characters_of_several_code_points_whole(small, tmp_path):
    family = "\U0001f469\u200d\U0001f467" + "\U0001f44d\U0001f3fd" + unicodedata.normalize("NFD", "각é")
    pieces = [piece.fields["text"] for piece in read(write(tmp_path, family * 9))]
    for after in pieces[1:]:
        assert after[0] in "\U0001f469\U0001f467\U0001f44d\u1100e"
        assert not after.startswith("\U0001f467")


def test_a_document_longer_than_memory_is_never_held(monkeypatch):
    monkeypatch.setattr(documents, "PIECE", 64)
    blocks = ("word " * 100 for _ in count())
    pieces = documents._pieces(documents._by_file(blocks), "endless")
    seen = [next(pieces) for _ in range(1000)]
    assert all(40 <= len(piece.fields["text"]) <= 64 for piece in seen)
    assert [piece.fields["first"] for piece in seen] == [True] + [False] * 999


def test_a_line_of_spaces_longer_than_memory_is_not_held_either(monkeypatch):
    monkeypatch.setattr(documents, "PIECE", 64)
    pieces = documents._pieces(documents._by_blank(" " * 100 for _ in count()), "endless")
    assert len(next(pieces).fields["text"]) <= 64


def test_json_lines_have_a_document_each(tmp_path):
    lines = [
        json.dumps({"text": "a\n\nb", "n": 1}),
        "",
        json.dumps({"text": " "}),
        json.dumps({"text": "나"}),
    ]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = list(read(str(path)))
    assert joined(found) == ["a\n\nb", "나"]
    assert found[-1].where == f"{path}:4"
    other = write(tmp_path, '{"body": "c"}', "b.jsonl")
    assert joined(read(other, field="body")) == ["c"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not valid JSON"),
        ("[1]", "must be one JSON object"),
        ('{"txt": "a"}', "no field 'text', only txt; set data.field; did you mean 'txt'"),
        ('{"text": 1}', "the field 'text' is not text"),
        ('{"text": "\\ud83d"}', "holds half a character"),
    ],
)
def test_a_line_of_json_that_cannot_be_used_is_one_sentence(line, problem, tmp_path):
    path = write(tmp_path, '{"text": "a"}\n' + line, "a.jsonl")
    with pytest.raises(UserError, match=rf"a\.jsonl:2: .*{problem}"):
        list(read(path))


def test_the_rows_of_a_table_have_a_document_each_where_a_column_is_named(tmp_path):
    rows = "id\tdocument\tlabel\n1\ta b\t0\n\n2\t\t1\n3\t나\t1\n"
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(rows.encode()))
    found = list(read(str(path), column="document"))
    assert joined(found) == ["a b", "나"]
    assert [piece.where for piece in found] == [f"{path}:2", f"{path}:5"]
    shares = [joined(read(f"{path}[{share}]", column="document")) for share in (":34%", "34%:")]
    assert shares == [["a b"], ["나"]]
    with pytest.raises(UserError, match=r"a\.tsv\.gz:1: no column 'documents'.*did you mean 'document'"):
        list(read(str(path), column="documents"))


def test_a_column_is_of_tables_only(tmp_path):
    assert joined(read(write(tmp_path, "id\tdocument\n\n1\ta"), column="document")) == [
        "id\tdocument",
        "1\ta",
    ]


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_text_is_one_sentence(text, tmp_path):
    with pytest.raises(UserError, match=r"a\.txt: there is no text here"):
        list(read(write(tmp_path, text)))


def test_what_comes_on_stdin_is_plain_text(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n\nb")))
    assert joined(read("-")) == ["a", "b"]
    assert size(["-"]) is None


def test_a_share_is_of_plain_text_only(tmp_path):
    path = write(tmp_path, '{"text": "a"}', "a.jsonl")
    with pytest.raises(UserError, match="only a file of plain text can be shared out"):
        list(read(f"{path}[:50%]"))
    text = write(tmp_path, "abcdefghij")
    assert joined(read(f"{text}[:50%]")) + joined(read(f"{text}[50%:]")) == ["abcde", "fghij"]


def test_a_meter_reaches_the_size_that_was_told(tmp_path):
    path = write(tmp_path, "some text\n" * 30)
    table = write(tmp_path, "text\n" + "a\n" * 30, "a.tsv")
    for name in (path, f"{path}[:90%]", table, f"{table}[:90%]"):
        meter = Meter(size([name]))
        list(read(name, column="text", meter=meter))
        assert meter.done == meter.total > 0
    with pytest.raises(UserError, match="no such file"):
        size([path, "missing.txt"])
