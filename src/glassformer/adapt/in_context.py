"""Learning in context: a model is shown some examples and asked for a label; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field, field_validator

from glassformer.adapt.examples import Chosen
from glassformer.adapt.template import Template
from glassformer.base.config import Settings
from glassformer.decode.choices import Question
from glassformer.decode.score import Score

Measure = Literal["sum", "token", "character"]
Calibration = Literal["none", "contextual", "domain"]

Table = Float[np.ndarray, "questions labels"]


class Config(Settings):
    """How a task is put into words (``adapt: {name: in_context}``, or the keys of a task's own file).

    ``labels`` gives each label of the data its words, ``{"0": bad, "1": good}``; without any the answer is
    written freely and must be the label's text. ``choice`` says which examples are shown, ``vary`` whether
    their order alone changes from one run to the next or also which they are. ``score`` is how the tokens of
    a label's words become one number, ``calibration`` what it is corrected by: ``contextual`` by what the
    model says of ``content_free`` examples, ``domain`` by how likely the words are after ``premise``, which
    is what the template has right before the label unless it is given.
    """

    name: Literal["in_context"] = "in_context"
    template: str = Field(min_length=1)
    labels: dict[str, str] = Field(default_factory=dict)
    instruction: str = ""
    separator: str = "\n\n"
    choice: Chosen = "balanced"
    vary: Literal["order", "examples"] = "order"
    score: Measure = "sum"
    calibration: Calibration = "none"
    content_free: tuple[str, ...] = Field(("N/A", "", "[MASK]"), min_length=1)
    premise: str | None = None

    @field_validator("template")
    @classmethod
    def _is_one(cls, written: str) -> str:
        if not Template(written).fields:
            raise ValueError("the template names no field of the data; write one in braces, such as {text}")
        return written

    @field_validator("labels")
    @classmethod
    def _tell_apart(cls, words: dict[str, str]) -> dict[str, str]:
        for label, word in words.items():
            if not word.strip():
                raise ValueError(f"the label {label!r} has no words; give it some")
            twin = next(other for other, same in words.items() if same.strip() == word.strip())
            if twin != label:
                raise ValueError(f"the labels {twin!r} and {label!r} have the same words, {word.strip()!r}")
        if len(words) == 1:
            raise ValueError("only one label has words; telling apart needs two")
        return words

    @property
    def prompting(self) -> Prompting:
        """The same, ready to write prompts."""
        return Prompting(Template(self.template), self.labels, self.instruction, self.separator)


@dataclass(frozen=True, slots=True)
class Case:
    """One example: its fields, its label, and where it stands."""

    fields: Mapping[str, str]
    label: str
    where: str = ""


@dataclass(frozen=True)
class Prompting:
    """How examples are shown and a question is asked (Brown et al. 2020, §2).

    ::

        instruction
        separator   template with a shown example and the word of its label
        separator   …
        separator   template with the asked example, up to the label

    ``words`` are what stands for each label (Schick & Schütze 2021, where they are called verbalizers); a
    label without one stands for itself.
    """

    template: Template
    words: Mapping[str, str] = field(default_factory=dict)
    instruction: str = ""
    separator: str = "\n\n"

    def context(self, shown: Sequence[Case], fields: Mapping[str, str]) -> str:
        """All that stands before the answer."""
        return "".join([*self._shown(shown), self.template.before(fields)])

    def question(self, shown: Sequence[Case], fields: Mapping[str, str]) -> Question:
        """The context, and for every label its word with what the template has behind it."""
        after = self.template.after(fields)
        return Question(self.context(shown, fields), tuple(word + after for word in self.words.values()))

    def cloze(self, shown: Sequence[Case], fields: Mapping[str, str]) -> tuple[str, str]:
        """What stands before the answer and behind it, for a model that reads from both sides."""
        return self.context(shown, fields), self.template.after(fields)

    def _shown(self, shown: Sequence[Case]) -> list[str]:
        texts = [self.template.whole(one.fields, self.words.get(one.label, one.label)) for one in shown]
        return [text + self.separator for text in ([self.instruction] if self.instruction else []) + texts]


def premise(lead: str) -> Template:
    """A template of a question's own words alone, with no field."""
    return Template(lead.replace("{", "{{").replace("}", "}}") + "{label}")


def free(template: Template, content: str) -> dict[str, str]:
    """The fields of an example without content, such as ``N/A`` in each (Zhao et al. 2021, §5)."""
    return dict.fromkeys(template.fields, content)


def table(scores: Sequence[Sequence[Score]], measure: Measure = "sum") -> Table:
    """A number for each question and label: the log-probability of its word, in nats.

    ``sum`` is that of all its tokens, ``token`` their mean and ``character`` the sum over its characters,
    which compares words of unlike length.
    """
    return np.array([[one.logp / _size(one, measure) for one in row] for row in scores], dtype=np.float64)


def _size(one: Score, measure: Measure) -> int:
    return {"sum": 1, "token": len(one.tokens), "character": len(one.text)}[measure]


def contextual(scores: Table, empty: Float[np.ndarray, "sets inputs labels"]) -> Table:
    """Scores corrected by what the model says of examples without content.

        q = W p,   W = diag(p_cf)⁻¹                                       (Zhao et al. 2021, §5)

    p are the shares of the labels of a question and p_cf those of the content-free inputs, in the mean. Given
    are logarithms: log p - log p_cf. There is one set of inputs for all questions, or one for each.
    """
    return _logs(scores) - np.log(np.exp(_logs(empty)).mean(axis=1))


def domain(scores: Table, premise: Float[np.ndarray, "1 labels"]) -> Table:
    """Scores less those that the words have after the question's own words alone, without the example.

    PMI_DC(y, x) = log p(y | x) - log p(y | domain premise)           (Holtzman et al. 2021, §3)
    """
    return scores - premise


def shares(scores: Table) -> Table:
    """The probabilities of the labels among themselves."""
    found: np.ndarray = np.exp(_logs(scores))
    return found


def _logs(scores: np.ndarray) -> np.ndarray:
    top = scores.max(axis=-1, keepdims=True)
    found: np.ndarray = scores - top - np.log(np.exp(scores - top).sum(axis=-1, keepdims=True))
    return found
