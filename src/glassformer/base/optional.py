"""Packages that not everybody has installed: what is said where one is missing and its file is opened."""

from collections.abc import Iterator
from contextlib import contextmanager

from glassformer.base.errors import UserError


@contextmanager
def needed(what: str, package: str, install: str) -> Iterator[None]:
    """Around an import: UserError where it fails, saying that ``what`` needs the package, and how to get it.

    ``install`` is what ``pip install`` takes, in quotation marks where shells would read its brackets.
    """
    try:
        yield
    except ImportError:
        raise UserError(f"{what} needs the package {package}; pip install {install}") from None
