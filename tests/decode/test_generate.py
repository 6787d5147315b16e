"""Prompts in, continuations out: order, company, limits, stop strings, and the stream that says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.base.errors import RunError, UserError
from glassformer.decode.generate import Generation, generate, stream
from glassformer.decode.settings import Decoding
from glassformer.models import gpt
from glassformer.text.tokenizer import Tokenizer
from glassformer.text.train import TokenizerConfig, train

TEXTS = ["나는 학교에 갑니다. 👍🏽", "친구는 집에 있다.", "I went to the school.", "she isn't far"]


@cache
def _tokenizer(kind: str = "byte_bpe", jamo: bool = False) -> Tokenizer:
    return train(TokenizerConfig(name=kind, vocab_size=330, jamo=jamo), TEXTS * 3, frame="none")


@cache
def _model(seed: int = 0, max_length: int = 40) -> gpt.Model:
    torch.manual_seed(seed)
    vocab = _tokenizer().vocab_size
    model = gpt.Model(gpt.Config(dim=16, depth=2, heads=2, max_length=max_length, vocab_size=vocab))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.4)
    return model.eval()


class Script:
    """A model that goes on with the text it knows for each last token of a prompt, then ends."""

    def __init__(self, tokenizer: Tokenizer, text: str, max_length: int = 300) -> None:
        sizes = {"vocab_size": tokenizer.vocab_size, "max_length": max_length}
        self.config = gpt.Config(dim=2, heads=1, **sizes)
        self.tokens = [*tokenizer.encode_running([(text, False)])[0], tokenizer.eos_id]
        self.training = True
        self.modes: list[bool] = []
        self.read: list[tuple[Tensor, Tensor | None, int | None]] = []

    def train(self, mode: bool = True) -> None:
        self.training = mode
        self.modes.append(mode)

    def start(self, tokens: Tensor, keep: Tensor | None, *, fixed: int | None = None) -> Script:
        assert not self.training
        self.read.append((tokens, keep, fixed))
        self.place = 0
        return self

    def step(self, tokens: Tensor) -> Tensor:
        scores = torch.zeros(len(tokens), self.config.vocab_size)
        scores[:, self.tokens[min(self.place, len(self.tokens) - 1)]] = 50.0
        self.place += 1
        return scores

    def select(self, rows: Tensor) -> None:
        pass


def _generate(prompts: Sequence[str], model: Any = None, **settings: Any) -> list[Generation]:
    options = {
        key: settings.pop(key) for key in ("too_long", "tokens_per_batch", "window") if key in settings
    }
    asked = Decoding(**({"num_beams": 1} | settings))
    return list(generate(model or _model(), _tokenizer(), prompts, asked, **options))


PROMPTS = ["나는 학교에", "", "I", "she isn't far from the school", "친구는 집에 있다. 그리고"]
WAYS: list[dict[str, Any]] = [
    {},
    {"num_beams": 3, "num_return_sequences": 2},
    {"do_sample": True, "num_return_sequences": 2, "seed": 7},
    {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2},
]


@pytest.mark.parametrize("settings", WAYS)
@pytest.mark.parametrize("stops", [(), ("e", "다", " ")])
def test_company_and_batches_change_nothing(settings: dict[str, Any], stops: tuple[str, ...]) -> None:
    asked = settings | {"stop_strings": stops, "max_new_tokens": 12}
    together = _generate(PROMPTS, **asked)
    for other in ({"tokens_per_batch": 1}, {"window": 2}, {"cache": "fixed"}):
        again = _generate(PROMPTS, **asked, **other)
        for one, two in zip(together, again, strict=True):
            assert _same(one, two)
    if not settings.get("do_sample"):
        for prompt, one in zip(PROMPTS, together, strict=True):
            assert _same(_generate([prompt], **asked)[0], one)


def _same(one: Generation, two: Generation) -> bool:
    told = [(each.text, each.tokens, each.stopped, each.prompt_tokens) for each in (one, two)]
    others = zip(one.alternatives, two.alternatives, strict=True)
    return told[0] == told[1] and abs(one.logp - two.logp) < 1e-3 and all(_same(*pair) for pair in others)


@pytest.mark.parametrize("settings", WAYS)
def test_left_padding_leaves_each_row_as_if_alone_up_to_the_models_length(settings: dict[str, Any]) -> None:
    together = _generate(PROMPTS, **settings)
    assert [len(one.prompt_tokens) + len(one.tokens) for one in together if one.stopped == "length"]
    assert all(len(one.prompt_tokens) + len(one.tokens) <= 40 for one in together)
    if not settings.get("do_sample"):
        for prompt, one in zip(PROMPTS, together, strict=True):
            assert _same(_generate([prompt], **settings)[0], one)


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe"])
@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize(
    "settings", [{}, {"num_beams": 2}, {"do_sample": True}, {"stop_strings": ("집", "!")}]
)
def test_the_stream_joins_to_the_text(kind: str, jamo: bool, settings: dict[str, Any]) -> None:
    tokenizer = _tokenizer(kind, jamo)
    asked = Decoding(**({"num_beams": 1} | settings))
    for text in ("나는 값없이 집에 갔다! 👩\u200d👩\u200d👧 🇰🇷", "I'm  home.\n가족 집"):
        (one,) = generate(Script(tokenizer, text), tokenizer, [TEXTS[0]], asked)
        pieces = list(stream(Script(tokenizer, text), tokenizer, TEXTS[0], asked))
        assert "".join(pieces) == one.text
        cut = text.partition("집")[0].partition("!")[0]
        assert one.text == (cut if "stop_strings" in settings else text)
        assert (len(pieces) == 1) == (asked.num_beams == 2)


def test_a_random_model_streams_what_it_generates() -> None:
    for seed in range(2):
        for settings in ({"do_sample": True, "seed": seed}, {}, {"do_sample": True, "stop_strings": ("e",)}):
            asked = Decoding(**({"num_beams": 1, "max_new_tokens": 14} | settings))
            (one,) = generate(_model(seed), _tokenizer(), ["나는"], asked)
            assert "".join(stream(_model(seed), _tokenizer(), "나는", asked)) == one.text


def test_an_opening_comes_first_and_an_empty_prompt_begins_with_the_start_token() -> None:
    class Opened:
        opening = (9,)

        def __getattr__(self, name: str) -> Any:
            return getattr(_tokenizer(), name)

    assert _generate([""])[0].prompt_tokens == (1,)
    for prompt, ids in (("", ()), ("I went", tuple(_tokenizer().encode("I went")))):
        (one,) = generate(_model(), Opened(), [prompt], Decoding(num_beams=1))
        assert one.prompt_tokens == (9, *ids)


def test_the_model_reads_all_but_the_last_token_padded_on_the_left() -> None:
    script = Script(_tokenizer(), "x")
    long, short = (_tokenizer().encode(text) for text in ("I went to the school", "I"))
    list(generate(script, _tokenizer(), ["I", "I went to the school"], Decoding(num_beams=1, cache="fixed")))
    ((tokens, keep, fixed),) = script.read
    width = len(long) - 1
    assert keep is not None
    assert tokens[0].tolist() == long[:-1]
    assert keep.tolist() == [[True] * width, [False] * (width - len(short) + 1) + [True] * (len(short) - 1)]
    assert fixed == width + 256
    assert script.modes == [False, True]


def test_rows_of_one_length_need_no_mask_and_a_growing_cache_no_size() -> None:
    script = Script(_tokenizer(), "x")
    list(generate(script, _tokenizer(), ["I", "I"]))
    assert script.read[0][1:] == (None, None)


def test_why_it_stopped_is_told() -> None:
    tokenizer = _tokenizer()
    (ended,) = _generate(["I"], Script(tokenizer, " went home."))
    assert (ended.text, ended.stopped, ended.tokens[-1]) == (" went home.", "eos", 2)
    (cut,) = _generate(["I"], Script(tokenizer, " went home."), stop_strings=("home",))
    assert (cut.text, cut.stopped) == (" went ", "stop string")
    (full,) = _generate(["I"], Script(tokenizer, " went home."), max_new_tokens=2)
    assert full.stopped == "length"
    assert len(full.tokens) == 2
    assert " went home.".startswith(full.text)


def test_new_tokens_are_at_most_256_and_what_the_model_has_left() -> None:
    endless = Script(_tokenizer(), "I " * 400, max_length=1000)
    assert len(_generate(["I"], endless)[0].tokens) == 256
    assert len(_generate(["I"], endless, max_new_tokens=300)[0].tokens) == 300
    short = Script(_tokenizer(), "I " * 400, max_length=50)
    (one,) = _generate(["I went"], short, max_new_tokens=300)
    assert len(one.prompt_tokens) + len(one.tokens) == 50


def test_a_prompt_that_is_too_long_is_refused_or_cut_from_its_beginning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    prompt = "school " * 60
    with pytest.raises(UserError, match=r"prompt 2: it has \d+ tokens but the model reads at most 40"):
        _generate(["I", prompt])
    (one,) = _generate([prompt], max_new_tokens=7, too_long="cut")
    ids = tuple(_tokenizer().encode(prompt))
    assert one.prompt_tokens == ids[-33:]
    assert len(_generate([prompt], too_long="cut")[0].prompt_tokens) == 20
    assert "prompt 1" in capsys.readouterr().err
    with pytest.raises(UserError, match="prompt 1"):
        list(stream(_model(), _tokenizer(), prompt))


def test_prompts_are_read_as_they_come() -> None:
    taken: list[int] = []
    done: list[int] = []

    def prompts() -> Any:
        for number in range(3):
            taken.append(number)
            yield "I"

    answers = generate(_model(), _tokenizer(), prompts(), window=1, on_progress=done.append)
    next(answers)
    assert (taken, done) == ([0], [1])


def test_a_draw_does_not_depend_on_other_prompts_but_on_its_place() -> None:
    asked: dict[str, Any] = {"do_sample": True, "seed": 4, "temperature": 2.0, "max_new_tokens": 9}
    one, two, three = _generate(["I", "I", "she"], **asked)
    assert one.tokens != two.tokens
    assert _generate(["I"], **asked)[0].tokens == one.tokens
    assert _generate(["나는", "I", "I"], **asked)[1].tokens == two.tokens
    assert three.prompt_tokens != two.prompt_tokens


@pytest.mark.parametrize("way", [generate, lambda model, tokenizer, prompts: stream(model, tokenizer, "I")])
def test_scores_that_are_no_numbers_are_told(way: Callable[..., Any]) -> None:
    model = gpt.Model(_model().config)
    with torch.no_grad():
        model.embedding.table.weight.fill_(torch.nan)
    with pytest.raises(RunError, match="not numbers"):
        list(way(model, _tokenizer(), ["I"]))
    assert model.training
