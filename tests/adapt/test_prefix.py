"""A prefix is put into self-attention, and a model without any is told so."""

import pytest

from glassformer.adapt.prefix import Config, bend
from glassformer.base.errors import UserError
from glassformer.models import gpt, rnn
from glassformer.nn.adapter import keep_base, learns


@pytest.mark.parametrize(("inner", "size"), [(0, 3 * 32), (4, 3 * 8 + 4 * 8 + 4 + 4 * 32 + 32)])
def test_the_prefix_alone_learns(inner: int, size: int):
    model = gpt.Model(gpt.Config(dim=8, depth=2, heads=2, max_length=9, vocab_size=9))
    keep_base(model)
    bend(model, Config(tokens=3, inner=inner), None)
    assert sum(one.numel() for one in learns(model).values()) == size


def test_a_recurrence_has_no_place_for_it():
    with pytest.raises(UserError, match="and rnn has none"):
        bend(rnn.Model(rnn.Config(dim=8, vocab_size=9)), Config(), None)
