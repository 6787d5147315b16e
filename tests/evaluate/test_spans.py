"""Entities that are found exactly: F1 against seqeval, read freely and strictly."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.data.tags import Scheme
from glassformer.evaluate.spans import counted, entity_f1, fared, kinds_of

seqeval = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed")
schemes = pytest.importorskip("seqeval.scheme")

SCORES = (seqeval.precision_score, seqeval.recall_score, seqeval.f1_score)
BIO = ("O", "B-A", "I-A", "B-B", "I-B")
BIOES = (*BIO, "E-A", "S-A", "E-B", "S-B")


@st.composite
def tagged(draw: st.DrawFn, labels: tuple[str, ...]) -> tuple[list[list[str]], list[list[str]]]:
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    tags = st.sampled_from(labels)
    true, told = ([[draw(tags) for _ in range(size)] for size in sizes] for _ in range(2))
    return true, told


@pytest.mark.parametrize("labels", [BIO, BIOES])
def test_free_figures_are_those_of_seqeval(labels: tuple[str, ...]) -> None:
    @settings(deadline=None, max_examples=40)
    @given(tagged(labels))
    def agrees(pair: tuple[list[list[str]], list[list[str]]]) -> None:
        _agree(pair, None)

    agrees()


@pytest.mark.parametrize(("labels", "scheme", "theirs"), [(BIO, "iob2", "IOB2"), (BIOES, "bioes", "IOBES")])
def test_strict_figures_are_those_of_seqeval(labels: tuple[str, ...], scheme: Scheme, theirs: str) -> None:
    @settings(deadline=None, max_examples=40)
    @given(tagged(labels))
    def agrees(pair: tuple[list[list[str]], list[list[str]]]) -> None:
        _agree(pair, scheme, mode="strict", scheme=getattr(schemes, theirs))

    agrees()


def _agree(pair: tuple[list[list[str]], list[list[str]]], strict: Scheme | None, **options: object) -> None:
    true, told = pair
    kinds = kinds_of(BIOES)
    each = fared(counted(zip(true, told, strict=True), kinds, strict).sum(axis=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is 0 / 0
        found = entity_f1(zip(true, told, strict=True), strict)
        assert found == pytest.approx(seqeval.f1_score(true, told, **options))
        if not each.there.any():  # seqeval fails where nobody has or tells an entity
            assert found == 0.0
            return
        assert each.micro()[2] == found
        for average in ("macro", "weighted"):
            wanted = [score(true, told, average=average, **options) for score in SCORES]
            mean = getattr(each, average)
            assert [mean(each.precision), mean(each.recall), mean(each.f1)] == pytest.approx(wanted)


def test_an_entity_is_right_when_both_ends_and_its_kind_are() -> None:
    true = ["B-A", "I-A", "O", "B-B", "O"]
    told = ["B-A", "I-A", "O", "B-A", "B-B"]
    # Of 2 and 3 entities 1 is the same.
    assert entity_f1([(true, told)]) == pytest.approx(2 * 1 / 5)
    assert entity_f1([(true, true), (told, told)]) == 1.0
    assert entity_f1([(["O"], ["O"])]) == 0.0


def test_entities_of_two_rows_are_never_joined() -> None:
    assert entity_f1([(["I-A"], ["I-A"]), (["I-A"], ["O"])]) == pytest.approx(2 / 3)


def test_counts_are_of_each_sentence_and_kind() -> None:
    found = counted([(["B-A", "O"], ["B-A", "B-B"]), (["O"], ["O"])], ["A", "B"])
    assert found.tolist() == [[[1, 0], [1, 1], [1, 0]], [[0, 0]] * 3]
    assert counted([], ["A"]).shape == (0, 3, 1)
