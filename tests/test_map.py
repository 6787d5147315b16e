"""docs/map.md names every file with its own first sentence. After a change, write the lists anew with

GOLDEN=write python -m pytest tests/test_map.py
"""

import ast
import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "glassformer"
MAP = ROOT / "docs" / "map.md"
BEGIN, END = "<!-- files: written by tests/test_map.py -->", "<!-- end of files -->"


def sentence(path: Path) -> str:
    """The first paragraph of a module's docstring on one line, its code marks those of Markdown."""
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("``", "`").replace("|", r"\|")


def rooms() -> list[Path]:
    """The folders of the package from the lowest layer up; a room inside a room follows it."""
    listed = re.findall(r'"glassformer\.([a-z |.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    order = [name.strip().removeprefix("glassformer.") for row in reversed(listed) for name in row.split("|")]
    tops = sorted(
        (SOURCE / name for name in order if (SOURCE / name).is_dir()), key=lambda p: order.index(p.name)
    )
    inner = {top: sorted(path.parent for path in top.glob("*/**/__init__.py")) for top in tops}
    return [folder for top in tops for folder in (top, *inner[top])]


def lists() -> str:
    """A heading and a table for every room."""
    parts = []
    for room in rooms():
        files = sorted(path for path in room.glob("*.py") if path.name != "__init__.py")
        rows = [f"| `{path.name}` | {sentence(path)} |" for path in files]
        head = f"### `{room.relative_to(SOURCE).as_posix()}`\n\n{sentence(room / '__init__.py')}\n\n"
        parts.append(head + "\n".join(["| file | what lives there |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def test_the_map_says_of_every_file_what_the_file_says_of_itself():
    before, _, rest = MAP.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = f"{before}{BEGIN}\n\n{lists()}\n\n{END}{after}"
    if os.environ.get("GOLDEN") == "write":
        MAP.write_text(text, encoding="utf-8")
    differing = set(text.splitlines()) ^ set(MAP.read_text(encoding="utf-8").splitlines())
    assert not differing, "write docs/map.md anew (see the top of this file):\n" + "\n".join(
        sorted(differing)
    )
