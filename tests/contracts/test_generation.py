"""Every model that generates, whatever its weights: what it writes is what ``transformers`` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.contracts.case import Case
from tests.contracts.cases import ORACLES
from tests.contracts.test_models import able, made, scores_of
from torch import Tensor

from glassformer.base import plugins
from glassformer.decode.generate import Generation, generate, stream
from glassformer.decode.score import score
from glassformer.decode.settings import Decoding
from glassformer.hub.folder import save

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

PAD, END = 0, 2
PROMPTS = ["5 6 7 8 9", "10 11", "", "12 13 14 12 13", "15"]
GENERATES = able("generates")
FILTERS: list[dict[str, Any]] = [
    {"repetition_penalty": 1.6},
    {"repetition_penalty": 0.7, "num_beams": 3},
    {"repetition_penalty": 1.6, "no_repeat_ngram_size": 2, "num_beams": 3},
    {"min_new_tokens": 4, "no_repeat_ngram_size": 1},
]


def _one_of_each_class() -> list[Any]:
    """For every class of ``transformers`` one case that it computes."""
    found = {}
    for each in GENERATES:
        name, case = each.values
        module = plugins.find("models", name)
        if case.foreign:
            found.setdefault(str(module.write(module.Config(**case.settings))["architectures"]), each)
    return list(found.values())


FOREIGN = _one_of_each_class()


class Numbers:
    """A tokenizer whose words are their own ids."""

    opening: tuple[int, ...] = (1,)

    def encode_batch(self, texts: Any) -> list[list[int]]:
        return [[int(word) for word in text.split()] for text in texts]

    def decode(self, ids: Any) -> str:
        return "".join(f"{token} " for token in ids)


def _written(model: Any, prompts: list[str] = PROMPTS, **settings: Any) -> list[Generation]:
    asked = Decoding(**({"length_penalty_form": "power", "num_beams": 1} | settings))
    return list(generate(model, Numbers(), prompts, asked))


def _theirs(name: str, model: Any, folder: Path) -> Any:
    (wanted,) = plugins.find("models", name).write(model.config)["architectures"]
    assert any(oracle.model == wanted for oracle in ORACLES[name])
    save(folder, model, None)
    return getattr(transformers, wanted).from_pretrained(folder).eval()


def _padded(rows: list[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, rows))
    tokens = torch.tensor([[*[PAD] * (longest - len(row)), *row] for row in rows])
    return tokens, torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])


def _asked_there(
    theirs: Any, rows: list[tuple[int, ...]], settings: dict[str, Any], ends: tuple[int, ...] = (END,)
) -> list[list[int]]:
    tokens, keep = _padded(rows)
    config = transformers.GenerationConfig(
        **({"num_beams": 1, "early_stopping": "never", "length_penalty": 0.6} | settings),
        do_sample=False, pad_token_id=PAD, eos_token_id=list(ends), bos_token_id=1,
    )  # fmt: skip
    level = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    with torch.no_grad():
        found = theirs.generate(tokens, attention_mask=keep, generation_config=config)
    transformers.logging.set_verbosity(level)
    cut = [row[tokens.shape[1] :] for row in found.tolist()]
    lengths = [next((at + 1 for at, token in enumerate(row) if token in ends), len(row)) for row in cut]
    return [row[:length] for row, length in zip(cut, lengths, strict=True)]


def _all(found: list[Generation]) -> list[list[int]]:
    return [list(one.tokens) for each in found for one in (each, *each.alternatives)]


@pytest.mark.parametrize(("name", "case"), FOREIGN)
def test_search_writes_what_transformers_writes(name: str, case: Case, tmp_path: Path) -> None:
    model = made(name, case)
    theirs = _theirs(name, model, tmp_path / "model")
    rows = [one.prompt_tokens for one in _written(model)]
    ways = [{}, *({"num_beams": 3, "early_stopping": stopping} for stopping in (False, True, "never"))]
    ways += [
        {"num_beams": 4, "num_return_sequences": 3, "length_penalty": penalty} for penalty in (-1.0, 2.0)
    ]
    for way in ways:
        settings = {"max_new_tokens": 9} | way
        assert _all(_written(model, **settings)) == _asked_there(theirs, rows, settings), settings


SEVERAL = [one for one in FOREIGN if "also_ends" in plugins.find("models", one.values[0]).Config.model_fields]


@pytest.mark.parametrize(("name", "case"), SEVERAL)
def test_each_of_several_end_tokens_ends_a_text(name: str, case: Case, tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = _written(made(name, case), max_new_tokens=9)
    others = (before[0].tokens[1], before[3].tokens[2])
    torch.manual_seed(0)
    model = made(name, case, also_ends=others)
    theirs = _theirs(name, model, tmp_path / "model")
    rows = [one.prompt_tokens for one in before]
    ended = _written(model, max_new_tokens=9)
    assert {one.tokens[-1] for one in ended if one.stopped == "eos"} >= set(others)
    assert not any(one.text.split()[-1:] in ([str(end)] for end in others) for one in ended)
    ways = [{}, {"num_beams": 3}, {"num_beams": 3, "num_return_sequences": 3, "min_new_tokens": 3}]
    for way in ways:
        settings = {"max_new_tokens": 9} | way
        want = _asked_there(theirs, rows, settings, (END, *others))
        assert _all(_written(model, **settings)) == want, settings
    assert theirs.generation_config.eos_token_id == [END, *others]
    drawn = _written(model, do_sample=True, temperature=3.0, max_new_tokens=19)
    assert all(not {END, *others} & set(one.tokens[:-1]) for one in drawn)
    assert (
        "".join(stream(model, Numbers(), PROMPTS[0], Decoding(num_beams=1, max_new_tokens=9)))
        == ended[0].text
    )


@pytest.mark.parametrize(("name", "case"), FOREIGN)
def test_filters_look_back_over_the_prompt_as_those_of_transformers(
    name: str, case: Case, tmp_path: Path
) -> None:
    model = made(name, case)
    theirs = _theirs(name, model, tmp_path / "model")
    for filters in FILTERS:
        settings = {"max_new_tokens": 8} | filters
        # One row at a time: transformers counts padding among what was seen.
        found = _written(model, PROMPTS[3:4], **settings)
        assert _all(found) == _asked_there(theirs, [found[0].prompt_tokens], settings), settings


@pytest.mark.parametrize(("name", "case"), GENERATES)
@pytest.mark.parametrize("way", [{}, {"num_beams": 3, "num_return_sequences": 3}, {"do_sample": True}])
def test_company_and_kind_of_cache_change_nothing(name: str, case: Case, way: dict[str, Any]) -> None:
    model = made(name, case)
    way = way | {"max_new_tokens": 9}
    together = _written(model, **way)
    fixed = _written(model, **way, cache="fixed")
    alone = [_written(model, [prompt], **way)[0] for prompt in PROMPTS[: 1 if way.get("do_sample") else 5]]
    for other in (fixed, alone):
        for one, two in zip(together, other, strict=False):
            assert (one.text, one.tokens, one.stopped) == (two.text, two.tokens, two.stopped)
            assert one.logp == pytest.approx(two.logp, abs=1e-3)
            assert [each.tokens for each in one.alternatives] == [each.tokens for each in two.alternatives]
    assert (
        "".join(stream(model, Numbers(), PROMPTS[0], Decoding(**({"num_beams": 1} | way))))
        == together[0].text
    )


@pytest.mark.parametrize(("name", "case"), GENERATES)
def test_what_is_written_has_the_log_probability_that_scoring_gives_it(name: str, case: Case) -> None:
    model = made(name, case)
    for one in _written(model, do_sample=True, temperature=1.5, max_new_tokens=6):
        whole = scores_of(model, {"tokens": torch.tensor([[*one.prompt_tokens, *one.tokens]])})[0]
        logp = whole.double().log_softmax(1)[len(one.prompt_tokens) - 1 : -1]
        want = float(logp.gather(1, torch.tensor(one.tokens)[:, None]).sum())
        assert one.logp == pytest.approx(want, abs=1e-4)
        (scored,) = score(model, Numbers(), [" ".join(map(str, one.tokens))], contexts=[_text(one) + " "])
        assert scored.tokens == one.tokens
        assert scored.logp == pytest.approx(want, abs=1e-4)


def _text(one: Generation) -> str:
    return " ".join(map(str, one.prompt_tokens[1:]))
