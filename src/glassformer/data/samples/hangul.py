"""Hangul arithmetic: syllables into jamo and back, and the particles that depend on a word's last sound."""

LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
TAILS = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
FIRST, LAST = 0xAC00, 0xD7A3


def split(syllable: str) -> tuple[str, str, str]:
    """The lead, vowel and tail of one syllable: ``각`` gives ``ㄱ ㅏ ㄱ``, and ``가`` has the tail ``""``.

    Raises ValueError for anything that is not a composed Hangul syllable.
    """
    code = ord(syllable) - FIRST
    if not 0 <= code <= LAST - FIRST:
        raise ValueError(f"{syllable!r} is not a Hangul syllable")
    return LEADS[code // 588], VOWELS[code % 588 // 28], TAILS[code % 28]


def join(lead: str, vowel: str, tail: str = "") -> str:
    """The syllable made of a lead, a vowel and a tail."""
    return chr(FIRST + LEADS.index(lead) * 588 + VOWELS.index(vowel) * 28 + TAILS.index(tail))


def tail(word: str) -> str:
    """The final consonant of the word's last syllable, or ``""`` after a vowel."""
    return split(word[-1])[2]


def with_tail(word: str, consonant: str) -> str:
    """The word with its last syllable closed by ``consonant`` (``""`` opens it)."""
    lead, vowel, _ = split(word[-1])
    return word[:-1] + join(lead, vowel, consonant)


def particle(word: str, pair: str) -> str:
    """The word followed by the right member of ``pair``, written ``after a consonant / after a vowel``.

    ``으로/로`` is the one pair that treats a final ㄹ like a vowel.

    >>> particle("책", "을/를"), particle("지하철", "으로/로"), particle("의자", "이에요/예요")
    ('책을', '지하철로', '의자예요')
    """
    closed, open_ = pair.split("/")
    last = tail(word)
    return word + (closed if last and not (last == "ㄹ" and pair == "으로/로") else open_)
