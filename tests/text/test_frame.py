"""What stands around texts: our own templates as transformers applies them, and those of other families."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizers
import transformers
from text_samples import KINDS, SENTENCES
from tokenizers import models, pre_tokenizers, processors

from glassformer.text.frame import Frame, frame_of
from glassformer.text.tokenizer import load_tokenizer
from glassformer.text.train import TokenizerConfig, train, train_pair

TEXTS = (SENTENCES[0], "The café  isn't <mask> far 👩‍👩‍👧")


def _backend(processor: processors.PostProcessor | None) -> tokenizers.Tokenizer:
    vocabulary = {"[CLS]": 0, "[SEP]": 1, "a": 2, "[UNK]": 3}
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    if processor is not None:
        backend.post_processor = processor
    return backend


def _llama() -> processors.PostProcessor:
    template = {"single": "[CLS] $A", "pair": "[CLS] $A [CLS] $B"}
    return processors.TemplateProcessing(**template, special_tokens=[("[CLS]", 0)])


@pytest.mark.parametrize(
    ("make", "frame"),
    [
        (lambda: None, Frame()),
        (lambda: processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0)), Frame((0,), (1,), (1,))),
        (lambda: processors.RobertaProcessing(("[SEP]", 1), ("[CLS]", 0)), Frame((0,), (1,), (1, 1))),
        (_llama, Frame((0,), (), (0,))),
        (processors.ByteLevel, Frame()),
    ],
)
def test_the_frame_of_every_family_is_found(
    make: Callable[[], processors.PostProcessor | None], frame: Frame
) -> None:
    assert frame_of(_backend(make())) == frame


def test_a_backend_that_reads_nothing_has_no_frame() -> None:
    assert frame_of(tokenizers.Tokenizer(models.BPE())) == Frame()


@pytest.mark.parametrize("kind", KINDS)
def test_both_ends_are_framed_as_transformers_frames_them(kind: str, tmp_path: Path) -> None:
    ours = train(TokenizerConfig(name=kind, vocab_size=600), SENTENCES, frame="both")
    ours.save(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (ours.opening, ours.closing, ours.between, ours.mask_id) == ((1,), (2,), (2,), 4)
    names = ("mask_token", "cls_token", "sep_token", "bos_token", "eos_token")
    assert [getattr(theirs, name) for name in names] == ["<mask>", "<s>", "</s>", "<s>", "</s>"]
    one, other = (ours.encode(text) for text in TEXTS)
    for text, ids in zip(TEXTS, (one, other), strict=True):
        assert theirs(text)["input_ids"] == [1, *ids, 2]
    pair = theirs(*TEXTS)
    assert pair["input_ids"] == [1, *one, 2, *other, 2]
    assert pair["token_type_ids"] == [0] * (len(one) + 2) + [1] * (len(other) + 1)
    assert load_tokenizer(tmp_path).fingerprint == ours.fingerprint


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_frame_nothing_is_added(kind: str, tmp_path: Path) -> None:
    ours = train(TokenizerConfig(name=kind, vocab_size=600), SENTENCES, frame="none")
    ours.save(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (ours.opening, ours.closing, ours.between, ours.mask_id) == ((), (), (), None)
    for text in TEXTS:
        assert theirs(text)["input_ids"] == ours.encode(text)


def test_a_translator_has_no_mask_and_ends_its_texts() -> None:
    ours = train(TokenizerConfig(name="bpe", vocab_size=600), SENTENCES)
    assert (ours.opening, ours.closing, ours.between, ours.mask_id) == ((), (2,), (), None)
    assert ours.specials_ids() == {0, 1, 2, 3}


def test_the_mask_is_a_special_id_that_text_cannot_reach() -> None:
    ours = train(TokenizerConfig(name="word", vocab_size=600, min_frequency=1), SENTENCES, frame="both")
    assert ours.specials_ids() == {0, 1, 2, 3, 4}
    assert 4 not in ours.encode("a <mask> b")
    assert ours.decode([1, 4, *ours.encode(SENTENCES[0]), 2]) == SENTENCES[0]


def test_both_sides_of_a_pair_are_framed_alike() -> None:
    pairs = [("나는 간다", "I go"), ("나는 집에 간다", "I go home")]
    pair = train_pair(TokenizerConfig(name="word", shared=False, min_frequency=1), pairs, frame="both")
    assert pair.source.mask_id == pair.target.mask_id == 4
    single = train_pair(TokenizerConfig(name="word", min_frequency=1), [(text,) for text, _ in pairs], "none")
    assert single.source is single.target
    assert single.source.closing == ()
