"""What is trained here opens in ``transformers`` by its Auto classes and says the same there.

Every model with every objective, as far as ``transformers`` has the architecture that was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.contracts.cases import CASES
from tests.contracts.lessons import ALLOWED, LESSONS, given_to, pictures
from tests.contracts.refusals import SHORT
from tests.contracts.small_runs import command

import glassformer as gf
from glassformer.base import plugins

transformers = pytest.importorskip("transformers")
transformers.logging.disable_progress_bar()

AUTO = {
    "generates": "AutoModelForCausalLM",
    "encodes": "AutoModelForMaskedLM",
    "translates": "AutoModelForSeq2SeqLM",
    "sees": "AutoModelForImageClassification",
}
TEXTS = ["나는 오늘 책을 본다", "the cat sleeps", "😀 좋아 👨‍👩!"]
BYTES = ("tokenizer.name=byte_bpe", "tokenizer.vocab_size=270", "tokenizer.min_frequency=1")
Train = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Train:
    """A run of two steps with a vocabulary that can write everything."""

    @cache
    def train(model: str, objective: str) -> Path:
        folder = tmp_path_factory.mktemp(model)
        recipe = LESSONS[objective].write(folder)
        words = BYTES if "tokenizer:" in recipe.read_text("utf-8") else ()
        gf.train(recipe, [given_to(model, recipe), *SHORT, *words], output=folder / "run")
        return folder / "run"

    return train


def _able(*abilities: str) -> list[tuple[str, str]]:
    """Each model that ``transformers`` has with each objective, where the model can do one of these first."""
    found = [pair for pair in ALLOWED if plugins.find("models", pair[0]).Model.abilities[0] in abilities]
    return [pair for pair in found if any(case.foreign for case in CASES.get(pair[0], []))]


def _bare(*abilities: str) -> list[tuple[str, str]]:
    """The same without those whose objective puts a head on, which ``transformers`` does not know."""
    return [
        (model, name)
        for model, name in _able(*abilities)
        if not hasattr(plugins.find("objectives", name).Objective, "head")
    ]


def _there(run: Path) -> Any:
    (written,) = json.loads((run / "config.json").read_text("utf-8"))["architectures"]
    here = gf.load(run)
    model = getattr(transformers, AUTO[here.model.abilities[0]]).from_pretrained(run).eval()
    assert type(model).__name__ == written
    return model


@pytest.mark.parametrize(("model", "objective"), _able("generates", "encodes", "translates"))
def test_text_has_the_same_numbers_there(model: str, objective: str, begun: Train) -> None:
    run = begun(model, objective)
    here, there = gf.load(run).tokenizers.source, transformers.AutoTokenizer.from_pretrained(run)
    for text, ids in zip(TEXTS, here.encode_batch(TEXTS), strict=True):
        assert there(text, add_special_tokens=False)["input_ids"] == ids
        assert there(text)["input_ids"] == [*here.opening, *ids, *here.closing]
        assert there.decode(ids) == text == here.decode(ids)
    numbers = gf.load(run).model.config
    assert (there.pad_token_id, there.eos_token_id) == (numbers.pad_id, here.eos_id)
    assert there.mask_token_id == here.mask_id


@pytest.mark.parametrize(("model", "objective"), _bare("generates", "encodes"))
def test_text_has_the_same_scores_there(model: str, objective: str, begun: Train) -> None:
    run = begun(model, objective)
    tokenizer = transformers.AutoTokenizer.from_pretrained(run, padding_side="right")
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt", return_token_type_ids=False)
    assert batch["input_ids"].shape[1] <= 32
    keep = batch["attention_mask"].bool()
    with torch.no_grad():
        theirs = _there(run)(**batch).logits[keep]
        ours = gf.load(run).model({"tokens": batch["input_ids"], "keep": keep})[keep]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("model", "objective"), _bare("generates"))
def test_the_likeliest_text_is_the_same_there(model: str, objective: str, begun: Train) -> None:
    run = begun(model, objective)
    here, there = gf.load(run), _there(run)
    numbers, said = here.model.config, there.generation_config
    found = (said.bos_token_id, said.eos_token_id, said.pad_token_id)
    assert found == (numbers.start_id, numbers.eos_id, numbers.pad_id)
    prompt = TEXTS[0][:5]
    (one,) = here.generations([prompt], gf.choose(here.decoding, {"max_new_tokens": 8}))
    ids = torch.tensor([one.prompt_tokens])
    with torch.no_grad():
        written = there.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8)
    assert tuple(written[0, ids.shape[1] :].tolist()) == one.tokens
    told = command("generate", run, prompt, "--max-new-tokens", "8")
    assert (told.code, told.out.removesuffix("\n")) == (0, one.text)


@pytest.mark.parametrize(("model", "objective"), _able("sees"))
def test_images_have_the_same_scores_there(model: str, objective: str, begun: Train) -> None:
    run = begun(model, objective)
    processor = transformers.AutoImageProcessor.from_pretrained(run)
    images = [image[:, :, None] for image in pictures()]
    pixels = processor(images=images, return_tensors="pt", input_data_format="channels_last")["pixel_values"]
    there, here = _there(run), gf.load(run)
    with torch.no_grad():
        theirs = there(pixel_values=pixels).logits
        ours = here.model({"images": pixels})
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
    shares, best = theirs.softmax(1).sort(1, descending=True)
    for row, told in enumerate(here.predict(list(pictures()), top_k=3)):
        assert [label for label, _ in told] == [there.config.id2label[int(place)] for place in best[row, :3]]
        assert [share for _, share in told] == pytest.approx(shares[row, :3].tolist(), abs=1e-4)
