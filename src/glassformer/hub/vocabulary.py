"""Tokenizers of folders without ``tokenizer.json``: made of ``vocab.txt``, merges or ``tokenizer.model``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors

from glassformer.base.errors import UserError
from glassformer.text.opening import check_ids, read_json
from glassformer.text.sentencepiece import read_model
from glassformer.text.tokenizer import Tokenizer, load_tokenizer

_WORDS, _TABLE, _MERGES, _PIECES = "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model"
_BESIDE = ("tokenizer_config.json", "special_tokens_map.json")
_TOKENS = ("bos_token", "eos_token", "unk_token", "pad_token", "cls_token", "sep_token", "mask_token")
_SPACE = "▁"


@dataclass(frozen=True)
class _Kind:
    """One family: its class in ``transformers``, its special tokens, and how it is put together."""

    transformers: str
    specials: Mapping[str, str]
    build: Callable[[Path, Mapping[str, Any]], tokenizers.Tokenizer]


def load(folder: Path, model_type: str) -> Tokenizer | None:
    """The tokenizer that a folder's older files describe, None when it has none of them.

    Ids are those of the family's tokenizer in ``transformers``. Raises UserError for files that are broken.
    """
    kind = _kind(folder, model_type)
    if kind is None:
        return None
    beside = [read_json(folder / name) for name in _BESIDE]
    named = {key: _text(one[key]) for one in beside for key in _TOKENS if one.get(key) is not None}
    settings = beside[0] | dict(kind.specials) | named | {"tokenizer_class": kind.transformers}
    settings.pop("tokenizer_file", None)
    backend = kind.build(folder, settings)
    _add(backend, folder, settings)
    return through(backend, settings, str(folder))


def through(backend: tokenizers.Tokenizer, settings: Mapping[str, Any], where: str) -> Tokenizer:
    """The tokenizer that a backend and a ``tokenizer_config.json`` make; UserError, beginning with ``where``.

    The door for files of tokenizers is room text; what goes through it is checked there.
    """
    with tempfile.TemporaryDirectory() as place:
        backend.save(str(Path(place) / "tokenizer.json"))
        (Path(place) / _BESIDE[0]).write_text(json.dumps(settings, ensure_ascii=False), "utf-8")
        try:
            return load_tokenizer(Path(place))
        except UserError as error:
            raise UserError(f"{where}: {str(error).replace(place, where)}") from None


def _kind(folder: Path, model_type: str) -> _Kind | None:
    if (folder / _WORDS).is_file():
        return BERT
    if (folder / _TABLE).is_file() and (folder / _MERGES).is_file():
        return BY_MERGES.get(model_type, GPT2)
    if (folder / _PIECES).is_file():
        return LLAMA
    return None


def _text(token: Any) -> str:
    return str(token.get("content", "") if isinstance(token, Mapping) else token)


def _add(backend: tokenizers.Tokenizer, folder: Path, settings: Mapping[str, Any]) -> None:
    """The special tokens, then those of ``added_tokens.json``, each under the id that it has there."""
    known = dict.fromkeys(settings[key] for key in _TOKENS if settings.get(key))
    backend.add_special_tokens(
        # What is filled in takes the space before it, as a word would.
        [AddedToken(token, special=True, normalized=False, lstrip=token == "<mask>") for token in known
         if backend.token_to_id(token) is not None]
    )  # fmt: skip
    added = read_json(folder / "added_tokens.json")
    for token, number in sorted(added.items(), key=lambda item: item[1]):
        backend.add_tokens([AddedToken(token, normalized=False)])
        if backend.token_to_id(token) != number:
            raise UserError(
                f"{folder / 'added_tokens.json'}: {token!r} has the id {number} there and "
                f"{backend.token_to_id(token)} after the vocabulary; the files do not belong together"
            )


# --- WordPiece ---------------------------------------------------------------------------------------------


def _bert(folder: Path, settings: Mapping[str, Any]) -> tokenizers.Tokenizer:
    pieces = _lines(folder / _WORDS)
    table = {piece: number for number, piece in enumerate(pieces)}
    if len(table) < len(pieces):
        check_ids(folder / _WORDS, table)
        raise UserError(f"{folder / _WORDS}: {len(pieces) - len(table)} pieces stand in it twice")
    backend = tokenizers.Tokenizer(models.WordPiece(table, unk_token=settings["unk_token"]))
    backend.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=settings.get("tokenize_chinese_chars", True),
        strip_accents=settings.get("strip_accents"),
        lowercase=settings.get("do_lower_case", True),
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix="##")
    first, last = settings["cls_token"], settings["sep_token"]
    backend.post_processor = processors.TemplateProcessing(
        single=f"{first}:0 $A:0 {last}:0",
        pair=f"{first}:0 $A:0 {last}:0 $B:1 {last}:1",
        special_tokens=[(token, _id(table, token, folder / _WORDS)) for token in (first, last)],
    )
    return backend


# --- merges ------------------------------------------------------------------------------------------------


def _merged(folder: Path, **options: Any) -> tuple[dict[str, int], tokenizers.Tokenizer]:
    table = read_json(folder / _TABLE)
    check_ids(folder / _TABLE, table)
    lines = [line for line in _lines(folder / _MERGES) if line and not line.startswith("#version")]
    wrong = next((line for line in lines if line.count(" ") != 1), None)
    if wrong is not None:
        raise UserError(f"{folder / _MERGES}: {wrong!r} is not two pieces")
    pairs = [(left, right) for left, _, right in (line.partition(" ") for line in lines)]
    try:
        return table, tokenizers.Tokenizer(models.BPE(table, pairs, **options))
    except Exception as error:
        raise UserError(f"{folder}: {_TABLE} and {_MERGES} do not belong together ({error})") from None


def _gpt2(folder: Path, settings: Mapping[str, Any]) -> tokenizers.Tokenizer:
    _, backend = _merged(folder)
    space = settings.get("add_prefix_space", False)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.ByteLevel(trim_offsets=False)
    return backend


def _roberta(folder: Path, settings: Mapping[str, Any]) -> tokenizers.Tokenizer:
    table, backend = _merged(folder)
    space, trim = settings.get("add_prefix_space", False), settings.get("trim_offsets", True)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space)
    backend.decoder = decoders.ByteLevel()
    last, first = (
        (token, _id(table, token, folder / _TABLE))
        for token in (settings["sep_token"], settings["cls_token"])
    )
    backend.post_processor = processors.RobertaProcessing(last, first, trim, space)
    return backend


def _gpt(folder: Path, settings: Mapping[str, Any]) -> tokenizers.Tokenizer:
    _, backend = _merged(folder, end_of_word_suffix="</w>", unk_token=settings["unk_token"])
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.BPEDecoder(suffix="</w>")
    return backend


# --- sentencepiece -----------------------------------------------------------------------------------------


def _llama(folder: Path, settings: Mapping[str, Any]) -> tokenizers.Tokenizer:
    cutter = read_model(folder / _PIECES)
    table = {cutter.id_to_piece(number): number for number in range(len(cutter))}
    worth = {
        piece: cutter.get_score(number)
        for piece, number in table.items()
        if not (cutter.is_control(number) or cutter.is_unknown(number) or cutter.is_byte(number))
    }
    backend = scored(table, worth, settings["unk_token"])
    first = settings["bos_token"]
    if settings.get("add_bos_token", True):
        backend.post_processor = processors.TemplateProcessing(
            single=f"{first}:0 $A:0",
            pair=f"{first}:0 $A:0 {first}:1 $B:1",
            special_tokens=[(first, _id(table, first, folder / _PIECES))],
        )
    for text in _PROBES:
        if backend.encode(text, add_special_tokens=False).ids != cutter.encode(text):
            raise UserError(
                f"{folder / _PIECES}: this kind of sentencepiece model is not read here; add a tokenizer.json"
            )
    return backend


def scored(
    table: dict[str, int], worth: Mapping[str, float], unknown: str, *, space: bool = True
) -> tokenizers.Tokenizer:
    """What cuts text as a sentencepiece BPE model does whose mergeable pieces are ``worth`` so much.

    ``table`` numbers all pieces, and ``space`` says whether one stands before a text.
    """
    model = models.BPE(table, _pairs(worth, table), unk_token=unknown, fuse_unk=True, byte_fallback=True)
    backend = tokenizers.Tokenizer(model)
    marked = normalizers.Replace(" ", _SPACE)
    backend.normalizer = normalizers.Sequence([normalizers.Prepend(_SPACE), marked]) if space else marked
    joined = [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence([*joined, decoders.Strip(" ", left=1)] if space else joined)
    return backend


_PROBES = (
    "Hello there, once upon a time 123",
    "어제 카페에 갔었어.",
    "naïve café – 東京 🙂",
    "  two  spaces",
)


def _pairs(worth: Mapping[str, float], table: Mapping[str, int]) -> list[tuple[str, str]]:
    """The merges that a sentencepiece BPE model does by its scores: the best result first."""
    found = [
        (-score, table[piece[:at]], piece[:at], piece[at:])
        for piece, score in worth.items()
        for at in range(1, len(piece))
        if piece[:at] in worth and piece[at:] in worth
    ]
    # Of two ways to one piece sentencepiece takes whatever stands there; either is in the list.
    found.sort(key=lambda merge: (merge[0], table[merge[2] + merge[3]], merge[1]))
    return [(left, right) for _, _, left, right in found]


# --- files -------------------------------------------------------------------------------------------------


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _id(table: Mapping[str, int], token: str, path: Path) -> int:
    if token not in table:
        raise UserError(f"{path}: the special token {token!r} is not in it")
    return table[token]


BERT = _Kind(
    "BertTokenizer",
    {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    },
    _bert,
)
_END = "<|endoftext|>"
GPT2 = _Kind("GPT2Tokenizer", {"bos_token": _END, "eos_token": _END, "unk_token": _END}, _gpt2)
# Its vocabulary has no end, and a tokenizer here needs one.
GPT = _Kind("OpenAIGPTTokenizer", {"unk_token": "<unk>", "eos_token": "<unk>"}, _gpt)
ROBERTA = _Kind(
    "RobertaTokenizer",
    {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    },
    _roberta,
)
# LlamaTokenizer of transformers 5 makes its own rule for a space in front; this class takes the file's.
LLAMA = _Kind(
    "PreTrainedTokenizerFast", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, _llama
)
BY_MERGES = {"roberta": ROBERTA, "openai-gpt": GPT}
