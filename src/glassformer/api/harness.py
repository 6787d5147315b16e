"""A model from here under lm-evaluation-harness: the three questions it asks, answered by a model folder."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassformer.api.generator import Generator
from glassformer.api.loading import load
from glassformer.api.opened import choose
from glassformer.base import report
from glassformer.base.errors import UserError
from glassformer.decode.choices import Asked, foretold
from glassformer.decode.settings import Decoding

NAME = "glassformer"
"""What ``lm_eval --model`` calls it."""

MOST = 256
"""How many tokens are written where a task does not say it; it is what the harness does for transformers."""

KNOWN = ("do_sample", "temperature", "top_k", "top_p", "num_beams", "repetition_penalty", "length_penalty")
"""What of a task's ``generation_kwargs`` is passed on under its own name."""


@dataclass(frozen=True)
class Wish:
    """A text that is to be written after a context: where it stops, its length, and what else is asked."""

    context: str
    stops: tuple[str, ...]
    most: int
    others: Mapping[str, Any]

    def settings(self, usual: Decoding) -> Decoding:
        """The same as settings of decoding; UserError for what cannot be."""
        drawn = bool(self.others.get("do_sample"))
        left = () if drawn else ("do_sample", "temperature", "top_k", "top_p")
        asked = {name: self.others[name] for name in KNOWN if name in self.others and name not in left}
        stops = [stop for stop in self.stops if stop]
        plain = {"num_beams": 1, "do_sample": False, "stop_strings": stops, "max_new_tokens": self.most}
        return choose(usual, plain | asked)


