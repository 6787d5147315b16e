"""docs/papers.md is what it says: every citation has an entry, and every path in it is true."""

import ast
import calendar
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "glassformer"
PAPERS = ROOT / "docs" / "papers.md"

# `Kudo 2018`, `Och & Ney 2003`, `Black and Rogaway 2002`, `Vaswani et al. 2017`; a name has a small letter.
NAME = r"[A-ZÀ-Ž][\w'’-]*[a-zà-ž][\w'’-]*"
CITATION = re.compile(rf"\b({NAME})( et al\.| (?:&|and) {NAME})?,? \(?((?:19|20)\d\d[a-z]?)\b")
ENTRY = re.compile(r"^\*\*(.+?)\.\*\* ", re.MULTILINE)
PATH = re.compile(r"`([\w./]+/[\w./]*)`")
MONTHS = frozenset(calendar.month_name[1:])


def cited(text: str) -> Iterator[str]:
    """Every ``Author year`` in a text, spelt as the entries are."""
    for name, others, year in CITATION.findall(" ".join(text.split())):
        if name not in MONTHS:
            yield f"{name}{others.replace(' and ', ' & ')} {year}"


def prose(path: Path) -> str:
    """The docstrings and comments of a Python file; the whole of any other."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return "\n".join(line.lstrip("# ") for line in text.splitlines())
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    said = [
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)
    ]
    words = tokenize.generate_tokens(io.StringIO(text).readline)
    said += [word.string.lstrip("# ") for word in words if word.type == tokenize.COMMENT]
    return "\n".join(said)


def entries() -> dict[str, str]:
    """The text of every entry by its key, such as ``Vaswani et al. 2017``."""
    _, *parts = ENTRY.split(PAPERS.read_text(encoding="utf-8"))
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert len(found) == len(parts) // 2, "docs/papers.md has an entry twice"
    return found


ENTRIES = entries()


def test_citations_are_seen_in_every_form():
    text = "(Kudo 2018, §3), Och & Ney (2003); Black and\n Rogaway 2002; Fan et al. 2018a, May 2020, WMT 2018"
    assert list(cited(text)) == ["Kudo 2018", "Och & Ney 2003", "Black & Rogaway 2002", "Fan et al. 2018a"]


def test_every_paper_that_is_cited_has_an_entry():
    folders = [ROOT / name for name in ("src", "recipes", "bench") if (ROOT / name).is_dir()]
    paths = [path for folder in folders for kind in ("py", "yaml") for path in folder.rglob(f"*.{kind}")]
    missing = {
        f"{path.relative_to(ROOT)}: {citation} has no entry in docs/papers.md"
        for path in paths
        for citation in cited(prose(path))
        if citation not in ENTRIES
    }
    assert not missing, "\n" + "\n".join(sorted(missing))


@pytest.mark.parametrize("key", ENTRIES)
def test_what_an_entry_says_of_the_tree_is_true(key):
    """Paths before *planned:* are there, paths after it are not, so that a plan carried out is noticed."""
    now, _, planned = re.sub(r"\s+", " ", ENTRIES[key]).partition("lanned:*")
    for path in PATH.findall(now):
        assert (SOURCE / path).exists() or (ROOT / path).exists(), f"{key}: there is no {path}"
    for path in PATH.findall(planned):
        assert not (SOURCE / path).exists(), f"{key}: {path} is there, no longer planned"
