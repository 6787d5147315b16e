"""What happens to text before it is cut: one Unicode form, perhaps Jamo and lower case, a space in front."""

from tokenizers import normalizers

_COMPOSED = normalizers.NFC()


def normalizer(*, jamo: bool = False, lowercase: bool = False, front: bool = True) -> normalizers.Normalizer:
    """The normalizer of a trained tokenizer, which lives in its ``tokenizer.json``.

    Text takes Unicode form NFC, or with ``jamo`` form NFD, in which a Hangul syllable is its conjoining jamo
    (한 = ᄒ ᅡ ᆫ) and subwords may cut inside it. NFD also takes apart é; both come back exactly, because
    NFC(NFD(x)) = NFC(x) for every text, also one in which jamo are written out (Unicode Annex 15, §1).
    ``front`` puts one space before the text, so that a word is the same piece at the start and inside.
    """
    steps: list[normalizers.Normalizer] = [normalizers.Lowercase()] if lowercase else []
    steps.append(normalizers.NFD() if jamo else normalizers.NFC())
    if front:
        steps.append(normalizers.Prepend(" "))
    return normalizers.Sequence(steps)


def compose(text: str) -> str:
    """The text in NFC: jamo become syllables again.

    The tables are those of the ``tokenizers`` library, which took the text apart; Python's may be of another
    Unicode version.
    """
    composed: str = _COMPOSED.normalize_str(text)
    return composed
