"""The whole command line: help that is instant and teaches, versions, misspelt verbs, quiet runs."""

import re
import subprocess
import sys

import pytest

import glassformer as gf
from glassformer.base import report

VERBS = ["demo", "train", "evaluate", "translate", "generate", "score", "predict", "average", "convert"]
VERBS += ["tokenizer", "data", "doctor", "recipes"]
NESTED = ["tokenizer train", "tokenizer encode", "tokenizer decode", "tokenizer show", "data check"]
NESTED += ["data prepare", "data sample", "recipes ls", "recipes show", "recipes copy"]
WITHOUT_EXAMPLE = {"doctor", "recipes ls", "tokenizer", "data", "recipes"}


def test_help_names_every_verb_in_the_order_of_work(ask):
    out = ask("--help").out
    found = [verb for verb in re.findall(r"^│ (\w+) ", out, flags=re.MULTILINE) if verb in VERBS]
    assert sorted(found) == sorted(VERBS)
    assert found[:4] == ["demo", "train", "evaluate", "translate"]


@pytest.mark.parametrize("verb", [*VERBS, *NESTED])
def test_the_help_of_every_verb_teaches(ask, verb):
    ended = ask(*verb.split(), "--help")
    assert ended.code == 0
    assert "[bold]" not in ended.out and "[/" not in ended.out
    if verb not in WITHOUT_EXAMPLE:
        example = re.search(rf"Examples?\s+(echo .* \| )?glassformer {verb}", ended.out)
        assert example or "glassformer " + verb in ended.out.partition("Example")[2]


@pytest.mark.parametrize(
    "words", [["--help"], ["translate", "--help"], ["train", "--help"], ["recipes", "ls"]]
)
def test_help_is_instant(words):
    code = f"""
import sys
from glassformer.cli import app
try:
    app({words!r})
except SystemExit:
    pass
sys.exit(len({{"torch", "numpy", "tokenizers", "sacrebleu"}} & set(sys.modules)))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert told.returncode == 0, told.stderr
    assert b"Traceback" not in told.stderr


def test_the_version_is_told(ask):
    assert ask("--version").out == f"glassformer {gf.__version__}\n"


def test_the_module_is_the_command():
    told = subprocess.run(
        [sys.executable, "-m", "glassformer", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == f"glassformer {gf.__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tranlate"], "Did you mean 'translate'"),
        (["translate", "x", "--num-beam", "3"], "--num-beams"),
        (["train", "--reusme"], "--resume"),
        (["data", "chekc"], "Did you mean 'check'"),
    ],
)
def test_a_misspelt_word_gets_a_suggestion(ask, words, said):
    ended = ask(*words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_without_a_verb_the_help_is_shown(ask):
    ended = ask()
    assert ended.code in (0, 2)
    assert "translate" in ended.out + ended.err


def test_quiet_leaves_only_warnings(ask, monkeypatch):
    seen = []
    monkeypatch.setattr(report, "quiet", seen.append)
    ask("--quiet", "recipes", "ls")
    ask("recipes", "ls")
    assert seen == [True, False]
