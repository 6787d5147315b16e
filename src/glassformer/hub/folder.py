"""The model folder: everything a model is, written so that a kill leaves it whole, and opened again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from glassformer.base import files, plugins
from glassformer.base.errors import UserError
from glassformer.hub import (
    adapters,
    gguf,
    gguf_config,
    gguf_vocabulary,
    heads,
    huggingface,
    installed,
    remote,
    vocabulary,
)
from glassformer.hub.blank import blank, undrawn
from glassformer.hub.card import plain_card
from glassformer.hub.manifest import (
    CARD,
    CONFIG,
    GENERATION,
    MANIFEST,
    RECIPE,
    as_json,
    check,
    check_replaceable,
    read_json,
    read_manifest,
    rewrite,
    write_manifest,
)
from glassformer.nn.adapter import adapter_of
from glassformer.nn.headed import Head
from glassformer.text import sentencepiece
from glassformer.text.tokenizer import SOURCE_STEM, TokenizerPair, load_pair

__all__ = [
    "CARD",
    "CONFIG",
    "GENERATION",
    "MANIFEST",
    "PREPROCESSOR",
    "RECIPE",
    "Loaded",
    "blank",
    "check",
    "check_replaceable",
    "generation_defaults",
    "load",
    "resolve",
    "save",
    "write_card",
    "write_config",
    "write_folder",
]

PREPROCESSOR = "preprocessor_config.json"


@dataclass(frozen=True)
class Loaded:
    """An opened model folder. ``tokenizers`` and ``recipe`` are None where the folder has none.

    ``written`` is its config.json, or what a GGUF file says in its place; ``generation`` is its
    generation_config.json, ``preprocessor`` what its images went through, None without images, and ``data``
    the fingerprints in its manifest.
    """

    model: nn.Module
    tokenizers: TokenizerPair | None
    config: Any
    folder: Path
    generation: dict[str, Any] = field(default_factory=dict)
    recipe: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    preprocessor: dict[str, Any] | None = None
    written: Mapping[str, Any] = field(default_factory=dict)


# --- out ---------------------------------------------------------------------------------------------------


def save(folder: Path, model: nn.Module, tokenizers: TokenizerPair | None, **contents: Any) -> None:
    """Write a whole model folder in one step: at every moment ``folder`` is the old one or the new one.

    ``contents`` is as for ``write_folder``. A folder that stands there is replaced only when everything in it
    was written with a model; UserError otherwise. Raises RunError when the disk refuses.
    """
    check_replaceable(folder)
    with files.building(folder) as new:
        write_folder(new, model, tokenizers, **contents)


def write_folder(
    folder: Path,
    model: nn.Module,
    tokenizers: TokenizerPair | None,
    *,
    card: str | None = None,
    recipe: str | None = None,
    generation: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    parents: Sequence[str] = (),
    preprocessor: Mapping[str, Any] | None = None,
    kept: Mapping[str, bytes] | None = None,
    dtype: torch.dtype = torch.float32,
    shard_bytes: int = huggingface.SHARD_BYTES,
) -> None:
    """Write a model's files into a folder that the caller has made, each whole or absent; the manifest last.

    ``card`` is the text of README.md and ``recipe`` of recipe.yaml; without a card one is written that says
    nothing was measured. ``generation`` is added to what the model's configuration says about decoding;
    ``data`` are fingerprints of what it was trained on and ``parents`` the models it was made from, for the
    manifest; ``preprocessor`` is what images go through before the model; ``kept`` are files by name that are
    written as they are, in place of the tokenizer's if that is among them. Raises RunError when the disk
    refuses, UserError when a weight is too large for ``dtype``.
    """
    config: Any = model.config
    module = plugins.find("models", config.name)
    written = heads.described(model)
    if dtype != torch.float32:
        written |= {"dtype": str(dtype).removeprefix("torch.")}
    if bent := adapter_of(model) is not None:
        adapters.write(folder, model)
    else:
        files.write_text(folder / CONFIG, as_json(written))
    _write_generation(folder, generation_defaults(written) if hasattr(model, "start") else {}, generation)
    if preprocessor is None and hasattr(module, "preprocessor"):
        preprocessor = module.preprocessor(config)
    if preprocessor is not None:
        files.write_text(folder / PREPROCESSOR, as_json(preprocessor))
    if not bent:
        weights = _rounded(huggingface.weights_of(model, heads.names_of(model)), dtype)
        huggingface.write(folder, weights, shard_bytes=shard_bytes)
    kept = kept or {}
    if tokenizers is not None and f"{SOURCE_STEM}.json" not in kept:
        tokenizers.save(folder)
    for name, content in kept.items():
        (folder / name).parent.mkdir(exist_ok=True)
        files.write_bytes(folder / name, content)
    if card is None:
        size = sum(weight.numel() for weight in model.parameters())
        abilities: Any = model.abilities
        bent_from = adapters.told_of(folder, model)
        card = plain_card(config.name, written, size, parents, abilities[0], bent=bent_from)
    files.write_text(folder / CARD, card)
    if recipe is not None:
        files.write_text(folder / RECIPE, recipe)
    write_manifest(folder, tokenizers, data or {}, parents)


def _write_generation(
    folder: Path, defaults: Mapping[str, Any], generation: Mapping[str, Any] | None
) -> None:
    settings = dict(defaults) | dict(generation or {})
    if settings.get("max_new_tokens") is not None:
        settings.pop("max_length", None)  # transformers warns of two limits
    if settings:
        files.write_text(folder / GENERATION, as_json(settings))


def _rounded(weights: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    rounded = {name: weight.to(dtype) for name, weight in weights.items()}
    for name, weight in rounded.items():
        if dtype == torch.float16 and not weight.isfinite().all():
            raise UserError(f"{name} holds numbers too large for float16; choose bfloat16 or float32")
    return rounded


def write_card(folder: Path, card: str) -> None:
    """Replace the model card of a folder, and its entry in the manifest, once the scores are known."""
    rewrite(folder, CARD, card)


def write_config(folder: Path, model: nn.Module) -> None:
    """Replace the configuration of a folder, and its entry in the manifest, once a head has learned more."""
    rewrite(folder, CONFIG, as_json(heads.described(model)))


def generation_defaults(written: Mapping[str, Any]) -> dict[str, Any]:
    """What ``transformers`` must know to decode as this model was trained, from the model's ``config.json``.

    Padding and the start token mean nothing in a text; they are forbidden, as in published Marian folders.
    """
    if written.get("eos_token_id") is None:
        return {}
    keys = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
    settings = {key: written[key] for key in keys if written.get(key) is not None}
    if written.get("is_encoder_decoder") and "max_position_embeddings" in written:
        settings["max_length"] = written["max_position_embeddings"]
    if written.get("is_encoder_decoder"):
        marks = {settings[key] for key in ("pad_token_id", "decoder_start_token_id") if key in settings}
        if never := sorted(marks.difference(_listed(settings["eos_token_id"]))):
            settings["bad_words_ids"] = [[token] for token in never]
    return settings


def _listed(ids: Any) -> list[int]:
    """End tokens as files say them: one, several, or none."""
    if isinstance(ids, list | tuple):
        return list(ids)
    return [] if ids is None else [ids]


# --- in ----------------------------------------------------------------------------------------------------


def load(
    folder: Path | str,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    verify: bool = False,
) -> Loaded:
    """Open a model folder of ours or of Hugging Face, the best model of a run, or a GGUF file, to be used.

    Weights stay mapped from the file until they are changed or converted. ``verify`` also compares every file
    with the sha256 in the manifest. On the device ``meta`` weights have their shapes alone, and none is read.
    Raises UserError for whatever is missing, damaged or of another kind.
    """
    folder = resolve(Path(folder))
    check(folder, thorough=verify)
    if adapters.is_adapter(folder):
        return _load_adapted(folder, dtype, device)
    file = gguf.open_file(folder) if gguf.is_file(folder) else None
    where = folder if file else folder / CONFIG
    written = gguf_config.config_of(file) if file else read_json(where)
    module = _module(written, where)
    weights = gguf.Weights(file) if file else huggingface.read(folder)
    generation, preprocessor = (_perhaps(folder / name) for name in (GENERATION, PREPROCESSOR))
    said = _with_all_ends(module, written, generation or {})
    config = _read_config(module, (preprocessor or {}) | said, where)
    if hasattr(module, "fitted"):
        config = module.fitted(config, weights.keys())
    manifest = read_manifest(folder) if (folder / MANIFEST).is_file() else {}
    pair = gguf_vocabulary.pair_of(file) if file else _pair(folder, written)
    tokenizers = _checked(pair, config, folder, manifest.get("tokenizers"))
    shapes = torch.device(device).type == "meta"
    with torch.device("meta") if shapes else nullcontext():
        model = _blank(module, config, where, heads.read_head(written, config, where))
    if not shapes:
        huggingface.fill(model, heads.names_of(model), weights, folder, dtype=dtype)
    place = model.to(device).eval()
    data = manifest.get("data", {})
    return Loaded(
        place, tokenizers, config, folder, generation or {}, _recipe(folder), data, preprocessor, written
    )


def _load_adapted(folder: Path, dtype: torch.dtype, device: torch.device | str) -> Loaded:
    """The base that an adapter names, bent as the adapter says; what lies beside the adapter comes first."""
    told = adapters.read(folder, dtype)
    address = adapters.base_of(told)
    if adapters.is_adapter(there := resolve(Path(address))):
        raise UserError(f"{folder}: its base {there} is an adapter itself; convert that one first")
    base = load(address, dtype=dtype, device=device)
    with undrawn():
        model = adapters.put_on(base.model, base.folder, address, told)
    beside: dict[str, Any] = {"model": model.to(device).eval(), "config": model.config, "folder": folder}
    beside["written"] = heads.described(model)
    if (folder / f"{SOURCE_STEM}.json").is_file():
        beside["tokenizers"] = load_pair(folder)
    if (generation := _perhaps(folder / GENERATION)) is not None:
        beside["generation"] = generation
    manifest = read_manifest(folder) if (folder / MANIFEST).is_file() else {}
    return replace(base, **beside, recipe=_recipe(folder), data=manifest.get("data", {}))


def _recipe(folder: Path) -> str | None:
    path = folder / RECIPE
    return path.read_text("utf-8", errors="replace") if path.is_file() else None


def resolve(folder: Path) -> Path:
    """The model folder meant by ``folder``: itself, or the ``best`` or else the ``last`` model of a run.

    A GGUF file is itself; ``hf://owner/name`` is downloaded, ``package:NAME`` lies in an installed package.
    Of a swap that was cut short the finished folder is given where it lies: to move it is the writer's
    business. Raises UserError when there is no model.
    """
    if remote.is_remote(folder):
        return remote.download(folder)
    if installed.is_installed(folder):
        folder = installed.find(folder)
    if gguf.is_file(folder):
        return folder
    for candidate in (folder, folder / "best", folder / "last"):
        there = files.standing(candidate)
        if (there / CONFIG).is_file() or adapters.is_adapter(there):
            return there
    if not folder.exists():
        raise UserError(f"{folder}: there is no such folder; give the folder of a model or of a training run")
    if not folder.is_dir():
        raise UserError(
            f"{folder}: is a file; give the folder of a model or of a training run, or a .gguf file"
        )
    if inside := sorted(folder.glob(f"*{gguf.SUFFIX}")):
        raise UserError(f"{folder}: no model folder, but it holds {inside[0].name}; give that file")
    raise UserError(f"{folder}: no model here; a model folder has a {CONFIG}, a run has best/ or last/")


def _module(written: Mapping[str, Any], where: Path) -> ModuleType:
    wanted = written.get("model_type")
    known: list[str] = []
    for name in plugins.likeliest("models", f'"{wanted}"'):
        module = plugins.find("models", name)
        types = getattr(module, "MODEL_TYPES", ())
        if wanted in types:
            return module
        known += types
    options = ", ".join(sorted(known))
    raise UserError(f"{where}: model_type {wanted!r} is not known here; known are {options}")


def _with_all_ends(
    module: ModuleType, written: Mapping[str, Any], generation: Mapping[str, Any]
) -> dict[str, Any]:
    """Published models that answer name some of their end tokens in generation_config.json alone."""
    ends = _listed(written.get("eos_token_id")) + _listed(generation.get("eos_token_id"))
    if len(set(ends)) < 2 or "also_ends" not in module.Config.model_fields:
        return dict(written)
    return {**written, "eos_token_id": list(dict.fromkeys(ends))}


def _read_config(module: ModuleType, written: Mapping[str, Any], path: Path) -> Any:
    if (packed := written.get("quantization_config")) is not None:
        kind = packed.get("quant_method") if isinstance(packed, dict) else packed
        raise UserError(
            f"{path}: quantization_config asks for packed weights ({kind}), which are not read here"
        )
    try:
        return module.read(written)
    except UserError as error:
        raise UserError(f"{path}: {str(error).removeprefix(f'{CONFIG}: ')}") from None
    except KeyError as error:
        raise UserError(
            f"{path}: {error.args[0]!r} is missing, or is a value that is not known here"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(key) for key in first["loc"])
        raise UserError(f"{path}: {place + ': ' if place else ''}{first['msg']}") from None
    except (TypeError, AttributeError) as error:
        raise UserError(f"{path}: holds a value of an unexpected kind ({error})") from None


def _blank(module: ModuleType, config: Any, where: Path, head: Head | None) -> nn.Module:
    try:
        return blank(module, config, head)
    except (RuntimeError, MemoryError):
        raise UserError(f"{where}: describes a model that does not fit into memory") from None


def _pair(folder: Path, written: Mapping[str, Any]) -> TokenizerPair | None:
    """The tokenizers in a folder's files, None where it has none."""
    if (folder / f"{SOURCE_STEM}.json").is_file() or sentencepiece.is_marian(folder):
        return load_pair(folder)
    older = vocabulary.load(folder, str(written["model_type"]))
    return None if older is None else TokenizerPair(older, older)


def _checked(
    pair: TokenizerPair | None, config: Any, folder: Path, fingerprint: str | None
) -> TokenizerPair | None:
    """The same; where the manifest names them, they must be those of the training. Raises UserError."""
    if pair is None:
        return None
    sizes = {"vocab_size": pair.source, "target_vocab_size": pair.target}
    for name, tokenizer in sizes.items():
        size = getattr(config, name, None)
        if size is not None and tokenizer.vocab_size > size:
            raise UserError(
                f"{folder}: the tokenizer has {tokenizer.vocab_size} pieces and the model knows {size} "
                f"({name}); they do not belong together"
            )
    if fingerprint not in (None, pair.fingerprint):
        raise UserError(
            f"{folder}: the tokenizer is not the one this model was trained with; copy the folder again, or "
            f"remove {MANIFEST} if the change is meant"
        )
    return pair


def _perhaps(path: Path) -> dict[str, Any] | None:
    return read_json(path) if path.is_file() else None
