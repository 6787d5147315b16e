"""How each kind of tokenizer cuts text before its vocabulary is asked, and how pieces join again."""

from typing import Final

from tokenizers import Regex, decoders, pre_tokenizers

SPECIALS: Final = ("<pad>", "<s>", "</s>", "<unk>")
PAD, BOS, EOS, UNK = range(4)
MASK: Final = "<mask>"
BYTES: Final = tuple(f"<0x{byte:02X}>" for byte in range(256))

CHARACTER: Final = r"[\s\S]"

# Words keep the space before them. "<" always stands alone, so that text which looks like a special token or
# a byte piece ("</s>", "<0x41>") can never be one piece; "#" stands alone in WordPiece, where "##" is a mark.
_HANGUL = r" ?\p{Hangul}[\p{Hangul}\p{M}]{0,63}"
_LETTERS = r" ?\p{L}(?:(?!\p{Hangul})[\p{L}\p{M}]){0,63}"
_CONTRACTION = r"(?<=\p{L})['’](?i:ll|re|ve|[sdmt])(?!\p{L})"
_SPACES = r"\s{1,63}(?!\S)|\s"


def _pattern(numbers: str, alone: str, others: str, spaces: str) -> str:
    signs = rf" ?[{alone}]| ?[^\s\p{{L}}\p{{N}}{alone}]{others}"
    return "|".join((_CONTRACTION, _HANGUL, _LETTERS, numbers, signs, spaces))


_SUBWORDS = _pattern(r" ?\p{N}", "<", "{1,63}", _SPACES)
_PATTERNS: Final = {
    "word": _pattern(r" ?\p{N}{1,63}", "<", "", r"\s"),
    "character": CHARACTER,
    "bpe": _SUBWORDS,
    "byte_bpe": _SUBWORDS,
    "wordpiece": _pattern(r" ?\p{N}", "<#", "{1,63}", _SPACES),
    "unigram": _SUBWORDS,
}


def splitter(kind: str) -> pre_tokenizers.PreTokenizer:
    """What cuts normalized text into the stretches that pieces never cross.

    A stretch is a word with the space before it, a digit, a run of signs or a run of spaces; Hangul and other
    letters part where they touch (API를 = API + 를).
    """
    split = pre_tokenizers.Split(Regex(_PATTERNS[kind]), "isolated")
    if kind != "byte_bpe":
        return split
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def joiner(kind: str) -> decoders.Decoder:
    """What turns pieces into text again: the exact inverse of cutting."""
    front = decoders.Strip(" ", 1, 0)
    if kind == "character":
        return decoders.Fuse()
    if kind == "byte_bpe":
        return decoders.Sequence([decoders.ByteLevel(), front])
    if kind == "wordpiece":
        return decoders.Sequence([decoders.Replace(Regex(r"^##(?=[\s\S])"), ""), decoders.Fuse(), front])
    if kind == "word":
        return decoders.Sequence([decoders.Fuse(), front])
    return decoders.Sequence([decoders.ByteFallback(), decoders.Fuse(), front])
