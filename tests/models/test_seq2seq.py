"""Translation between recurrences: against plain loops, learning from its own words, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tests.contracts.cases.seq2seq import CASES
from tests.models.drawn import CLOSE, drawn
from torch import Tensor

from glassformer.models.seq2seq import PRESETS, Config, Model, read, write
from glassformer.nn.align import Align
from glassformer.nn.attention import recording
from glassformer.nn.cell import STEPS, State, Weights
from glassformer.nn.recurrent import Recurrent

SOURCE = torch.tensor([[5, 6, 7, 8, 9, 10, 2], [11, 12, 2, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0]])
TARGET = torch.tensor([[1, 20, 21, 22, 23], [1, 24, 25, 26, 27], [1, 28, 29, 30, 3]])
TINY = {"dim": 16, "vocab_size": 31, "target_vocab_size": 31, "max_length": 20, "dropout": 0.0}
KINDS = [pytest.param(case.settings, id=case.id) for case in CASES]


def _model(settings: Any, **more: Any) -> Model:
    return drawn(Model(Config(**(TINY | dict(settings) | more))))


def _batch(source: Tensor = SOURCE, target: Tensor = TARGET) -> dict[str, Tensor]:
    return {"source": source, "source_keep": source != 0, "target": target}


# --- one row, one token, one layer at a time ---------------------------------------------------------------


def _moved(layer: Recurrent, x: Tensor, state: State) -> State:
    weights = Weights(layer.input.weight, layer.input.bias, layer.hidden.weight, layer.candidate)
    fed = layer.input.weight @ x + layer.input.bias
    return tuple(
        part[0] for part in STEPS[layer.cell](fed[None], tuple(part[None] for part in state), weights)
    )


def _read_over(layer: Recurrent, xs: list[Tensor]) -> tuple[list[Tensor], State]:
    state = layer.zeros(xs[0][None, None])
    state = tuple(part[0] for part in state)
    found = []
    for x in xs:
        state = _moved(layer, x, state)
        found.append(state[0])
    return found, state


def _encoded(model: Model, source: Tensor) -> tuple[list[Tensor], list[State]]:
    """The memory in the order of the source, and the last state of every layer."""
    xs = [model.source.weight[token] * math.sqrt(model.config.dim) for token in source]
    if model.config.reverse_source:
        xs = xs[::-1]
    last = []
    for place, layer in enumerate(model.encoder.layers):
        out, state = _read_over(layer, xs)
        if model.config.bidirectional:
            back, ended = _read_over(model.encoder.back[place], xs[::-1])
            out = [torch.cat(pair) for pair in zip(out, back[::-1], strict=True)]
            state = tuple(torch.cat(pair) for pair in zip(state, ended, strict=True))
        xs, last = out, [*last, state]
    return xs[::-1] if model.config.reverse_source else xs, last


def _seen(cross: Align, h: Tensor, memory: list[Tensor], place: int) -> Tensor:
    """The mixture for one query (tests/nn/test_align.py holds it to its loops)."""
    sight = cross.see(torch.stack(memory)[None], torch.ones(1, len(memory), dtype=torch.bool))
    mixed: Tensor = cross(h[None, None], sight, place)
    return mixed[0, 0]


def _slowly(model: Model, source: Tensor, target: Tensor) -> Tensor:
    """The scores of one row without padding, as the papers' equations give them."""
    config, decoder = model.config, model.decoder
    memory, last = _encoded(model, source)
    layers = list(decoder.recurrence.layers)
    states = [last[max(0, len(last) - len(layers) + place)] for place in range(len(layers))]
    if model.bridge is not None:
        states = [
            tuple(torch.tanh(turn.weight @ part + turn.bias) for turn, part in zip(turns, state, strict=True))
            for turns, state in zip(model.bridge, states, strict=True)
        ]
    context, written, found = states[-1][0], torch.zeros(config.dim), []
    every, before = config.context == "every", config.looks == "before"
    for place, token in enumerate(target):
        x = model.target.weight[token] * math.sqrt(config.dim)
        mixed = None
        if before:
            mixed = _seen(decoder.cross, states[-1][0], memory, place)
        parts = [x, context if every else None, mixed, written if config.input_feeding else None]
        below = torch.cat([part for part in parts if part is not None])
        for number, layer in enumerate(layers):
            states[number] = _moved(layer, below, states[number])
            below = states[number][0]
        if decoder.cross is not None and not before:
            mixed = _seen(decoder.cross, below, memory, place)
        parts = [below, context if every else None, mixed, x if every or before else None]
        told = [part for part in parts if part is not None]
        written = below
        if len(told) > 1 or len(below) != config.dim:
            written = torch.tanh(decoder.readout.weight @ torch.cat(told) + decoder.readout.bias)
        scores = model.output.weight @ written
        found.append(scores if model.output.bias is None else scores + model.output.bias)
    return torch.stack(found)


@pytest.mark.parametrize("settings", KINDS)
@torch.no_grad()
def test_every_kind_is_what_plain_loops_compute(settings: Any) -> None:
    model = _model(settings)
    scores = model(_batch())
    for row in range(len(SOURCE)):
        want = _slowly(model, SOURCE[row, SOURCE[row] != 0], TARGET[row])
        torch.testing.assert_close(scores[row], want, rtol=0, atol=1e-4)


# --- learning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", KINDS)
def test_gradients_reach_every_weight(settings: Any) -> None:
    model = _model(settings).train()
    model(_batch()).logsumexp(-1).sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


