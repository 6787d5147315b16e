"""A blank model has its places, and nothing is drawn for them."""

import torch

from glassformer.hub.blank import blank
from glassformer.models import gpt


def test_no_chance_is_used():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    made = blank(gpt, gpt.Config(dim=8, depth=1, heads=2, vocab_size=9))
    assert torch.equal(torch.get_rng_state(), before)
    assert made.output.weight.shape == (9, 8)
