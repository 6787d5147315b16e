"""Clusters are what Unicode says they are, by the ``regex`` library; where in doubt they are larger."""

from __future__ import annotations

import random
import unicodedata

import pytest

from glassformer.decode.clusters import grows, settled

regex = pytest.importorskip("regex")

TRICKY = [
    *"가각힣aé한🇰🇷🇺🇸👍🏽👩❤1\r\n\t क्षिあﾞ👨",
    *(chr(code) for code in (0x1100, 0x1161, 0x11A8, 0x200D, 0x301, 0xFE0F, 0x20E3, 0xE33, 0x3099, 0x200C)),
    *(chr(code) for code in (0x600, 0x2028, 0xFEFF, 0xAD, 0xE0067, 0xE007F, 0x94D, 0x915, 0xA960, 0xD7B0)),
]
ASSIGNED = [chr(code) for code in range(0x20000) if unicodedata.category(chr(code)) not in {"Cs", "Cn", "Co"}]


def _ends(text: str) -> set[int]:
    """Where clusters end."""
    ends, place = {0}, 0
    for cluster in regex.findall(r"\X", text):
        place += len(cluster)
        ends.add(place)
    return ends


@pytest.mark.parametrize("letters", [TRICKY, ASSIGNED])
def test_what_is_settled_ends_where_a_cluster_ends_whatever_follows(letters: list[str]) -> None:
    chance = random.Random(1)
    for _ in range(2500):
        text = "".join(chance.choices(letters, k=chance.randint(0, 7)))
        following = "".join(chance.choices(letters, k=3))
        assert settled(text) in _ends(text)
        assert settled(text) in _ends(text + following), ascii((text, following))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 0),
        ("a", 0),
        ("ab", 1),
        ("가나", 1),
        ("나\u1100\u1161\u11a8", 1),
        ("a🇰🇷", 1),
        ("🇰🇷🇺", 2),
        ("🇰🇷🇺🇸", 2),
        ("a👩\u200d👩\u200d👧", 1),
        ("a👍🏽", 1),
        ("a❤\ufe0f", 1),
        ("e\u0301", 0),
        ("ab\n", 3),
        ("ab\r", 2),
        ("ab\r\n", 4),
        ("क्ष", 0),
    ],
)
def test_the_last_cluster_waits_and_a_line_end_does_not(text: str, place: int) -> None:
    assert settled(text) == place


def test_a_syllable_grows_until_it_has_its_end() -> None:
    assert all(grows(text) for text in ("가", "힣가", "\u1100", "\u1161"))
    assert not any(grows(text) for text in ("", "각", "a", "가.", "\u11a8", "ㄱ"))
