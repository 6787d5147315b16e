"""Words in a blank score as the model's own softmax says, whatever they are batched with."""

from __future__ import annotations

import pytest
import torch
from tests.api.tiny_family import shaken

from glassformer.base.errors import RunError, UserError
from glassformer.decode.cloze import blanked, cloze, pieces_of
from glassformer.models import bert
from glassformer.text.train import TokenizerConfig, train

WORDS = train(
    TokenizerConfig(name="word", vocab_size=16), ["it was good bad so the film [?]"] * 3, frame="both"
)
TEXTS = [("the film was ", ""), ("so so ", " film"), ("", ""), ("it was ", " so")]


def _model(head: str = "masked_lm") -> bert.Model:
    config = bert.Config(
        dim=16, depth=1, heads=2, mlp_dim=32, head=head, vocab_size=WORDS.vocab_size, max_length=12
    )
    return shaken(bert.Model(config)).eval()  # type: ignore[return-value]


def _ids(text: str) -> list[int]:
    return [WORDS.encode_batch([word])[0][0] for word in text.split()]


def _asked(model: bert.Model, texts=TEXTS, **options):
    rows = blanked(model, WORDS, texts)
    pieces = pieces_of(WORDS, texts[0][0], ("good", "bad"))
    return cloze(model, rows, ("good", "bad"), pieces, WORDS.mask_id, **options)


@pytest.mark.parametrize("most", [1, 2048])
def test_a_word_scores_as_the_models_own_softmax_says(most: int):
    model = _model()
    for (before, after), row in zip(TEXTS, _asked(model, tokens_per_batch=most), strict=True):
        ids = [*WORDS.opening, *_ids(before), WORDS.mask_id, *_ids(after), *WORDS.closing]
        with torch.no_grad():
            logp = model({"tokens": torch.tensor([ids])})[0, ids.index(WORDS.mask_id)].log_softmax(dim=0)
        for one in row:
            assert one.logp == pytest.approx(float(logp[_ids(one.text)[0]]), abs=1e-5)


def test_the_blank_of_the_question_is_meant_when_an_example_has_one():
    model = _model()
    one, two = _asked(model, [("the film was ", ""), ("the film was ", "")])
    assert one == two
    rows = blanked(model, WORDS, [("so ", "")])
    masked = [[*rows[0][:1], WORDS.mask_id, *rows[0][1:]]]
    found = cloze(model, masked, ("good",), pieces_of(WORDS, "so ", ("good",)), WORDS.mask_id)
    place = len(masked[0]) - 1 - masked[0][::-1].index(WORDS.mask_id)
    with torch.no_grad():
        logp = model({"tokens": torch.tensor(masked)})[0, place].log_softmax(dim=0)
    assert found[0][0].logp == pytest.approx(float(logp[found[0][0].tokens[0]]), abs=1e-5)


def test_a_word_of_several_pieces_is_refused():
    with pytest.raises(UserError, match="the word 'good film' is '▁good ▁film' in a blank here"):
        pieces_of(WORDS, "it was ", ("good film",))


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(UserError, match="no head that scores words"):
        _asked(_model("none"))
    with pytest.raises(UserError, match="a prompt of 15 tokens is longer than the model, which reads 12"):
        _asked(_model(), [("so " * 12, "")])
    broken = _model()
    next(iter(broken.parameters())).data.fill_(float("nan"))
    with pytest.raises(RunError, match="not numbers"):
        _asked(broken)
