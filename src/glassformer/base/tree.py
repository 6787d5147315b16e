"""YAML 1.2 text as a plain tree of values that remembers, for every key, the place it was written at."""

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from glassformer.base.errors import UserError

Keys = tuple[str | int, ...]

# A recipe is a page of text. Anything beyond these bounds is the wrong file, or aliases that multiply.
MOST_BYTES = 1 << 20
MOST_VALUES = 20_000
DEEPEST = 32

_TAG = "tag:yaml.org,2002:"
_KEY = re.compile(r"[^.=\s]+(\.[^.=\s]+)*")


class Written(str):
    """Text that remembers the folder its relative paths start from."""

    __slots__ = ("folder",)
    folder: Path

    @classmethod
    def at(cls, text: str, folder: Path) -> "Written":
        """``text`` as it was written in ``folder``."""
        written = cls(text)
        written.folder = folder
        return written


@dataclass(frozen=True)
class Place:
    """Where a value was written: ``recipe.yaml:7``, or ``command line: 'a.b=c'``, which names its own key."""

    label: str
    names_key: bool = False


@dataclass
class Tree:
    """Nested dicts, lists and scalars, and the place of each by its keys."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Keys, Place] = field(default_factory=dict)

    def place(self, keys: Keys) -> Place | None:
        """The place of these keys, or of the nearest key around them that was written."""
        for length in range(len(keys), -1, -1):
            if keys[:length] in self.places:
                return self.places[keys[:length]]
        return None

    def below(self, keys: Keys) -> "Tree":
        """What stands at these keys as a tree of its own; an empty one where nothing does."""
        here: Any = self.values
        for key in keys:
            here = here[key]
        places = {at[len(keys) :]: place for at, place in self.places.items() if at[: len(keys)] == keys}
        return Tree(here or {}, places)

    def lay(self, over: "Tree", shorthand: frozenset[Keys] = frozenset()) -> None:
        """Lay another tree over this one, value by value."""
        for keys, value in _leaves(over.values, ()):
            place = over.place(keys) or Place("")
            self.put([str(key) for key in keys], value, place, shorthand)

    def put(
        self, keys: Sequence[str], value: Any, place: Place, shorthand: frozenset[Keys] = frozenset()
    ) -> None:
        """Write ``value`` over what is at ``keys``; keys in ``shorthand`` may hold a bare plug-in name."""
        here: Any = self.values
        done: list[str | int] = []
        for key in keys[:-1]:
            here, done = self._step(here, key, done, place, shorthand)
        _, last = _step_key(here, keys[-1], done, place)
        here[last] = value
        path = (*done, last)
        for old in [old for old in self.places if old[: len(path)] == path]:
            del self.places[old]
        self.places[path] = place

    def _step(
        self, here: Any, key: str, done: list[str | int], place: Place, shorthand: frozenset[Keys]
    ) -> tuple[Any, list[str | int]]:
        """Go one key down, making the mapping that is missing there."""
        exists, at = _step_key(here, key, done, place)
        path = [*done, at]
        if not exists or here[at] is None:
            here[at] = {}
            self.places[tuple(path)] = Place(place.label)
        elif isinstance(here[at], str) and tuple(path) in shorthand:
            here[at] = {"name": here[at]}
        if not isinstance(here[at], dict | list):
            raise UserError(
                f"{place.label}: '{dotted(tuple(path))}' is {here[at]!r}, which has no keys inside it"
            )
        return here[at], path


def _leaves(values: dict[str, Any], above: Keys) -> Iterator[tuple[Keys, Any]]:
    """What stands at every key that holds no mapping with keys of its own."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _step_key(here: Any, key: str, done: list[str | int], place: Place) -> tuple[bool, str | int]:
    """Whether ``key`` exists in ``here``, and the key itself (a number when ``here`` is a list)."""
    if isinstance(here, dict):
        return key in here, key
    if key.isdecimal() and int(key) < len(here):
        return True, int(key)
    items = f"'{dotted(tuple(done))}' is a list of {len(here)}"
    raise UserError(f"{place.label}: {items}; name an item by a number from 0 to {len(here) - 1}")


def dotted(keys: Keys) -> str:
    """``("optim", "betas", 0)`` as ``optim.betas.0``."""
    return ".".join(str(key) for key in keys)


def read_file(path: Path) -> Tree:
    """The tree of a recipe file; UserError with file and line for anything that is not a YAML 1.2 mapping."""
    reader = _Reader(str(path), path.absolute().parent)
    node = reader.compose(_text(path))
    if node is None or (isinstance(node, ScalarNode) and not node.value):
        raise UserError(
            f"{path}: the recipe is empty; write keys and values, for example 'train: {{steps: 1000}}'"
        )
    if not isinstance(node, MappingNode):
        kind = "a list" if isinstance(node, SequenceNode) else "a single value"
        raise UserError(
            f"{path}:{node.start_mark.line + 1}: a recipe holds keys and values, but this file holds {kind}"
        )
    values = reader.value(node, ())
    return Tree(values, {**reader.places, (): Place(str(path))})


