"""Every way to adapt on every model that it fits: what stays, what learns, and what is opened again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.contracts.inputs import INPUTS, KEEP, SOURCE, TARGET, TOKENS
from tests.contracts.lessons import LESSONS
from tests.contracts.test_models import CLOSE, able, made, scores_of
from torch import Tensor, nn

import glassformer as gf
from glassformer.adapt.bending import bend
from glassformer.adapt.lora import chosen
from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.hub import adapters
from glassformer.hub import folder as hub
from glassformer.nn.adapter import Adapter, learns, note
from glassformer.nn.folding import folded
from glassformer.nn.low_rank import low_rank_parts, merge, unmerge
from glassformer.train.optim import OptimConfig, Optimizer

WAYS = tuple(name for name in plugins.names("adapt") if hasattr(plugins.find("adapt", name), "bend"))
ABILITIES = ("generates", "encodes", "translates", "contextualizes", "sees")
SMALL = {"lora": {"rank": 2}, "prompt": {"tokens": 3}, "prefix": {"tokens": 3}}
"""Settings that fit a tiny model; of a way that is not here, its own."""
UNFIT = {
    **{("lora", name): "bends the matrices of attention" for name in ("rnn", "elmo", "seq2seq")},
    **{("prefix", name): "into self-attention" for name in ("rnn", "elmo", "seq2seq")},
    **{("prompt", name): "prompt needs a model that" for name in ("elmo", "vit")},
}
"""What a way cannot do with a model, and what it says."""


def _models() -> list[tuple[str, Any]]:
    """The first case of every model, and that of RoBERTa, whose positions are counted in another way."""
    found: dict[str, tuple[str, Any]] = {}
    for ability in ABILITIES:
        for name, case in (param.values for param in able(ability)):
            found.setdefault(case.id if "roberta" in case.id else name, (name, case))
    return list(found.values())


def _of(ability: str) -> list[tuple[str, str, Any]]:
    return [one for one in CASES if ability in plugins.find("models", one[1]).Model.abilities]


CASES = [(way, name, case) for way in WAYS for name, case in _models() if (way, name) not in UNFIT]
WRITING, TRANSLATING = _of("generates"), _of("translates")
over = pytest.mark.parametrize


def _settings(way: str) -> Any:
    return plugins.find("adapt", way).Config(**SMALL.get(way, {}))


def _made(name: str, case: Any) -> Any:
    """The same model every time."""
    torch.manual_seed(1)
    return made(name, case)


def _bent(way: str, name: str, case: Any, *, learned: bool = True) -> Any:
    model: Any = _made(name, case)
    torch.manual_seed(3)
    bend(_settings(way), model, None)
    if learned:
        for one in learns(model).values():
            one.data.add_(torch.randn_like(one), alpha=0.1)
    return model.eval()


def _batch(model: Any) -> dict[str, Tensor]:
    return INPUTS[model.abilities[0]].made(model.config)


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in model.named_parameters()}


@over(("way", "name", "case"), CASES)
def test_the_base_stays_bit_for_bit_and_its_names_survive(way: str, name: str, case: Any) -> None:
    plain, bent = _made(name, case), _bent(way, name, case, learned=False)
    before, after = _state(plain), _state(bent)
    assert before.keys() <= after.keys()
    assert all(torch.equal(after[key], weight) for key, weight in before.items())
    if way not in ("prompt", "prefix"):  # what stands before a text changes it from the first
        batch = _batch(bent)
        # A recurrence may take another kernel where nothing requires a gradient.
        torch.testing.assert_close(scores_of(bent, batch), scores_of(plain.eval(), batch), rtol=0, atol=1e-6)


@over("precision", ["float32", "bfloat16"])
@over(("way", "name", "case"), [one for one in CASES if one[0] != "probe"])
def test_only_what_is_declared_learns(way: str, name: str, case: Any, precision: str) -> None:
    model = _bent(way, name, case).train()
    before, own = _state(model), set(learns(model))
    optimizer = Optimizer(model, OptimConfig(weight_decay=0.1), bfloat16=precision == "bfloat16")
    for _ in range(2):
        optimizer.zero()
        with optimizer.micro_batch():
            batch = _batch(model)
            images = {
                key: one.bfloat16()
                for key, one in batch.items()
                if precision == "bfloat16" and one.is_floating_point()
            }
            model(batch | images).float().square().sum().backward()
        optimizer.tail[1] += 1
        optimizer.step(0.01)
    optimizer.release()
    after = _state(model)
    assert {key for key in before if not torch.equal(before[key], after[key])} == own


@over(("way", "name", "case"), CASES)
def test_padding_and_batch_mates_change_nothing(way: str, name: str, case: Any) -> None:
    model = _bent(way, name, case)
    inputs, batch = INPUTS[model.abilities[0]], _batch(model)
    whole = inputs.told(scores_of(model, batch), batch)
    for wider in inputs.wider(batch):
        torch.testing.assert_close(inputs.told(scores_of(model, wider), wider), whole, **CLOSE)
    rows = [inputs.alone(batch, row) for row in range(3)]
    alone = torch.cat([inputs.told(scores_of(model, row), row) for row in rows])
    torch.testing.assert_close(alone, whole, **CLOSE)


@over(("way", "name", "case"), CASES)
def test_opened_again_it_is_the_same_and_whole_it_computes_the_same(
    way: str, name: str, case: Any, tmp_path: Path
) -> None:
    hub.save(tmp_path / "base", _made(name, case), None)
    model = _bent(way, name, case)
    told = Adapter(name=way, base=str(tmp_path / "base"), fingerprint=adapters.fingerprint(tmp_path / "base"))
    note(model, told)
    hub.save(tmp_path / "adapter", model, None)
    hub.check(tmp_path / "adapter", thorough=True)
    opened, batch = hub.load(tmp_path / "adapter").model, _batch(model)
    assert torch.equal(scores_of(opened, batch), scores_of(model, batch))
    assert learns(opened).keys() == learns(model).keys()
    twin = folded(opened)
    torch.testing.assert_close(scores_of(twin, batch), scores_of(model, batch), rtol=0, atol=1e-5)
    assert not low_rank_parts(twin)
    if adapters.FORMS[way].FOLDS:
        hub.save(tmp_path / "whole", adapters.whole(opened), None)
        again = hub.load(tmp_path / "whole").model
        torch.testing.assert_close(scores_of(again, batch), scores_of(model, batch), rtol=0, atol=1e-5)
    else:
        with pytest.raises(UserError, match="no whole model holds it"):
            adapters.whole(opened)


@over(("way", "name", "case"), [one for one in CASES if one[0] == "lora"])
def test_merged_in_place_it_computes_the_same_and_unmerged_it_is_what_it_was(
    way: str, name: str, case: Any
) -> None:
    model = _bent(way, name, case)
    before, batch = _state(model), _batch(model)
    apart = scores_of(model, batch)
    merge(model)
    torch.testing.assert_close(scores_of(model, batch), apart, rtol=0, atol=1e-5)
    bases = {f"{part}.weight" for part in low_rank_parts(model)}
    merged = _state(model)
    assert {key for key in before if not torch.equal(before[key], merged[key])} == bases
    unmerge(model)
    after = _state(model)
    assert before.keys() == after.keys()
    assert all(torch.equal(after[key], weight) for key, weight in before.items())
    assert torch.equal(scores_of(model, batch), apart)


@over("fixed", [None, 7])
@over(("way", "name", "case"), WRITING)
def test_writing_word_by_word_is_reading_at_once(way: str, name: str, case: Any, fixed: int | None) -> None:
    model = _bent(way, name, case)
    row = TOKENS[0]
    whole = scores_of(model, {"tokens": row[None]})[0]
    # The same text in one row, and in another after padding on its left.
    tokens, keep = torch.stack([row[:4], row[:4]]), torch.ones(2, 4, dtype=torch.bool)
    tokens[1], keep[1] = torch.cat([torch.tensor([0, 0]), row[:2]]), torch.tensor([False, False, True, True])
    with torch.no_grad():
        state = model.start(tokens, keep, fixed=fixed)
        first = state.step(torch.stack([row[4], row[2]]))
        state.select(torch.tensor([1, 0]))
        second = state.step(torch.stack([row[3], row[5]]))
        empty = model.start(tokens[:, :0], None, fixed=fixed).step(row[:1].repeat(2))
    torch.testing.assert_close(first, whole[[4, 2]], **CLOSE)
    torch.testing.assert_close(second, whole[[3, 5]], **CLOSE)
    torch.testing.assert_close(empty[0], whole[0], **CLOSE)


@over(("way", "name", "case"), TRANSLATING)
def test_translating_word_by_word_is_reading_at_once(way: str, name: str, case: Any) -> None:
    model = _bent(way, name, case)
    whole = scores_of(model, {"source": SOURCE, "source_keep": KEEP, "target": TARGET})
    with torch.no_grad():
        state = model.start(SOURCE, KEEP)
        steps = [state.step(column) for column in TARGET.T]
    torch.testing.assert_close(torch.stack(steps, 1), whole, **CLOSE)


@over(("name", "case"), [(name, case) for way, name, case in CASES if way == "lora"])
def test_no_bent_layer_is_passed_over(name: str, case: Any) -> None:
    plain = _made(name, case)
    for target in chosen(plain, ("",)):
        model: Any = _made(name, case)
        bend(plugins.find("adapt", "lora").Config(rank=1, targets=(target,)), model, None)
        batch = _batch(model)
        before = scores_of(model, batch), [one.clone() for one in _hidden(model, batch)]
        for part in low_rank_parts(model).values():
            nn.init.ones_(part.lora_B.weight)
        after = scores_of(model, batch), _hidden(model, batch)
        told = any(not torch.equal(one, other) for one, other in zip(before[1], after[1], strict=True))
        assert told or not torch.equal(before[0], after[0]), target


def _hidden(model: Any, batch: dict[str, Tensor]) -> list[Tensor]:
    """What a model gives beside scores: the vector of a text, where it has such a part."""
    with torch.no_grad():
        hidden = model.hidden(batch)
        pooled = [model.pooled(hidden)] if hasattr(model, "pooler") else []
        following = [model.next_sentence(pooled[0])] if hasattr(model, "next_sentence") else []
        return [*pooled, *following]


@over(("way", "name"), UNFIT)
def test_what_does_not_fit_is_said(way: str, name: str) -> None:
    model = _made(name, next(case for model, case in _models() if model == name))
    with pytest.raises(UserError, match=UNFIT[way, name]):
        bend(_settings(way), model, None)


# --- runs --------------------------------------------------------------------------------------------------

RUNS = [("lora", "classification"), ("prompt", "translation"), ("prefix", "causal_lm")]
LONGER = [
    ("prompt", "classification"), ("prefix", "tagging"), ("probe", "tagging"), ("lora", "causal_lm"),
    ("prompt", "masked_lm"), ("lora", "translation"),
]  # fmt: skip


@over(("way", "objective"), [*RUNS, *(pytest.param(*one, marks=pytest.mark.slow) for one in LONGER)])
def test_a_run_of_an_adapter_goes_on_where_it_stopped(way: str, objective: str, tmp_path: Path) -> None:
    lesson = LESSONS[objective]
    recipe = lesson.write(tmp_path)
    longest = ["data.max_length=24"] if objective == "translation" else []  # beside virtual tokens
    gf.train(recipe, ["train.steps=2", *longest], output=tmp_path / "base")
    told = [f"adapt.{key}={value}" for key, value in SMALL.get(way, {}).items()]
    settings = [
        *lesson.restless,
        *longest,
        f"init={tmp_path / 'base'}",
        f"adapt={way}",
        *told,
        "train.precision=float32",
    ]
    figures = gf.train(recipe, [*settings, "train.steps=6"], output=tmp_path / "whole")
    assert 0 < figures["trained_parameters"] < figures["parameters"]
    gf.train(recipe, [*settings, "train.steps=3"], output=tmp_path / "parts")
    gf.train(recipe, [*settings, "train.steps=6"], output=tmp_path / "parts", resume=True)
    for file in ("adapter_model.safetensors", "train_state/optimizer.safetensors"):
        one, other = ((tmp_path / run / "last" / file).read_bytes() for run in ("whole", "parts"))
        assert one == other
    for folder in ("", "last", "best"):
        gf.load(tmp_path / "whole" / folder)
    size = (tmp_path / "whole" / "adapter_model.safetensors").stat().st_size
    assert size < 8 * figures["trained_parameters"] + 4000


def _saved(run: Path, step: int) -> dict[str, Tensor]:
    """The weights of a run after so many steps."""
    return load_file(run / f"step-{step:06d}" / "model.safetensors")


@pytest.fixture(scope="module")
def freed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """A folder with a finished run ``whole`` whose layers were freed one by one, its recipe and settings."""
    folder = tmp_path_factory.mktemp("freed")
    recipe = LESSONS["classification"].write(folder)
    gf.train(recipe, ["train.steps=2", "model.depth=2"], output=folder / "base")
    settings = [
        *LESSONS["classification"].restless, f"init={folder / 'base'}", "adapt.layer_decay=0.5",
        "adapt.unfreeze_every=2", "optim.weight_decay=0.1", "train.precision=float32", "train.save_every=1",
        "train.keep_last=9",
    ]  # fmt: skip
    gf.train(recipe, [*settings, "train.steps=8"], output=folder / "whole")
    return folder, recipe, settings


def test_layers_are_freed_one_by_one_from_the_head_down(freed: tuple[Path, Path, list[str]]) -> None:
    folder, *_ = freed
    before = load_file(folder / "base" / "model.safetensors")
    stages = {2: (), 4: (".h.1.",), 6: (".h.1.", ".h.0."), 8: (".h.1.", ".h.0.", ".wte.", ".wpe.")}
    for step, free in stages.items():
        now = _saved(folder / "whole", step)
        moved = {name for name in before if not torch.equal(before[name], now[name])}
        assert moved == {name for name in before if any(one in name for one in (*free, ".ln_f.", "score."))}


def test_a_layer_below_moves_by_half_of_what_it_would(freed: tuple[Path, Path, list[str]]) -> None:
    folder, recipe, settings = freed
    gf.train(recipe, [*settings, "adapt.layer_decay=1", "train.steps=3"], output=folder / "even")
    before = _saved(folder / "whole", 2)
    other = _saved(folder / "even", 2)
    assert all(torch.equal(other[name], weight) for name, weight in before.items())
    half, even = (_saved(folder / run, 3) for run in ("whole", "even"))
    name = next(name for name in before if ".h.1.mlp" in name and name.endswith("weight"))
    assert not torch.equal(even[name], before[name])
    torch.testing.assert_close(
        half[name] - before[name], (even[name] - before[name]) / 2, rtol=1e-3, atol=1e-7
    )


@over("stop", [3, 4])
def test_a_run_whose_layers_are_freed_goes_on_where_it_stopped(
    freed: tuple[Path, Path, list[str]], stop: int
) -> None:
    folder, recipe, settings = freed
    parts = folder / f"parts-{stop}"
    gf.train(recipe, [*settings, f"train.steps={stop}"], output=parts)
    gf.train(recipe, [*settings, "train.steps=8"], output=parts, resume=True)
    for file in ("model.safetensors", "train_state/optimizer.safetensors"):
        assert (parts / "last" / file).read_bytes() == (folder / "whole" / "last" / file).read_bytes()
