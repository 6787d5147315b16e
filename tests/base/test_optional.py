"""Packages that may be missing: the sentence where one is, and everything else as it was."""

import pytest

from glassformer.base.errors import UserError
from glassformer.base.optional import needed


def test_a_package_that_is_missing_is_told_with_who_needs_it_and_how_to_get_it():
    with (
        pytest.raises(
            UserError, match=r"^a\.x: reading it needs the package y; pip install 'glassformer\[z\]'$"
        ),
        needed("a.x: reading it", "y", "'glassformer[z]'"),
    ):
        import package_that_nobody_has  # noqa: F401


def test_a_package_that_is_there_is_imported_and_other_errors_pass():
    with needed("this", "json", "json"):
        import json
    assert json.loads("1") == 1
    with pytest.raises(ZeroDivisionError), needed("this", "json", "json"):
        _ = 1 / 0
