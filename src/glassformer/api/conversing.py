"""A tokenizer for conversations: what a user says becomes a framed prompt, so that decoding need not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassformer.base.errors import UserError
from glassformer.text.chat import ANSWERS, ROLES, Message, template_of
from glassformer.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Framed:
    """Reads each text as what the user says after ``before``, in the model's chat template."""

    inner: Tokenizer
    before: tuple[Message, ...] = ()

    @property
    def opening(self) -> tuple[int, ...]:
        """None: the template writes all that stands before a conversation."""
        return ()

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of a conversation that asks for an answer, for each text."""
        template = template_of(self.inner)
        return [
            template.question([*self.before, ("user", text)], f"prompt {number}")
            for number, text in enumerate(texts, start=1)
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens left out."""
        return self.inner.decode(ids)


def conversation(messages: str | Iterable[Mapping[str, Any]]) -> list[Message]:
    """The turns of a conversation that asks for an answer; a text alone is a question.

    Raises UserError for turns that are none, and where the last is not the user's.
    """
    if isinstance(messages, str):
        return [("user", messages)]
    found: list[Message] = []
    for number, one in enumerate(messages, start=1):
        role, content = (one.get(key) for key in ("role", "content")) if isinstance(one, Mapping) else (0, 0)
        if role not in ROLES or not isinstance(content, str):
            known = ", ".join(ROLES)
            raise UserError(f"turn {number} of the conversation needs a role ({known}) and content")
        found.append((role, content))
    if not found or found[-1][0] != "user":
        raise UserError(f"a conversation that asks for an answer ends with what the user says, not {ANSWERS}")
    return found
