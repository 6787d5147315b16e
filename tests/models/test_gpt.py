"""GPT: published sizes and first weights, activations of a trained model, and files as they are published."""

from __future__ import annotations

import base64
import json
import math
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from tests.models.drawn import drawn
from torch import Tensor
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.hub.folder import blank, load, save
from glassformer.models import gpt
from glassformer.models.gpt import PRESETS, Config, Model, model_type, read, write

TINY = {"dim": 16, "depth": 2, "heads": 4, "max_length": 12, "vocab_size": 31}
GPT2_WORDS, GPT1_WORDS = 50_257, 40_478


def _model(**settings: Any) -> Model:
    return drawn(Model(Config(**(TINY | settings))))


# --- sizes -------------------------------------------------------------------------------------------------


def _count(preset: str, words: int = GPT2_WORDS) -> int:
    with torch.device("meta"):
        model = blank(gpt, Config(**PRESETS[preset], vocab_size=words))
    return sum(weight.numel() for weight in model.parameters())


def test_published_models_have_their_exact_number_of_weights() -> None:
    assert _count("gpt1", GPT1_WORDS) == 116_534_784
    assert _count("gpt2") == 124_439_808
    assert _count("gpt2-medium") == 354_823_168
    assert _count("gpt2-large") == 774_030_080
    assert _count("gpt2-xl") == 1_557_611_200


@pytest.mark.parametrize("preset", ["gpt1", "gpt2", "gpt2-medium"])
def test_published_models_are_as_large_in_transformers(preset: str) -> None:
    transformers = pytest.importorskip("transformers")
    words = GPT1_WORDS if preset == "gpt1" else GPT2_WORDS
    config = Config(**PRESETS[preset], vocab_size=words)
    kind = transformers.AutoConfig.for_model(**write(config))
    with torch.device("meta"):
        theirs = transformers.AutoModelForCausalLM.from_config(kind)
    assert theirs.num_parameters() == _count(preset, words)


# Brown et al. 2020, Table 2.1: the row, its printed number of weights, layers, width, heads, width of a head.
TABLE_2_1 = [
    ("gpt3-small", 125e6, 12, 768, 12, 64),
    ("gpt3-medium", 350e6, 24, 1024, 16, 64),
    ("gpt3-large", 760e6, 24, 1536, 16, 96),
    ("gpt3-xl", 1.3e9, 24, 2048, 24, 128),
    ("gpt3-2.7b", 2.7e9, 32, 2560, 32, 80),
    ("gpt3-6.7b", 6.7e9, 32, 4096, 32, 128),
    ("gpt3-13b", 13.0e9, 40, 5140, 40, 128),
    ("gpt3-175b", 175.0e9, 96, 12288, 96, 128),
]


