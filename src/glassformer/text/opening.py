"""Opening a ``tokenizer.json`` that may be ours, another's, or broken, and finding its special ids."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers

from glassformer.base.errors import UserError
from glassformer.text.fast import FastTokenizer, Specials

# No vocabulary has it, so that a missing unknown token shows when the file is opened, not in mid-work.
_UNHEARD_OF = "\U0010fffd"

# What special tokens are called in well-known families, where no file beside the tokenizer says so.
_NAMES = {
    "pad_token": ("<pad>", "[PAD]"),
    "bos_token": ("<s>", "[CLS]", "<|endoftext|>", "<bos>", "<|begin_of_text|>"),
    "eos_token": ("</s>", "[SEP]", "<|endoftext|>", "<eos>", "<|end_of_text|>"),
    "unk_token": ("<unk>", "[UNK]", "<|endoftext|>"),
    "mask_token": ("<mask>", "[MASK]"),
}
# Encoders such as BERT begin and end by other names.
_INSTEAD = {"bos_token": "cls_token", "eos_token": "sep_token"}


def load_fast(path: Path) -> FastTokenizer:
    """The tokenizer in a file, with its special ids from the files beside it. Raises UserError if broken."""
    backend = _backend(path)
    settings = read_json(path.with_name("tokenizer_config.json"))
    template = path.with_name("chat_template.jinja")
    if template.is_file():
        settings["chat_template"] = template.read_text("utf-8", errors="replace")
    return FastTokenizer(backend, specials_of(path, backend, settings), settings)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, empty when there is no such file. Raises UserError when it is broken."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not readable as JSON ({error}); the file may be cut short.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: expected a JSON object, got {type(found).__name__}.")
    return found


def _backend(path: Path) -> tokenizers.Tokenizer:
    parts = read_json(path)
    model = parts.get("model")
    if not isinstance(model, dict) or "vocab" not in model:
        raise UserError(f"{path}: no vocabulary in it; this is not a file of the tokenizers library.")
    try:
        backend = tokenizers.Tokenizer.from_str(json.dumps(parts, ensure_ascii=False))
        backend.encode(_UNHEARD_OF)
    except Exception as error:
        raise UserError(f"{path}: the tokenizers library cannot use it ({error}).") from error
    if isinstance(model["vocab"], dict):
        added = {token["content"]: token["id"] for token in parts.get("added_tokens") or ()}
        check_ids(path, {**model["vocab"], **added})
    return backend


def check_ids(path: Path, table: Mapping[str, int]) -> None:
    """Raise UserError when two pieces share an id, which readers of the file would pass over in silence."""
    owner: dict[int, str] = {}
    for piece, number in table.items():
        if (other := owner.setdefault(number, piece)) != piece:
            raise UserError(f"{path}: the pieces '{other}' and '{piece}' have the same id {number}.")


def specials_of(path: Path, backend: tokenizers.Tokenizer, settings: Mapping[str, Any]) -> Specials:
    """The special ids of a backend, by what the files beside it name or by the usual names.

    Raises UserError when a named one is missing, or when nothing can end a sentence.
    """
    named = {**settings, **read_json(path.with_name("special_tokens_map.json"))}
    ids = {key: _find(path, backend, key, _named(named, key)) for key in _NAMES}
    eos = ids["eos_token"]
    if eos is None:
        raise UserError(
            f"{path}: it has no end-of-sentence token; "
            "name one as eos_token in the tokenizer_config.json beside it."
        )
    pad, bos = ids["pad_token"], ids["bos_token"]
    # GPT-2 pads with its end; Marian begins a target with its padding.
    pad = eos if pad is None else pad
    return Specials(
        pad_id=pad,
        bos_id=pad if bos is None else bos,
        eos_id=eos,
        unk_id=ids["unk_token"],
        mask_id=ids["mask_token"],
    )


def _named(named: Mapping[str, Any], key: str) -> Any:
    found = named.get(key)
    return named.get(_INSTEAD[key]) if found is None and key in _INSTEAD else found


def _find(path: Path, backend: tokenizers.Tokenizer, key: str, named: Any) -> int | None:
    name = named.get("content") if isinstance(named, dict) else named
    if name is None:
        known = (backend.token_to_id(option) for option in _NAMES[key])
        return next((number for number in known if number is not None), None)
    number: int | None = backend.token_to_id(name)
    if number is None:
        raise UserError(f"{path}: its {key} '{name}', named in a file beside it, is not in its vocabulary.")
    return number
