import json

import numpy as np
import pytest

from glassformer.data.check import KINDS, check, normalised

NOUNS = ["사과", "학교", "도서관", "자전거", "고양이", "컴퓨터", "바다", "겨울", "음악", "친구"]
ENGLISH = [
    "an apple",
    "the school",
    "a library",
    "the bicycle",
    "my cat",
    "her computer",
    "the sea",
    "winter",
]


def corpus(rows, seed=0):
    """Pairs that look real, all different, with longer sources for longer targets."""
    rng = np.random.default_rng(seed)
    pairs = []
    for row in range(rows):
        words = rng.integers(2, 9)
        korean = " ".join(NOUNS[word] for word in rng.integers(0, len(NOUNS), words))
        english = " ".join(ENGLISH[word] for word in rng.integers(0, len(ENGLISH), words))
        pairs.append((f"{korean} {row}번.", f"{english} number {row}."))
    return pairs


@pytest.fixture
def write(tmp_path):
    def write(name, pairs):
        path = tmp_path / name
        path.write_bytes(b"".join(one.encode() + b"\t" + other.encode() + b"\n" for one, other in pairs))
        return str(path)

    return write


def places(report, kind):
    return [one.where.rpartition("/")[2] for one in report.findings.get(kind, ())]


def test_a_good_corpus_is_clean(write):
    report = check({"train": [write("train.tsv", corpus(300))], "test": [write("test.tsv", corpus(50, 1))]})
    assert report.clean
    assert report.sentences() == ["rows: train 300, test 50", "nothing was found"]


def test_each_kind_of_trouble_is_found_in_its_line(write):
    pairs = corpus(120)
    pairs[2] = ("", "blank source")
    pairs[4] = pairs[0]
    pairs[6] = (pairs[1][0], pairs[1][1] + " again")
    pairs[8] = ("The same words on both sides", "The same words on both sides")
    pairs[10] = ("제어 문자\x07가 있다", "a control character")
    pairs[12] = (
        "짧다",
        "a very long story that has nothing to do with the word on the other side, as anyone can see",
    )
    pairs[14] = ("길" * 300 + " 길어요", "long " * 130)
    pairs[16] = ("이것은 вода 이다", "this is water")
    report = check({"train": [write("a.tsv", pairs)]}, max_characters=280)
    assert places(report, "empty") == ["a.tsv:3"]
    assert places(report, "duplicate") == ["a.tsv:5"]
    assert places(report, "ambiguous") == ["a.tsv:7"]
    assert places(report, "copy") == ["a.tsv:9"]
    assert places(report, "control") == ["a.tsv:11"]
    assert places(report, "length") == ["a.tsv:13"]
    assert places(report, "overlong") == ["a.tsv:15", "a.tsv:15"]
    assert places(report, "script") == ["a.tsv:9", "a.tsv:17"]
    assert report.findings["control"][0].text == "source has U+0007 at character 6"
    assert report.findings["duplicate"][0].text.endswith("a.tsv:1")
    assert report.rows == {"train": 119}


def test_every_line_that_is_not_utf_8_or_not_a_row_is_listed_and_the_rest_is_read(write, tmp_path):
    path = write("a.tsv", corpus(40))
    lines = (tmp_path / "a.tsv").read_bytes().split(b"\n")
    lines[3] = "완성형".encode("cp949") + b"\tx"
    lines[5] = b"no tab at all"
    lines[7] = b"\xff no tab"
    lines[9] = b"one\xfe\ttwo"
    (tmp_path / "a.tsv").write_bytes(b"\n".join(lines))
    report = check({"train": [path]})
    assert places(report, "invalid_utf8") == ["a.tsv:4", "a.tsv:8", "a.tsv:10"]
    assert places(report, "unreadable") == ["a.tsv:6", "a.tsv:8"]
    assert report.rows == {"train": 36}
    assert report.counts.keys() == {"invalid_utf8", "unreadable"}