@pytest.mark.parametrize("row", TABLE_2_1, ids=lambda row: row[0])
def test_gpt3_is_table_2_1(row: tuple[str, float, int, int, int, int]) -> None:
    preset, size, depth, dim, heads, head_dim = row
    config = Config(**PRESETS[preset], vocab_size=GPT2_WORDS)
    assert (config.depth, config.dim, config.heads, config.max_length) == (depth, dim, heads, 2048)
    assert (config.head_dim or config.dim // config.heads) == head_dim
    # The paper rounds to two or three digits, and counts heads that are together as wide as dim.
    beyond = 4 * depth * dim * (heads * head_dim - dim)
    assert _count(preset) - beyond == pytest.approx(size, rel=0.025)
    assert model_type(config) == ("gpt2" if heads * head_dim == dim else "glassformer-gpt")


def test_every_preset_is_a_configuration() -> None:
    for settings in PRESETS.values():
        config = Config(**settings, vocab_size=100)
        assert write(read(write(config))) == write(config)
    assert {"nano", "mini", "tiny", "small"} <= set(PRESETS)


# --- first weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_first_weights_are_those_of_the_papers(norm: str) -> None:
    model = Model(Config(dim=64, depth=8, heads=4, max_length=100, vocab_size=500, norm=norm))
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            assert not weight.any()
        elif "norm" in name:
            assert torch.equal(weight, torch.ones_like(weight))
        else:
            adds = norm == "pre" and name.endswith(("attention.out.weight", "mlp.down.weight"))
            assert weight.std().item() == pytest.approx(0.02 / (4 if adds else 1), rel=0.06), name


@pytest.mark.parametrize("settings", [{}, {"norm": "post"}, {"tied": False}])
def test_the_first_loss_is_near_the_logarithm_of_the_vocabulary(settings: dict[str, Any]) -> None:
    model = Model(Config(**(TINY | settings | {"vocab_size": 1000, "dim": 64}))).eval()
    tokens, labels = torch.randint(1000, (2, 8, 12))
    with torch.no_grad():
        loss = functional.cross_entropy(model({"tokens": tokens}).flatten(0, 1), labels.flatten())
    assert float(loss) == pytest.approx(math.log(1000), abs=0.1)


@pytest.mark.parametrize("settings", [{}, {"norm": "post"}, {"tied": False, "head_dim": 3}])
def test_every_weight_learns(settings: dict[str, Any]) -> None:
    model = _model(**settings).train()
    model({"tokens": torch.arange(12)[None]}).logsumexp(-1).sum().backward()
    idle = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    # The bias of keys adds the same to all scores of a query, so that softmax forgets it, up to rounding.
    assert [name for name in idle if not name.endswith(".k.bias")] == []


def test_dropout_stands_where_the_published_models_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, float]] = []
    for part, name in (("block", "thin"), ("blocked", "kept"), ("dropout", "thin")):

        def thin(x: Tensor, rate: float, part: str = part) -> Tensor:
            seen.append((part, rate))
            return x

        monkeypatch.setattr(f"glassformer.nn.{part}.{name}", thin)
    rates = {"dropout": 0.1, "embedding_dropout": 0.2, "attention_dropout": 0.3}
    model = _model(**rates).train()
    model({"tokens": torch.ones(1, 3, dtype=torch.long)})
    assert sorted(seen) == [("block", 0.1)] * 4 + [("blocked", 0.3)] * 2 + [("dropout", 0.2)]
    seen.clear()
    model.eval()({"tokens": torch.ones(1, 3, dtype=torch.long)})
    assert seen == []


# --- a trained model of others -----------------------------------------------------------------------------

SORT = Path(os.environ.get("GLASSFORMER_DATA", "../shared/data")) / "w-gpt-nano-sort"


def _tensor(written: Any) -> Tensor:
    raw = torch.frombuffer(bytearray(base64.b64decode(written["data"])), dtype=torch.float32)
    return raw.view(written["shape"])


def _sorting() -> tuple[Model, dict[str, Any]]:
    """The model that sorts three letters, in whose file matrices are as a linear layer of torch has them."""
    written = json.loads((SORT / "gpt-nano-sort-model.json").read_text("utf-8"))
    told = written.pop("config")
    sizes = {"dim": told["n_embd"], "depth": told["n_layer"], "heads": told["n_head"]}
    model = Model(Config(**sizes, max_length=told["block_size"], vocab_size=told["vocab_size"], tied=False))
    weights = {name: _tensor(value) for name, value in written.items() if isinstance(value, dict)}
    return _filled(model, weights), json.loads((SORT / "gpt-nano-sort-t0-partials.json").read_text("utf-8"))


def _filled(model: Model, weights: dict[str, Tensor]) -> Model:
    pairs = {"wte": "embedding.table", "wpe": "embedding.positions", "ln_f": "norm"}
    parts = {"ln_1": "attention_norm", "ln_2": "mlp_norm", "mlp.c_fc": "mlp.up", "mlp.c_proj": "mlp.down"}
    parts |= {"attn.c_proj": "attention.out"}
    ours: dict[str, Tensor] = {"output.weight": weights.pop("lm_head.weight")}
    for name, weight in weights.items():
        place, _, kind = name.removeprefix("transformer.").rpartition(".")
        if not place.startswith("h."):
            ours[f"{pairs[place]}.{kind}"] = weight
            continue
        _, number, part = place.split(".", 2)
        if part == "attn.c_attn":
            for key, third in zip("qkv", weight.chunk(3), strict=True):
                ours[f"blocks.{number}.attention.{key}.{kind}"] = third
        elif (part, kind) != ("attn", "bias"):  # the triangle of the causal mask
            ours[f"blocks.{number}.{parts[part]}.{kind}"] = weight
    model.load_state_dict(ours)
    return model.eval()


