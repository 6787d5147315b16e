"""Lines with their answers: in order, read no further ahead than the answering does, as many as the lines."""

from itertools import count, islice

import pytest

from glassformer.api.lines import paired


def test_each_line_has_its_answer_however_far_was_read_ahead():
    def ahead(lines):
        while some := list(islice(lines, 3)):
            yield from (len(line) for line in some)

    lines = ["", "a", "bb", "ccc"]
    assert list(paired(lines, ahead)) == list(zip(lines, range(4), strict=True))


def test_lines_without_end_are_answered_as_they_come():
    assert list(islice(paired(count(), lambda numbers: (-n for n in numbers)), 2)) == [(0, 0), (1, -1)]


def test_an_answer_that_is_missing_is_not_passed_over():
    with pytest.raises(ValueError, match="shorter"):
        list(paired(["a", "b"], lambda lines: islice(lines, 1)))
