"""Layers that are computed again on the way back: the same gradients from less that is kept."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassformer.models import gpt, transformer
from glassformer.nn.recompute import recompute

TINY = {"dim": 16, "depth": 3, "heads": 2, "vocab_size": 30, "max_length": 16}


def _model() -> gpt.Model:
    torch.manual_seed(0)
    return gpt.Model(gpt.Config(**TINY, dropout=0.2, attention_dropout=0.2)).train()


def _gradients(model: nn.Module) -> tuple[list[Tensor], int]:
    """The gradients of a step with dropout, and how many bytes were kept for the way back."""
    kept = 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    torch.manual_seed(1)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model({"tokens": torch.arange(24).view(2, 12)}).logsumexp(-1).sum()
    loss.backward()
    return [weight.grad for weight in model.parameters() if weight.grad is not None], kept


def test_gradients_are_bit_for_bit_the_same_and_less_is_kept() -> None:
    plain, again = _model(), _model()
    assert recompute(again, True)
    (wanted, much), (found, little) = _gradients(plain), _gradients(again)
    assert len(wanted) == len(found) > 30
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))
    assert little < much / 3


def test_a_decoder_looks_at_its_memory_again() -> None:
    torch.manual_seed(0)
    config = transformer.Config(dim=16, depth=2, heads=2, mlp_dim=32, vocab_size=30, target_vocab_size=30)
    tokens = torch.arange(4, 16).view(2, 6)
    batch = {"source": tokens, "source_keep": torch.ones(2, 6, dtype=torch.bool), "target": tokens}
    found = []
    for wanted in (False, True):
        torch.manual_seed(2)
        model = transformer.Model(config).train()
        recompute(model, wanted)
        torch.manual_seed(3)
        model(batch).logsumexp(-1).sum().backward()
        found.append([weight.grad for weight in model.parameters()])
    for one, other in zip(*found, strict=True):
        assert one is other is None or torch.equal(one, other)


def test_what_has_no_blocks_says_so() -> None:
    assert not recompute(nn.Linear(2, 2), True)
