"""Whatever is wrong with what was given, the command line says it in one clear sentence and ends rightly.

2: a mistake in what was asked. 1: something failed while running. Never a traceback.
"""

from __future__ import annotations

import gzip
import re

import pytest
from tests.contracts.refusals import (
    SHORT,
    one_line,
    process,
    refused,
    train_refused,
)
from tests.contracts.small_runs import PAIRS, RECIPE, command, write_pairs, write_recipe

import glassformer as gf

# --- text --------------------------------------------------------------------------------------------------


def test_files_of_unequal_length(tmp_path):
    (tmp_path / "a.ko").write_text("하나\n둘\n셋\n", "utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\n", "utf-8")
    said = train_refused(tmp_path, f"data.train={tmp_path / 'a.ko'}+a.en")
    refused(said, r"a\.ko:3", "3 lines", "2")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize(
    "content", [b"", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)], ids=["empty", "mark", "gzip"]
)
def test_an_empty_file(content, split, tmp_path):
    (tmp_path / "empty.tsv").write_bytes(content)
    said = train_refused(tmp_path, f"data.{split}={tmp_path / 'empty.tsv'}")
    refused(said, r"empty\.tsv", "is empty|no usable|no example is left")


def test_a_file_of_blank_lines(tmp_path):
    (tmp_path / "blank.tsv").write_text("\n  \n\t\n", "utf-8")
    refused(train_refused(tmp_path, f"data.train={tmp_path / 'blank.tsv'}"), r"blank\.tsv", "no usable")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_bytes_that_are_no_utf_8(split, tmp_path):
    good = "\n".join("\t".join(pair) for pair in PAIRS[:2]).encode()
    (tmp_path / "bad.tsv").write_bytes(good + b"\n\xec\x95\tlatin \xe9\n")
    refused(train_refused(tmp_path, f"data.{split}={tmp_path / 'bad.tsv'}"), r"bad\.tsv:3", "UTF-8")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("no tab here\n", [r"bad\.tsv:1", "one column"]),
        ("하나\tone\n둘\ttwo\tdrei\n", [r"bad\.tsv:2", "3 columns"]),
        ("하나\tone\n둘\n", [r"bad\.tsv:2", "1 column"]),
    ],
)
def test_a_table_that_is_none(content, parts, tmp_path):
    (tmp_path / "bad.tsv").write_text(content, "utf-8")
    refused(train_refused(tmp_path, f"data.train={tmp_path / 'bad.tsv'}"), *parts)


@pytest.mark.parametrize(
    "content", ["{\n", "[1]\n", '{"ko": 3, "en": "x"}\n', '{"ko": "x"}\n', "[" * 100_000]
)
def test_json_lines_that_are_none(content, tmp_path):
    (tmp_path / "bad.jsonl").write_text(content, "utf-8")
    refused(train_refused(tmp_path, f"data.train={tmp_path / 'bad.jsonl'}"), r"bad\.jsonl:1: ")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize(("name", "says"), [("nowhere.tsv", "no such file"), ("", "folder|directory")])
def test_data_that_is_not_there(name, says, split, tmp_path):
    path = tmp_path / name if name else tmp_path
    refused(train_refused(tmp_path, f"data.{split}={path}"), re.escape(str(path)), says)


