"""Texts in rows: what a template puts around one or two, and which of them loses its end first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import processors

from glassformer.objectives.framing import framed, shared_room
from glassformer.text.fast import FastTokenizer
from glassformer.text.tokenizer import load_tokenizer
from glassformer.text.train import TokenizerConfig, train

WORDS = [f"{letter}x" for letter in "abcdefghijklmnopqrst"]


def made(frame: Any) -> Any:
    return train(TokenizerConfig(name="word", vocab_size=40, min_frequency=1), [" ".join(WORDS)], frame)


def test_a_text_stands_in_its_frame_and_a_longer_one_loses_its_end() -> None:
    both, end, none = (made(frame) for frame in ("both", "end", "none"))
    one, two, three = both.encode("ax bx cx")
    (row,) = framed(["ax bx"], both, 9)
    assert (row.tokens, row.second, row.read, row.lost) == ((both.bos_id, one, two, both.eos_id), 4, 2, 0)
    (row,) = framed(["ax bx cx"], both, 4)
    assert (row.tokens, row.read, row.lost) == ((both.bos_id, one, two, both.eos_id), 2, 1)
    assert framed(["ax"], end, 9)[0].tokens == (*end.encode("ax"), end.eos_id)
    assert framed(["ax bx cx"], none, 2)[0].tokens == tuple(none.encode("ax bx"))
    assert framed([""], none, 2)[0].tokens == (none.eos_id,)
    assert three != two


@pytest.mark.parametrize("frame", ["both", "end", "none"])
def test_two_texts_end_each_with_an_end(frame: Any) -> None:
    words = made(frame)
    one, two = words.encode("ax bx")
    opening = (words.bos_id,) if frame == "both" else ()
    (row,) = framed([("ax", "bx")], words, 9)
    assert row.tokens == (*opening, one, words.eos_id, two, words.eos_id)
    assert row.second == len(opening) + 2


@pytest.mark.parametrize("sizes", [(9, 2), (2, 9), (9, 8), (8, 9), (6, 6), (5, 5), (1, 1), (0, 9), (7, 3)])
@pytest.mark.parametrize("room", [2, 3, 7, 8, 9, 10, 17])
def test_the_longer_text_loses_first_as_elsewhere(sizes: tuple[int, int], room: int) -> None:
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel({w: n for n, w in enumerate(WORDS)}))  # type: ignore[attr-defined]
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()  # type: ignore[attr-defined]
    backend.enable_truncation(room, strategy="longest_first")
    told = backend.encode(" ".join(WORDS[: sizes[0]]), " ".join(WORDS[10 : 10 + sizes[1]]))
    assert shared_room(*sizes, room) == (told.sequence_ids.count(0), told.sequence_ids.count(1))


TEMPLATES = {
    "bert": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    "roberta": ("[CLS] $A [SEP]", "[CLS] $A [SEP] [SEP] $B [SEP]"),
    "llama": ("[CLS] $A", "[CLS] $A [CLS] $B"),
}


@pytest.mark.parametrize("kind", TEMPLATES)
@pytest.mark.parametrize("longest", [7, 9, 30])
def test_a_pair_stands_in_the_template_of_its_tokenizer(kind: str, longest: int, tmp_path: Path) -> None:
    single, pair = TEMPLATES[kind]
    marks = [("[CLS]", 20), ("[SEP]", 21)]
    vocab = {w: n for n, w in enumerate(WORDS)} | dict(marks) | {"[PAD]": 22, "[UNK]": 23}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocab, unk_token="[UNK]"))  # type: ignore[attr-defined]
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()  # type: ignore[attr-defined]
    backend.add_special_tokens(["[CLS]", "[SEP]", "[PAD]", "[UNK]"])
    backend.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=marks)
    backend.save(str(tmp_path / "tokenizer.json"))
    words = load_tokenizer(tmp_path)
    assert isinstance(words, FastTokenizer)
    texts = (" ".join(WORDS[:5]), " ".join(WORDS[10:14]))
    (row,) = framed([texts], words, longest)
    backend.enable_truncation(longest, strategy="longest_first")
    told = backend.encode(*texts)
    assert list(row.tokens) == told.ids
    if kind == "bert":
        assert [int(place >= row.second) for place in range(len(row.tokens))] == told.type_ids
