"""Tokenizers of older folders: the ids of the family's tokenizer in ``transformers``, from the same files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from glassformer.base.errors import UserError
from glassformer.hub import vocabulary

transformers = pytest.importorskip("transformers")

TEXTS = [
    "The Cat sat on the mat, and the café was naïve.",
    "a cat  and a dog; 어제 카페에 갔었어.",
    "카페에서 커피를 마셨다 <mask>",
]
SEEN = ["the cat sat on the mat", "a dog and the café", "어제 카페에 갔었어 커피를 마셨다", "The End."] * 3
MARKS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]


def _bert(folder: Path) -> None:
    made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(SEEN, trainers.WordPieceTrainer(vocab_size=90, special_tokens=specials))
    made.model.save(str(folder))


def _bytes(folder: Path) -> None:
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=MARKS, initial_alphabet=alphabet)
    made.train_from_iterator(SEEN, trainer)
    made.model.save(str(folder))


def _words(folder: Path) -> None:
    made = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.BPEDecoder()
    trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=["<unk>"], end_of_word_suffix="</w>")
    made.train_from_iterator(SEEN, trainer)
    made.model.save(str(folder))


def _pieces(folder: Path) -> None:
    spm = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(SEEN * 20), model_writer=model, vocab_size=330, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (folder / "tokenizer.model").write_bytes(model.getvalue())


FAMILIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "bert": (_bert, "BertTokenizer"),
    "distilbert": (_bert, "DistilBertTokenizer"),
    "gpt2": (_bytes, "GPT2Tokenizer"),
    "roberta": (_bytes, "RobertaTokenizer"),
    "openai-gpt": (_words, "OpenAIGPTTokenizer"),
    "llama": (_pieces, "LlamaTokenizer"),
}


@pytest.mark.parametrize("family", [*FAMILIES][:-1])
def test_ids_and_frames_are_those_of_transformers(family: str, tmp_path: Path) -> None:
    write, name = FAMILIES[family]
    write(tmp_path)
    ours: Any = vocabulary.load(tmp_path, family)
    theirs = getattr(transformers, name).from_pretrained(tmp_path)
    for text in TEXTS:
        assert (
            ours.backend.encode(text, add_special_tokens=False).ids
            == (theirs(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])
        )
    plain = TEXTS[0]
    assert ours.backend.encode(plain).ids == theirs(plain)["input_ids"]
    assert ours.backend.encode(plain, "a dog").ids == theirs(plain, "a dog")["input_ids"]
    assert ours.decode(ours.encode(plain)) == theirs.decode(ours.encode(plain), skip_special_tokens=True)


@pytest.mark.parametrize("family", [*FAMILIES][:-1])
def test_what_is_saved_opens_in_transformers_with_the_same_ids(family: str, tmp_path: Path) -> None:
    write, name = FAMILIES[family]
    write(tmp_path)
    theirs = getattr(transformers, name).from_pretrained(tmp_path)
    ours: Any = vocabulary.load(tmp_path, family)
    ours.save(tmp_path / "new")
    (tmp_path / "new" / "config.json").write_text(json.dumps({"model_type": family}))
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "new")
    for text in TEXTS[:2]:
        assert again(text)["input_ids"] == theirs(text)["input_ids"]
    assert again.special_tokens_map.items() >= theirs.special_tokens_map.items()


def test_pieces_of_sentencepiece_are_cut_as_it_cuts_them_here_and_there(tmp_path: Path) -> None:
    _pieces(tmp_path)
    cutter = pytest.importorskip("sentencepiece").SentencePieceProcessor(
        model_file=str(tmp_path / "tokenizer.model")
    )
    ours: Any = vocabulary.load(tmp_path, "llama")
    ours.save(tmp_path / "new")
    (tmp_path / "new" / "config.json").write_text('{"model_type": "llama"}')
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "new")
    for text in [*TEXTS[:2], "  two  spaces ", "🙂 東京"]:
        assert ours.encode(text) == cutter.encode(text)
        assert ours.decode(ours.encode(text)) == text
        assert ours.backend.encode(text).ids == again(text)["input_ids"] == [1, *cutter.encode(text)]


def test_the_blank_of_roberta_takes_the_space_before_it(tmp_path: Path) -> None:
    _bytes(tmp_path)
    ours: Any = vocabulary.load(tmp_path, "roberta")
    ours.save(tmp_path / "new")
    (tmp_path / "new" / "config.json").write_text('{"model_type": "roberta"}')
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "new")
    before, mark = ours.encode("the"), again.mask_token_id
    assert again("the <mask>", add_special_tokens=False)["input_ids"] == [*before, mark]


def test_settings_beside_the_vocabulary_are_heard(tmp_path: Path) -> None:
    _bert(tmp_path)
    small: Any = vocabulary.load(tmp_path, "bert")
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    large: Any = vocabulary.load(tmp_path, "bert")
    assert small.encode("THE") == small.encode("the") == large.encode("the")
    assert large.encode("THE") != large.encode("the")


def test_added_tokens_have_the_ids_they_say(tmp_path: Path) -> None:
    _bytes(tmp_path)
    size = len(json.loads((tmp_path / "vocab.json").read_text()))
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<two>": size + 1, "<one>": size}))
    ours: Any = vocabulary.load(tmp_path, "gpt2")
    assert ours.vocab_size == size + 2
    assert ours.backend.token_to_id("<two>") == size + 1
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<one>": size + 7}))
    with pytest.raises(UserError, match=r"added_tokens\.json: '<one>' has the id .* do not belong together"):
        vocabulary.load(tmp_path, "gpt2")


def test_a_folder_without_such_files_has_none(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text("{}")  # alone it is nothing
    assert vocabulary.load(tmp_path, "gpt2") is None


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"vocab.txt": "[UNK]\n[CLS]\na\n"}, r"vocab\.txt: the special token '\[SEP\]' is not in it"),
        ({"vocab.txt": "a\na\n"}, r"vocab\.txt: 1 pieces stand in it twice"),
        ({"vocab.txt": b"\xff\xfe"}, r"vocab\.txt: cannot be read as UTF-8"),
        ({"vocab.json": "{", "merges.txt": ""}, r"vocab\.json: not readable as JSON"),
        ({"vocab.json": '{"a": 0, "b": 0}', "merges.txt": ""}, r"'a' and 'b' have the same id 0"),
        ({"vocab.json": '{"a": 0}', "merges.txt": "a b c\n"}, r"merges\.txt: 'a b c' is not two pieces"),
        ({"vocab.json": '{"a": 0}', "merges.txt": "a b\n"}, r"vocab\.json and merges\.txt do not belong"),
        ({"tokenizer.model": b"nothing"}, r"tokenizer\.model: not a sentencepiece model"),
    ],
)
def test_broken_files_are_named(files: dict[str, str | bytes], says: str, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError, match=says) as told:
        vocabulary.load(tmp_path, "gpt2")
    assert str(told.value).startswith(str(tmp_path))
