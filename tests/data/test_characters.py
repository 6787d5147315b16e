"""Characters come in blocks, from any kind of file, and what is wrong is told with its line."""

import gzip
import io
import sys
from fractions import Fraction

import pytest

from glassformer.base.errors import UserError
from glassformer.data import characters as module
from glassformer.data.characters import Meter, Share, characters, parted, shared

TEXT = "가나다 abc\n둘째 줄 \U0001f600\n\nend"


@pytest.fixture(params=[1, 2, 3, 7, 1000])
def block(request, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", request.param)
    return request.param


def read(path):
    return "".join(characters(str(path), Meter()))


def test_the_blocks_joined_are_the_text_whatever_their_size(block, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode() + b"\ra\r")
    assert read(path) == TEXT + "\ra\r"


def test_gzip_is_known_by_its_first_bytes_and_a_meter_counts_what_lies_on_the_disk(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(TEXT.encode() * 50))
    meter = Meter()
    assert "".join(characters(str(path), meter)) == TEXT * 50
    assert meter.done == path.stat().st_size


def test_standard_input_is_a_file_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert read("-") == TEXT


def test_what_is_not_utf_8_is_told_with_line_and_column(block, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("가\n둘 ".encode() + b"\xff\n")
    with pytest.raises(UserError, match=r"a\.txt:2: not valid UTF-8 \(byte 0xff at column 5\); convert"):
        read(path)


def test_a_character_cut_off_by_the_end_is_not_utf_8(block, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("ab\n가".encode()[:-1])
    with pytest.raises(UserError, match=r"a\.txt:2: not valid UTF-8 \(byte 0xea at column 1\)"):
        read(path)


def test_utf_16_is_told_by_its_name(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("abc", encoding="utf-16")
    with pytest.raises(UserError, match=r"a\.txt:1: this is UTF-16, not UTF-8"):
        read(path)


def test_a_damaged_gzip_file_is_one_sentence(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 50)[:-12])
    with pytest.raises(UserError, match=r"a\.txt\.gz: the gzip file is damaged or cut short"):
        read(path)


def test_what_is_no_file_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"missing\.txt: no such file"):
        read(tmp_path / "missing.txt")
    with pytest.raises(UserError, match="is a folder, neither a text nor a store"):
        read(tmp_path)


def test_shares_of_a_file_are_disjoint_and_together_the_whole(block, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    parts = [
        "".join(shared(str(path), parted(f"{path}{share}")[1], Meter()))
        for share in ("[:33.3%]", "[33.3%:90%]", "[90%:]")
    ]
    assert "".join(parts) == TEXT
    assert len(parts[0]) == int(len(TEXT) * 0.333)
    assert "".join(shared(str(path), parted(f"{path}[2:5]")[1], Meter())) == TEXT[2:5]


def test_a_share_is_what_nano_gpt_takes():
    assert parted("play.txt[:90%]") == ("play.txt", Share(None, Fraction(9, 10)))
    assert Share(None, Fraction(9, 10)).of(1_115_394)[1] == int(1_115_394 * 0.9)
    assert Share(500, None).of(100) == (100, 100)


def test_a_file_that_has_such_a_name_is_itself(tmp_path):
    path = tmp_path / "a[1:2]"
    path.write_text("x")
    assert parted(str(path)) == (str(path), None)


@pytest.mark.parametrize("share", ["[:.5]", "[1..2:]", "[%:]", "[:101%]"])
def test_a_share_that_is_none_is_one_sentence(share):
    with pytest.raises(UserError, match=r"a share (is written|has at most)"):
        parted(f"a.txt{share}")