class Answers:
    """What a harness wants to know of a model: texts in tokens, likelihoods of continuations, texts written.

    Tokens are cut and put together as the harness does it for models of transformers, so that both give the
    same figures.
    """

    def __init__(self, opened: Generator) -> None:
        if opened.backward:
            raise UserError(f"{opened.folder}: this model reads from the end; take one that reads forward")
        self.opened = opened
        self.tokenizer = opened.tokenizers.target
        self.model: Any = opened.model
        numbers: Any = self.model.config
        self.longest: int = numbers.max_length
        self.prefix: int = self.tokenizer.bos_id
        self.end: int = numbers.eos_id

    def encode(self, text: str, special: bool | None = None) -> list[int]:
        """The ids of a text behind the tokenizer's opening, unless the text begins with that itself."""
        ids = self.tokenizer.encode_batch([text])[0]
        if special is None:
            special = not text.startswith(self.tokenizer.pieces([self.prefix])[0] or "\0")
        return [*self.tokenizer.opening, *ids] if special else ids

    def likelihoods(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[tuple[float, bool]]:
        """How likely each continuation is after its context, and whether each of its tokens is the likeliest.

        What is too long for the model loses its beginning. Raises UserError for a continuation that is longer
        than the model.
        """
        asked: dict[tuple[int, ...], dict[tuple[int, ...], int]] = {}
        places = []
        for context, continuation in pairs:
            if not 0 < len(continuation) <= self.longest:
                raise UserError(
                    f"a continuation of {len(continuation)} tokens is longer than the model, {self.longest}"
                )
            kept = tuple(context[-(self.longest + 1 - len(continuation)) :])
            tails = asked.setdefault(kept, {})
            places.append((kept, tails.setdefault(tuple(continuation), len(tails))))
        rows = [
            Asked(("",) * len(tails), kept, tuple(tails), tuple(map(len, tails)))
            for kept, tails in asked.items()
        ]
        with report.progress(len(rows), "likelihoods", brief=True) as bar:
            found = foretold(self.model, rows, device=self.opened.device, on_progress=bar.advance)
        by_context = dict(zip(asked, found, strict=True))
        answers = (by_context[kept][number] for kept, number in places)
        return [(sum(one.logps), all(one.likeliest)) for one in answers]

    def write(self, wishes: Sequence[Wish]) -> list[str]:
        """What is written for each wish, up to a stop string; the likeliest token each time unless asked.

        A context that leaves no room loses its beginning.
        """
        groups: dict[str, list[int]] = {}
        for place, wish in enumerate(wishes):
            groups.setdefault(repr((wish.stops, wish.most, sorted(wish.others.items()))), []).append(place)
        found = [""] * len(wishes)
        with report.progress(len(wishes), "writing", brief=True) as bar:
            for places in groups.values():
                contexts = [wishes[place].context for place in places]
                settings = wishes[places[0]].settings(self.opened.decoding)
                told = self.opened.generations(contexts, settings, too_long="cut", on_progress=bar.advance)
                for place, one in zip(places, told, strict=True):
                    found[place] = one.text
        return found


def register() -> type[Any]:
    """Makes the harness know models from here, as ``glassformer``, and gives the class; once is enough.

    >>> from glassformer.api.harness import register                                # doctest: +SKIP
    >>> register()                                                                  # doctest: +SKIP
    >>> lm_eval.simple_evaluate(model="glassformer", model_args="pretrained=runs/gpt", tasks=["piqa"])
    ...                                                                             # doctest: +SKIP

    Raises UserError where ``lm_eval`` is not installed.
    """
    try:
        from lm_eval.api.registry import model_registry
    except ImportError as error:
        raise UserError(
            f"the package {error.name!r} is not installed; pip install 'glassformer[harness]'"
        ) from None
    if NAME not in model_registry:
        model_registry.register(NAME)(_adapter())
    found: type[Any] = model_registry.get(NAME)
    return found


def _adapter() -> type[Any]:
    """The harness's own class of models whose texts are put together as those of transformers."""
    from lm_eval.api.model import TemplateLM
    from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

    class Harness(TemplateLM):  # type: ignore[misc]
        """A model folder (``pretrained``), as the harness asks for it."""

        def __init__(
            self, pretrained: str, device: str | None = None, dtype: Any = "auto", **rest: Any
        ) -> None:
            super().__init__()
            if unknown := sorted(set(rest) - {"batch_size", "max_batch_size"}):
                raise UserError(
                    f"unknown model argument {unknown[0]!r}; known are pretrained, device and dtype"
                )
            self.answers = Answers(load(pretrained, able="generates", device=device or "auto", dtype=dtype))

        eot_token_id = property(lambda self: self.answers.end)
        prefix_token_id = property(lambda self: self.answers.prefix)
        tokenizer_name = property(lambda self: self.answers.tokenizer.fingerprint)

        def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
            return self.answers.encode(string, add_special_tokens)

        def _loglikelihood_tokens(self, requests: Any, **_: Any) -> list[tuple[float, bool]]:
            found = self.answers.likelihoods([(context, after) for _, context, after in requests])
            for (asked, _, _), answer in zip(requests, found, strict=True):
                self.cache_hook.add_partial("loglikelihood", asked, answer)
            return found

        def loglikelihood_rolling(self, requests: Any, **_: Any) -> list[float]:
            def windows(text: str) -> list[tuple[list[int], list[int]]]:
                ids, longest = self.tok_encode(text), self.answers.longest
                return [
                    *map(
                        make_disjoint_window, get_rolling_token_windows(ids, self.answers.prefix, longest, 1)
                    )
                ]

            return [
                math.fsum(logp for logp, _ in self.answers.likelihoods(windows(*one.args)))
                for one in requests
            ]

        def generate_until(self, requests: Any, **_: Any) -> list[str]:
            asked = []
            for context, settings in (one.args for one in requests):
                wanted = dict(normalize_gen_kwargs(settings, MOST))
                stops = handle_stop_sequences(wanted.pop("until"), eos=None)
                asked.append(Wish(context, tuple(stops), wanted.pop("max_gen_toks"), wanted))
            return self.answers.write(asked)

    return Harness


def main() -> None:
    """The harness's own command line, which then knows ``--model glassformer``."""
    register()
    from lm_eval.__main__ import cli_evaluate

    sys.argv[0] = "lm_eval"
    cli_evaluate()


if __name__ == "__main__":
    main()
