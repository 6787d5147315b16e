"""Blanks are filled with the probabilities that the model, and that of ``transformers``, gives them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch

from glassformer.base.errors import RunError, UserError
from glassformer.decode.fill import fill
from glassformer.hub.folder import save
from glassformer.models import bert
from glassformer.text.tokenizer import Tokenizer
from glassformer.text.train import TokenizerConfig, train

TEXTS = ["티끌 모아 태산이다.", "나는 학교에 간다.", "the school is far", "a friend is here"]


@cache
def _tokenizer(kind: str = "wordpiece", frame: str = "both") -> Tokenizer:
    config = TokenizerConfig(name=kind, vocab_size=300)
    return train(config, TEXTS * 3, frame="both" if frame == "both" else "none")


@cache
def _model(head: bert.Head = "masked_lm") -> bert.Model:
    torch.manual_seed(0)
    sizes = {"dim": 16, "depth": 1, "heads": 2, "mlp_dim": 24, "max_length": 24}
    model = bert.Model(bert.Config(head=head, vocab_size=_tokenizer().vocab_size, **sizes))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.4)
    return model.eval()


@pytest.mark.parametrize("mark", ["[MASK]", "<mask>", "___", "_______"])
def test_every_way_to_write_a_blank_gives_the_probabilities_of_the_model(mark: str) -> None:
    tokenizer = _tokenizer()
    text = f"티끌 {mark} 태산이다."
    (blank,) = fill(_model(), tokenizer, text, 3)
    left, right = tokenizer.encode_running([("티끌", True), (" 태산이다.", False)])
    tokens = [*tokenizer.opening, *left, tokenizer.mask_id, *right, *tokenizer.closing]
    with torch.no_grad():
        shares = _model()({"tokens": torch.tensor([tokens])})[0, 1 + len(left)].softmax(dim=0)
    allowed = [token for token in shares.argsort(descending=True).tolist() if token > 4]
    assert text[blank.start : blank.end] == mark
    assert [one.token for one in blank.candidates] == allowed[:3]
    assert [one.probability for one in blank.candidates] == pytest.approx(
        shares[allowed[:3]].tolist(), abs=1e-5
    )
    assert all(one.text.strip() == one.text != "" for one in blank.candidates)


def test_the_probabilities_are_those_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    transformers.logging.disable_progress_bar()
    tokenizer = _tokenizer()
    save(tmp_path / "model", _model(), None)
    theirs = transformers.BertForMaskedLM.from_pretrained(tmp_path / "model").eval()
    tokens = [1, *tokenizer.encode("나는"), 4, *tokenizer.encode_running([(" 간다.", False)])[0], 2]
    with torch.no_grad():
        shares = theirs(torch.tensor([tokens])).logits[0, tokens.index(4)].softmax(dim=0)
    (blank,) = fill(_model(), tokenizer, "나는 ___ 간다.", top_k=1000)
    assert len(blank.candidates) == tokenizer.vocab_size - 5
    for one in blank.candidates:
        assert one.probability == pytest.approx(float(shares[one.token]), abs=1e-5)


def test_several_blanks_are_told_in_order_where_they_stand() -> None:
    text = "___ is ___"
    first, second = fill(_model(), _tokenizer(), text, 1)
    assert [(one.start, one.end) for one in (first, second)] == [(0, 3), (7, 10)]


@pytest.mark.parametrize("kind", ["wordpiece", "byte_bpe", "bpe", "unigram"])
def test_a_blank_leaves_the_words_around_it_as_they_were(kind: str) -> None:
    tokenizer = _tokenizer(kind)
    read: list[list[int]] = []

    class Reads:
        output = object()
        training = False
        config = _model().config

        def train(self, mode: bool = True) -> None:
            self.training = mode

        def __call__(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            read.extend(batch["tokens"].tolist())
            return torch.zeros(*batch["tokens"].shape, tokenizer.vocab_size)

    fill(Reads(), tokenizer, "the ___ is far")
    ids = tokenizer.encode("the school is far")
    word = tokenizer.words("the school is far")
    kept = [token if word[place] != 1 else -1 for place, token in enumerate(ids)]
    around = [token for place, token in enumerate(kept) if token >= 0 or kept[place - 1] >= 0]
    assert read == [[1, *(4 if token < 0 else token for token in around), 2]]


def test_what_cannot_be_filled_is_refused() -> None:
    with pytest.raises(UserError, match="the text has no blank"):
        fill(_model(), _tokenizer(), "나는 간다.")
    with pytest.raises(UserError, match="reads at most 24"):
        fill(_model(), _tokenizer(), "나는 ___ 간다. " * 9)
    with pytest.raises(UserError, match="no mask token"):
        fill(_model(), _tokenizer(frame="none"), "나는 ___")
    with pytest.raises(UserError, match="no head that scores words"):
        fill(_model("pooler"), _tokenizer(), "나는 ___")


def test_scores_that_are_no_numbers_are_told() -> None:
    model = bert.Model(_model().config)
    with torch.no_grad():
        model.table.weight.fill_(torch.nan)
    with pytest.raises(RunError, match="not numbers"):
        fill(model, _tokenizer(), "나는 ___")
