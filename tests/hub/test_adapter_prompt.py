"""Soft prompts in peft's form: the same numbers there and here, where peft can say the same."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.hub.peft_folders import SIZES, TOKENS, bent_there, opened_there, write_adapter, write_base

from glassformer.base.errors import UserError
from glassformer.hub import folder as hub

pytest.importorskip("peft")


def _theirs(there: object, tokens: torch.Tensor) -> torch.Tensor:
    """The scores of real tokens."""
    with torch.no_grad():
        found: torch.Tensor = there(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits  # type: ignore[operator]
        return found[:, -tokens.shape[1] :]


@pytest.mark.parametrize("model", SIZES)
def test_peft_opens_ours_and_we_open_pefts(model: str, tmp_path: Path):
    import peft

    base = write_base(tmp_path / "base", model)
    ours = write_adapter(tmp_path / "ours", base, "prompt", tokens=3)
    with torch.no_grad():
        found = ours({"tokens": TOKENS})
    torch.testing.assert_close(found, _theirs(bent_there(base, tmp_path / "ours"), TOKENS), rtol=0, atol=1e-5)
    task = "FEATURE_EXTRACTION" if model == "bert" else "CAUSAL_LM"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        there = peft.get_peft_model(
            opened_there(base), peft.PromptTuningConfig(task_type=task, num_virtual_tokens=4)
        )
        there.save_pretrained(tmp_path / "theirs")
    with torch.no_grad():
        here = hub.load(tmp_path / "theirs").model({"tokens": TOKENS})
    torch.testing.assert_close(here, _theirs(there.eval(), TOKENS), rtol=0, atol=1e-5)


def test_vectors_of_another_width_are_refused(tmp_path: Path):
    base = write_base(tmp_path / "base", "gpt")
    write_adapter(tmp_path / "ours", base, "prompt", tokens=3)
    path = tmp_path / "ours" / "adapter_model.safetensors"
    (tmp_path / "ours" / "manifest.json").unlink()
    whole = load_file(path)
    save_file({"prompt_embeddings": torch.zeros(3, 8)}, path)
    with pytest.raises(UserError, match="the base's vectors have 16 numbers"):
        hub.load(tmp_path / "ours")
    save_file({"odd": whole["prompt_embeddings"]}, path)
    with pytest.raises(UserError, match="prompt_embeddings is missing"):
        hub.load(tmp_path / "ours")
    save_file(whole, path)
    config = tmp_path / "ours" / "adapter_config.json"
    config.write_text(
        config.read_text("utf-8").replace('"num_virtual_tokens": 3', '"num_virtual_tokens": "x"')
    )
    with pytest.raises(UserError, match="num_virtual_tokens is 'x' and should be a number from 1"):
        hub.load(tmp_path / "ours")
