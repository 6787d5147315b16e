"""Settings: what a recipe may say, how it is read with its overrides, and how it is written back."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema
from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from glassformer.base import plugins
from glassformer.base.complaint import complain
from glassformer.base.errors import UserError
from glassformer.base.tree import Keys, Place, Tree, Written, overlay, read_file, read_value, split_setting

S = TypeVar("S", bound="Settings")

_PREFIX = "GLASSFORMER_"
GENERATED = "generated:"
"""What the name of a text begins with that the package writes itself (``data.generated``)."""
HUB = "hf://"
"""What the address of a model folder on the Hugging Face hub begins with (``hub.remote``)."""
PACKAGE = "package:"
"""What the name of a model folder in an installed package begins with (``hub.installed``)."""
_DATA = "GLASSFORMER_DATA"


def _strict_numbers(schema: Any) -> Any:
    """Make every number and truth value in a schema strict; containers stay lenient: YAML has no tuples."""
    if isinstance(schema, dict):
        left = ("default", "metadata", "serialization")
        changed = {key: value if key in left else _strict_numbers(value) for key, value in schema.items()}
        return (
            {**changed, "strict": True} if schema.get("type") in ("int", "float", "bool", "str") else changed
        )
    if isinstance(schema, list):
        return [_strict_numbers(part) for part in schema]
    return schema


class Settings(BaseModel):
    """The base of everything a recipe can hold: unchangeable, no unknown keys, no silent conversions.

    ``"3"`` and ``3.0`` are not whole numbers and ``"yes"`` is not true; a whole number is accepted where a
    number is asked for, a list where a tuple is. Infinity and NaN are refused. Checks of one's own raise
    ValueError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        strict: CoreSchema = _strict_numbers(handler(source))
        return strict

    @model_validator(mode="before")
    @classmethod
    def _remember_fields(cls, data: Any, info: ValidationInfo) -> Any:
        """Note which settings a mapping was read as, so that an error can suggest the key that was meant."""
        if info.context is not None and isinstance(data, dict):
            info.context["fields"][id(data)] = tuple(cls.model_fields)
        return data


@dataclass(frozen=True)
class Choice:
    """Marks a field that picks a plug-in of a room: ``model: Annotated[Settings, Choice("models")]``.

    It is written ``{name: gpt, dim: 64}`` or just ``gpt``, and becomes that plug-in's ``Config``. When the
    plug-in has ``PRESETS``, a key ``preset`` lays that preset under the keys given. ``default`` is the name
    when none is given.
    """

    room: str
    default: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read by ``read``; written completely, as the chosen plug-in's own settings."""
        write = core_schema.plain_serializer_function_ser_schema(_write, info_arg=True)
        return core_schema.with_info_plain_validator_function(self.read, serialization=write)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """One of the plug-ins of the room, for the completion of an editor."""
        known = plugins.names(self.room)
        return {"oneOf": [{"enum": list(known)}, *(self._schema_of(name, handler) for name in known)]}

    def _schema_of(self, name: str, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        module = plugins.find(self.room, name)
        full = dict(handler.resolve_ref_schema(handler(module.Config.__pydantic_core_schema__)))
        properties = {**full.get("properties", {}), "name": {"const": name}}
        required = (
            {"name", *full.get("required", ())} if self.default is None else set(full.get("required", ()))
        )
        if presets := getattr(module, "PRESETS", None):
            properties["preset"] = {"enum": list(presets)}
            required &= {"name"}
        return {**full, "properties": properties, "required": sorted(required)}

    def read(self, value: Any, info: ValidationInfo) -> Settings:
        """The chosen plug-in's settings; raises what pydantic reports as an error at this field."""
        if isinstance(value, Settings):
            return self._accept(value)
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, dict):
            raise PydanticCustomError("choice", "expected a name or keys and values with a 'name'")
        name = given.get("name", self.default)
        if not isinstance(name, str):
            known = ", ".join(plugins.names(self.room))
            _refuse("name", f"expected the name of one of {self.room}: {known}", name)
        try:
            module = plugins.find(self.room, str(name))
        except UserError as error:
            _refuse("name", str(error), name)
        if info.context is not None:
            presets = ("preset",) if hasattr(module, "PRESETS") else ()
            info.context["fields"][id(given)] = (*module.Config.model_fields, *presets)
        full = {**_under_preset(given, module), "name": str(name)}
        chosen: Settings = module.Config.model_validate(full, context=info.context)
        return chosen

    def _accept(self, value: Settings) -> Settings:
        """Settings made in Python, if they belong to the room."""
        if type(value).__module__.startswith(f"{plugins.PACKAGE}.{self.room}."):
            return value
        raise PydanticCustomError(
            "choice", f"expected settings of one of {self.room}, got {type(value).__name__}"
        )


