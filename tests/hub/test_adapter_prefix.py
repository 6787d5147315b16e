"""Prefixes in peft's form: the same numbers there and here, where peft can say the same."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.hub.peft_folders import SIZES, TOKENS, bent_there, opened_there, write_adapter, write_base

from glassformer.base.errors import UserError
from glassformer.hub import folder as hub

pytest.importorskip("peft")


def _theirs(there: object) -> torch.Tensor:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: torch.Tensor = there(input_ids=TOKENS).logits  # type: ignore[operator]
        return found


@pytest.mark.parametrize("inner", [0, 8])
@pytest.mark.parametrize("model", SIZES)
def test_peft_opens_ours_and_we_open_pefts(model: str, inner: int, tmp_path: Path):
    import peft

    base = write_base(tmp_path / "base", model)
    ours = write_adapter(tmp_path / "ours", base, "prefix", tokens=3, inner=inner)
    with torch.no_grad():
        found = ours({"tokens": TOKENS})
        plain = hub.load(base).model({"tokens": TOKENS})
    assert (found - plain).abs().max() > 1e-3
    torch.testing.assert_close(found, _theirs(bent_there(base, tmp_path / "ours")), rtol=0, atol=1e-5)
    task = "FEATURE_EXTRACTION" if model == "bert" else "CAUSAL_LM"
    asked = peft.PrefixTuningConfig(
        task_type=task, num_virtual_tokens=4, prefix_projection=inner > 0, encoder_hidden_size=inner or None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        there = peft.get_peft_model(opened_there(base), asked)
        there.save_pretrained(tmp_path / "theirs")
    with torch.no_grad():
        here = hub.load(tmp_path / "theirs").model({"tokens": TOKENS})
    torch.testing.assert_close(here, _theirs(there.eval()), rtol=0, atol=1e-5)


def test_layers_of_another_width_are_refused(tmp_path: Path):
    base = write_base(tmp_path / "base", "llama")
    write_adapter(tmp_path / "ours", base, "prefix", tokens=3)
    (tmp_path / "ours" / "manifest.json").unlink()
    save_file({"prompt_embeddings": torch.zeros(3, 64)}, tmp_path / "ours" / "adapter_model.safetensors")
    with pytest.raises(UserError, match="the base's 2 layers need 32 numbers for a token"):
        hub.load(tmp_path / "ours")