def test_a_file_cut_short_in_its_compression(tmp_path):
    whole = gzip.compress("".join(f"{a}\t{b}\n" for a, b in PAIRS).encode())
    (tmp_path / "cut.tsv.gz").write_bytes(whole[: len(whole) // 2])
    refused(
        train_refused(tmp_path, f"data.train={tmp_path / 'cut.tsv.gz'}"), r"cut\.tsv\.gz", "gzip|cut short"
    )


def test_text_of_which_everything_is_too_long(tmp_path):
    said = train_refused(tmp_path, "data.max_length=4", "model.max_length=4")
    refused(said, r"train\.tsv", "longer than 4 tokens")


def test_limits_beyond_the_model(tmp_path):
    refused(train_refused(tmp_path, "data.max_length=33"), "33", "32", "model.max_length")


@pytest.mark.parametrize("kind", ["word", "character", "bpe", "byte_bpe", "wordpiece", "unigram"])
def test_one_sentence_is_learned_or_refused_in_a_sentence(kind, tmp_path):
    recipe = write_recipe(tmp_path)
    write_pairs(tmp_path / "train.tsv", PAIRS[:1])
    settings = [f"tokenizer.name={kind}", "train.steps=30", "tokenizer.vocab_size=300", "model.max_length=64"]
    told = command("train", recipe, "-o", tmp_path / "run", *settings, "--json")
    assert told.code == 0, told.err
    assert "Traceback" not in told.err
    assert command("translate", tmp_path / "run", text=PAIRS[0][0]).out.strip() == PAIRS[0][1]


def test_a_vocabulary_larger_than_the_data_allows_is_smaller_and_said(tmp_path):
    told = command(
        "train", write_recipe(tmp_path), *SHORT, "tokenizer.vocab_size=50000", "-o", tmp_path / "run"
    )
    assert told.code == 0, told.err
    said = [line for line in told.err.splitlines() if "50000" in line]
    assert len(said) == 1
    size = gf.load(tmp_path / "run").tokenizers.source.vocab_size
    assert f"{size} pieces" in said[0]
    assert size < 100


def test_a_vocabulary_too_small_for_its_characters(tmp_path):
    refused(train_refused(tmp_path, "tokenizer.name=bpe", "tokenizer.vocab_size=6"), "vocab_size", "6")


# --- recipes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("warmup: 10", "warm_up: 10", [r"recipe\.yaml:7", "warm_up", "'warmup'"]),
        ("optim:      {", "optim:      {lerning_rate: 1, ", [r"recipe\.yaml:6", "lerning_rate"]),
        ("lr: 0.01", "lr: fast", [r"recipe\.yaml:6", r"optim\.lr", "number", "fast"]),
        ("dim: 32", "dim: 32.5", [r"recipe\.yaml:2", r"model\.dim"]),
        ("dim: 32", "dim: -4", [r"recipe\.yaml:2", r"model\.dim"]),
        ("dim: 32", "dim: '32'", [r"recipe\.yaml:2", r"model\.dim"]),
        ("heads: 4", "heads: 5", [r"recipe\.yaml:2", "heads"]),
        ("name: transformer", "name: transfromer", [r"recipe\.yaml:2", "transfromer", "'transformer'"]),
        ("name: translation", "name: translaton", [r"recipe\.yaml:4", "translaton", "'translation'"]),
        ("name: word", "name: words", [r"recipe\.yaml:3", "words"]),
        ("steps: 60, ", "", [r"recipe\.yaml:8", "steps, epochs or time_limit"]),
        ("train: train.tsv, ", "", [r"recipe\.yaml:5", r"data\.train|train"]),
        ("{lr: 0.01}", "{lr: 0.01", [r"recipe\.yaml:\d+"]),
        ("lr: 0.01", "lr: 0.01, lr: 0.02", [r"recipe\.yaml:6", "lr"]),
        (RECIPE, "", [r"recipe\.yaml"]),
        (RECIPE, "- 1\n- 2\n", [r"recipe\.yaml"]),
        (RECIPE, "just words\n", [r"recipe\.yaml"]),
        (RECIPE, "a: &a [*a]\n", [r"recipe\.yaml"]),
        (RECIPE, "model: !!python/object/apply:os.system [echo]\n", [r"recipe\.yaml:1"]),
        (RECIPE, "model: \x00\n", [r"recipe\.yaml"]),
    ],
)  # fmt: skip
def test_a_recipe_with_a_mistake(before, after, parts, tmp_path):
    assert before in RECIPE
    recipe = write_recipe(tmp_path, RECIPE.replace(before, after, 1))
    for arguments in (["-o", tmp_path / "run"], ["--dry-run"]):
        refused(command("train", recipe, *arguments).sentence(2), *parts)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("setting", "parts"),
    [
        ("optim.lr=fast", [r"optim\.lr", "number", "fast"]),
        ("optim.lrr=1", ["lrr", "'lr'"]),
        ("lerning.rate=1", ["lerning"]),
        ("optim.lr", ["optim.lr"]),
        ("train.steps=", [r"train\.steps|steps, epochs"]),
        ("optim.lr.x=1", [r"optim\.lr"]),
        ("=3", ["=3"]),
        ("optim.lr={", ["optim.lr"]),
        ("model=[1]", ["model"]),
        ("optim.lr=nan", [r"optim\.lr"]),
    ],
)
def test_a_setting_with_a_mistake(setting, parts, tmp_path):
    refused(train_refused(tmp_path, setting), *parts)


@pytest.mark.parametrize("name", ["nowhere.yaml", "translation/nowhere", "../../../../etc/passwd.yaml"])
def test_a_recipe_that_is_not_there(name, tmp_path):
    refused(command("train", tmp_path / name, "-o", tmp_path / "run").sentence(2), "nowhere|passwd")
    refused(command("train", name, "-o", tmp_path / "run").sentence(2), "nowhere|passwd")


