"""The tokenizer in a GGUF file: byte-level merges or sentencepiece's scores, and a text's frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, processors

from glassformer.base.errors import UserError
from glassformer.hub.gguf import File
from glassformer.hub.vocabulary import scored, through
from glassformer.text.tokenizer import TokenizerPair

# What a token is (gguf.TokenType).
NORMAL, UNKNOWN, CONTROL, ADDED, UNUSED, BYTE = range(1, 7)

_SPECIALS = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "pad_token": "padding_token_id",
}


@dataclass(frozen=True)
class _Cut:
    """How text is cut before merges: by ``pattern`` or as GPT-2 does; ``whole`` words pass over merges.

    ``digits`` says that each stands alone, ``composed`` that text is put into form NFC, and ``begins`` that a
    text has a beginning where the file says nothing.
    """

    pattern: str | None = None
    digits: bool = False
    composed: bool = False
    whole: bool = False
    begins: bool = False


def _words(number: str) -> str:
    """The pattern of GPT-4's family: a sign goes with letters after it, line ends with signs before them."""
    parts = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+",
        number,
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
    return "|".join(parts)


_GPT2 = _Cut()
_DIGITS = _Cut(digits=True)
_LLAMA3 = _Cut(_words(r"\p{N}{1,3}"), whole=True, begins=True)
_QWEN2 = _Cut(_words(r"\p{N}"), composed=True)

CUTS: dict[str, _Cut] = {
    **dict.fromkeys(("gpt-2", "mpt", "olmo", "jais", "trillion"), _GPT2),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"), _DIGITS),
    **dict.fromkeys(("llama3", "llama-v3", "llama-bpe", "falcon3", "midm-2.0"), _LLAMA3),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "kormo"), _QWEN2),
}
"""For each name under ``tokenizer.ggml.pre`` that is known here, how text is cut."""


def pair_of(file: File) -> TokenizerPair:
    """The tokenizer of a file. Raises UserError, naming the key, for one that is broken or not known."""
    tokens = _told(file, "tokens", [])
    if not isinstance(tokens, list) or not tokens:
        raise UserError(f"{file.path}: tokenizer.ggml.tokens is missing or no list; no tokenizer is here")
    kind = _told(file, "model", "")
    makers = {"gpt2": _by_bytes, "llama": _by_scores}
    if not isinstance(kind, str) or kind not in makers:
        known = " and ".join(makers)
        raise UserError(f"{file.path}: tokenizer.ggml.model is {kind!r}; known here are {known}")
    named = {
        key: _token(file, tokens, number)
        for key, name in _SPECIALS.items()
        if (number := _told(file, name)) is not None
    }
    try:
        backend, begins = makers[kind](file, tokens, named)
        _add(backend, tokens, _told(file, "token_type", []), named)
        backend.post_processor = _frame(file, backend, named, begins=begins)
    except UserError:
        raise
    except Exception as error:  # the library raises nothing finer
        raise UserError(f"{file.path}: the tokenizers library cannot use its vocabulary ({error})") from None
    tokenizer = through(backend, _settings(file, named), str(file.path))
    return TokenizerPair(tokenizer, tokenizer)


def _told(file: File, key: str, default: Any = None) -> Any:
    return file.metadata.get(f"tokenizer.ggml.{key}", default)


def _token(file: File, tokens: list[str], number: int) -> str:
    if number not in range(len(tokens)):
        raise UserError(f"{file.path}: the special token {number} is not among its {len(tokens)} tokens")
    return tokens[number]


def _settings(file: File, named: Mapping[str, str]) -> dict[str, Any]:
    """The ``tokenizer_config.json`` that goes with it."""
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **named}
    template = file.metadata.get("tokenizer.chat_template")
    return settings if template is None else {**settings, "chat_template": template}


# --- the two kinds -----------------------------------------------------------------------------------------


def _by_bytes(file: File, tokens: list[str], named: Mapping[str, str]) -> tuple[tokenizers.Tokenizer, bool]:
    del named
    name = _told(file, "pre", "")
    if name not in CUTS:
        known = ", ".join(CUTS)
        raise UserError(f"{file.path}: tokenizer.ggml.pre is {name!r}; known here are {known}")
    cut = CUTS[name]
    table = {token: number for number, token in enumerate(tokens)}
    merges = [_merge(file, merge) for merge in _told(file, "merges", [])]
    backend = tokenizers.Tokenizer(models.BPE(table, merges, ignore_merges=cut.whole))
    if cut.composed:
        backend.normalizer = normalizers.NFC()
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=cut.pattern is None)
    steps: list[Any] = [by_bytes]
    if cut.pattern is not None:
        steps = [pre_tokenizers.Split(Regex(cut.pattern), "isolated"), by_bytes]
    if cut.digits:
        steps = [pre_tokenizers.Digits(individual_digits=True), *steps]
    backend.pre_tokenizer = pre_tokenizers.Sequence(steps)
    backend.decoder = decoders.ByteLevel()
    return backend, cut.begins


def _merge(file: File, merge: str) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    if not left or not right or " " in right:
        raise UserError(f"{file.path}: tokenizer.ggml.merges holds {merge!r}, which is not two pieces")
    return left, right


def _by_scores(file: File, tokens: list[str], named: Mapping[str, str]) -> tuple[tokenizers.Tokenizer, bool]:
    scores, kinds = _told(file, "scores", []), _told(file, "token_type", [])
    if not len(scores) == len(kinds) == len(tokens):
        raise UserError(
            f"{file.path}: tokenizer.ggml.scores and token_type must have a value for each of the "
            f"{len(tokens)} tokens; there are {len(scores)} and {len(kinds)}"
        )
    table = {token: number for number, token in enumerate(tokens)}
    worth = {
        token: score
        for token, score, kind in zip(tokens, scores, kinds, strict=True)
        if kind not in (UNKNOWN, CONTROL, BYTE)
    }
    unknown = named.get("unk_token") or next(
        (token for token, kind in zip(tokens, kinds, strict=True) if kind == UNKNOWN), None
    )
    if unknown is None:
        raise UserError(f"{file.path}: tokenizer.ggml.unknown_token_id is missing")
    return scored(table, worth, unknown, space=_told(file, "add_space_prefix", True)), True


# --- special tokens ----------------------------------------------------------------------------------------


def _add(
    backend: tokenizers.Tokenizer, tokens: list[str], kinds: list[int], named: Mapping[str, str]
) -> None:
    """Control tokens, which text never reaches, and those that stand in text whole."""
    control = [token for token, kind in zip(tokens, kinds, strict=False) if kind in (CONTROL, UNKNOWN)]
    control = list(dict.fromkeys([*control, *named.values()]))
    added = [token for token, kind in zip(tokens, kinds, strict=False) if kind == ADDED]
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    backend.add_tokens([AddedToken(token, normalized=False) for token in added if token not in control])


def _frame(
    file: File, backend: tokenizers.Tokenizer, named: Mapping[str, str], *, begins: bool
) -> processors.PostProcessor:
    """What stands before and after a text, as the file's flags say."""
    first = [named["bos_token"]] if _told(file, "add_bos_token", begins) and "bos_token" in named else []
    last = [named["eos_token"]] if _told(file, "add_eos_token", False) and "eos_token" in named else []
    return processors.TemplateProcessing(
        single=[*first, "$A", *last],
        pair=[*first, "$A", *last, *(f"{token}:1" for token in first), "$B:1", *(f"{t}:1" for t in last)],
        special_tokens=[(token, backend.token_to_id(token)) for token in {*first, *last}],
    )
