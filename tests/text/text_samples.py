"""A small Korean and English text to learn from, and texts that are hard to bring back."""

from hypothesis import strategies as st

KINDS = ("word", "character", "bpe", "byte_bpe", "wordpiece", "unigram")
LOSSLESS = ("bpe", "byte_bpe", "unigram")
SENTENCES = (
    "나는 학교에 갑니다.",
    "나는 오늘 학교에서 친구를 만났습니다.",
    "친구는 도서관에서 책을 읽고 있습니다.",
    "어제 도서관에 갔지만 책은 없었습니다!",
    "I went to the school, and the school was closed.",
    "My friend is reading a book in the library today.",
    "The library isn't far from the café; it's near 12 schools.",
    '"Reading books," said the friend, "is fun."',
)

_BITS = (
    *(
        "한국어",
        "학교에",
        "뷁",
        "ㅋㅋㅋ",
        "ᄒ",
        "ᅡ",
        "ᆫ",
        "각",
        "한",
        "the",
        "reading",
        "café",
        "e\u0301",
        "don't",
    ),
    *("</s>", "<s>", "<pad>", "<unk>", "<0x41>", "▁", "▁the", "##", "##ing", "#", "<", "≮", "2024", "½", "①"),
    *(" ", "  ", "\t", "\n", "\r\n", "\u3000", "\xa0", "\u2028", "\x00", "\x1c", "\uffff", "\ufeff"),
    *("👩‍👩‍👧", "❤️", "1️⃣", "🇰🇷", "漢字", "\u0301", "\u302e", "\u200d", "\U000e0001", "ﬁ", "İ", "ﷺ"),
)


def any_text() -> st.SearchStrategy[str]:
    """Text of Korean, English, emoji, spaces, jamo, marks and whatever else Unicode has given a meaning."""
    assigned = st.characters(exclude_categories=("Cs", "Cn"))
    return st.lists(st.sampled_from(_BITS) | assigned, max_size=12).map("".join)