def read_value(text: str, label: str, folder: Path) -> Any:
    """The value of a setting on the command line or in the environment, read as YAML 1.2."""
    reader = _Reader(label, folder, lines=False)
    node = reader.compose(text)
    return None if node is None else reader.value(node, ())


def split_setting(setting: str) -> tuple[list[str], str]:
    """``a.b=c`` as keys and text; raises UserError when it is not written so."""
    key, equals, text = setting.partition("=")
    if not equals:
        raise UserError(
            f"command line: '{setting}': a setting is written key=value, for example train.steps=100"
        )
    if not _KEY.fullmatch(key):
        advice = "keys are names joined by dots, as in train.steps"
        raise UserError(f"command line: '{setting}': '{key}' is not a key; {advice}")
    return key.split("."), text


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise UserError(f"{path}: is a folder; name the recipe file in it")
        if path.exists() and path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path}: is larger than a recipe can be (1 MiB); is this the right file?")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such recipe file") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        bad = error.object[error.start]
        raise UserError(
            f"{path}:{line}: not valid UTF-8 (byte 0x{bad:02x}); save the recipe as UTF-8"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{path}: cannot be read: {reason}") from None


class _Reader:
    """Turns the nodes of one YAML text into values, within the bounds above."""

    def __init__(self, label: str, folder: Path, *, lines: bool = True) -> None:
        self.label, self.folder, self.lines = label, folder, lines
        self.places: dict[Keys, Place] = {}
        self.count = 0

    def place(self, node: Node) -> str:
        return f"{self.label}:{node.start_mark.line + 1}" if self.lines else self.label

    def compose(self, text: str) -> Node | None:
        try:
            with warnings.catch_warnings():
                # YAML lets a later anchor take the name of an earlier one.
                warnings.simplefilter("ignore", ReusedAnchorWarning)
                node: Node | None = YAML(typ="safe", pure=True).compose(text)
        except RecursionError:
            raise UserError(f"{self.label}: nested too deeply to be a recipe") from None
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{self.label}:{mark.line + 1}" if mark and self.lines else self.label
            problem = " ".join(str(error.problem or error.context).split())
            raise UserError(f"{where}: not valid YAML: {problem}") from None
        except ReaderError as error:
            where = f"{self.label}:{text.count(chr(10), 0, error.position) + 1}" if self.lines else self.label
            raise UserError(f"{where}: not valid YAML: a control character stands here") from None
        except (YAMLError, ValueError) as error:
            raise UserError(f"{self.label}: not valid YAML: {' '.join(str(error).split())}") from None
        return node

    def value(self, node: Node, keys: Keys) -> Any:
        self.count += 1
        if self.count > MOST_VALUES or len(keys) > DEEPEST:
            what = "nested too deeply" if len(keys) > DEEPEST else "holds too many values (aliases multiply)"
            raise UserError(f"{self.place(node)}: {what} to be a recipe")
        if isinstance(node, MappingNode):
            return self.mapping(node, keys)
        if isinstance(node, SequenceNode):
            return [self.item(item, (*keys, index)) for index, item in enumerate(node.value)]
        return self.scalar(node)

    def item(self, node: Node, keys: Keys) -> Any:
        self.places[keys] = Place(self.place(node))
        return self.value(node, keys)

    def mapping(self, node: MappingNode, keys: Keys) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            where = self.place(key_node)
            if not isinstance(key_node, ScalarNode):
                raise UserError(f"{where}: a key is a name, not a list or mapping")
            key = str(key_node.value)
            if key == "<<" and key_node.style is None:
                raise UserError(f"{where}: merge keys ('<<') are not part of YAML 1.2; write the keys out")
            if key in values:
                first = self.places[(*keys, key)].label
                raise UserError(f"{where}: key '{dotted((*keys, key))}' appears twice; first at {first}")
            self.places[(*keys, key)] = Place(where)
            values[key] = self.value(value_node, (*keys, key))
        return values

    def scalar(self, node: Node) -> Any:
        tag, text = str(node.tag).removeprefix(_TAG), str(node.value)
        if tag in ("str", "timestamp", "value", "merge"):
            return Written.at(text, self.folder)
        if tag not in ("null", "bool", "int", "float"):
            raise UserError(
                f"{self.place(node)}: the tag '{node.tag}' is not allowed; a recipe holds plain values only"
            )
        try:
            return (
                _number(tag, text)
                if tag in ("int", "float")
                else {"null": None, "bool": text.lower() == "true"}[tag]
            )
        except (ValueError, OverflowError):
            shown = text if len(text) <= 40 else text[:37] + "..."
            raise UserError(f"{self.place(node)}: the number {shown} is too large or not a number") from None


def _number(tag: str, text: str) -> int | float:
    plain = text.replace("_", "").lower()
    if tag == "int":
        number = int(plain, 0) if re.match(r"[-+]?0[xob]", plain) else int(plain)
        if abs(number) >= 1 << 63:
            raise OverflowError
        return number
    value = float(plain.replace(".inf", "inf").replace(".nan", "nan"))
    if math.isinf(value) and "inf" not in plain:
        raise OverflowError
    return value


def overlay(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``under`` with ``over`` laid on top, mapping by mapping."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
