"""The options of decoding, which every verb that writes text has."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal

import typer

_SEARCH, _CHANCE = "Search (what is not given, the model folder says)", "Sampling instead of search"


def _whole(names: str, text: str, least: int, panel: str = _SEARCH) -> Any:
    return Annotated[
        int | None, typer.Option(*names.split(), min=least, metavar="N", help=text, rich_help_panel=panel)
    ]


def _number(name: str, text: str, panel: str, least: float | None = None, most: float | None = None) -> Any:
    option = typer.Option(name, metavar="X", help=text, rich_help_panel=panel, min=least, max=most)
    return Annotated[float | None, option]


# Each is called as in ``decode.settings.Decoding``, which also has the exact meaning.
DECODING: dict[str, Any] = {
    "num_beams": _whole("--num-beams", "Hypotheses kept at each step; 1 is greedy, the fastest.", 1),
    "num_return_sequences": _whole("--n-best", "How many texts for each line, at most --num-beams.", 1),
    "length_penalty": _number("--length-penalty", "Larger favours longer texts; 0: none.", _SEARCH),
    "min_new_tokens": _whole("--min-new-tokens", "The fewest tokens to write.", 0),
    "max_new_tokens": _whole("--max-new-tokens", "The most tokens to write.", 1),
    "no_repeat_ngram_size": _whole("--no-repeat-ngram-size", "No N tokens in a row occur twice; 0: may.", 0),
    "repetition_penalty": _number(
        "--repetition-penalty", "Above 1, what stood before becomes less likely.", _SEARCH, 1e-6
    ),
    "do_sample": Annotated[
        bool | None, typer.Option("--sample", help="Draw each token by chance.", rich_help_panel=_CHANCE)
    ],
    "temperature": _number("--temperature", "Below 1 plays safer, above 1 is bolder.", _CHANCE, 1e-6),
    "top_k": _whole("--top-k", "Draw from the N likeliest tokens; 0: from all.", 0, _CHANCE),
    "top_p": _number("--top-p", "Draw from the likeliest that hold this share.", _CHANCE, 1e-6, 1),
    "seed": _whole("--seed", "The only source of chance.", 0, _CHANCE),
}

# What only a text that is gone on with has.
GENERATION: dict[str, Any] = DECODING | {
    "stop_strings": Annotated[
        list[str] | None,
        typer.Option("--stop", metavar="TEXT", help="End before this; repeatable.", rich_help_panel=_SEARCH),
    ],
    "cache": Annotated[
        Literal["growing", "fixed"] | None,
        typer.Option(help="Whether memory grows or is sized at once.", rich_help_panel=_SEARCH),
    ],
}


def takes_decoding(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of decoding; those that were typed reach its ``decoding``, a dict."""
    return _widened(verb, DECODING)


def takes_generation(verb: Callable[..., None]) -> Callable[..., None]:
    """The same with the options of texts that are gone on with."""
    return _widened(verb, GENERATION)


def _widened(verb: Callable[..., None], options: dict[str, Any]) -> Callable[..., None]:
    @wraps(verb)
    def widened(**given: Any) -> None:
        settings = {name: given.pop(name) for name in options}
        verb(**given, decoding={name: value for name, value in settings.items() if value not in (None, [])})

    named = inspect.Parameter.KEYWORD_ONLY
    own = [one for one in inspect.signature(verb).parameters.values() if one.name != "decoding"]
    added = [inspect.Parameter(name, named, default=None, annotation=kind) for name, kind in options.items()]
    signature = inspect.Signature([*(one.replace(kind=named) for one in own), *added])
    widened.__signature__ = signature  # type: ignore[attr-defined]
    widened.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    return widened
