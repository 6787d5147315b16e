"""From text to a folder and back: what is trained here opens there, and can be gone on from, also theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.contracts.small_runs import PAIRS, command, write_pairs, write_recipe
from tests.hub import test_marian as published

import glassformer as gf
from glassformer.hub import folder as hub

transformers = pytest.importorskip("transformers")

LINES = [one for one, _ in PAIRS]
WANTED = [other for _, other in PAIRS]


def test_what_was_trained_translates_every_line_in_its_place(trained: Path) -> None:
    text = "\n".join([LINES[3], "", *LINES, "   ", LINES[0]]) + "\n"
    told = command("translate", trained, text=text)
    assert told.code == 0, told.err
    assert told.out.splitlines() == [WANTED[3], "", *WANTED, "", WANTED[0]]


def test_a_sentence_alone_or_in_any_batch_is_translated_alike(trained: Path) -> None:
    model = gf.load(trained)
    odd = ["물을 오늘", "산다 산다 산다 책을 우리는 오늘 나는", "나는", "모르는 말"]
    settings = {"num_beams": 3, "max_new_tokens": 9}
    together = model.translate([*odd, *LINES, *odd[::-1]], **settings)
    alone = [model.translate(line, **settings)[0] for line in odd]
    assert together[:4] == alone
    assert together[-4:] == alone[::-1]


def test_evaluation_of_what_it_knows_finds_no_mistake(trained: Path, tmp_path: Path) -> None:
    test = write_pairs(tmp_path / "test.tsv")
    told = command("evaluate", trained, "--data", test, "--json")
    assert told.code == 0, told.err
    found = json.loads(told.out.splitlines()[-1])
    assert found["bleu"] == pytest.approx(100)
    assert found["chrf"] == pytest.approx(100)
    assert found["ter"] == 0
    assert found["sentences"] == len(PAIRS)
    assert {"signature", "seconds"} <= found.keys()
    report = gf.evaluate(trained, [str(test)], limit=3)
    assert report.sentences == 3
    assert report.bleu.value == pytest.approx(100)


def test_the_run_opens_in_transformers_and_scores_the_same(trained: Path) -> None:
    there = transformers.MarianMTModel.from_pretrained(trained).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained)
    here = gf.load(trained)
    batch = tokenizer(LINES, return_tensors="pt", padding=True)
    ids = here.tokenizers.source.encode_batch(LINES)
    assert batch["input_ids"].tolist() == [[*row, 2] for row in ids]
    target = torch.tensor([[1, *here.tokenizers.target.encode(text)] for text in WANTED])
    with torch.no_grad():
        theirs = there(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], decoder_input_ids=target
        )
        keep = batch["attention_mask"].bool()
        ours = here.model({"source": batch["input_ids"], "source_keep": keep, "target": target})
    torch.testing.assert_close(ours, theirs.logits, rtol=0, atol=1e-4)
    written = there.generate(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], num_beams=1, max_length=20
    )
    assert tokenizer.batch_decode(written, skip_special_tokens=True) == WANTED


def test_every_folder_of_a_run_is_whole(trained: Path) -> None:
    for folder in (trained, trained / "best", trained / "last"):
        if folder != trained:
            hub.check(folder, thorough=True)
        assert gf.load(folder).translate(LINES) == WANTED
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "valid"] == [0, 60]
    card = (trained / "README.md").read_text("utf-8")
    assert "BLEU" in card
    assert "chrF" in card


def test_the_recipe_in_a_folder_trains_the_same_model_again(trained: Path, tmp_path: Path) -> None:
    gf.train(trained / "recipe.yaml", output=tmp_path / "again")
    weights = [(run / "model.safetensors").read_bytes() for run in (trained, tmp_path / "again")]
    assert weights[0] == weights[1]


NEW = [("오늘 나는 책을 안다", "I buy the water"), ("우리는 물을 본다", "we see today")]


def test_training_goes_on_from_a_folder_of_ours_with_its_vocabulary(trained: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    write_pairs(tmp_path / "train.tsv", NEW)
    settings = [f"init={trained}", "train.steps=40", "tokenizer.vocab_size=9", "model.dim=8"]
    gf.train(recipe, settings, output=tmp_path / "run")
    before, after = gf.load(trained), gf.load(tmp_path / "run")
    assert after.tokenizers.fingerprint == before.tokenizers.fingerprint
    assert after.model.config == before.model.config
    assert after.translate([one for one, _ in NEW]) == [other for _, other in NEW]
    assert gf.load(trained).translate(LINES) == WANTED


def test_going_on_starts_from_the_very_weights(trained: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    settings = [f"init={trained}", "train.steps=1", "optim.lr=1e-12", "train.precision=float32"]
    gf.train(recipe, settings, output=tmp_path / "run")
    before, after = (load_file(run / "model.safetensors") for run in (trained, tmp_path / "run"))
    assert before.keys() == after.keys()
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight, rtol=0, atol=1e-9)


def test_training_goes_on_from_a_published_marian_folder(tmp_path: Path) -> None:
    opus = tmp_path / "opus"
    opus.mkdir()
    published._opus(opus)
    recipe = write_recipe(tmp_path)
    write_pairs(tmp_path / "train.tsv", published.PAIRS)
    before = gf.load(opus)
    settings = [f"init={opus}", "train.steps=120", "model.dropout=0.0", "train.seed=2"]
    gf.train(recipe, settings, output=tmp_path / "run")
    after = gf.load(tmp_path / "run")
    assert after.tokenizers.fingerprint == before.tokenizers.fingerprint
    for name in ("source.spm", "target.spm", "vocab.json"):
        assert (tmp_path / "run" / name).read_bytes() == (opus / name).read_bytes()
    lines = [one for one, _ in published.PAIRS]
    assert after.translate(lines) == [other for _, other in published.PAIRS]
    there = transformers.MarianMTModel.from_pretrained(tmp_path / "run").eval()
    ids = torch.tensor([[*after.tokenizers.source.encode(lines[0]), after.model.config.eos_id]])
    target = torch.tensor([[after.model.config.start_id, *after.tokenizers.target.encode("I go")]])
    with torch.no_grad():
        theirs = there(input_ids=ids, decoder_input_ids=target).logits
        ours = after.model({"source": ids, "source_keep": torch.ones_like(ids).bool(), "target": target})
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