def test_a_bad_line_in_the_second_of_two_files_leaves_its_row_out(tmp_path):
    (tmp_path / "a.ko").write_text("하나\n둘\n셋\n", encoding="utf-8")
    (tmp_path / "a.en").write_bytes(b"one\n\xff\n")
    report = check({"train": [f"{tmp_path / 'a.ko'}+{tmp_path / 'a.en'}"]})
    assert places(report, "invalid_utf8") == ["a.en:2"]
    assert places(report, "unreadable") == ["a.ko:3"]
    assert "has 3 lines but" in report.findings["unreadable"][0].text
    assert report.rows == {"train": 1}


def test_a_file_that_cannot_be_read_is_a_finding_and_the_others_are_still_read(write, tmp_path):
    report = check({"train": [str(tmp_path / "nothing.tsv"), write("a.tsv", corpus(30))]})
    assert places(report, "unreadable") == ["nothing.tsv"]
    assert report.rows == {"train": 30}
    assert check({"train": [str(tmp_path / "nothing.tsv")], "test": [write("b.tsv", corpus(3))]}).rows == {
        "train": 0,
        "test": 3,
    }


def test_held_out_rows_in_the_training_data_are_found_by_how_much_they_agree(write):
    train = corpus(100)
    train[0], train[1], train[2] = (
        ("안녕, 세상아!", "Hello, world!"),
        ("뭐라고?", "What?"),
        ("잘 자.", "Good night."),
    )
    test = corpus(40, 1)
    test[3], test[5], test[7] = train[0], ("뭐라고", "what"), ("잘 자", "Sleep well.")
    report = check({"train": [write("train.tsv", train)], "test": [write("test.tsv", test)]})
    assert places(report, "leak") == ["test.tsv:4"]
    assert places(report, "near_leak") == ["test.tsv:6"]
    assert places(report, "source_leak") == ["test.tsv:8"]
    assert report.findings["leak"][0].text.startswith("test has the pair of ")
    assert report.findings["leak"][0].text.endswith("train.tsv:1")


def test_targets_that_slipped_by_a_line_are_found(write):
    pairs = corpus(600)
    targets = [other for _, other in pairs]
    moved = [*targets[:300], "one line too many.", *targets[300:-1]]
    report = check(
        {"train": [write("a.tsv", [(one, other) for (one, _), other in zip(pairs, moved, strict=True)])]}
    )
    assert places(report, "shifted") == ["a.tsv:301"]
    assert "a.tsv:600 the targets seem to belong 1 line above" in report.findings["shifted"][0].text


def test_a_source_in_the_wrong_language_is_found_and_a_name_is_not(write):
    pairs = corpus(100)
    pairs[3] = ("This should have been Korean", "This should not have been English")
    pairs[5] = ("JSON", "JSON file")
    report = check({"train": [write("a.tsv", pairs)]})
    assert places(report, "script") == ["a.tsv:4"]
    assert report.findings["script"][0].text == "source without Hangul, which 98% have"


def test_many_findings_are_counted_and_few_are_kept(write):
    report = check({"train": [write("a.tsv", corpus(10) * 3)]}, keep=7)
    assert report.counts["duplicate"] == 20
    assert len(report.findings["duplicate"]) == 7
    assert report.sentences()[1] == "rows that repeat an earlier one: 20"
    assert report.sentences()[-1] == "  … and 15 more"


def test_the_report_is_plain_json(write):
    report = check({"train": [write("a.tsv", [("가", "go"), ("가", "go")])]})
    said = json.loads(json.dumps(report.to_json()))
    assert said["rows"] == {"train": 2}
    assert said["counts"] == {"duplicate": 1}
    assert [one["kind"] for one in said["findings"]] == ["duplicate"]
    assert set(report.counts) <= set(KINDS)


def test_normalising_ignores_case_spaces_punctuation_and_encoding():
    assert normalised("Ｈello,  WORLD!") == normalised("hello world") == "helloworld"
    assert normalised("가나") == normalised("\u1100\u1161\u1102\u1161") == "가나"
    assert normalised(" ?! ") == "?!"
