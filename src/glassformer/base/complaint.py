"""What pydantic found wrong, as one plain sentence that begins with the place where it was written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from glassformer.base.plugins import suggest
from glassformer.base.tree import Keys, Tree, dotted

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "keys and values",
    "mapping_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "none_required": "null",
    "path_type": "a path",
}

_MUST = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
}


@dataclass(frozen=True)
class _Fault:
    """One error: the keys in the tree it belongs to, where a union began on the way, and what is wrong."""

    keys: Keys
    union: Keys | None
    kind: str
    expected: str | None
    sentence: str
    value: Any


def complain(error: ValidationError, tree: Tree, fields: Mapping[int, Sequence[str]]) -> str:
    """The first error as one sentence with its place, and how many more there are."""
    faults = _without_repeats([_fault(details, tree, fields) for details in error.errors(include_url=False)])
    # A misspelt key is usually why another is missing, so it is told first.
    faults.sort(key=lambda fault: {"extra_forbidden": 0, "missing": 2}.get(fault.kind, 1))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return _located(faults[0], tree) + more


def _located(fault: _Fault, tree: Tree) -> str:
    keys = fault.keys[:-1] if fault.kind == "extra_forbidden" else fault.keys
    place = tree.place(fault.keys)
    named = place is not None and place.names_key and fault.keys in tree.places
    parts = [place.label if place else "", "" if named else dotted(keys), fault.sentence]
    return ": ".join(part for part in parts if part)


def _fault(details: Any, tree: Tree, fields: Mapping[int, Sequence[str]]) -> _Fault:
    kind, value = details["type"], details["input"]
    keys, union, holder = _walk(details["loc"], kind, tree.values)
    expected = _EXPECTED.get(kind)
    if kind == "extra_forbidden":
        options = fields.get(id(holder), ())
        hint = suggest(str(keys[-1]), options) or _listed(options)
        sentence = f"unknown key '{keys[-1]}'{hint}"
    elif kind == "missing":
        sentence = "is needed but missing"
    elif expected is not None:
        sentence = f"expected {expected}, got {_shown(value)}"
    elif kind == "literal_error":
        expected = str(details["ctx"]["expected"]).replace(" or ", ", ")
        options = [option.strip("'") for option in expected.split(", ")]
        expected = f"one of {expected}" if len(options) > 1 else expected
        sentence = f"expected {expected}, got {_shown(value)}{suggest(str(value), options)}"
    elif kind in _MUST:
        sentence = f"{_MUST[kind].format(**details['ctx'])}, got {_shown(value)}"
    else:
        sentence = _own_words(details)
    return _Fault(keys, union, kind, expected, sentence, value)


def _walk(location: Sequence[str | int], kind: str, values: Any) -> tuple[Keys, Keys | None, Any]:
    """The keys of pydantic's location that are in the tree; it names members of unions too, which are not."""
    keys: list[str | int] = []
    union: Keys | None = None
    here: Any = values
    holder: Any = values
    for index, part in enumerate(location):
        if _holds(here, part):
            holder, here = here, here[part]
            keys.append(part)
        elif kind == "missing" and index == len(location) - 1:
            keys.append(part)
        elif union is None:
            union = tuple(keys)
    return tuple(keys), union, holder


def _holds(here: Any, part: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(part, int) and part < len(here)
    return isinstance(here, dict) and part in here


def _without_repeats(faults: Sequence[_Fault]) -> list[_Fault]:
    """One fault for each union: the member that got furthest, or what all of them expected."""
    told: list[_Fault] = []
    done: set[Keys] = set()
    for fault in faults:
        if fault.union is None:
            told.append(fault)
        elif fault.union not in done:
            done.add(fault.union)
            told.append(_of_union([other for other in faults if other.union == fault.union]))
    return told


def _of_union(faults: Sequence[_Fault]) -> _Fault:
    deepest = max(len(fault.keys) for fault in faults)
    best = [fault for fault in faults if len(fault.keys) == deepest]
    expected = list(dict.fromkeys(fault.expected for fault in best if fault.expected))
    if len(expected) < 2 or any(fault.keys != best[0].keys for fault in best):
        return next((fault for fault in best if fault.expected is None), best[0])
    sentence = f"expected {' or '.join(expected)}, got {_shown(best[0].value)}"
    return _Fault(best[0].keys, best[0].union, best[0].kind, sentence, sentence, best[0].value)


def _own_words(details: Any) -> str:
    """The sentence of a check of ours (ValueError, custom error), or pydantic's for a kind not listed."""
    reason = details.get("ctx", {}).get("error")
    message = str(reason) if reason is not None and str(reason) else str(details["msg"])
    return (
        message
        if details["type"] in ("choice", "value_error", "data_folder")
        else message[:1].lower() + message[1:]
    )


def _listed(options: Sequence[str]) -> str:
    return f"; known here are {', '.join(options)}" if options else ""


def _shown(value: Any) -> str:
    """The value as a person would name it, cut to a readable length."""
    kinds: list[tuple[Any, Callable[[Any], str]]] = [
        (bool, lambda value: str(value).lower()),
        (type(None), lambda _: "nothing"),
        (dict, lambda _: "keys and values"),
        ((list, tuple), lambda value: f"a list of {len(value)}"),
    ]
    text = next((say(value) for kind, say in kinds if isinstance(value, kind)), repr(value))
    return text if len(text) <= 60 else text[:57] + "..."
