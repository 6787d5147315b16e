"""Conversations as text: the template that frames every turn, and which tokens of it are answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Protocol, runtime_checkable

from glassformer.base.errors import UserError
from glassformer.base.optional import needed

Message = tuple[str, str]
"""Who speaks (``system``, ``user`` or ``assistant``), and what."""

ROLES = ("system", "user", "assistant")
ANSWERS = "assistant"

KEY = "chat_template"
_BEGUN = "{{ bos_token }}"
_TURNS = (
    "{% for message in messages %}"
    "{{ message['role'] + ' ' + message['content'] | trim + eos_token }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant' }}{% endif %}"
)
PLAIN = (_TURNS, _BEGUN + _TURNS)
"""Our own templates: each turn is who speaks, a space, what is said, and the end; perhaps after a beginning.

::

    user 안녕?</s>assistant 안녕하세요.</s>user 뭐 해?</s>assistant
"""
_GENERATION = re.compile(r"\{%(-?)\s*(end)?generation\s*(-?)%\}")


@runtime_checkable
class Marking(Protocol):
    """A tokenizer that can read a text in which special tokens are written."""

    settings: dict[str, Any]

    @property
    def opening(self) -> tuple[int, ...]:
        """The ids that it puts before a text."""
        ...

    def encode_marked(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of a text, special tokens in it read as such, and where each begins and ends in it."""
        ...

    def marks(self) -> dict[str, int]:
        """Its special tokens, each with its id."""
        ...

    def special_names(self) -> dict[str, str]:
        """What ``bos_token``, ``eos_token`` and the others are."""
        ...


def plain_template(tokenizer: Marking) -> str:
    """Our own template for a tokenizer without one."""
    return PLAIN[1] if tokenizer.opening else PLAIN[0]


@dataclass(frozen=True)
class Template:
    """How conversations become text for one tokenizer: the template it was saved with, or our own.

    Any other template is run by the package jinja2 in its sandbox, as ``transformers`` runs it.
    """

    tokenizer: Marking

    @cached_property
    def text(self) -> str:
        """The template; of several that a file names, the one for plain conversations."""
        found = self.tokenizer.settings.get(KEY)
        if isinstance(found, list):
            named = {one.get("name"): one.get("template") for one in found if isinstance(one, Mapping)}
            found = named.get("default")
        return found if isinstance(found, str) else plain_template(self.tokenizer)

    def render(self, messages: Sequence[Message], *, asking: bool = False) -> str:
        """The text of a conversation; ``asking`` ends it where the answer is to begin.

        Raises UserError for a template that refuses the conversation or cannot be run.
        """
        names = self.tokenizer.special_names()
        if self.text in PLAIN:
            end = names["eos_token"]
            said = "".join(f"{role} {content.strip()}{end}" for role, content in messages)
            begun = names["bos_token"] if self.text == PLAIN[1] else ""
            return begun + said + (ANSWERS if asking else "")
        listed = [{"role": role, "content": content} for role, content in messages]
        return _rendered(self.text, listed, asking, names)

    def question(self, messages: Sequence[Message], where: str) -> list[int]:
        """The ids of a conversation that asks for an answer. Raises UserError, beginning with ``where``."""
        self.check(messages, where)
        return self.tokenizer.encode_marked(self.render(messages, asking=True))[0]

    def conversation(self, messages: Sequence[Message], where: str) -> tuple[list[int], list[bool]]:
        """The ids of a conversation, and of each whether it belongs to an answer, its end included.

        Raises UserError, beginning with ``where``, for one that the template cannot write.
        """
        self.check(messages, where)
        whole = self.render(messages)
        ids, places = self.tokenizer.encode_marked(whole)
        marks = set(self.tokenizer.marks().values())
        answers = [False] * len(ids)
        for begin, end in self._spans(messages, whole, where):
            inside = [at for at, (first, last) in enumerate(places) if begin <= first < end and last <= end]
            last = max((at for at in inside if ids[at] in marks), default=None)
            for at in inside:
                answers[at] = last is None or at <= last
        return ids, answers

    def _spans(self, messages: Sequence[Message], whole: str, where: str) -> list[tuple[int, int]]:
        """From where to where in the text each answer stands."""
        found = []
        for place, (role, _) in enumerate(messages):
            if role != ANSWERS:
                continue
            before = self.render(messages[:place], asking=True)
            until = self.render(messages[: place + 1])
            if not until.startswith(before) or not whole.startswith(until):
                raise UserError(
                    f"{where}: the model's chat template writes a conversation otherwise while it goes on, "
                    "so its answers cannot be told apart; take another model, or a template without that"
                )
            found.append((len(before), len(until)))
        return found

    def check(self, messages: Sequence[Message], where: str) -> None:
        """Raise UserError where what is said holds a special token, which would end or begin a turn."""
        for _, content in messages:
            for mark in self.tokenizer.marks():
                if mark in content:
                    raise UserError(
                        f"{where}: {mark!r} in the text is a special token of the model; take it out"
                    )


def template_of(tokenizer: Any) -> Template:
    """The template of a tokenizer; UserError for one that cannot read special tokens."""
    if not isinstance(tokenizer, Marking):
        raise UserError(
            f"a {tokenizer.kind} tokenizer cannot frame conversations; take a model that generates"
        )
    return Template(tokenizer)


# --- templates of others -----------------------------------------------------------------------------------


def _rendered(text: str, messages: list[dict[str, str]], asking: bool, names: Mapping[str, str]) -> str:
    try:
        rendered: str = _compiled(text).render(messages=messages, add_generation_prompt=asking, **names)
    except UserError:
        raise
    except Exception as error:  # a template can fail in any way
        raise UserError(f"the model's chat template cannot write this conversation ({error})") from None
    return rendered


@lru_cache(maxsize=8)
def _compiled(text: str) -> Any:
    """The template as a program, in an environment like that of ``transformers``."""
    with needed("the model's chat template", "jinja2", "jinja2"):
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    place = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    place.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
    place.globals |= {"raise_exception": _refuse, "strftime_now": lambda form: datetime.now().strftime(form)}
    # A block that only says which text is generated; what it holds stands as it is.
    return place.from_string(_GENERATION.sub(r"{%\1 \2if true \3%}", text).replace("endif true", "endif"))


def _refuse(reason: str) -> None:
    raise ValueError(reason)
