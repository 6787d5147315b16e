"""The functions between two matrices, and what files call them."""

from typing import Any, get_args

import pytest
import torch
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.nn.activation import ACTIVATIONS, IN_FILES, Activation, read_activation, write_activation


def _by_tanh(x: Any) -> Any:
    return functional.gelu(x, approximate="tanh")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", functional.relu),
        ("gelu", functional.gelu),
        ("gelu_tanh", _by_tanh),
        ("silu", functional.silu),
    ],
)
def test_each_computes_what_its_name_says(name: str, function: Any) -> None:
    x = torch.linspace(-3, 3, 13)
    assert torch.equal(ACTIVATIONS[name](x), function(x))


def test_every_one_that_may_be_asked_for_is_computed_and_has_a_name_in_files() -> None:
    assert set(get_args(Activation)) == set(ACTIVATIONS) == set(IN_FILES.values())


@pytest.mark.parametrize("activation", get_args(Activation))
def test_what_is_written_is_read_again(activation: Activation) -> None:
    assert read_activation({"hidden_act": write_activation(activation)}, "hidden_act", "relu") == activation


def test_a_file_that_names_none_means_the_usual_one() -> None:
    assert read_activation({}, "hidden_act", "gelu_new") == "gelu_tanh"


def test_one_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        UserError, match=r"config\.json: afn is 'mish', which is not known here; known are relu"
    ):
        read_activation({"afn": "mish"}, "afn", "gelu", {"relu": "relu"})
