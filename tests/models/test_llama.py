"""LLaMA: the published sizes, what its files may say, and a trained model that tells its stories."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from tests.models.drawn import CLOSE, drawn
from tests.models.llama2c import Vocabulary, read_model
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.hub import huggingface
from glassformer.hub.folder import load
from glassformer.models.llama import PRESETS, Config, Model, names, read, write

SIZES = {"dim": 16, "depth": 2, "heads": 4, "mlp_dim": 24, "max_length": 20, "vocab_size": 31}


def _model(**settings: Any) -> Model:
    return drawn(Model(Config(**(SIZES | settings))))


def _scores(model: Model, tokens: Tensor, **more: Tensor) -> Tensor:
    with torch.no_grad():
        scores: Tensor = model({"tokens": tokens, **more})
    return scores


# --- sizes -------------------------------------------------------------------------------------------------

# Words of the published vocabulary, and how many weights the published model has.
PUBLISHED = {
    "llama-7b": (32000, 6_738_415_616),
    "llama-13b": (32000, 13_015_864_320),
    "llama-65b": (32000, 65_285_660_672),
    "llama2-7b": (32000, 6_738_415_616),
    "llama2-70b": (32000, 68_976_648_192),
    "llama3-8b": (128256, 8_030_261_248),
    "llama3.2-1b": (128256, 1_235_814_400),
    "mistral-7b": (32000, 7_241_732_096),
    "smollm-135m": (49152, 134_515_008),
    "stories-260k": (512, 260_032),
    "stories-15m": (32000, 15_191_712),
    "small": (8000, 6_401_280),
}


def test_every_named_size_is_pinned() -> None:
    assert PRESETS.keys() == PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_named_size_has_the_published_number_of_weights(name: str) -> None:
    transformers = pytest.importorskip("transformers")
    vocab_size, weights = PUBLISHED[name]
    config = Config(**(PRESETS[name] | {"vocab_size": vocab_size}))
    with torch.device("meta"):
        ours = Model(config)
        theirs = transformers.AutoModelForCausalLM.from_config(
            transformers.AutoConfig.for_model(**write(config))
        )
    counts = [sum(weight.numel() for weight in model.parameters()) for model in (ours, theirs)]
    assert counts == [weights, weights]


def test_weights_begin_small_and_norms_at_one() -> None:
    model = Model(Config(**(SIZES | {"dim": 64, "mlp_dim": 256, "vocab_size": 500, "attention_bias": "all"})))
    for name, weight in model.named_parameters():
        if weight.dim() == 2:
            assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.1), name
            assert abs(float(weight.detach().mean())) < 0.002, name
        else:
            assert (weight == (1.0 if "norm" in name else 0.0)).all(), name


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"dim": 18}, "does not divide into 4 heads"),
        ({"kv_heads": 3}, "4 heads cannot share 3 kv_heads"),
        ({"head_dim": 5}, "head_dim must be even, not 5"),
        ({"head_dim": 2, "scaling": {"kind": "dynamic", "factor": 2.0}}, "head_dim larger than 2"),
    ],
)
def test_sizes_that_cannot_be_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Config(**(SIZES | settings))


# --- what a token sees -------------------------------------------------------------------------------------

TEXT = torch.tensor([[1, 6, 7, 8, 9, 10, 11, 12]])


def test_a_token_sees_no_further_back_than_its_window_in_each_layer() -> None:
    model = _model(window=2, depth=1)
    changed = TEXT.clone()
    changed[0, 3] = 20
    near = (_scores(model, TEXT) - _scores(model, changed)).abs().amax(dim=-1)[0]
    assert (near[[3, 4]] > 1e-3).all()
    assert (near[[0, 1, 2, 5, 6, 7]] < 1e-6).all()


def test_documents_in_a_row_do_not_see_each_other() -> None:
    model = _model(kv_heads=2)
    documents = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1]])
    together = _scores(model, TEXT, documents=documents)
    alone = torch.cat([_scores(model, TEXT[:, :3]), _scores(model, TEXT[:, 3:])], dim=1)
    torch.testing.assert_close(together, alone, **CLOSE)
    assert not torch.allclose(_scores(model, TEXT)[:, 3:], alone[:, 3:], atol=1e-3)


def test_a_text_longer_than_the_model_is_refused() -> None:
    says = "a text of 21 tokens is longer than the model, which reads 20"
    with pytest.raises(UserError, match=says):
        _scores(_model(), torch.ones(1, 21, dtype=torch.long))
    state = _model().start(torch.ones(1, 20, dtype=torch.long), None)
    with pytest.raises(UserError, match=says):
        state.step(torch.ones(1, dtype=torch.long))


def test_dynamic_angles_reach_past_the_length_of_training_as_those_of_transformers_do() -> None:
    transformers = pytest.importorskip("transformers")
    model = _model(scaling={"kind": "dynamic", "factor": 2.0}, max_length=8)
    there = transformers.LlamaForCausalLM(transformers.AutoConfig.for_model(**write(model.config))).eval()
    there.load_state_dict(huggingface.weights_of(model, names(model.config)))
    tokens = torch.arange(14)[None]
    with torch.no_grad():
        torch.testing.assert_close(_scores(model, tokens), there(input_ids=tokens).logits, **CLOSE)
    with pytest.raises(UserError, match="which reads 16"):
        _scores(model, torch.arange(17)[None])


# --- files -------------------------------------------------------------------------------------------------

LLAMA2 = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 31,
}


def test_what_a_file_leaves_out_is_what_transformers_takes() -> None:
    transformers = pytest.importorskip("transformers")
    for kind in ("llama", "mistral", "qwen2"):
        said = LLAMA2 | {"model_type": kind, "num_attention_heads": 32, "hidden_size": 128}
        filled = transformers.AutoConfig.for_model(**said).to_dict()
        assert write(read(said)) == write(read(filled | {"architectures": None}))


def test_a_file_of_llama_2_as_published_is_read() -> None:
    config = read(
        LLAMA2
        | {"pretraining_tp": 1, "rope_scaling": None, "rms_norm_eps": 1e-05, "pad_token_id": -1}
        | {"bos_token_id": 1, "eos_token_id": 2, "max_position_embeddings": 4096}
    )
    assert (config.theta, config.scaling.kind, config.eps, config.keys) == (10000.0, "none", 1e-5, 4)
    assert (config.max_length, config.tied, config.window) == (4096, False, None)
    assert (config.start_id, config.eos_id, config.pad_id) == (1, 2, 2)


def test_several_ends_and_none_are_read() -> None:
    several = read(LLAMA2 | {"eos_token_id": [7, 8, 9], "pad_token_id": None})
    assert (several.eos_id, several.also_ends, several.pad_id) == (7, (8, 9), 7)
    assert json.loads(json.dumps(write(several)))["eos_token_id"] == [7, 8, 9]
    assert [read(LLAMA2 | {"eos_token_id": none}).eos_id for none in (None, [])] == [2, 2]
    assert read(LLAMA2 | {"bos_token_id": None, "eos_token_id": 5}).start_id == 5


QWEN2 = {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 8}
REFUSED = {
    "hidden_act": ({"hidden_act": "relu2"}, "hidden_act is 'relu2', which is not known here"),
    "quantized": ({"quantization_config": {"bits": 4}}, "quantization_config asks for quantized weights"),
    "classifier": ({"architectures": ["LlamaForMultipleChoice"]}, "architectures names LlamaForMult"),
    "window": (QWEN2 | {"max_window_layers": 1}, "max_window_layers gives 1 of 2 layers a window"),
    "layers": (
        QWEN2 | {"layer_types": ["full_attention", "sliding_attention"]},
        "layer_types gives 1 of 2 layers",
    ),
    "rotary": ({"rope_scaling": {"type": "longrope"}}, "rope_scaling asks for rope_type 'longrope'"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_be_computed_otherwise_is_refused_by_its_key(kind: str) -> None:
    changes, says = REFUSED[kind]
    with pytest.raises(UserError, match=rf"config\.json: {says}"):
        read(LLAMA2 | changes)


@pytest.mark.parametrize("bare", [False, True])
def test_old_files_with_rates_and_files_of_the_bare_model_open(bare: bool, tmp_path: Path) -> None:
    model = _model(tied=True)
    weights = huggingface.weights_of(model, names(model.config))
    if bare:
        weights = {name.removeprefix("model."): weight for name, weight in weights.items()}
    else:
        rates = {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": torch.ones(2) for layer in range(2)}
        weights |= rates | {"lm_head.weight": weights["model.embed_tokens.weight"].clone()}
    save_file(weights, tmp_path / "model.safetensors")
    written = write(model.config) | {"architectures": ["LlamaModel" if bare else "LlamaForCausalLM"]}
    (tmp_path / "config.json").write_text(json.dumps(written), "utf-8")
    opened = load(tmp_path).model
    assert torch.equal(_scores(opened, TEXT), _scores(model, TEXT))  # type: ignore[arg-type]


# --- a trained model ---------------------------------------------------------------------------------------

DATA = Path(os.environ.get("GLASSFORMER_DATA") or Path(__file__).parents[3] / "shared" / "data")
STORIES = DATA / "w-stories260k"
GOLDEN = {"": "golden_greedy_n200.txt", "Once upon a time, Tim": "golden_greedy_prompt_tim_n128.txt"}
needs_stories = pytest.mark.skipif(not STORIES.is_dir(), reason="GLASSFORMER_DATA has no w-stories260k")


def _published(folder: Path, form: str) -> Path:
    """The trained model as a folder of Hugging Face, in one of the forms that there are."""
    written, weights = read_model(STORIES / "stories260K.bin")
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(written), "utf-8")
    if form == "pickle":
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        huggingface.write(folder, weights, shard_bytes=200_000 if form == "sharded" else 10**9)
    return folder


def _golden(prompt: str, vocabulary: Vocabulary) -> list[int]:
    return vocabulary.encode((STORIES / GOLDEN[prompt]).read_text("utf-8").removesuffix("\n"))


def _told(model: Model, prompts: list[list[int]], steps: int, *, fixed: int | None = None) -> list[list[int]]:
    """What the model goes on with when it always takes the likeliest token, prompt included."""
    width = max(map(len, prompts)) - 1
    padding = [width + 1 - len(prompt) for prompt in prompts]
    tokens = [[0] * blank + prompt[:-1] for blank, prompt in zip(padding, prompts, strict=True)]
    keep = torch.arange(width) >= torch.tensor(padding)[:, None]
    told = [torch.tensor([prompt[-1] for prompt in prompts])]
    with torch.no_grad():
        state = model.start(torch.tensor(tokens, dtype=torch.long), keep, fixed=fixed)
        for _ in range(steps):
            told.append(state.step(told[-1]).argmax(dim=-1))
    after = torch.stack(told[1:], dim=1).tolist()
    return [[*prompt, *more] for prompt, more in zip(prompts, after, strict=True)]


@pytest.mark.parametrize(
    "settings",
    [
        {"kv_heads": 2, "scaling": {"kind": "llama3", "factor": 4.0, "original_length": 8}},
        {"kv_heads": 2, "window": 3},
        {"attention_bias": "qkv", "tied": True},
    ],
    ids=["llama", "mistral", "qwen2"],
)
def test_padded_prompts_go_on_with_the_tokens_that_transformers_generates(settings: dict[str, Any]) -> None:
    transformers = pytest.importorskip("transformers")
    model = _model(**settings)
    config = transformers.AutoConfig.for_model(**write(model.config))
    there = transformers.AutoModelForCausalLM.from_config(config).eval()
    there.load_state_dict(huggingface.weights_of(model, names(model.config)), strict=not model.config.tied)
    there.tie_weights()
    there.generation_config = transformers.GenerationConfig(pad_token_id=0)
    prompts = [[1, 6, 7, 8, 9], [1, 12]]
    tokens = torch.tensor([prompts[0], [0, 0, 0, *prompts[1]]])
    theirs = there.generate(tokens, attention_mask=(tokens != 0).long(), max_new_tokens=12, do_sample=False)
    told = _told(model, prompts, 12)
    assert [row[-12:] for row in told] == theirs[:, 5:].tolist()


@needs_stories
@pytest.mark.parametrize("prompt", GOLDEN)
def test_the_trained_model_tells_its_story_token_for_token(prompt: str, tmp_path: Path) -> None:
    model: Any = load(_published(tmp_path / "story", "safetensors")).model
    assert model.config == Config(**(PRESETS["stories-260k"] | {"vocab_size": 512, "pad_id": 2}))
    vocabulary = Vocabulary(STORIES / "tok512.bin", 512)
    begun, wanted = vocabulary.encode(prompt), _golden(prompt, vocabulary)
    (told,) = _told(model, [begun], len(wanted) - len(begun))
    assert len(wanted) == {"": 201}.get(prompt, 129)
    assert told == wanted
    assert vocabulary.decode(told[1:]) == (STORIES / GOLDEN[prompt]).read_text("utf-8").removesuffix("\n")


@needs_stories
def test_stories_told_side_by_side_with_a_fixed_memory_are_those_told_alone(tmp_path: Path) -> None:
    model: Any = load(_published(tmp_path / "story", "safetensors")).model
    vocabulary = Vocabulary(STORIES / "tok512.bin", 512)
    told = _told(model, [vocabulary.encode(prompt) for prompt in GOLDEN], 60, fixed=80)
    for row, prompt in zip(told, GOLDEN, strict=True):
        assert row == _golden(prompt, vocabulary)[: len(row)]


@needs_stories
def test_shards_and_an_older_pickle_hold_the_same_trained_model(tmp_path: Path) -> None:
    scores = {}
    for form in ("safetensors", "sharded", "pickle"):
        folder = _published(tmp_path / form, form)
        assert (folder / "model.safetensors.index.json").exists() == (form == "sharded")
        assert (folder / "pytorch_model.bin").exists() == (form == "pickle")
        opened: Any = load(folder).model
        scores[form] = _scores(opened, TEXT)
    assert torch.equal(scores["sharded"], scores["safetensors"])
    assert torch.equal(scores["pickle"], scores["safetensors"])