@pytest.mark.parametrize("settings", KINDS)
@torch.no_grad()
def test_with_every_word_its_own_a_model_learns_from_what_it_would_write(settings: Any) -> None:
    model = _model(settings, sampling=1.0)
    written = TARGET.clone()
    for place in range(1, TARGET.shape[1]):
        written[:, place] = model(_batch(target=written))[:, place - 1].argmax(-1)
    assert not torch.equal(written, TARGET)
    forced = model(_batch(target=written))
    torch.testing.assert_close(model.train()(_batch()), forced, **CLOSE)


@torch.no_grad()
def test_a_share_of_words_is_drawn_anew_by_torchs_chance() -> None:
    model = _model({"attention": "additive", "looks": "before"}, sampling=0.3).train()
    torch.manual_seed(5)
    one = model(_batch())
    assert not torch.equal(one, model(_batch()))
    torch.manual_seed(5)
    assert torch.equal(one, model(_batch()))
    # The first word is always the start, so the first scores know of no chance.
    torch.testing.assert_close(one[:, 0], model.eval()(_batch())[:, 0], **CLOSE)


@torch.no_grad()
def test_without_sampling_training_is_evaluation_but_for_dropout() -> None:
    model = _model({"depth": 2})
    calm = model(_batch())
    assert torch.equal(model.train()(_batch()), calm)
    for settings in ({"depth": 2}, {"input_feeding": True}, {"looks": "before"}, {"sampling": 0.5}):
        restless = _model(settings, dropout=0.5)
        calm = restless(_batch())
        assert not torch.allclose(restless.train()(_batch())[:, 0], calm[:, 0], atol=1e-3)


# --- looking inside ----------------------------------------------------------------------------------------

READ: list[Any] = [{}, {"reverse_source": True}, {"looks": "before"}, {"input_feeding": True}]


@pytest.mark.parametrize("settings", READ)
@torch.no_grad()
def test_attention_is_told_in_the_order_of_the_source_whichever_way_it_was_read(settings: Any) -> None:
    model = _model(settings, window="monotonic", reach=1)
    with recording(model) as kept:
        model(_batch())
    (calls,) = kept.values()
    assert list(kept) == ["decoder.cross"]
    weights = torch.cat(calls, dim=2)
    assert weights.shape == (3, 1, 5, 7)
    place, key = torch.arange(5)[:, None], torch.arange(7)
    assert torch.equal(weights[0, 0] > 0, (place - key).abs() <= 1)
    assert not weights[2, :, :, 1:].any()


# --- choices -----------------------------------------------------------------------------------------------


def _on_meta(**settings: Any) -> int:
    words = {"vocab_size": 5000, "target_vocab_size": 5000, "dim": 100, "hidden_dim": 128}
    with torch.device("meta"):
        model = Model(Config(**(words | settings)))
    return sum(weight.numel() for weight in model.parameters())


def test_presets_have_the_parameters_of_their_equations() -> None:
    words, readout, bridge = 5000 * 100, 128 * 100 + 100, 256 * 128 + 128
    lstm, deep = 4 * (128 * (100 + 128) + 128), 4 * (128 * (128 + 128) + 128)
    assert _on_meta(**PRESETS["context"]) == words + 2 * (lstm + deep) + readout

    gru, fed = 3 * 128 * (100 + 128) + 4 * 128, 3 * 128 * (100 + 128 + 128) + 4 * 128
    assert _on_meta(**PRESETS["context-every"]) == words + gru + fed + (128 + 128 + 100) * 100 + 100

    seen, scores = 3 * 128 * (100 + 256 + 128) + 4 * 128, 128 * 128 + 256 * 128 + 128
    read_out = (128 + 256 + 100) * 100 + 100
    assert _on_meta(**PRESETS["bahdanau"]) == words + 2 * gru + bridge + seen + scores + read_out

    fed_back, compared, place = lstm + 4 * 128 * 100, 128 * 128, 128 * 128 + 128
    read_out = (128 + 128) * 100 + 100
    luong = words + lstm + deep + fed_back + deep + compared + place + read_out
    assert _on_meta(**PRESETS["luong"]) == luong


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"attention": "none", "input_feeding": True},
            "input_feeding needs attention, and attention is none",
        ),
        ({"attention": "none", "looks": "before"}, "looks: before needs attention"),
        ({"attention": "none", "window": "predictive"}, "window: predictive needs attention"),
        ({"reach": 3}, "reach: 3 needs a window, and window is global"),
        ({"reach": 3, "attention": "none"}, "reach: 3 needs a window, and window is global"),
        ({"attention": "dot"}, "use attention: general or bidirectional: false"),
        ({"target_vocab_size": 37}, "share: all needs one vocabulary"),
        ({"sampling": 1.5}, "less than or equal to 1"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_way_out(settings: Any, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Config(**(TINY | settings))


@pytest.mark.parametrize("settings", KINDS)
def test_a_configuration_comes_back_from_its_file(settings: Any) -> None:
    config = Config(**(TINY | dict(settings) | {"sampling": 0.25, "pad_id": 4, "start_id": 3}))
    back = read(write(config))
    assert back == config.model_copy(update={"hidden_dim": config.hidden_dim or config.dim})


def test_the_first_scores_are_about_even() -> None:
    torch.manual_seed(1)
    for settings in ({}, *PRESETS.values()):
        model = Model(Config(**(TINY | {"dim": 64} | settings))).eval()
        with torch.no_grad():
            logp = model(_batch()).log_softmax(-1)
        assert -logp.mean() < math.log(31) + 1.0