@pytest.mark.skipif(not SORT.is_dir(), reason="the data folder (GLASSFORMER_DATA) has no w-gpt-nano-sort")
def test_a_published_sorter_gives_every_recorded_activation() -> None:
    model, told = _sorting()
    tokens = _tensor(told.pop("idx")).long()
    seen = _watched(model, tokens)
    first = model.blocks[0]
    q, k, v = (seen[f"blocks.0.attention.{key}"] for key in "qkv")
    heads = {key: one.view(3, 11, 3, 16).transpose(1, 2) for key, one in zip("qkv", (q, k, v), strict=True)}
    scores = heads["q"] @ heads["k"].transpose(2, 3) / 4
    scores = scores.masked_fill(~torch.ones(11, 11).tril().bool(), -torch.inf)
    attended = seen["embedding"] + seen["blocks.0.attention"]
    found = heads | {
        "tok_emb": seen["embedding.table"],
        "pos_emb": model.embedding.positions(0, 11)[None],
        "x": seen["embedding"],
        "ln1": seen["blocks.0.attention_norm"],
        "qkv": torch.cat([q, k, v], dim=2),
        "att": scores,
        "attSm": torch.softmax(scores, dim=-1),
        "y": seen["mixed"],
        "yProj": seen["blocks.0.attention"],
        "attnResid": attended,
        "ln2": seen["blocks.0.mlp_norm"],
        "fc": seen["blocks.0.mlp.up"],
        "gelu": first.mlp.activation(seen["blocks.0.mlp.up"]),
        "mlp": seen["blocks.0.mlp"],
        "mlpResid": attended + seen["blocks.0.mlp"],
        **{f"block{number}": seen[f"blocks.{number}"] for number in range(3)},
        "ln_f": seen["norm"],
        "lm_head": seen["output"],
        "probs": torch.softmax(seen["output"], dim=-1),
    }
    assert found.keys() == told.keys() - {"config"}
    for name, tensor in found.items():
        apart = torch.where(tensor == _tensor(told[name]), 0.0, tensor - _tensor(told[name])).abs().max()
        assert apart <= 1e-5, name


