"""OPUS folders, against transformers.MarianTokenizer on the same files."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import transformers
from text_samples import SENTENCES

from glassformer.base.errors import UserError
from glassformer.text.tokenizer import load_pair, load_tokenizer

KOREAN, ENGLISH = SENTENCES[:4], SENTENCES[4:]
TEXTS = (
    *SENTENCES,
    "",
    " ",
    "  학교에  book ",
    "뷁 漢字 😀 unseen?",
    "ｆｕｌｌ ① ﬁ",
    "a▁b",
    "\tbook\n",
    "half-read<book>",
)


def _learn(texts: tuple[str, ...], path: Path) -> list[str]:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts * 3),
        model_prefix=str(path.with_suffix("")),
        vocab_size=90,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path.with_suffix(".model").rename(path)
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [model.id_to_piece(i) for i in range(model.get_piece_size()) if not model.is_control(i)]


@pytest.fixture(scope="module")
def opus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opus")
    pieces = [*_learn(KOREAN, folder / "source.spm"), *_learn(ENGLISH, folder / "target.spm"), ">>eng<<"]
    names = dict.fromkeys(["</s>", "<unk>", *pieces, "<pad>"])
    del names["<pad>"]
    table = {piece: number for number, piece in enumerate([*names, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(table))
    (folder / "config.json").write_text(json.dumps({"model_type": "marian"}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"source_lang": "ko", "target_lang": "en"}))
    return folder


@pytest.fixture
def copy(opus: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(opus, tmp_path / "copy"))


def test_source_and_target_ids_and_texts_are_those_of_transformers(opus: Path) -> None:
    pair = load_pair(opus)
    theirs = transformers.AutoTokenizer.from_pretrained(opus)
    assert type(theirs).__name__ == "MarianTokenizer"
    for text in (*TEXTS, ">>eng<< 나는 학교에"):
        assert [*pair.source.encode(text), pair.source.eos_id] == theirs(text)["input_ids"], text
    for text in TEXTS:
        ids = pair.target.encode(text)
        assert [*ids, pair.target.eos_id] == theirs(text_target=text)["input_ids"], text
        assert pair.target.decode([*ids, 0]) == theirs.decode(ids, skip_special_tokens=True)
        assert pair.source.pieces(ids) == theirs.convert_ids_to_tokens(ids)


def test_special_ids_come_from_the_table(opus: Path) -> None:
    pair = load_pair(opus)
    last = len(json.loads((opus / "vocab.json").read_text())) - 1
    assert (pair.target.eos_id, pair.target.unk_id, pair.target.pad_id, pair.target.bos_id) == (
        0,
        1,
        last,
        last,
    )
    assert pair.source.vocab_size == last + 1
    assert pair.shared
    assert pair.source is not pair.target
    assert pair.source.kind == "sentencepiece"


def test_texts_are_closed_and_framed_as_transformers_frames_them(opus: Path) -> None:
    ours = load_pair(opus).source
    theirs = transformers.MarianTokenizer.from_pretrained(opus)
    one, other = (ours.encode(text) for text in KOREAN[:2])
    frame = (ours.opening, ours.between, ours.closing)
    assert [*frame[0], *one, *frame[1], *other, *frame[2]] == theirs(*KOREAN[:2])["input_ids"]
    assert ours.mask_id is None
    assert ours.specials_ids() == set(theirs.all_special_ids)
    assert ours.encode_running([(KOREAN[0], True), (KOREAN[1], False)]) == [one, other]


def test_pieces_without_a_space_in_front_go_on(opus: Path) -> None:
    ours = load_pair(opus).source
    table = ours.continues()
    for text in KOREAN:
        ids = ours.encode(text)
        begun = [piece for piece, number in zip(ours.pieces(ids), ids, strict=True) if not table[number]]
        assert [piece for piece in begun if piece not in {".", "!"}] == [
            piece for piece in ours.pieces(ids) if piece.startswith("▁")
        ]


def test_batches_give_what_each_text_gives(opus: Path) -> None:
    source = load_tokenizer(opus)
    rows = source.encode_batch(TEXTS)
    assert rows == [source.encode(text) for text in TEXTS]
    assert source.decode_batch(rows) == [source.decode(row) for row in rows]
    assert source.encode_batch([]) == []


def test_special_tokens_written_in_the_text_are_ordinary_text(opus: Path) -> None:
    target = load_tokenizer(opus, "tokenizer_target")
    ids = target.encode("the </s> <pad> book")
    assert {target.eos_id, target.pad_id}.isdisjoint(ids)


def test_ids_know_their_word(opus: Path) -> None:
    target = load_tokenizer(opus, "tokenizer_target")
    for text in (*ENGLISH, ">>eng<< I went", "  the  library 😀 뷁"):
        ids, owners = target.encode(text), target.words(text)
        assert len(ids) == len(owners)
        assert owners == sorted(owners)
        for index, word in enumerate(text.split()):
            mine = [number for number, owner in zip(ids, owners, strict=True) if owner == index]
            assert target.unk_id in mine or target.decode(mine) == word


def test_a_folder_is_saved_as_it_was(opus: Path, tmp_path: Path) -> None:
    pair = load_pair(opus)
    pair.save(tmp_path)
    for name in ("source.spm", "target.spm", "vocab.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (opus / name).read_bytes()
    assert load_pair(tmp_path).fingerprint == pair.fingerprint


def test_two_tables_are_two_vocabularies(copy: Path) -> None:
    table = json.loads((copy / "vocab.json").read_text())
    turned = {
        piece: number for number, piece in enumerate(["</s>", "<unk>", *reversed([*table][2:-1]), "<pad>"])
    }
    (copy / "target_vocab.json").write_text(json.dumps(turned))
    (copy / "tokenizer_config.json").write_text(json.dumps({"separate_vocabs": True}))
    pair = load_pair(copy)
    assert not pair.shared
    theirs = transformers.AutoTokenizer.from_pretrained(copy)
    assert [*pair.source.encode(KOREAN[0]), 0] == theirs(KOREAN[0])["input_ids"]
    assert [*pair.target.encode(ENGLISH[0]), 0] == theirs(text_target=ENGLISH[0])["input_ids"]
    assert pair.target.decode(pair.target.encode(ENGLISH[0])) == ENGLISH[0]


def _without(name: str) -> Any:
    return lambda table: table.pop(name)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_without("<pad>"), "vocab.json: no <pad> in it"),
        (_without("</s>"), "vocab.json: no </s> in it"),
        (lambda table: table.update(twin=5), "have the same id 5"),
        (lambda table: table.update(half=0.5), "every piece needs a whole number"),
    ],
)
def test_a_table_that_does_not_fit_is_said(copy: Path, change: Any, sentence: str) -> None:
    table = json.loads((copy / "vocab.json").read_text())
    change(table)
    (copy / "vocab.json").write_text(json.dumps(table))
    with pytest.raises(UserError, match=sentence):
        load_pair(copy)


def test_missing_and_broken_files_are_said(copy: Path) -> None:
    path = copy / "target.spm"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"target\.spm: not a sentencepiece model"):
        load_pair(copy)
    path.unlink()
    with pytest.raises(UserError, match=r"target\.spm missing"):
        load_pair(copy)


def test_without_the_package_it_is_said_how_to_install_it(
    opus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(
        UserError,
        match=r"source\.spm: reading it needs the package sentencepiece; pip install 'glassformer\[hub\]'",
    ):
        load_pair(opus)
