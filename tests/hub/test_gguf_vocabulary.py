"""Tokenizers in GGUF files: ids as transformers, sentencepiece and the original tokenizers give them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tests.hub.gguf_files import SIZES, WORDS, state_of, write
from tests.hub.test_gguf import _smollm
from tokenizers import models, pre_tokenizers, trainers

from glassformer.base.errors import UserError
from glassformer.hub.gguf import open_file
from glassformer.hub.gguf_vocabulary import pair_of

transformers = pytest.importorskip("transformers")

TEXTS = [
    "The Cat sat on the mat, and it's the café 1234 times.",
    "어제 카페에 갔었어. 커피를 마셨다!",
    "🙂👨‍👩‍👧 emoji, 東京",
    "def f(x):\n    return x ** 2  # square\n\n\tif x:\r\n",
    "",
]
SEEN = [
    "the cat sat on the mat",
    "a dog and the café",
    "어제 카페에 갔었어 커피를 마셨다",
    "The End. 12 34",
] * 3


@pytest.fixture(scope="module")
def weights() -> Any:
    """Weights for any vocabulary: only the tokenizer of the file is looked at."""
    return state_of()[1].state_dict()


def _learned(cut: Any) -> dict[str, Any]:
    """A small byte-level vocabulary, as a file holds it."""
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = cut
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=marks, initial_alphabet=alphabet)
    made.train_from_iterator(SEEN, trainer)
    held = __import__("json").loads(made.to_str())["model"]
    tokens = sorted(held["vocab"], key=held["vocab"].get)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in held["merges"]]
    kinds = [3] * 3 + [1] * (len(tokens) - 3)
    return WORDS | {"tokens": tokens, "merges": merges, "token_type": kinds}


def _pieces(**options: Any) -> tuple[Any, dict[str, Any]]:
    """A sentencepiece model, and the same as a file holds it."""
    spm = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(SEEN * 20), model_writer=model, vocab_size=330, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        hard_vocab_limit=False, minloglevel=2, **options,
    )  # fmt: skip
    cutter = spm.SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(len(cutter))
    kinds = [
        2 if cutter.is_unknown(one) else 3 if cutter.is_control(one) else 6 if cutter.is_byte(one) else 1
        for one in ids
    ]
    words = {
        "model": "llama",
        "tokens": [cutter.id_to_piece(one) for one in ids],
        "scores": [float(cutter.get_score(one)) for one in ids],
        "token_type": kinds,
        "bos_token_id": cutter.bos_id(),
        "eos_token_id": cutter.eos_id(),
        "unknown_token_id": cutter.unk_id(),
    }
    return cutter, words


def _tokenizer(folder: Path, weights: Any, words: dict[str, Any]) -> Any:
    return pair_of(open_file(write(folder / "a.gguf", SIZES, weights, words=words))).source


CUTS = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "llama-bpe": None,
    "qwen2": None,
}


@pytest.mark.parametrize("name", [*CUTS])
def test_bytes_are_merged_as_transformers_merges_them(name: str, weights: Any, tmp_path: Path) -> None:
    words = _learned(pre_tokenizers.ByteLevel(add_prefix_space=False)) | {"pre": name}
    ours = _tokenizer(tmp_path, weights, words)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, gguf_file="a.gguf")
    for text in [*TEXTS, "a  b   12", " leading", "trailing "]:
        assert ours.encode(text) == theirs(text, add_special_tokens=False)["input_ids"]
        assert ours.decode(ours.encode(text)) == text


def test_digits_stand_alone_before_spaces_are_joined_as_in_the_original(weights: Any, tmp_path: Path) -> None:
    digits = pre_tokenizers.Digits(individual_digits=True)
    original = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    words = _learned(original)
    spaces = {"tokens": [*words["tokens"], "ĠĠ"], "merges": [*words["merges"], "Ġ Ġ"]}
    words |= spaces | {"token_type": [*words["token_type"], 1]}
    ours = _tokenizer(tmp_path, weights, words)
    table = {token: number for number, token in enumerate(words["tokens"])}
    whole = tokenizers.Tokenizer(models.BPE(table, [tuple(one.split(" ")) for one in words["merges"]]))
    whole.pre_tokenizer = original
    for text in [*TEXTS, "a  2", "x   12 3"]:
        assert ours.encode(text) == whole.encode(text).ids
    assert ours.pieces(ours.encode("a  2")) == ["a", "▁▁", "2"]


def test_pieces_are_cut_as_sentencepiece_cuts_them(weights: Any, tmp_path: Path) -> None:
    cutter, words = _pieces()
    ours = _tokenizer(tmp_path, weights, words)
    for text in [*TEXTS, "  two  spaces ", "naïve 東京"]:
        assert ours.encode(text) == cutter.encode(text)
        assert ours.decode(ours.encode(text)) == text
    assert ours.opening == (cutter.bos_id(),)
    bare = _tokenizer(tmp_path, weights, words | {"add_bos_token": False})
    assert bare.opening == ()


def test_a_file_may_ask_for_no_space_before_a_text(weights: Any, tmp_path: Path) -> None:
    cutter, words = _pieces(add_dummy_prefix=False)
    ours = _tokenizer(tmp_path, weights, words | {"add_space_prefix": False})
    for text in ["the cat", " the cat", "어제"]:
        assert ours.encode(text) == cutter.encode(text)
        assert ours.decode(ours.encode(text)) == text


def test_marks_text_and_template_are_those_of_the_file(weights: Any, tmp_path: Path) -> None:
    words = WORDS | {"chat_template": "{{ bos_token }}", "add_bos_token": True, "add_eos_token": True}
    ours = _tokenizer(tmp_path, weights, words)
    assert (ours.bos_id, ours.eos_id, ours.pad_id, ours.unk_id) == (1, 2, 2, 0)
    assert (ours.opening, ours.closing) == ((1,), (2,))
    assert ours.settings["chat_template"] == "{{ bos_token }}"
    assert 1 not in ours.encode("<|im_start|>")


def test_llama_3_begins_a_text_and_takes_whole_words_past_its_merges(weights: Any, tmp_path: Path) -> None:
    words = {key: value for key, value in WORDS.items() if key != "add_bos_token"}
    added = {"tokens": [*WORDS["tokens"], "Ġdog"], "token_type": [*WORDS["token_type"], 1]}
    ours = _tokenizer(tmp_path, weights, words | added | {"pre": "llama-bpe"})
    assert ours.opening == (1,)
    assert ours.pieces(ours.encode("a dog")) == ["a", "▁dog"]
    plain = _tokenizer(tmp_path, weights, words | added)
    assert plain.opening == ()
    assert len(plain.encode("a dog")) == 5


def test_what_users_added_stands_in_text_whole(weights: Any, tmp_path: Path) -> None:
    added = {"tokens": [*WORDS["tokens"], "<think>"], "token_type": [*WORDS["token_type"], 4]}
    ours = _tokenizer(tmp_path, weights, WORDS | added)
    assert len(WORDS["tokens"]) in ours.encode("a<think>b")
    assert ours.decode(ours.encode("a<think>b")) == "a<think>b"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "rwkv"}, "tokenizer.ggml.model is 'rwkv'; known here are gpt2 and llama"),
        ({"pre": "tiny_aya"}, "tokenizer.ggml.pre is 'tiny_aya'; known here are gpt-2"),
        ({"model": ["llama"]}, "tokenizer.ggml.model is ['llama']; known here are gpt2 and llama"),
        ({"tokens": None}, "tokenizer.ggml.tokens is missing"),
        ({"tokens": 5}, "tokenizer.ggml.tokens is missing or no list"),
        ({"merges": ["a b c"]}, "holds 'a b c', which is not two pieces"),
        ({"merges": ["a zzz"]}, "cannot use its vocabulary"),
        ({"eos_token_id": 7777}, "special token 7777 is not among its 262 tokens"),
        ({"model": "llama"}, "scores and token_type must have a value for each of the 262 tokens"),
    ],
)
def test_what_is_unknown_or_broken_is_named(
    change: dict[str, Any], says: str, weights: Any, tmp_path: Path
) -> None:
    words = {key: value for key, value in (WORDS | change).items() if value is not None}
    with pytest.raises(UserError) as caught:
        _tokenizer(tmp_path, weights, words)
    assert says in str(caught.value)
    assert "a.gguf: " in str(caught.value)


@pytest.mark.slow
def test_smollm2_has_the_ids_that_transformers_makes_of_the_same_file() -> None:
    path = _smollm()
    ours = pair_of(open_file(path)).source
    theirs = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    for text in TEXTS:
        assert ours.encode(text) == theirs(text)["input_ids"]
        assert ours.decode(ours.encode(text)) == text
    # Digits stand alone in its own tokenizer.json and in llama.cpp; transformers 5.23 does not know that.
    assert ours.pieces(ours.encode("a  2")) == ["a", "▁▁", "2"]
