"""Opening tokenizer.json files: of other libraries, and broken ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import transformers
from text_samples import SENTENCES
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from glassformer.base.errors import UserError
from glassformer.text.fast import FastTokenizer
from glassformer.text.tokenizer import load_tokenizer

Learned = Callable[..., FastTokenizer]


def _bert(folder: Path) -> None:
    backend = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    backend.train_from_iterator(
        SENTENCES, trainers.WordPieceTrainer(special_tokens=names, show_progress=False)
    )
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.enable_truncation(4)
    backend.save(str(folder / "tokenizer.json"))
    _beside(folder, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]")


def _gpt2(folder: Path) -> None:
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(SENTENCES, trainer)
    backend.save(str(folder / "tokenizer.json"))
    _beside(folder, **dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>"))


def _t5(folder: Path) -> None:
    backend = tokenizers.Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    names = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=names, unk_token="<unk>", show_progress=False
    )
    backend.train_from_iterator(SENTENCES, trainer)
    backend.save(str(folder / "tokenizer.json"))
    _beside(
        folder, pad_token="<pad>", eos_token={"__type": "AddedToken", "content": "</s>"}, unk_token="<unk>"
    )


def _beside(folder: Path, **settings: Any) -> None:
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("make", "kind", "ids"),
    [(_bert, "wordpiece", (0, 2, 3, 1)), (_gpt2, "byte_bpe", (0, 0, 0, 0)), (_t5, "unigram", (0, 0, 1, 2))],
)
def test_folders_of_other_families_open_with_their_own_ids(
    make: Callable[[Path], None], kind: str, ids: tuple[int, ...], tmp_path: Path
) -> None:
    make(tmp_path)
    ours = load_tokenizer(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert ours.kind == kind
    assert (ours.pad_id, ours.bos_id, ours.eos_id, ours.unk_id) == ids
    assert ours.vocab_size == len(theirs)
    assert ours.mask_id == theirs.get_vocab().get("[MASK]")
    frame = [*ours.opening, *ours.encode("book"), *ours.closing]
    assert frame == theirs("book")["input_ids"]
    for text in SENTENCES:
        mine = theirs(text, add_special_tokens=False)["input_ids"]
        assert ours.encode(text) == mine
        assert ours.decode(mine) == theirs.decode(mine, skip_special_tokens=True)


@pytest.mark.parametrize(("make", "name"), [(_bert, "[SEP]"), (_gpt2, "<|endoftext|>"), (_t5, "</s>")])
def test_their_special_tokens_written_in_the_text_are_no_special_ids(
    make: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    make(tmp_path)
    ours = load_tokenizer(tmp_path)
    ids = ours.encode(f"a {name} book")
    assert ids
    assert ours.encode_batch([f"a {name} book"]) == [ids]
    assert {ours.pad_id, ours.bos_id, ours.eos_id}.isdisjoint(set(ids) - {ours.unk_id})


@pytest.mark.parametrize("make", [_bert, _gpt2, _t5])
def test_a_foreign_tokenizer_is_saved_with_its_own_settings(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path)
    ours = load_tokenizer(tmp_path)
    ours.save(tmp_path / "out")
    again = load_tokenizer(tmp_path / "out")
    assert again.fingerprint == ours.fingerprint
    before, after = (tmp_path / part / "tokenizer_config.json" for part in (".", "out"))
    assert json.loads(after.read_text()) == json.loads(before.read_text())


@pytest.fixture
def folder(learned: Learned, tmp_path: Path) -> Path:
    learned("bpe").save(tmp_path)
    return tmp_path


def _change(folder: Path, change: Callable[[dict[str, Any]], None], name: str = "tokenizer.json") -> None:
    parts = json.loads((folder / name).read_text())
    change(parts)
    (folder / name).write_text(json.dumps(parts))


def _refused(folder: Path, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_tokenizer(folder)


@pytest.mark.parametrize(
    ("marks", "ids"),
    [
        (["<s>", "<pad>", "</s>", "<unk>", "<mask>"], (1, 0, 2, 3, 4)),
        (["<unk>", "<s>", "</s>"], (2, 1, 2, 0, None)),
        (["<|begin_of_text|>", "<|end_of_text|>"], (1, 0, 1, None, None)),
        (["<|endoftext|>"], (0, 0, 0, 0, None)),
        (["[UNK]", "[CLS]", "[SEP]", "[MASK]", "[PAD]"], (4, 1, 2, 0, 3)),
    ],
    ids=["roberta", "llama-2", "llama-3", "gpt-2", "bert"],
)
def test_special_ids_of_well_known_families_are_found_by_name(
    marks: list[str], ids: tuple[int | None, ...], tmp_path: Path
) -> None:
    vocabulary = {name: at for at, name in enumerate([*marks, "a"])}
    backend = tokenizers.Tokenizer(models.BPE(vocabulary, []))
    backend.add_special_tokens(marks)
    backend.save(str(tmp_path / "tokenizer.json"))
    ours = load_tokenizer(tmp_path)
    assert (ours.pad_id, ours.bos_id, ours.eos_id, ours.unk_id, ours.mask_id) == ids
    assert ours.specials_ids() == set(range(len(marks)))


def test_an_encoder_may_call_its_ends_by_other_names(tmp_path: Path) -> None:
    backend = tokenizers.Tokenizer(
        models.WordLevel({"[B]": 0, "[E]": 1, "[U]": 2, "[M]": 3}, unk_token="[U]")
    )
    backend.save(str(tmp_path / "tokenizer.json"))
    _beside(tmp_path, cls_token="[B]", sep_token="[E]", unk_token="[U]", mask_token="[M]")
    ours = load_tokenizer(tmp_path)
    assert (ours.bos_id, ours.eos_id, ours.unk_id, ours.mask_id) == (0, 1, 2, 3)


@pytest.mark.parametrize("length", [0, 1, 100, 5000])
def test_a_file_cut_short_is_said(folder: Path, length: int) -> None:
    path = folder / "tokenizer.json"
    path.write_bytes(path.read_bytes()[:length])
    _refused(folder, "tokenizer.json: not readable as JSON .*cut short")


def test_a_file_of_something_else_is_said(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_bytes(b"\xff\xfe\x00binary")
    _refused(folder, "not readable as JSON")
    path.write_text("[1, 2]")
    _refused(folder, "expected a JSON object, got list")
    path.write_text('{"version": "1.0"}')
    _refused(folder, "no vocabulary in it")
    path.write_text('{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": "b"}}}')
    _refused(folder, "cannot use it")


def test_two_pieces_with_one_id_are_said(folder: Path) -> None:
    _change(folder, lambda parts: parts["model"]["vocab"].update({"twin": 260}))
    _refused(folder, "and 'twin' have the same id 260")


def test_merges_of_pieces_that_are_missing_are_said(folder: Path) -> None:
    _change(folder, lambda parts: parts["model"]["merges"].append(["never", "seen"]))
    _refused(folder, "cannot use it")


def test_an_unknown_token_that_is_missing_is_said_before_it_is_needed(
    learned: Learned, tmp_path: Path
) -> None:
    learned("word").save(tmp_path)
    _change(tmp_path, lambda parts: parts["model"].update(unk_token="<what>"))
    _refused(tmp_path, "cannot use it .*Missing")


def test_a_special_token_that_is_missing_is_said(folder: Path) -> None:
    _change(folder, lambda parts: parts.update(eos_token="<end>"), "special_tokens_map.json")
    _refused(folder, "eos_token '<end>', named in a file beside it, is not in its vocabulary")


def test_a_file_without_any_end_of_sentence_is_said(tmp_path: Path) -> None:
    backend = tokenizers.Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    backend.save(str(tmp_path / "tokenizer.json"))
    _refused(tmp_path, "no end-of-sentence token")


def test_files_beside_it_that_are_broken_are_said(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{")
    _refused(folder, "tokenizer_config.json: not readable as JSON")


def test_without_files_beside_it_the_usual_names_serve(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    (folder / "special_tokens_map.json").unlink()
    opened = load_tokenizer(folder)
    assert (opened.pad_id, opened.bos_id, opened.eos_id, opened.unk_id) == (0, 1, 2, 3)
