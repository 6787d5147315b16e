"""ELMo: each direction sees its side alone, layers are mixed as the paper says, and the file says all."""

from __future__ import annotations

import torch
from tests.models.drawn import drawn
from torch import Tensor

from glassformer.models.elmo import PRESETS, Config, Model, read, write

TINY = {"dim": 6, "depth": 2, "vocab_size": 20, "dropout": 0.0}
TOKENS = torch.tensor([[5, 6, 7, 8, 9], [10, 11, 12, 0, 0]])
CLOSE = {"rtol": 0.0, "atol": 1e-6}


def _model(**settings: object) -> Model:
    return drawn(Model(Config(**{**TINY, **settings}))).eval()


def _both(model: Model, tokens: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        return model.both({"tokens": tokens})


def test_each_direction_sees_its_own_side_alone() -> None:
    model = _model()
    onward, backward = _both(model, TOKENS[:1])
    for place in range(5):
        changed = TOKENS[:1].clone()
        changed[0, place] = 19
        other, other_back = _both(model, changed)
        torch.testing.assert_close(other[:, :place], onward[:, :place], **CLOSE)
        torch.testing.assert_close(other_back[:, place + 1 :], backward[:, place + 1 :], **CLOSE)
        assert not torch.allclose(other[:, place], onward[:, place], atol=1e-3)
        assert not torch.allclose(other_back[:, place], backward[:, place], atol=1e-3)


def test_backward_is_the_same_recurrence_over_the_row_from_its_end() -> None:
    model = _model()
    model.backward.load_state_dict(model.onward.state_dict())
    _, backward = _both(model, TOKENS[:1])
    onward, _ = _both(model, TOKENS[:1].flip(1))
    torch.testing.assert_close(backward.flip(1), onward, **CLOSE)


@torch.no_grad()
def test_a_token_s_vector_is_the_mixture_of_all_layers() -> None:
    model = _model()
    model.mixture.copy_(torch.tensor([0.1, -0.4, 0.9]))
    model.scale.fill_(1.7)
    shares = torch.tensor([0.1, -0.4, 0.9]).softmax(0)
    x = model.embedding(TOKENS[:1])
    wanted = shares[0] * torch.cat([x, x], dim=-1)
    onward, backward = x, x.flip(1)
    for place in (0, 1):
        onward, _ = model.onward.layers[place](onward)
        backward, _ = model.backward.layers[place](backward)
        wanted = wanted + shares[place + 1] * torch.cat([onward, backward.flip(1)], dim=-1)
    torch.testing.assert_close(model({"tokens": TOKENS[:1]}), 1.7 * wanted, **CLOSE)


@torch.no_grad()
def test_padding_changes_neither_direction() -> None:
    model = _model()
    keep = TOKENS != 0
    found = model.both({"tokens": TOKENS, "keep": keep})
    alone = _both(model, TOKENS[1:, :3])
    for together, single in zip(found, alone, strict=True):
        torch.testing.assert_close(together[1:, :3], single, **CLOSE)


@torch.no_grad()
def test_documents_are_read_alone_from_both_ends() -> None:
    model = _model()
    found = model.both({"tokens": TOKENS[:1], "documents": torch.tensor([[0, 0, 1, 1, 1]])})
    for part in (slice(0, 2), slice(2, 5)):
        for together, single in zip(found, _both(model, TOKENS[:1, part]), strict=True):
            torch.testing.assert_close(together[:, part], single, **CLOSE)


def test_the_mixture_learns_when_something_stands_on_it() -> None:
    model = _model()
    model({"tokens": TOKENS}).square().sum().backward()
    learning = [weight for name, weight in model.named_parameters() if not name.startswith("output")]
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in learning)


def test_a_file_says_all_that_the_configuration_says() -> None:
    config = Config(**TINY, cell="gru", max_length=99, pad_id=4, eos_id=5, start_id=6)
    assert read(write(config)) == config
    assert {Config(**preset).dim for preset in PRESETS.values()} == {128, 256, 512}
