"""Tags that mark spans: read, written, converted, judged legal, against seqeval and by going through all."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.data.tags import (
    Scheme,
    converted,
    faults,
    legal,
    marks_spans,
    scheme_of,
    spans,
    strict_spans,
    transitions,
    written,
)

labeling = pytest.importorskip("seqeval.metrics.sequence_labeling", reason="seqeval is not installed")
schemes = pytest.importorskip("seqeval.scheme")

SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes")
TAGS = ["O", *(f"{mark}-{kind}" for mark in "BIES" for kind in ("A", "BC"))]
ANY = st.lists(st.sampled_from(TAGS), max_size=9)
BIO = st.lists(st.sampled_from([tag for tag in TAGS if tag[0] in "BIO"]), max_size=9)


@st.composite
def meant(draw: st.DrawFn) -> tuple[list[tuple[int, int, str]], int]:
    """Spans side by side or apart, and the length of the text."""
    found, place = [], 0
    for gap, size, kind in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from("AB")), max_size=5)
    ):
        found.append((place + gap, place + gap + size, kind))
        place += gap + size
    return found, place + draw(st.integers(0, 2))


@settings(deadline=None, max_examples=40)
@given(ANY)
def test_spans_are_those_that_seqeval_reads(tags: list[str]) -> None:
    assert spans(tags) == [(first, last + 1, kind) for kind, first, last in labeling.get_entities(tags)]


@pytest.mark.parametrize(("scheme", "theirs", "tags"), [("iob2", "IOB2", BIO), ("bioes", "IOBES", ANY)])
def test_strict_spans_are_those_of_seqeval(scheme: Scheme, theirs: str, tags: st.SearchStrategy) -> None:
    @settings(deadline=None, max_examples=40)
    @given(tags)
    def agrees(row: list[str]) -> None:
        (found,) = schemes.Entities([row], scheme=getattr(schemes, theirs)).entities
        assert strict_spans(row, scheme) == [(one.start, one.end, one.tag) for one in found]

    agrees()


@settings(deadline=None, max_examples=40)
@given(meant(), st.sampled_from(SCHEMES))
def test_what_is_written_is_legal_and_reads_as_it_was_meant(
    told: tuple[list[tuple[int, int, str]], int], scheme: Scheme
) -> None:
    found, length = told
    tags = written(found, length, scheme)
    assert len(tags) == length
    assert spans(tags) == strict_spans(tags, scheme) == found
    assert not list(faults(tags, scheme))
    for other in SCHEMES:
        assert converted(converted(tags, other), scheme) == tags


@settings(deadline=None, max_examples=40)
@given(ANY, st.sampled_from(SCHEMES))
def test_mending_gives_legal_tags_and_leaves_those_alone(tags: list[str], scheme: Scheme) -> None:
    mended = converted(tags, scheme)
    assert not list(faults(mended, scheme))
    assert converted(mended, scheme) == mended
    if scheme != "bioes" and any(tag[0] in "ES" for tag in tags):
        assert list(faults(tags, scheme))
    elif not list(faults(tags, scheme)):
        assert mended == tags


@pytest.mark.parametrize("scheme", SCHEMES)
def test_legal_sequences_are_exactly_those_that_some_spans_are_written_as(scheme: Scheme) -> None:
    marks = "BIES" if scheme == "bioes" else "BI"
    names = ["O", *(f"{mark}-{kind}" for mark in marks for kind in "AB")]
    for length in range(1, 4):
        for row in product(names, repeat=length):
            steps = all(legal(one, other, scheme) for one, other in pairwise(["O", *row, "O"]))
            assert steps == (converted(row, scheme) == list(row)), row
            assert steps == (not list(faults(row, scheme)))


def test_what_is_illegal_is_said_with_its_place() -> None:
    assert list(faults(["I-A", "O", "I-B"], "iob2")) == [
        (0, "I-A at the beginning is illegal in IOB2"),
        (2, "I-B behind O is illegal in IOB2"),
    ]
    assert list(faults(["B-A", "E-A", "B-A"], "bioes")) == [
        (2, "B-A at the end is illegal in BIOES: the span has no end")
    ]
    assert list(faults(["S-A"], "iob2")) == [(0, "S-A is no tag of IOB2")]


@pytest.mark.parametrize(
    ("sentences", "wanted"),
    [
        (["B-A I-A O", "O"], "iob2"),
        (["B-A I-A O", "I-A O"], "iob2"),  # one of them is a mistake; a B begins a text
        (["I-A I-A O I-B", "I-A B-A"], "iob1"),
        (["O I-A", "I-A I-A"], "iob1"),
        (["B-A E-A O", "O"], "bioes"),
        (["S-A"], "bioes"),
        (["NOUN VERB", "O"], None),
        (["O"], None),
        ([], None),
    ],
)
def test_the_scheme_is_told_from_what_stands_where(sentences: list[str], wanted: Scheme | None) -> None:
    assert scheme_of([one.split() for one in sentences]) == wanted


@settings(deadline=None, max_examples=40)
@given(meant(), st.sampled_from(SCHEMES))
def test_tags_as_a_scheme_writes_them_are_never_illegal_in_the_scheme_that_is_told(
    told: tuple[list[tuple[int, int, str]], int], scheme: Scheme
) -> None:
    tags = written(told[0], told[1], scheme)
    found = scheme_of([tags])
    assert found is None or not list(faults(tags, found))


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (("B-A", "I-A", "O"), True),
        (("O", "I-A"), True),
        (("S-A", "E-A"), True),
        (("NOUN", "O"), False),
        (("O",), False),
        (("B-", "O"), False),
    ],
)
def test_only_tags_with_a_mark_and_a_kind_mark_spans(labels: tuple[str, ...], wanted: bool) -> None:
    assert marks_spans(labels) is wanted


def test_transitions_are_legal_pairs_with_the_ends_of_a_text() -> None:
    table = transitions(["B-A", "I-A", "O"], "iob2")
    assert table.tolist() == [
        [True, True, True, True],
        [True, True, True, True],
        [True, False, True, True],
        [True, False, True, True],
    ]
    assert not transitions(["B-A", "E-A"], "bioes")[0, 2]
