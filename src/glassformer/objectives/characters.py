"""Texts cut into characters for a vocabulary of larger pieces: each stands as it would inside a word."""

from __future__ import annotations

from collections.abc import Sequence

from glassformer.text.tokenizer import Tokenizer

MARKS = "▁Ġ "
"""What a piece has in front, or alone, that begins a word."""
JOINS = ("##", "")
"""What a piece has in front that goes on with a word, where a vocabulary says that at all."""


class Characters:
    """The pieces of single characters, by where they stand.

    ::

        text           경 찰 은 _ 또
        BERT           경 ##찰 ##은 [UNK] 또
        ▁ of its own   ▁ ##경 ##찰 ##은 ▁ ##또
        characters     경 찰 은 ▁ 또

    A character inside a word has the piece that goes on with one, where the vocabulary has it. A space has
    the mark that begins words; the character behind it then needs none. Where the tokenizer writes a space
    with nothing, it has the unknown piece, and the next character begins a word.
    """

    def __init__(self, tokenizer: Tokenizer, characters: Sequence[str]) -> None:
        names = tokenizer.pieces(range(tokenizer.vocab_size))
        goes_on, specials = tokenizer.continues(), tokenizer.specials_ids()
        known = {name: number for number, name in enumerate(names) if number not in specials}
        self.unknown = tokenizer.eos_id if tokenizer.unk_id is None else tokenizer.unk_id
        self.marks = {number for name, number in known.items() if not name.strip(MARKS)}
        kinds = list(dict.fromkeys(characters))
        self.heads = dict(zip(kinds, tokenizer.encode_batch(kinds), strict=True))
        self.inner = {
            one: next((known[join + one] for join in JOINS if goes_on[known.get(join + one, 0)]), None)
            for one in kinds
        }

    def of(self, text: Sequence[str]) -> list[tuple[list[int], int]]:
        """For each character its ids, and which of them tells of it: the first that is no mark."""
        found = []
        begins = True
        for one in text:
            if one.isspace():
                ids = self.heads[one][:1] or [self.unknown]
                begins = ids[0] not in self.marks
            else:
                ids = self._of_letter(one, begins=begins) or [self.unknown]
                begins = False
            found.append((ids, next((at for at, number in enumerate(ids) if number not in self.marks), 0)))
        return found

    def _of_letter(self, one: str, *, begins: bool) -> list[int]:
        head = self.heads[one]
        if begins:
            return head
        inner = self.inner[one]
        if inner is not None:
            return [inner]
        return head[1:] if len(head) > 1 and head[0] in self.marks else head
