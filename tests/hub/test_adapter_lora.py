"""LoRA folders: peft opens ours and we open peft's, and the numbers are the same."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.hub.peft_folders import SIZES, TOKENS, bent_there, opened_there, write_adapter, write_base

from glassformer.base.errors import UserError
from glassformer.hub import folder as hub

pytest.importorskip("peft")

THERE = {"gpt": ["c_attn", "c_fc"], "bert": ["query", "value", "intermediate.dense"], "llama": "all-linear"}


def _close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "settings", [{"rank": 3}, {"rank": 2, "rslora": True, "targets": [".q", ".v", "mlp"]}]
)
@pytest.mark.parametrize("model", SIZES)
def test_peft_opens_ours(model: str, settings: dict[str, Any], tmp_path: Path):
    base = write_base(tmp_path / "base", model)
    ours = write_adapter(tmp_path / "adapter", base, "lora", **settings)
    there = bent_there(base, tmp_path / "adapter")
    with torch.no_grad():
        found, plain = there(input_ids=TOKENS).logits, opened_there(base)(input_ids=TOKENS).logits
        _close(ours({"tokens": TOKENS}), found)
        _close(hub.load(tmp_path / "adapter").model({"tokens": TOKENS}), found)
    assert (found - plain).abs().max() > 0.01


@pytest.mark.parametrize("rooted", [False, True])
@pytest.mark.parametrize("model", SIZES)
def test_we_open_pefts(model: str, rooted: bool, tmp_path: Path):
    import peft

    base = write_base(tmp_path / "base", model)
    asked = peft.LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=THERE[model],
        rank_pattern={"1.*": 2},
        use_rslora=rooted,
        fan_in_fan_out=model == "gpt",
        init_lora_weights=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        there = peft.get_peft_model(opened_there(base), asked)
        there.save_pretrained(tmp_path / "adapter")
    here = hub.load(tmp_path / "adapter")
    with torch.no_grad():
        found = there.eval()(input_ids=TOKENS).logits
        _close(here.model({"tokens": TOKENS}), found)
        # What was opened is written again in our way, and is the same.
        hub.save(tmp_path / "again", here.model, None)
        _close(hub.load(tmp_path / "again").model({"tokens": TOKENS}), found)
        _close(bent_there(base, tmp_path / "again")(input_ids=TOKENS).logits, found)


def test_a_tensor_of_three_matrices_has_an_update_along_its_diagonal(tmp_path: Path):
    base = write_base(tmp_path / "base", "gpt")
    write_adapter(tmp_path / "adapter", base, "lora", rank=2, targets=["attention.q", "attention.v"])
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    name = "base_model.model.transformer.h.0.attn.c_attn"
    assert weights.keys() == {
        f"base_model.model.transformer.h.{layer}.attn.c_attn.lora_{part}.weight"
        for layer in (0, 1)
        for part in "AB"
    }
    wide = weights[f"{name}.lora_B.weight"]
    assert (weights[f"{name}.lora_A.weight"].shape, wide.shape) == ((4, 16), (48, 4))
    assert wide[:16, :2].any()
    assert wide[32:, 2:].any()
    assert not wide[:16, 2:].any()
    assert not wide[16:32].any()
    assert not wide[32:, :2].any()


def _edited(adapter: Path, **keys: Any) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | keys), "utf-8")
    (adapter / "manifest.json").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"use_dora": True}, "asks for use_dora: True, which is not computed here"),
        ({"bias": "all"}, "bias: all trains biases of the base"),
        ({"lora_alpha": "much"}, "lora_alpha is 'much' and should be a number"),
        ({"lora_dropout": None}, "lora_dropout is None and should be a number"),
        ({"alpha_pattern": ["x"]}, r"alpha_pattern is \['x'\] and should give patterns values"),
        ({"alpha_pattern": {"(": 1}}, r"alpha_pattern is .* and should give patterns values"),
        ({"peft_type": "LOHA"}, "peft_type 'LOHA' is not known here; known are LORA"),
    ],
)
def test_what_is_not_computed_here_is_refused(keys: dict[str, Any], sentence: str, tmp_path: Path):
    base = write_base(tmp_path / "base", "gpt")
    write_adapter(tmp_path / "adapter", base, "lora")
    _edited(tmp_path / "adapter", **keys)
    with pytest.raises(UserError, match=sentence):
        hub.load(tmp_path / "adapter")


def test_updates_that_do_not_fit_are_refused(tmp_path: Path):
    base = write_base(tmp_path / "base", "llama")
    write_adapter(tmp_path / "adapter", base, "lora", targets=["attention.q"])
    path, name = (
        tmp_path / "adapter" / "adapter_model.safetensors",
        "base_model.model.model.layers.0.self_attn.q_proj",
    )
    _edited(tmp_path / "adapter")
    whole = load_file(path)

    def told(weights: dict[str, torch.Tensor]) -> str:
        save_file(weights, path)
        with pytest.raises(UserError) as error:
            hub.load(tmp_path / "adapter")
        return str(error.value)

    assert "lora_B.weight is missing; the adapter is not whole" in told(
        {key: one for key, one in whole.items() if not key.endswith("0.self_attn.q_proj.lora_B.weight")}
    )
    assert "does not fit the base's 16 rows" in told(whole | {f"{name}.lora_B.weight": torch.zeros(5, 8)})
    assert "does not fit the base's 16 rows" in told(whole | {f"{name}.lora_A.weight": torch.tensor(1.0)})
    nothing = {f"{name}.lora_A.weight": torch.zeros(0, 16), f"{name}.lora_B.weight": torch.zeros(16, 0)}
    assert "does not fit the base's 16 rows" in told(whole | nothing)
    assert "holds NaN or infinity" in told(whole | {f"{name}.lora_A.weight": torch.full((8, 16), torch.nan)})
    assert "the base has no matrix model.layers.7.x" in told(
        whole | {f"base_model.model.model.layers.7.x.lora_{part}.weight": torch.zeros(2, 2) for part in "AB"}
    )
    assert "odd has no place in the base" in told(whole | {"base_model.model.odd": torch.zeros(2)})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged or cut short"):
        hub.load(tmp_path / "adapter")


@pytest.mark.parametrize(
    "ranks", [["x"], {"transformer.h.0.attn.c_attn": "x"}, {"transformer.h.0.attn.c_attn": [-1, 9]}]
)
def test_ranks_that_are_none_are_refused(ranks: Any, tmp_path: Path):
    base = write_base(tmp_path / "base", "gpt")
    write_adapter(tmp_path / "adapter", base, "lora", targets=["attention.q"])
    _edited(tmp_path / "adapter")
    path = tmp_path / "adapter" / "glassformer.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"ranks": ranks}), "utf-8")
    with pytest.raises(
        UserError, match=r"glassformer\.json: ranks is no list of ranks for transformer\.h\.0"
    ):
        hub.load(tmp_path / "adapter")


CLASSES = {
    ("gpt", "classifies"): "GPT2ForSequenceClassification",
    ("bert", "classifies"): "BertForSequenceClassification",
    ("bert", "tags"): "BertForTokenClassification",
    ("bert", "answers"): "BertForQuestionAnswering",
}
KINDS = {"classifies": "SEQ_CLS", "tags": "TOKEN_CLS", "answers": "QUESTION_ANS"}


def _pefts(base: Path, folder: Path, model: str, ability: str, *, task: str | None) -> Any:
    """An adapter with a head that peft put on a base without one, whose first weights are drawn there."""
    import peft
    import transformers

    labels = {} if ability == "answers" else {"num_labels": 3}
    torch.manual_seed(4)
    plain = getattr(transformers, CLASSES[model, ability]).from_pretrained(base, **labels)
    saved = [name for name in ("classifier", "score", "qa_outputs", "pooler") if name in str(plain)]
    asked = peft.LoraConfig(
        task_type=task, r=2, target_modules=THERE[model], fan_in_fan_out=model == "gpt",
        init_lora_weights=False, modules_to_save=saved,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        there = peft.get_peft_model(plain, asked)
        there.save_pretrained(folder)
    told = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    (folder / "adapter_config.json").write_text(json.dumps(told | {"base_model_name_or_path": str(base)}))
    return there.eval()


@pytest.mark.parametrize(("model", "ability"), CLASSES)
def test_we_open_pefts_with_a_head_on_a_base_without_one(model: str, ability: str, tmp_path: Path):
    base = write_base(tmp_path / "base", model)  # of BERT, one that scores words
    there = _pefts(base, tmp_path / "adapter", model, ability, task=KINDS[ability])
    opened = hub.load(tmp_path / "adapter")
    assert opened.model.abilities == (ability,)
    hub.save(tmp_path / "again", opened.model, None)
    with torch.no_grad():
        told = there(input_ids=TOKENS)
        theirs = (
            torch.stack([told.start_logits, told.end_logits], -1) if ability == "answers" else told.logits
        )
        for folder in ("adapter", "again"):
            _close(hub.load(tmp_path / folder).model({"tokens": TOKENS}), theirs)
    if ability != "answers":
        assert opened.model.head.labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_a_head_of_peft_goes_on_from_the_layer_of_its_base_and_without_a_task_is_refused(tmp_path: Path):
    base = write_base(tmp_path / "base", "bert", head="pooler")
    there = _pefts(base, tmp_path / "adapter", "bert", "classifies", task="SEQ_CLS")
    path = tmp_path / "adapter" / "adapter_model.safetensors"
    whole = load_file(path)
    save_file({name: one for name, one in whole.items() if "pooler" not in name}, path)
    with torch.no_grad():
        _close(hub.load(tmp_path / "adapter").model({"tokens": TOKENS}), there(input_ids=TOKENS).logits)
    _pefts(base, tmp_path / "bare", "bert", "classifies", task=None)
    with pytest.raises(UserError, match=r"has no place in the base .*; a head is known by task_type SEQ_CLS"):
        hub.load(tmp_path / "bare")