def _watched(model: Model, tokens: Tensor) -> dict[str, Tensor]:
    """What every part of the model gives, and what goes into the last matrix of the first attention."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda part, given, result: seen.update({name: result})

    for name, part in model.named_modules():
        part.register_forward_hook(keep(name))
    into = model.blocks[0].attention.out
    into.register_forward_pre_hook(lambda part, given: seen.update(mixed=given[0]))
    with torch.no_grad():
        model({"tokens": tokens})
    return seen


@pytest.mark.skipif(not SORT.is_dir(), reason="the data folder (GLASSFORMER_DATA) has no w-gpt-nano-sort")
def test_a_published_sorter_sorts() -> None:
    model, _ = _sorting()
    digits = torch.tensor([[2, 0, 1, 1, 0, 2], [1, 1, 2, 0, 0, 0], [2, 2, 2, 1, 0, 1]])
    with torch.no_grad():
        state = model.start(digits[:, :-1])
        token, answers = digits[:, -1], []
        for _ in range(6):
            token = state.step(token).argmax(dim=-1)
            answers.append(token)
    assert torch.equal(torch.stack(answers, dim=1), digits.sort(dim=1).values)


# --- files -------------------------------------------------------------------------------------------------


def _published(folder: Path, norm: str = "pre", **config: Any) -> Path:
    """A folder as GPT-1 and GPT-2 were published: no prefix, a triangle in every layer, few keys."""
    save(folder, _model(norm=norm), None)
    weights = load_file(folder / "model.safetensors")
    weights = {name.removeprefix("transformer."): weight for name, weight in weights.items()}
    triangle = torch.ones(12, 12).tril()[None, None]
    weights |= {f"h.{layer}.attn.bias": triangle.clone() for layer in range(2)}
    save_file(weights, folder / "model.safetensors")
    keys = {"model_type", "n_embd", "n_layer", "n_head", "n_positions", "vocab_size"}
    (folder / "manifest.json").unlink()
    written = json.loads((folder / "config.json").read_text("utf-8"))
    kept = {key: value for key, value in written.items() if key in keys} | config
    (folder / "config.json").write_text(json.dumps(kept), "utf-8")
    return folder


def _same(model: Model, other: Any) -> None:
    for (name, ours), theirs in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert (name, True) == (theirs[0], torch.equal(ours, theirs[1]))


def test_a_folder_as_gpt1_was_published_opens(tmp_path: Path) -> None:
    torch.manual_seed(3)
    keys = {"afn": "gelu", "n_ctx": 12, "n_special": 0, "predict_special_tokens": True}
    loaded = load(_published(tmp_path / "model", "post", **keys))
    torch.manual_seed(3)
    _same(_model(norm="post"), loaded.model)
    assert (loaded.config.norm, loaded.config.activation) == ("post", "gelu_tanh")


def test_a_folder_as_gpt2_was_published_opens(tmp_path: Path) -> None:
    torch.manual_seed(3)
    loaded = load(_published(tmp_path / "model"))
    torch.manual_seed(3)
    model = _model()
    _same(model, loaded.model)
    config = loaded.config
    assert (config.activation, config.eps, config.tied, config.dropout) == ("gelu_tanh", 1e-5, True, 0.1)
    assert (config.start_id, config.eos_id, config.pad_id) == (30, 30, 30)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scale_attn_weights", False),
        ("scale_attn_by_inverse_layer_idx", True),
        ("add_cross_attention", True),
        ("eos_token_id", [2, 3]),
    ],
)
def test_what_would_be_computed_otherwise_is_refused(key: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(f"config.json asks for {key}: {value!r}")):
        load(_published(tmp_path / "model", **{key: value}))


GPT1_CONFIG = {
    "model_type": "openai-gpt",
    "n_embd": 8,
    "n_layer": 1,
    "n_head": 1,
    "n_positions": 4,
    "vocab_size": 9,
}


@pytest.mark.parametrize("named", ["mish", "tanh"])
def test_an_activation_that_is_not_known_is_refused_with_those_that_are(named: Any, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=rf"activation_function is {re.escape(repr(named))}, .*known are relu, gelu"
    ):
        load(_published(tmp_path / "model", activation_function=named))
    with pytest.raises(
        UserError, match=rf"afn is {re.escape(repr(named))}, .*known are gelu, relu, silu, swish"
    ):
        read(GPT1_CONFIG | {"afn": named})


def test_what_only_rounds_otherwise_is_read(tmp_path: Path) -> None:
    keys = {"reorder_and_upcast_attn": True, "summary_type": "cls_index", "eos_token_id": [2]}
    assert load(_published(tmp_path / "model", **keys)).config.eos_id == 2


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "gpt2"),
        ({"activation": "gelu", "mlp_dim": 3, "tied": False}, "gpt2"),
        ({"head_dim": 4}, "gpt2"),
        ({"head_dim": 5}, "glassformer-gpt"),
        ({"norm": "post"}, "openai-gpt"),
        ({"norm": "post", "mlp_dim": 64}, "openai-gpt"),
        ({"norm": "post", "mlp_dim": 63}, "glassformer-gpt"),
        ({"norm": "post", "activation": "gelu"}, "glassformer-gpt"),
    ],
)
def test_a_file_says_whose_model_computes_the_same(settings: dict[str, Any], kind: str) -> None:
    config = Config(**(TINY | settings))
    assert model_type(config) == write(config)["model_type"] == kind
    assert write(read(write(config))) == write(config)


# --- settings ----------------------------------------------------------------------------------------------


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="dim 10 does not divide into 3 heads"):
        Config(dim=10, heads=3)
    assert Config(dim=10, heads=3, head_dim=4).head_dim == 4
    with pytest.raises(ValidationError, match="dropout"):
        Config(embedding_dropout=1.0)


def test_a_text_longer_than_the_model_is_refused() -> None:
    model = _model()
    tokens = torch.ones(1, 13, dtype=torch.long)
    for batch in ({"tokens": tokens}, {"tokens": tokens, "keep": tokens == 1}):
        with pytest.raises(UserError, match="a text of 13 tokens is longer than the model, which reads 12"):
            model(batch)
    with pytest.raises(UserError, match="longer than the model"), torch.no_grad():
        model.start(tokens[:, :12]).step(tokens[:, 0])
    padded = torch.nn.functional.pad(tokens[:, :12], (4, 0))
    assert model({"tokens": padded, "keep": padded == 1}).shape == (1, 16, 31)