def _write(value: Settings, info: core_schema.SerializationInfo) -> dict[str, Any]:
    return value.model_dump(mode=info.mode)


def _under_preset(given: dict[str, Any], module: Any) -> dict[str, Any]:
    presets: dict[str, dict[str, Any]] = getattr(module, "PRESETS", {})
    if "preset" not in given or not presets:
        return given
    preset = given["preset"]
    if not isinstance(preset, str) or preset not in presets:
        hint = plugins.suggest(str(preset), presets) or f"; known are {', '.join(presets)}"
        _refuse("preset", f"unknown preset '{preset}'{hint}", preset)
    return overlay(presets[preset], {key: value for key, value in given.items() if key != "preset"})


def _refuse(key: str, sentence: str, value: Any) -> NoReturn:
    """Report an error at a key inside the value being read."""
    error = PydanticCustomError("choice", "{sentence}", {"sentence": sentence})
    raise ValidationError.from_exception_data(
        "Choice", [InitErrorDetails(type=error, loc=(key,), input=value)]
    )


def _locate(value: Any, info: ValidationInfo) -> Any:
    """Resolve a path against the folder it was written in; text made in Python has none and stays so."""
    if not isinstance(value, str):
        return value
    environ = info.context["environ"] if info.context else os.environ
    folder = value.folder if isinstance(value, Written) else None
    whole = _resolve(str(value), folder, environ)
    if "+" in value and not os.path.exists(whole):  # noqa: PTH110 - unlike Path.exists, never raises
        first, *others = value.split("+")
        begin = _resolve(first, folder, environ)
        # What has no folder of its own lies beside the first.
        beside = None if folder is None else Path(begin).parent
        rest = (_resolve(one, beside if Path(one).name == one else folder, environ) for one in others)
        return "+".join([begin, *rest])
    return whole


def _resolve(text: str, folder: Path | None, environ: Mapping[str, str]) -> str:
    if text in ("", "-") or text.startswith((GENERATED, HUB, PACKAGE)):
        return text
    for spelling in (f"${_DATA}", f"${{{_DATA}}}"):
        if text == spelling or text.startswith(spelling + "/"):
            return str(_data_folder(environ) / text[len(spelling) :].lstrip("/"))
    path = Path(os.path.expanduser(text) if text.startswith("~/") else text)  # noqa: PTH111 - never raises
    return str(path if folder is None else Path(os.path.normpath(folder / path)))


def _data_folder(environ: Mapping[str, str]) -> Path:
    if environ.get(_DATA):
        return Path(environ[_DATA]).absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder.parent / "shared" / "data").is_dir():
            return folder.parent / "shared" / "data"
    raise PydanticCustomError(
        "data_folder", f"the environment variable {_DATA} is not set; set it to your data folder"
    )


DataPath = Annotated[str, BeforeValidator(_locate)]
"""A path in a recipe: relative to the recipe file, or on the command line to the working folder.

``-`` (standard input), ``generated:NAME``, ``hf://owner/name`` and ``package:NAME`` stay, ``a.ko+a.en`` is
two paths, and a leading ``$GLASSFORMER_DATA/`` is replaced by that environment variable, or by
``shared/data`` next to the working folder or one of its parents.
"""


