"""From tokens that are being written to text: what can be read already, what can be shown, where it stops."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from glassformer.decode.clusters import cluster_at, grows, settled
from glassformer.decode.tokenizer import Speaks

_LEAD = 8
_UNREADABLE = "\ufffd"
_BYTES_OF_A_LETTER = 4


class Reading:
    """How the text of one row is read while it is written, after the ``prompt`` and up to a stop string.

    The last tokens of the prompt are decoded with what follows them, because a tokenizer may write the space
    before a word as part of it or not at all at the beginning of a text.
    """

    def __init__(self, tokenizer: Speaks, prompt: Sequence[int], stop_strings: Sequence[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._lead = _lead(tokenizer, prompt)
        self._before = tokenizer.decode(self._lead)
        composed = [unicodedata.normalize("NFC", stop) for stop in stop_strings]
        self._stops = tuple(dict.fromkeys([*stop_strings, *composed]))
        apart = [len(unicodedata.normalize("NFD", stop).encode()) for stop in self._stops]
        self._tail = max(apart, default=0) + 2 * _BYTES_OF_A_LETTER

    def whole(self, tokens: Sequence[int]) -> str:
        """The text of the tokens, whatever they are."""
        text = self._tokenizer.decode([*self._lead, *tokens])
        # What composes with the end of the prompt changes it, and is then told apart from it.
        return text[len(self._before) :] if text.startswith(self._before) else self._tokenizer.decode(tokens)

    def readable(self, tokens: Sequence[int]) -> str:
        """The text without the first bytes of a letter that is not complete yet."""
        text = self.whole(tokens)
        if not text.endswith(2 * _UNREADABLE):
            return text.removesuffix(_UNREADABLE)
        # Where each byte is a token of its own, a decoder may give up all bytes that stand together.
        for fewer in range(1, min(_BYTES_OF_A_LETTER, len(tokens) + 1)):
            shorter = self.whole(tokens[: len(tokens) - fewer])
            if not shorter.endswith(_UNREADABLE):
                return shorter
        return text

    def stop(self, text: str, *, ended: bool = True) -> int | None:
        """Where the first stop string begins, if there is one.

        While the text has not ``ended``, a stop string at its very end counts only if its last syllable is
        complete: 가 may be the beginning of 각.
        """
        found = [
            (place, len(stop))
            for stop in self._stops
            if (place := text.find(stop)) >= 0 and (ended or place + len(stop) < len(text) or not grows(text))
        ]
        return min(found)[0] if found else None

    def stops(self, tokens: Sequence[int]) -> bool:
        """Whether what is being written has come to a stop string."""
        # Most steps are decided by the last tokens; a stop string has no more of them than bytes.
        tail = self._tokenizer.decode(tokens[-self._tail :])
        if not any(stop in tail for stop in self._stops):
            return False
        return self.stop(self.readable(tokens), ended=False) is not None

    def shown(self, text: str, since: int) -> int:
        """How much of ``text`` can be shown for good, when ``since`` letters of it are shown already.

        The last cluster may still grow, and what may become a stop string waits until it has not.
        """
        # What is shown ends where a cluster ends, so that what follows can be looked at alone.
        firm = since + settled(text[since:])
        limit = self.stop(text)
        if limit is None:
            # 하 is no beginning of 학교 but may become one; it is not firm yet and says nothing.
            limit = min((_begun(text[:firm], stop) for stop in self._stops), default=firm)
        return since + cluster_at(text[since:], max(min(firm, limit) - since, 0))


def _lead(tokenizer: Speaks, prompt: Sequence[int]) -> list[int]:
    """The end of the prompt, long enough not to begin inside a letter."""
    size = _LEAD
    while size < len(prompt) and _UNREADABLE in tokenizer.decode(prompt[-size:]):
        size *= 2
    return list(prompt[-size:])


def _begun(text: str, stop: str) -> int:
    """Where the longest beginning of ``stop`` that ``text`` ends with begins; the end when there is none."""
    longest = min(len(stop) - 1, len(text))
    return next((len(text) - size for size in range(longest, 0, -1) if text.endswith(stop[:size])), len(text))


class Showing:
    """A text that is shown piece by piece; nothing that was shown is ever taken back."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._shown = ""

    def piece(self, tokens: Sequence[int]) -> str:
        """What can be shown now that ``tokens`` are written, and was not shown before."""
        text = self._reading.readable(tokens)
        since = len(self._shown)
        # Bytes that turn out to be no text may change how the bytes before them were read.
        if not text.startswith(self._shown):
            return ""
        piece = text[since : self._reading.shown(text, since)]
        self._shown += piece
        return piece

    def rest(self, text: str) -> str:
        """What is left to show of the text that it became."""
        pairs = enumerate(zip(self._shown, text, strict=False))
        return text[next((place for place, (was, now) in pairs if was != now), len(self._shown)) :]


def told(reading: Reading, tokens: Sequence[int], *, complete: bool) -> tuple[str, bool]:
    """The text of what was written, and whether a stop string ended it: what showing it piece by piece says.

    Unless the text is ``complete`` (the model ended it), the bytes of a letter that was cut off are left out.
    Only where bytes are no text at all does it matter what was shown before the end was known.
    """
    text = reading.whole(tokens) if complete else reading.readable(tokens)
    place = reading.stop(text)
    broken = _UNREADABLE in text
    text = text if place is None else text[:place]
    if broken:
        showing = Showing(reading)
        lengths = range(1, len(tokens) + complete)
        text = "".join(showing.piece(tokens[:length]) for length in lengths) + showing.rest(text)
    return text, place is not None
