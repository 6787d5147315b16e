"""The rules of the house; what breaks one is told as file:line."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "glassformer"
TESTS = ROOT / "tests"

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
LINES_OF_A_VERB = 80
ROOMS_WITHOUT_A_QUESTION = {
    "utils",
    "util",
    "common",
    "helpers",
    "helper",
    "core",
    "misc",
    "manager",
    "tools",
}

# An optional dependency may be imported at the door of the one module that needs it.
OPTIONAL = {
    "src/glassformer/api/harness.py": {
        "lm_eval": "only lm-evaluation-harness itself asks it (extra: harness)"
    },
    "src/glassformer/hub/agreement.py": {"transformers": "asked by convert, where it is installed"},
    "src/glassformer/data/generated.py": {
        "sklearn.datasets": "only generated:digits needs it (extra: images)",
        "pydoc_data.topics": "only generated:python-docs needs it; some systems leave it out of Python",
    },
    "src/glassformer/data/pictures.py": {"PIL": "only folders of images need it (extra: images)"},
    "src/glassformer/hub/gguf.py": {"gguf": "only .gguf files need it (extra: gguf)"},
    "src/glassformer/hub/remote.py": {"huggingface_hub": "only hf:// addresses need it (extra: hub)"},
    "src/glassformer/hub/vectors.py": {"gensim": "only its own files need it (extra: words)"},
    "src/glassformer/text/chat.py": {"jinja2": "only chat templates of others need it; torch brings it"},
    "src/glassformer/text/sentencepiece.py": {
        "sentencepiece": "only OPUS folders and tokenizer.model need it (extra: hub)"
    },
    "src/glassformer/evaluate/bleu.py": {
        "sacremoses": "only figures to compare with papers of the Moses days need it"
    },
}

# Modules without a test file of their own name, and where they are tested instead.
TESTED_ELSEWHERE = {
    "models/llama_heads.py": "its heads are held against transformers in tests/contracts/test_heads.py",
    "base/errors.py": "three exception classes without behaviour; every room's tests raise them",
    "base/tree.py": "reads what base/config.py loads; all its sentences are in tests/base/test_config.py",
    "base/complaint.py": "the sentences of base/config.py; all are in tests/base/test_config.py",
    "data/samples/*.py": "one grammar in many parts; tests/data/test_samples*.py test what it writes",
    "data/example.py": "records without behaviour; the tests of data and objectives are made of them",
    "hub/adapter_form.py": "a protocol; its implementations have tests",
    "hub/adapter_probe.py": "says that there is nothing; tests/adapt/test_probe.py goes through the folder",
    "objectives/objective.py": "a protocol; its implementations have tests",
    "objectives/telling.py": "kinds of answers; test_classification, test_multi_label, test_regression",
    "objectives/texts.py": "what test_classification, test_pair and test_regression go through",
    "decode/state.py": "a protocol; its implementations have tests",
}

# Spelt in two halves, so that this file does not break its own rule.
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error")))
MACHINE_PATH = re.compile(r"(?<![\w.~}/])/(?:home|root|work|Users|mnt)/\w|[\"'(\s]/tmp/\w")


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def written() -> list[Path]:
    """Everything of ours that is text: code, tests, recipes, documents and settings."""
    folders = [
        folder for name in ("src", "tests", "recipes", "docs", "bench") if (folder := ROOT / name).is_dir()
    ]
    kinds = {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".html", ".json"}
    found = [
        path for folder in folders for path in folder.rglob("*") if path.suffix in kinds and path.is_file()
    ]
    return sorted([*found, *(path for path in ROOT.glob("*") if path.suffix in kinds)])


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def at(path: Path, line: int = 1) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def clean(findings: list[str]) -> None:
    """Fail with every finding on a line of its own."""
    if findings:
        pytest.fail("\n" + "\n".join(findings), pytrace=False)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_module_says_in_a_sentence_what_it_is():
    findings = []
    for path in sources():
        first = (ast.get_docstring(tree(path)) or "").split("\n\n")[0].strip()
        if not first.endswith((".", "!", "?")) or len(first.split()) < 3:
            findings.append(f"{at(path)}: begins without a docstring that is a sentence")
    clean(findings)


def test_everything_public_has_a_docstring():
    clean(
        [
            f"{at(path, node.lineno)}: {node.name} has no docstring"
            for path in sources()
            for node in _silent(path)
        ]
    )


def _silent(path: Path) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public classes and functions without a docstring; what is private or inside a function needs none."""
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, kinds) and not node.name.startswith("_"):
                if ast.get_docstring(node) is None and not _is_overload(node):
                    yield node
                if isinstance(node, ast.ClassDef):
                    waiting.append(node)


