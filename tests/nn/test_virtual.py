"""Virtual tokens are numbers past the vocabulary; texts become so much shorter."""

import pytest
import torch

from glassformer.base.errors import UserError
from glassformer.models.gpt import Config, Model
from glassformer.nn.virtual import Virtual, put_before

TOKENS = torch.tensor([[3, 4, 5], [6, 7, 8]])


def _model(ahead: int = 2) -> Model:
    torch.manual_seed(0)
    model = Model(Config(dim=8, depth=1, heads=2, max_length=6, vocab_size=9, dropout=0.0)).eval()
    put_before(model, model.embedding.table, torch.randn(ahead, 8))
    return model


def test_words_keep_their_vectors_and_numbers_past_them_are_virtual():
    table = torch.nn.Embedding(4, 2)
    bent = Virtual(table, torch.ones(2, 2))
    assert torch.equal(bent(torch.tensor([1, 4, 5])), torch.stack([table.weight[1], *torch.ones(2, 2)]))
    assert bent.weight is table.weight


def test_virtual_tokens_of_words_are_these_words_before_the_text():
    model = _model()
    model.embedding.table.prompt.data = model.embedding.table.weight[[1, 2]].clone()
    plain = Model(Config(dim=8, depth=1, heads=2, max_length=6, vocab_size=9, dropout=0.0)).eval()
    own = {name: one for name, one in model.state_dict().items() if "prompt" not in name}
    plain.load_state_dict(own)
    told = plain({"tokens": torch.cat([torch.tensor([[1, 2], [1, 2]]), TOKENS], dim=1)})
    torch.testing.assert_close(model({"tokens": TOKENS}), told[:, 2:])


def test_room_for_text_is_counted_without_them():
    model = _model()
    assert model.config.max_length == 4
    model({"tokens": torch.ones(1, 4, dtype=torch.long)})
    with pytest.raises(UserError, match="a text of 7 tokens is longer than the model, which reads 6"):
        model({"tokens": torch.ones(1, 5, dtype=torch.long)})
    with pytest.raises(UserError, match="6 virtual tokens leave no room for a text in a model that reads 6"):
        _model(6)


def test_rows_of_several_documents_are_refused():
    with pytest.raises(UserError, match=r"objective\.separate=false"):
        _model()({"tokens": TOKENS, "documents": torch.zeros_like(TOKENS)})
