"""Tagged texts: CoNLL, CoNLL-U, characters and JSON lines; what is refused with file and line."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data.example import Features
from glassformer.data.tagged import Config, facts, stores, texts, tokenizer_folder

DATA = Path(os.environ.get("GLASSFORMER_DATA", Path(__file__).parents[3] / "shared" / "data"))
PLAIN = "-DOCSTART- X O\n\nKim NNP B-PER\nruns VBZ O\n\t\n# NN O\n\n"
TREE = """\
# sent_id = 1
# text = I can't
1\tI\tI\tPRON\tPRP
2-3\tcan't\t_\t_\t_
2\tca\tcan\tAUX\tMD
3\tn't\tnot\tPART\tRB
3.1\tgo\tgo\tVERB\tVB

1\t#\t#\tSYM\tSYM
"""
CHARACTERS = "## 가 나\t<가:PS> 나\n가\tB-PS\n \tO\n나\tO\n"


def write(folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(folder / name)


def read(path, **settings):
    found = Config(train=path, **settings).read(path)
    return [(list(one.fields["words"]), list(one.fields["tags"])) for one in found]


def test_words_and_tags_are_the_first_and_the_last_column(tmp_path):
    path = write(tmp_path, "a.conll", PLAIN)
    assert read(path) == [(["Kim", "runs"], ["B-PER", "O"]), (["#"], ["O"])]
    assert read(path, columns=(1, 2))[0] == (["Kim", "runs"], ["NNP", "VBZ"])


def test_a_treebank_gives_its_universal_parts_of_speech(tmp_path):
    path = write(tmp_path, "a.conllu.gz", gzip.compress(TREE.encode()))
    assert read(path) == [(["I", "ca", "n't"], ["PRON", "AUX", "PART"]), (["#"], ["SYM"])]
    assert read(path, columns=(2, 5))[1] == (["#"], ["SYM"])


def test_characters_are_tagged_spaces_too(tmp_path):
    path = write(tmp_path, "a.tsv", CHARACTERS)
    assert read(path, unit="character") == [(["가", " ", "나"], ["B-PS", "O", "O"])]
    config = Config(train=path, unit="character")
    assert list(texts(config)) == [("가 나",)]
    told = {"labels": ("B-PS", "O"), "counts": (1, 2), "unit": "character", "scheme": "iob2"}
    assert facts(config) == told


def test_json_lines_hold_two_lists(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"t": ["a", "b"], "y": ["X", 1]}\n{"t": [], "y": []}\n')
    assert read(path, words="t", tags="y") == [(["a", "b"], ["X", "1"])]


def test_of_several_tags_of_a_word_the_first_counts_where_it_is_asked_for(tmp_path):
    path = write(tmp_path, "a.conll", "Kim\tB-PER,B-ORG\nruns\tO\n")
    lists = write(tmp_path, "a.jsonl", '{"words": ["Kim"], "tags": ["B-PER,B-ORG"]}')
    assert read(path)[0][1] == ["B-PER,B-ORG", "O"]
    assert [read(one, alternatives=",")[0][1][0] for one in (path, lists)] == ["B-PER", "B-PER"]
    assert facts(Config(train=path, alternatives=","))["labels"] == ("B-PER", "O")


def test_a_share_is_counted_in_sentences_and_a_store_holds_one_row_each(tmp_path):
    path = write(tmp_path, "a.conll", "a X\n\nb Y\nc X\n\nd Y\n")
    assert read(f"{path}[:1]") == [(["a"], ["X"])]
    assert [words for words, _ in read(f"{path}[1:]")] == [["b", "c"], ["d"]]
    config = Config(train=path)
    assert list(texts(config)) == [("a",), ("b c",), ("d",)]

    def encode(examples):
        return [Features({"tokens": np.arange(len(one.fields["words"]))}) for one in examples]

    ((store, weight),) = stores(config, "train", encode, {}, cache=tmp_path / "cache")
    assert (store.lengths.tolist(), weight) == ([1, 2, 1], 1.0)
    assert tokenizer_folder(config) is None


@pytest.mark.parametrize(
    ("name", "content", "settings", "said"),
    [
        ("a.conll", "", {}, "a.conll is empty"),
        ("a.conll", "\n\n", {}, "a.conll: there is no word with a tag"),
        ("a.conll", "a X\nb X\n", {}, "a.conll: all words have one tag, X"),
        ("a.conll", "a X\n\nb X Y\n", {}, "a.conll:3: has 3 columns where the first word has 2"),
        ("a.conll", "a X\nb\n", {}, "a.conll:2: has 1 column where the first word has 2"),
        ("a.conll", "a\nb\n", {}, "a.conll:1: has one column"),
        ("a.conll", "a\tX\nb\t \n", {}, "a.conll:2: the tag of 'b' is empty"),
        ("a.conll", "a\tX\n \tO\n", {}, "a.conll:2: the word is empty; set data.unit=character"),
        ("a.conll", "ab\tX\n", {"unit": "character"}, "a.conll:1: 'ab' is more than a character"),
        ("a.conll", "a X\n", {"columns": (1, 4)}, "a.conll:1: data.columns asks for 1 and 4 of 2 columns"),
        ("a.jsonl", '{"words": ["a"], "tags": []}\n', {}, "a.jsonl:1: .* must be lists of the same length"),
        ("a.jsonl", '{"words": ["a"]}\n', {}, "a.jsonl:1: no field 'tags'"),
    ],
)
def test_tags_that_teach_nothing_are_refused(tmp_path, name, content, settings, said):
    path = write(tmp_path, name, content)
    with pytest.raises(UserError, match=said):
        facts(Config(train=path, **settings))


@pytest.mark.parametrize(
    ("name", "settings", "sentences", "tags"),
    [
        ("en-ner-pos/en_ewt-ud-dev.conllu.gz", {}, 2001, 17),
        ("en-ner-pos/wnut17_train.conll", {}, 3394, 13),
        ("ko-klue/ner_dev.tsv", {"unit": "character"}, 5000, 13),
    ],
)
def test_published_files_are_read_as_they_are(name, settings, sentences, tags):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    config = Config(train=str(path), **settings)
    assert sum(1 for _ in config.read(str(path))) == sentences
    assert len(facts(config)["labels"]) == tags


WRONG = "Kim\tI-PER\nsees\tO\nLee\tB-PER\nPark\tI-PER\n\nin\tO\nSeoul\tB-LOC\n"


def test_tags_are_learned_in_another_scheme(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text(WRONG, "utf-8")
    told = {"train": str(path), "scheme": "bioes"}
    config = Config(**told)
    tags = [example.fields["tags"] for example in config.read(str(path))]
    assert tags == [["S-PER", "O", "B-PER", "E-PER"], ["O", "S-LOC"]]
    known = facts(config)
    assert known["scheme"] == "bioes"
    assert set(known["labels"]) == {"O", *(f"{mark}-{kind}" for mark in "BIES" for kind in ("PER", "LOC"))}


def test_illegal_tags_are_kept_repaired_or_refused_with_their_line(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text(WRONG, "utf-8")

    def first(**told):
        return next(iter(Config(train=str(path), **told).read(str(path)))).fields["tags"]

    assert first() == ["I-PER", "O", "B-PER", "I-PER"]
    assert first(illegal="repair") == ["B-PER", "O", "B-PER", "I-PER"]
    assert first(illegal="repair", written="iob1") == ["I-PER", "O", "I-PER", "I-PER"]
    with pytest.raises(
        UserError, match=r"a\.conll:1: the tag I-PER at the beginning is illegal in IOB2; mend it"
    ):
        first(illegal="refuse")


def test_the_scheme_of_a_file_is_found_out(tmp_path):
    path = tmp_path / "a.conll"
    for content, scheme in [(WRONG, "iob2"), ("a I-A\nb I-A\n\nc O\n", "iob1"), ("a NN\nb VB\n", None)]:
        path.write_text(content, "utf-8")
        config = Config(train=str(path))
        assert config.scheme_at(str(path)) == scheme
        assert facts(config)["scheme"] == scheme
    with pytest.raises(UserError, match="its tags mark no spans"):
        list(Config(train=str(path), illegal="repair").read(str(path)))


def test_whoever_takes_what_is_wrong_gets_all_of_it_and_the_rest(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Kim\tB\nruns\nto\tO\n\nLee\t\nin\tO\n", "utf-8")
    found = []
    config = Config(train=str(path))
    rows = list(config.read(str(path), bad=lambda where, problem: found.append((where[-1], problem[:9]))))
    assert [row.fields["words"] for row in rows] == [["Kim", "to"], ["in"]]
    assert found == [("2", "has 1 col"), ("5", "the tag o")]
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"words": ["a"], "tags": ["O"]}\n[]\n{"words": ["a", "b"], "tags": ["O"]}\n', "utf-8")
    found.clear()
    rows = list(config.read(str(lines), bad=lambda where, problem: found.append((where[-1], problem))))
    assert len(rows) == 1
    assert found == [
        ("2", "each line must be one JSON object"),
        ("3", "2 words in 'words' but 1 in 'tags'; both must be lists of the same length"),
    ]
