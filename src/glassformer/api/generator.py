"""A model that goes on with texts, opened for use."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from glassformer.api.conversing import Framed, conversation
from glassformer.api.mirrored import Mirrored, mirrored
from glassformer.api.opened import Opened, choose
from glassformer.base.errors import UserError
from glassformer.base.tree import read_value
from glassformer.decode.generate import Generation, generate, stream
from glassformer.decode.score import Score, score
from glassformer.decode.settings import Decoding
from glassformer.text.chat import Message


class Generator(Opened):
    """A language model (GPT, LLaMA) with its tokenizer and the decoding it asks for, greedy unless it does.

    A model that was trained ``backward`` writes what stands before a prompt; its contexts stand behind the
    text, and the tokens it gives are in the order of the text.

    >>> import glassformer as gf                                                # doctest: +SKIP
    >>> gf.load("runs/stories").generate("Once upon a time", max_new_tokens=9)  # doctest: +SKIP
    [', there was a little girl named Lily.']
    """

    objective: ClassVar[str] = "causal_lm"
    framed: Framed | None = None

    def generate(self, prompts: str | Sequence[str], **settings: Any) -> list[str]:
        """What follows each prompt, which may be empty; settings are those of ``Decoding``.

        Raises UserError for a setting that is not one and for a prompt that leaves no room to write.
        """
        several = [prompts] if isinstance(prompts, str) else list(prompts)
        return [one.text for one in self.generations(several, choose(self.decoding, settings))]

    def chat(self, messages: str | Sequence[Mapping[str, str]], **settings: Any) -> str:
        """The answer in a conversation: a question, or turns of ``role`` and ``content`` with one at the end.

        The prompt is framed by the chat template of the model's folder, or by our own (``text.chat``). The
        answer ends with the model's end token. Settings are those of ``Decoding``. Raises UserError.
        """
        *before, (_, asked) = conversation(messages)
        return self.conversing(before).generate(asked, **settings)[0]

    def conversing(self, before: Sequence[Message] = ()) -> Generator:
        """The same model, which takes every prompt for what a user says, after ``before``, and answers it.

        Raises UserError for a model that writes backward.
        """
        if self.backward:
            raise UserError(f"{self.folder}: writes what stands before a text, and cannot answer")
        twin = copy.copy(self)
        twin.framed = Framed(self.tokenizers.target, tuple(before))
        return twin

    def generations(
        self, prompts: Iterable[str], settings: Decoding | None = None, **options: Any
    ) -> Iterator[Generation]:
        """Each prompt's continuation with its scores, in order; options are those of ``decode.generate``."""
        model: Any = self.model
        chosen = self._seen(settings or self.decoding)
        prompts = map(mirrored, prompts) if self.backward else prompts
        found = generate(model, self._reader, prompts, chosen, device=self.device, **options)
        if self.framed is not None:
            return map(_answered, found)
        return map(_turned, found) if self.backward else found

    def stream(self, prompt: str, **settings: Any) -> Iterator[str]:
        """The text that ``generate`` gives, in pieces as they are written; backward it comes whole."""
        return self.streamed(prompt, choose(self.decoding, settings))

    def streamed(self, prompt: str, settings: Decoding | None = None, **options: Any) -> Iterator[str]:
        """The same with settings that were chosen before; options are those of ``decode.stream``."""
        model: Any = self.model
        chosen = self._seen(settings or self.decoding)
        if not self.backward:
            pieces = stream(model, self._reader, prompt, chosen, device=self.device, **options)
            yield from pieces if self.framed is None else _begun(pieces)
            return
        pieces = stream(model, self._reader, mirrored(prompt), chosen, device=self.device, **options)
        if text := mirrored("".join(pieces)):
            yield text

    def score(
        self, texts: str | Sequence[str], contexts: str | Sequence[str] | None = None, **options: Any
    ) -> list[Score]:
        """How likely each text is, after its context where there are ``contexts``; options as in ``scores``.

        Raises UserError where texts and contexts are not as many.
        """
        before = [contexts] if isinstance(contexts, str) else contexts
        return list(self.scores([texts] if isinstance(texts, str) else texts, before, **options))

    def scores(
        self, texts: Iterable[str], contexts: Iterable[str] | None = None, **options: Any
    ) -> Iterator[Score]:
        """The same one after another, in constant memory; options are those of ``decode.score``."""
        model: Any = self.model
        if self.backward:
            texts = map(mirrored, texts)
            contexts = None if contexts is None else map(mirrored, contexts)
        found = score(model, self._reader, texts, contexts=contexts, device=self.device, **options)
        return map(_turned_score, found) if self.backward else found

    @cached_property
    def backward(self) -> bool:
        """Whether it was trained to foretell what stands before a text, as its recipe says."""
        recipe = None if self.source is None else self.source.recipe
        return recipe is not None and _is_backward(recipe, self.folder)

    @property
    def _reader(self) -> Any:
        tokenizer = self.tokenizers.target
        if self.framed is not None:
            return self.framed
        return Mirrored(tokenizer) if self.backward else tokenizer

    def _seen(self, settings: Decoding) -> Decoding:
        if not self.backward:
            return settings
        return settings.model_copy(update={"stop_strings": tuple(map(mirrored, settings.stop_strings))})


def _is_backward(recipe: str, folder: Path) -> bool:
    """What a recipe says of the direction; one that cannot be read says nothing."""
    try:
        told = read_value(recipe, "recipe.yaml", folder)
    except UserError:
        return False
    objective = told.get("objective") if isinstance(told, dict) else None
    return isinstance(objective, dict) and objective.get("direction") == "backward"


def _answered(one: Generation) -> Generation:
    """A generation without the space that parts it from its frame."""
    return replace(one, text=one.text.strip(), alternatives=tuple(map(_answered, one.alternatives)))


def _begun(pieces: Iterator[str]) -> Iterator[str]:
    """The same without the space at the beginning."""
    begun = False
    for piece in pieces:
        shown = piece if begun else piece.lstrip()
        begun = begun or bool(shown)
        if shown:
            yield shown


def _turned(one: Generation) -> Generation:
    """A generation out of the mirror, its tokens in the order of the text."""
    return replace(
        one,
        text=mirrored(one.text),
        tokens=one.tokens[::-1],
        prompt_tokens=one.prompt_tokens[::-1],
        alternatives=tuple(map(_turned, one.alternatives)),
    )


def _turned_score(one: Score) -> Score:
    return Score(mirrored(one.text), one.tokens[::-1], one.logps[::-1])
