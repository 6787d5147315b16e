"""The continuous bag of words: the mean of the words around a place tells the word that stands there."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

from glassformer.objectives import sampled
from glassformer.objectives.neighbours import Neighbours, WindowConfig
from glassformer.text.tokenizer import TokenizerPair


class Config(WindowConfig):
    """See ``WindowConfig``; an answer is a word that has others in its window.

    Of the gradient of their mean each of the n words around gets its share, 1/n, as the formula says; with
    ``whole`` each gets all of it, as in the authors' program and in gensim, so that words around move about
    ``window`` + 1 times as fast (İrsoy et al. 2021).
    """

    name: Literal["cbow"] = "cbow"
    whole: bool = False


class Objective(Neighbours):
    """The summed loss of all words that have others around them (Mikolov et al. 2013a, §3.1)."""

    skips: ClassVar[bool] = False
    noise: ClassVar[int] = 8

    def __init__(self, config: Any, *, numbers: Any, tokenizers: TokenizerPair | None) -> None:
        super().__init__(config, numbers=numbers, tokenizers=tokenizers)
        self.form = partial(sampled.cbow, whole=config.whole)