def _is_overload(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Also the setter of a property, whose getter speaks for both."""
    return any(ast.unparse(mark).endswith(("overload", ".setter")) for mark in node.decorator_list)


def test_no_file_holds_two_ideas():
    findings = []
    for path in [*sources(), *sorted(TESTS.rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_FILE:
            findings.append(f"{at(path, lines)}: {lines} lines, more than {LINES_OF_A_FILE}")
    clean(findings)


def test_no_function_is_longer_than_a_screen():
    findings = []
    for path in sources():
        for node in functions(path):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_OF_A_FUNCTION:
                too_long = f"{lines} lines, more than {LINES_OF_A_FUNCTION}"
                findings.append(f"{at(path, node.lineno)}: {node.name} has {too_long}")
    clean(findings)


def test_every_verb_is_a_thin_face():
    findings = []
    for path in sorted((SOURCE / "cli").glob("*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_VERB:
            findings.append(f"{at(path, lines)}: {lines} lines; a verb has at most {LINES_OF_A_VERB}")
    clean(findings)


def test_every_name_says_what_is_inside():
    paths = [path for top in (SOURCE, TESTS) for path in top.rglob("*") if "__pycache__" not in path.parts]
    named = [path for path in paths if path.stem.removeprefix("test_") in ROOMS_WITHOUT_A_QUESTION]
    clean([f"{at(path)}: '{path.stem}' answers no question; name it after what it does" for path in named])


def test_imports_stand_at_the_top():
    findings = []
    for path in sources():
        allowed = OPTIONAL.get(path.relative_to(ROOT).as_posix(), {})
        for function in functions(path):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    findings += [
                        f"{at(path, node.lineno)}: imports {module} inside {function.name}"
                        for module in _imported(node)
                        if module not in allowed and module.split(".")[0] not in allowed
                    ]
    clean(sorted(set(findings)))


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [name.name for name in node.names] if isinstance(node, ast.Import) else [node.module or "."]


def test_the_exceptions_from_the_rules_still_exist():
    gone = [name for name in OPTIONAL if not (ROOT / name).exists()]
    gone += [name for name in TESTED_ELSEWHERE if not list(SOURCE.glob(name))]
    clean([f"tests/test_house.py:1: lists {name}, which no longer exists" for name in gone])


def test_rooms_import_only_rooms_below_them():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    if told.returncode != 0:
        broken = (
            told.stdout[told.stdout.find("Broken contracts") :] if "Broken" in told.stdout else told.stdout
        )
        pytest.fail(f"\n{broken}{told.stderr}", pytrace=False)


def test_every_room_is_in_the_layers():
    layers = (
        (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[[tool.importlinter.contracts]]")[2]
    )
    rooms = [path for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    clean(
        [
            f"{at(room)}: is not in the layers of pyproject.toml"
            for room in rooms
            if f"glassformer.{room.name}" not in layers
        ]
    )


def test_every_module_has_its_test():
    findings = []
    for path in sources():
        name = path.relative_to(SOURCE)
        if path.stem.startswith("__") or any(name.match(pattern) for pattern in TESTED_ELSEWHERE):
            continue
        test = TESTS / name.with_name(f"test_{path.stem.lstrip('_')}.py")
        if not test.exists():
            findings.append(
                f"{at(path)}: has no {test.relative_to(ROOT)}, and no reason in tests/test_house.py"
            )
    clean(findings)


def test_nothing_is_left_unfinished():
    code = [path for path in written() if path.suffix == ".py"]
    clean(_lines_with(UNFINISHED, code, "is unfinished"))


def test_no_path_of_one_machine_is_written_down():
    clean(
        _lines_with(
            MACHINE_PATH, [path for path in written() if path != Path(__file__)], "is a path of one machine"
        )
    )


def _lines_with(pattern: re.Pattern[str], paths: list[Path], what: str) -> list[str]:
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if match := pattern.search(line):
                found.append(f"{at(path, number)}: {match[0].strip()!r} {what}")
    return found


def test_only_the_reporter_prints():
    findings = []
    for path in sources():
        for node in ast.walk(tree(path)):
            if path.name != "report.py" and isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                findings.append(f"{at(path, node.lineno)}: prints; say it through glassformer.base.report")
    clean(findings)


@pytest.mark.parametrize("module", ["config", "plugins", "files", "report", "errors"])
def test_the_ground_floor_stands_without_torch(module):
    code = f"import sys, glassformer.base.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
