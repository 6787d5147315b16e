"""What decoding may be asked for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from glassformer.decode.settings import Decoding


def test_the_defaults_are_those_of_the_paper() -> None:
    asked = Decoding()
    assert (asked.num_beams, asked.length_penalty, asked.length_penalty_form) == (4, 0.6, "gnmt")


def test_an_n_best_list_longer_than_the_beam_is_refused() -> None:
    with pytest.raises(
        ValidationError, match="num_return_sequences \\(5\\) is larger than num_beams \\(4\\)"
    ):
        Decoding(num_return_sequences=5)
    assert Decoding(num_return_sequences=5, do_sample=True).num_return_sequences == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_beams": 0},
        {"temperature": 0.0},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"top_k": -1},
        {"max_new_tokens": 0},
        {"early_stopping": "sometimes"},
        {"length_penalty": float("nan")},
        {"beams": 3},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Decoding(**wrong)
