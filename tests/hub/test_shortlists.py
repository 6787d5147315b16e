"""Files of shortlists: written and read, and refused when of another model, damaged or no shortlist."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from glassformer.base.errors import UserError
from glassformer.hub import shortlists

LIKELY, ALWAYS = torch.tensor([[1, -1], [4, 0], [2, 3]]), torch.tensor([0, 4])


@pytest.fixture
def path(tmp_path):
    shortlists.write(tmp_path / "words.safetensors", LIKELY, ALWAYS, "abc")
    return tmp_path / "words.safetensors"


def test_what_is_written_is_read(path):
    likely, always = shortlists.read(path, (3, 5), "abc")
    assert likely.tolist() == LIKELY.tolist() and always.tolist() == ALWAYS.tolist()


@pytest.mark.parametrize(
    ("sizes", "of", "said"),
    [
        ((3, 5), "other", "was made for other tokenizers"),
        ((4, 5), "abc", "names tokens that the model has not"),
        ((3, 4), "abc", "names tokens that the model has not"),
    ],
)
def test_one_of_another_model_is_refused(path, sizes, of, said):
    with pytest.raises(UserError, match=said):
        shortlists.read(path, sizes, of)


def test_a_file_cut_short_another_file_and_no_file_are_refused(path, tmp_path):
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="damaged or cut short"):
        shortlists.read(path, (3, 5), "abc")
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="this is no shortlist"):
        shortlists.read(path, (3, 5), "abc")
    with pytest.raises(UserError, match="no such file; `glassformer shortlist` makes one"):
        shortlists.read(tmp_path / "none", (3, 5), "abc")


def test_tokens_below_nothing_are_refused(tmp_path):
    shortlists.write(tmp_path / "bad", torch.tensor([[-2]]), torch.tensor([0]), "abc")
    with pytest.raises(UserError, match="damaged"):
        shortlists.read(tmp_path / "bad", (1, 5), "abc")