def load(
    schema: type[S],
    path: Path | None,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
    *,
    over: Tree | None = None,
) -> S:
    """Read settings: defaults, the recipe, ``GLASSFORMER_A__B=…``, then ``a.b=c``, the later one winning.

    What is ``over`` the recipe is laid on it first, with places of its own. Values of the environment and of
    overrides are YAML 1.2. Raises UserError with one sentence that begins with ``recipe.yaml:12:`` or with
    the override at fault.
    """
    fields: dict[int, tuple[str, ...]] = {}
    tree = Tree()
    try:
        tree = _written(schema, path, overrides, environ, over)
        return schema.model_validate(tree.values, context={"environ": environ, "fields": fields})
    except ValidationError as error:
        raise UserError(_one_line(complain(error, tree, fields))) from None
    except UserError as error:
        raise UserError(_one_line(str(error))) from None


def written_at(
    schema: type[Settings],
    path: Path | None,
    keys: Keys,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Where a setting was written that turns out later not to fit: ``recipe.yaml:7``, or the override."""
    place = _written(schema, path, overrides, environ).place(keys)
    return str(path) if place is None else place.label


def _one_line(text: str) -> str:
    """What was typed may hold newlines and control characters; a message about it does not."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _written(
    schema: type[Settings],
    path: Path | None,
    overrides: Sequence[str],
    environ: Mapping[str, str],
    over: Tree | None = None,
) -> Tree:
    """The recipe with what is over it, the environment and the overrides."""
    tree = Tree() if path is None else read_file(path)
    shorthand = frozenset(_choices(schema))
    if over is not None:
        tree.lay(over, shorthand)
    for name, keys in _from_environment(schema, environ):
        _put(tree, keys, environ[name], f"environment: '{name}={environ[name]}'", shorthand)
    for setting in overrides:
        keys, text = split_setting(setting)
        _put(tree, keys, text, f"command line: '{setting}'", shorthand)
    return tree


def _put(tree: Tree, keys: list[str], text: str, label: str, shorthand: frozenset[Keys]) -> None:
    tree.put(keys, read_value(text, label, Path.cwd()), Place(label, names_key=True), shorthand)


def _from_environment(schema: type[Settings], environ: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Variables that name a dotted key of this schema; others that begin alike belong to someone else."""
    for name in sorted(environ):
        keys = name.removeprefix(_PREFIX).lower().split("__")
        if name.startswith(_PREFIX) and len(keys) > 1 and all(keys) and keys[0] in schema.model_fields:
            yield name, keys


def _choices(schema: type[Settings], above: Keys = ()) -> Iterator[Keys]:
    """The keys at which a bare plug-in name may stand."""
    for name, info in schema.model_fields.items():
        keys = (*above, name)
        parts = list(_parts(info.annotation))
        if any(isinstance(part, Choice) for part in (*info.metadata, *parts)):
            yield keys
        for part in parts:
            if isinstance(part, type) and issubclass(part, Settings) and len(keys) < 8:
                yield from _choices(part, keys)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    if get_origin(annotation) is not None:
        for part in get_args(annotation):
            yield from _parts(part)


class _Representer(SafeRepresenter):
    """Writes plain lists on one line, and text that is not all printable between double quotes."""

    def represent_str(self, data: str) -> Any:
        """The text as a node, in the style that reads back the same."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')

    def represent_list(self, data: list[Any]) -> Any:
        """The list as a node, on one line unless it holds lists or mappings."""
        plain = not any(isinstance(item, list | dict) for item in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)


_Representer.add_representer(str, _Representer.represent_str)
_Representer.add_representer(list, _Representer.represent_list)


def dump(settings: Settings) -> str:
    """The settings as YAML with every value written out; ``load`` reads it back to an equal object."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 110
    stream = StringIO()
    yaml.dump(settings.model_dump(mode="json"), stream)
    return stream.getvalue()


def schema_json(schema: type[Settings]) -> str:
    """The JSON schema of a recipe, with every plug-in's own settings, for completion in an editor."""
    return json.dumps(schema.model_json_schema(), indent=2, ensure_ascii=False)
