"""An encoder opened for use: its blanks are filled as transformers fills them."""

import pytest
import torch
from tiny_family import write_bert
from transformers import BertForMaskedLM

import glassformer as gf
from glassformer.base.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("bert") / "model")


@pytest.fixture(scope="module")
def model(folder):
    return gf.load(folder, device="cpu")


def test_blanks_are_filled_as_by_transformers(folder, model):
    assert isinstance(model, gf.Filler)
    (blanks,) = model.predict("the [MASK] sleeps", top_k=3)
    ((blank,),) = model.predict(["the [MASK] sleeps"], top_k=3)
    assert blanks == [blank]
    words = model.tokenizers.source
    text = [*words.encode_running([("the", True)])[0], words.mask_id]
    ids = [*words.opening, *text, *words.encode_running([(" sleeps", False)])[0], *words.closing]
    with torch.no_grad():
        scores = BertForMaskedLM.from_pretrained(folder).eval()(torch.tensor([ids])).logits[0]
    shares = scores.softmax(-1)[ids.index(words.mask_id)]
    assert [one.probability for one in blank.candidates] == pytest.approx(
        [shares[one.token].item() for one in blank.candidates], abs=1e-5
    )
    allowed = [place for place in range(len(shares)) if place not in words.specials_ids()]
    assert blank.candidates[0].token == max(allowed, key=lambda place: shares[place])


def test_several_blanks_and_texts_keep_their_order(model):
    found = model.predict(["___ 모아 [MASK]", "", "a <mask>"], top_k=2)
    assert [len(blanks) for blanks in found] == [2, 0, 1]
    assert all(len(blank.candidates) == 2 for blanks in found for blank in blanks)


@pytest.mark.parametrize(
    ("text", "top_k", "said"),
    [
        ("no blank", 5, "text 2: the text has no blank"),
        ("the cat " * 20 + "[MASK]", 5, "text 2: the text has"),
        ("[MASK]", 0, "top_k is 0"),
    ],
)
def test_what_cannot_be_filled_is_told(model, text, top_k, said):
    with pytest.raises(UserError, match=said):
        model.predict(["a [MASK]", text], top_k=top_k)
