"""The verb ``bench``: how fast Glassformer is beside its peers, by the benchmark of a source tree."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from glassformer.base.errors import UserError

HOME = Path(__file__).parents[3]
"""Where ``bench`` lies beside ``src``."""

UNREAD: dict[str, object] = {
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""What is typed goes on as it is: the benchmark reads its own options and has its own help."""


def bench(
    typed: Annotated[list[str] | None, typer.Argument(metavar="[JOB …] [OPTION …]", help="--help.")] = None,
) -> None:
    """Measure speed beside the peers that are installed; needs a clone of the repository."""
    if not (HOME / "bench" / "__main__.py").is_file():
        raise UserError(
            "an installed package brings no benchmark; clone the repository and run `make bench` there, "
            "or `glassformer bench` of its .venv"
        )
    paths = [str(HOME), *filter(None, [os.environ.get("PYTHONPATH")])]
    # -P: a folder that happens to be called bench where one stands is not meant.
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "bench", *(typed or ())],
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    raise typer.Exit(ended.returncode)
