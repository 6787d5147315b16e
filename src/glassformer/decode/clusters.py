"""Where a reader sees one character end and the next begin, so that a text can be shown as it grows."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
# What Unicode counts to the letter before it though it is no mark: non-joiners, skin tones, tags, kana marks,
# the am of Thai and Lao.
_FOLLOWERS = (
    (0x200C, 0x200D),
    (0x1F3FB, 0x1F3FF),
    (0xE0020, 0xE007F),
    (0xFF9E, 0xFF9F),
    (0xE33, 0xE33),
    (0xEB3, 0xEB3),
)
# Signs that belong to the letter after them, as those that stand before Arabic numbers.
_LEADERS = frozenset(
    (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0xD4E, 0x110BD, 0x110CD, 0x111C2, 0x111C3)
) | {0x113D1, 0x1193F, 0x11941, *range(0x11A84, 0x11A8A), 0x11D46, 0x11F02}
_SYLLABLES = range(0xAC00, 0xD7A4)
_FINALS = 28
_VIRAMA = 9


def settled(text: str) -> int:
    """How much of ``text`` stands whatever follows it: all but its last cluster, and all after a line end.

    A cluster is what a reader takes for one character: a Hangul syllable (also one in jamo), a letter with
    its marks, an emoji with skin tone or joined to others, a pair of regional indicators (Unicode Annex 29,
    §3). Where the rules depend on lists that a Python may not have, more is kept together rather than less.
    """
    if text and _ends_alone(text[-1]) and text[-1] != "\r":
        return len(text)
    return cluster_at(text, len(text) - 1)


def cluster_at(text: str, place: int) -> int:
    """Where the cluster begins to which the letter at ``place`` belongs."""
    while 0 < place < len(text) and not _parts(text, place):
        place -= 1
    return max(place, 0)


def _ends_alone(letter: str) -> bool:
    """Whether nothing joins it from behind: line ends and other signs that are not shown."""
    category = unicodedata.category(letter)
    if category == "Cf":
        return not _follows(letter) and ord(letter) not in _LEADERS
    return category in {"Cc", "Zl", "Zp"}


def _follows(letter: str) -> bool:
    if unicodedata.category(letter)[0] == "M":
        return True
    return any(low <= ord(letter) <= high for low, high in _FOLLOWERS)


def _parts(text: str, place: int) -> bool:
    """Whether a cluster begins at ``place``."""
    before, after = text[place - 1], text[place]
    if _ends_alone(before) or _ends_alone(after):
        return before + after != "\r\n"
    if _follows(after) or ord(before) in _LEADERS:
        return False
    if before == _JOINER or _joins_consonants(text, place):
        return False
    if _is_indicator(before) and _is_indicator(after):
        return _run_of_indicators(text, place) % 2 == 0
    return not _one_syllable(_hangul(before), _hangul(after))


def _joins_consonants(text: str, place: int) -> bool:
    """Whether a virama stands before ``place``, perhaps with other marks after it."""
    while place > 0 and _follows(text[place - 1]):
        place -= 1
        if unicodedata.combining(text[place]) == _VIRAMA:
            return True
    return False


def _is_indicator(letter: str) -> bool:
    return 0x1F1E6 <= ord(letter) <= 0x1F1FF


def _run_of_indicators(text: str, place: int) -> int:
    """How many regional indicators stand just before ``place``: two make a flag."""
    start = place
    while start > 0 and _is_indicator(text[start - 1]):
        start -= 1
    return place - start


def _one_syllable(before: str, after: str) -> bool:
    """Whether two kinds of jamo or syllables belong together: (LV, V or T), (L, all but T), (LVT, T)."""
    if before == "L":
        return after in {"L", "V", "LV", "LVT"}
    return (before in {"LV", "V"} and after in {"V", "T"}) or (before in {"LVT", "T"} and after == "T")


def _hangul(letter: str) -> str:
    """What a letter is in Hangul: leading (L), vowel (V) or final (T) jamo, or a syllable of these."""
    code = ord(letter)
    if code in _SYLLABLES:
        return "LVT" if (code - _SYLLABLES.start) % _FINALS else "LV"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    return "T" if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB else ""


def grows(text: str) -> bool:
    """Whether the last letter may still become another by composition: a syllable that lacks its end."""
    return bool(text) and _hangul(text[-1]) in {"L", "V", "LV"}
