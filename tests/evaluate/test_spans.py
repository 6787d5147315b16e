"""Entities in BIO tags: where they begin and end, and how many are found."""

from __future__ import annotations

import pytest

from glassformer.evaluate.spans import entity_f1, marks_spans, spans


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("O O", []),
        ("B-A I-A O B-A", [(0, 2, "A"), (3, 4, "A")]),
        ("B-A B-A", [(0, 1, "A"), (1, 2, "A")]),
        ("I-A I-A I-B", [(0, 2, "A"), (2, 3, "B")]),
        ("B-A I-B I-B", [(0, 1, "A"), (1, 3, "B")]),
        ("O I-A", [(1, 2, "A")]),
    ],
)
def test_an_entity_is_a_beginning_and_what_goes_on_with_its_kind(
    tags: str, wanted: list[tuple[int, int, str]]
) -> None:
    assert spans(tags.split()) == wanted


def test_an_entity_is_right_when_both_ends_and_its_kind_are() -> None:
    true = ["B-A", "I-A", "O", "B-B", "O"]
    told = ["B-A", "I-A", "O", "B-A", "B-B"]
    # Of 2 and 3 entities 1 is the same.
    assert entity_f1([(true, told)]) == pytest.approx(2 * 1 / 5)
    assert entity_f1([(true, true), (told, told)]) == 1.0
    assert entity_f1([(["O"], ["O"])]) == 0.0


def test_entities_of_two_rows_are_never_joined() -> None:
    assert entity_f1([(["I-A"], ["I-A"]), (["I-A"], ["O"])]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (("B-A", "I-A", "O"), True),
        (("O", "I-A"), True),
        (("NOUN", "O"), False),
        (("O",), False),
        (("B-A",), False),
    ],
)
def test_only_bio_tags_mark_entities(labels: tuple[str, ...], wanted: bool) -> None:
    assert marks_spans(labels) is wanted