def test_a_recipe_that_is_a_folder_or_no_text(tmp_path):
    refused(command("train", tmp_path, "-o", tmp_path / "run").sentence(2), re.escape(str(tmp_path)))
    (tmp_path / "bytes.yaml").write_bytes(bytes(range(256)))
    refused(command("train", tmp_path / "bytes.yaml", "-o", tmp_path / "run").sentence(2), r"bytes\.yaml")


def test_a_recipe_may_be_reached_through_its_parent_folder(tmp_path):
    write_recipe(tmp_path / "inner")
    (tmp_path / "inner" / "deep").mkdir()
    roundabout = tmp_path / "inner" / "deep" / ".." / ".." / "inner" / "recipe.yaml"
    told = command("train", roundabout, *SHORT, "data.valid=null", "-o", tmp_path / "run")
    assert told.code == 0, told.err


# --- what is translated ------------------------------------------------------------------------------------


def test_nothing_in_nothing_out(trained):
    for text in ("", b""):
        told = command("translate", trained, text=text)
        assert (told.code, told.out) == (0, "")


def test_strange_lines_each_give_one_line(trained):
    strange = [
        "\x00",
        "a\x00b",
        "\t",
        "\t나는\t책을\t",
        "😀👩‍👩‍👧",
        "\u2028 \u2029",
        "\x1b[31m",
        " ",
        "</s> <pad>",
        "\ufeff",
    ]
    text = "\n".join([*strange, "", PAIRS[0][0]])
    told = command("translate", trained, text=text)
    assert told.code == 0, told.err
    assert len(told.out.split("\n")) == len(strange) + 3
    assert told.out.splitlines()[-1] == PAIRS[0][1]
    assert told.out.split("\n")[-3] == ""


def test_a_line_that_does_not_fit_the_model_is_named_or_cut(trained):
    text = f"{PAIRS[0][0]}\n{'나는 ' * 40}\n{PAIRS[1][0]}\n"
    told = command("translate", trained, text=text)
    refused(told.sentence(2), "line 2", "31", "cut|split")
    told = command("translate", trained, "--too-long", "cut", text=text)
    assert told.code == 0
    lines = told.out.split("\n")
    assert (lines[0], lines[2]) == (PAIRS[0][1], PAIRS[1][1])
    assert "line 2" in told.err


def test_a_line_of_a_megabyte(trained):
    for line in ("가" * 350_000, "나는 " * 150_000):
        told = command("translate", trained, "--too-long", "cut", text=f"{line}\n{PAIRS[0][0]}\n")
        assert told.code == 0, told.err
        assert told.out.split("\n")[1] == PAIRS[0][1]
    told = command("translate", trained, text="나는 " * 150_000)
    refused(told.sentence(2), "line 1")
    assert len(told.err) < 1000


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--n-best", "3", "--num-beams", "2"], ["num_return_sequences", "num_beams"]),
        (["--input", "nowhere.txt"], [r"nowhere\.txt"]),
        (["--prefix", "a b c d e f g h i j", "--max-new-tokens", "3"], ["forced beginning", "line 1"]),
    ],
)
def test_wishes_that_cannot_be_met(arguments, parts, trained):
    refused(command("translate", trained, *arguments, text=PAIRS[0][0]).sentence(2), *parts)


def test_evaluation_of_nothing(trained, tmp_path):
    (tmp_path / "blank.tsv").write_text("\n\n", "utf-8")
    (tmp_path / "empty.tsv").write_text("", "utf-8")
    for name in ("blank.tsv", "empty.tsv", "nowhere.tsv"):
        told = command("evaluate", trained, "--data", tmp_path / name)
        refused(told.sentence(2), name)
    test = write_pairs(tmp_path / "test.tsv")
    (tmp_path / "other.txt").write_text("one line\n", "utf-8")
    told = command("evaluate", trained, "--data", test, "--compare", tmp_path / "other.txt")
    refused(told.sentence(2), r"other\.txt", "1 line", "8")


# --- as a process ------------------------------------------------------------------------------------------


def test_a_process_ends_with_the_code_and_one_line(trained, tmp_path):
    bad = process("translate", trained, text="나는\n".encode() + b"\xff\xfe\n")
    one_line(bad, 2, "standard input:2|stdin:2|line 2|:2", "UTF-8")
    recipe = write_recipe(tmp_path, RECIPE.replace("warmup", "warmpu"))
    one_line(process("train", recipe, "-o", tmp_path / "run"), 2, r"recipe\.yaml:7", "'warmup'")
    good = process("translate", trained, text=f"{PAIRS[0][0]}\n\n".encode())
    assert (good.returncode, good.stdout.decode()) == (0, f"{PAIRS[0][1]}\n\n")
