"""What a tokenizer's template puts before, between and after texts: finding it, and making one of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import tokenizers
from tokenizers import processors

from glassformer.text.scheme import BOS, EOS, SPECIALS

Framing = Literal["end", "both", "none"]
"""How a tokenizer closes a text: ``$A </s>``, ``<s> $A </s>``, or not at all."""

# Any text will do, as long as the vocabulary has something to say to it.
_PROBES = ("a", "가", "0", ".", "a b")
_TEMPLATES = {"end": ("$A </s>", "$A $B </s>"), "both": ("<s> $A </s>", "<s> $A </s> $B:1 </s>:1")}


@dataclass(frozen=True)
class Frame:
    """Ids before a text (``opening``), after it (``closing``), and ``between`` two texts that go together."""

    opening: tuple[int, ...] = ()
    closing: tuple[int, ...] = ()
    between: tuple[int, ...] = ()


def frame_of(backend: tokenizers.Tokenizer) -> Frame:
    """The frame of a backend, seen from what it does to a pair of texts, whatever its processor is called."""
    for probe in _PROBES:
        if backend.encode(probe, add_special_tokens=False).ids:
            alone, pair = backend.encode(probe), backend.encode(probe, probe)
            inside = [at for at, side in enumerate(alone.sequence_ids) if side is not None]
            second = pair.sequence_ids.index(1)
            return Frame(
                opening=tuple(alone.ids[: inside[0]]),
                closing=tuple(alone.ids[inside[-1] + 1 :]),
                between=tuple(_specials_before(pair, second)),
            )
    return Frame()


def _specials_before(pair: tokenizers.Encoding, second: int) -> Sequence[int]:
    first = max(at for at, side in enumerate(pair.sequence_ids) if side == 0)
    ids: Sequence[int] = pair.ids[first + 1 : second]
    return ids


def processor(framing: Framing) -> processors.PostProcessor | None:
    """The template of a tokenizer of ours; None puts nothing around a text."""
    if framing == "none":
        return None
    single, pair = _TEMPLATES[framing]
    used = [(SPECIALS[EOS], EOS)] if framing == "end" else [(SPECIALS[BOS], BOS), (SPECIALS[EOS], EOS)]
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=used)
