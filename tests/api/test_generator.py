"""A language model opened for use: it goes on with texts and scores them, some backward."""

import json

import pytest
import torch
from tiny_family import TEXTS, write_gpt
from transformers import AutoTokenizer, GPT2LMHeadModel

import glassformer as gf
from glassformer.api.generator import Generator
from glassformer.base.errors import UserError
from glassformer.decode.score import Score

BACKWARD = "objective: {name: causal_lm, direction: backward}\n"
PROMPTS = ["Once upon", "나는", "", "the cat"]
SHORT = {"max_new_tokens": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_gpt(tmp_path_factory.mktemp("gpt") / "model")


@pytest.fixture(scope="module")
def model(folder):
    return gf.load(folder, device="cpu")


@pytest.fixture(scope="module")
def backward(tmp_path_factory):
    return gf.load(write_gpt(tmp_path_factory.mktemp("gpt") / "backward", recipe=BACKWARD), device="cpu")


def begun(model, ids):
    return {"tokens": torch.tensor([[model.model.config.start_id, *ids[:-1]]])}


def test_a_language_model_opens_as_a_generator_that_is_greedy(model):
    assert isinstance(model, Generator) and isinstance(model, gf.Generator)
    assert model.decoding.num_beams == 1 and not model.decoding.do_sample
    assert not model.backward


def test_one_prompt_or_many_give_a_list_and_the_stream_says_the_same(model):
    many = model.generate(PROMPTS, **SHORT)
    assert len(many) == len(PROMPTS) and all(many)
    assert model.generate(PROMPTS[0], **SHORT) == many[:1]
    assert ["".join(model.stream(prompt, **SHORT)) for prompt in PROMPTS] == many
    assert model.generate([]) == []


def test_the_text_is_that_of_transformers(folder, model):
    theirs = GPT2LMHeadModel.from_pretrained(folder).eval()
    words = AutoTokenizer.from_pretrained(folder)
    for prompt in ("Once upon", "나는 학교"):
        ids = torch.tensor([model.tokenizers.source.encode(prompt)])
        settings = {"do_sample": False, "num_beams": 3, "pad_token_id": 0, **SHORT}
        found = theirs.generate(ids, attention_mask=torch.ones_like(ids), **settings)[0, ids.shape[1] :]
        ours = next(model.generations([prompt], gf.choose(model.decoding, {"num_beams": 3, **SHORT})))
        assert list(ours.tokens) == found.tolist()
        if "\ufffd" not in ours.text and "\ufffd" not in words.decode(found):
            assert ours.text == words.decode(found, skip_special_tokens=True)


def test_settings_are_checked_and_stop_strings_may_be_one(model):
    with pytest.raises(UserError, match="unknown key 'num_beamz'"):
        model.generate("x", num_beamz=3)
    (whole,) = model.generate("the cat", **SHORT)
    stop = whole[2:4]
    assert model.generate("the cat", stop_strings=stop, **SHORT) == [whole[: whole.index(stop)]]


def test_a_prompt_that_leaves_no_room_is_refused_or_cut(model, capsys):
    with pytest.raises(UserError, match="prompt 2: it has"):
        model.generate(["the", "the cat sleeps " * 20])
    (one,) = model.generations(["the cat sleeps " * 20], too_long="cut")
    assert one.prompt_tokens and "only the last" in capsys.readouterr().err


def test_scores_are_those_of_the_scores_of_words(model):
    text = "the cat sleeps"
    (one,) = model.score(text)
    ids = model.tokenizers.source.encode(text)
    with torch.no_grad():
        logp = model.model(begun(model, ids))[0].log_softmax(-1)
    assert one.tokens == tuple(ids)
    assert one.logps == pytest.approx(logp[range(len(ids)), ids].tolist(), abs=1e-4)
    (after,) = model.score([" sleeps"], ["the cat"])
    whole, before = (sum(model.score(part)[0].logps) for part in (text, "the cat"))
    assert after.logp == pytest.approx(whole - before, abs=1e-4)
    with pytest.raises(UserError, match="not as many contexts"):
        model.score(["a", "b"], ["x"])


def test_a_backward_model_scores_a_text_from_its_end(model, backward):
    assert backward.backward
    words = model.tokenizers.source
    (one,) = backward.score("the cat sleeps")
    ids = words.encode("the cat sleeps")[::-1]
    with torch.no_grad():
        logp = backward.model(begun(model, ids))[0].log_softmax(-1)
    assert one.text == "the cat sleeps"
    assert one.tokens == tuple(ids[::-1])
    assert one.logps[::-1] == pytest.approx(logp[range(len(ids)), ids].tolist(), abs=1e-4)
    (first,) = backward.score(["the cat "], ["sleeps"])
    assert 0 < len(first.tokens) < len(ids)
    assert first.tokens == one.tokens[: len(first.tokens)]
    assert first.logps == pytest.approx(one.logps[: len(first.tokens)], abs=1e-4)


def test_a_backward_model_writes_what_stands_before_the_prompt(model, backward):
    words = model.tokenizers.source
    ids = words.encode("sleeps")[::-1]
    settings = gf.choose(backward.decoding, SHORT)
    (one,) = backward.generations(["sleeps"], settings)
    rows = [*ids]
    with torch.no_grad():
        for _ in range(8):
            rows.append(int(backward.model({"tokens": torch.tensor([rows])})[0, -1].argmax()))
    assert one.prompt_tokens == tuple(ids[::-1])
    assert one.tokens == tuple(rows[len(ids) :])[::-1]
    assert words.decode([*one.tokens, *one.prompt_tokens]).endswith(one.text + "sleeps")
    assert list(backward.stream("sleeps", **SHORT)) == ([one.text] if one.text else [])
    assert backward.generate("sleeps", **SHORT) == [one.text]


def test_a_stop_string_is_where_a_backward_text_begins(backward):
    (whole,) = backward.generate("cat", **SHORT)
    stop = whole[-3:-1]
    (text,) = backward.generate("cat", stop_strings=stop, **SHORT)
    assert text == whole[whole.rindex(stop) + 2 :]


def test_what_is_saved_is_still_backward_and_greedy(backward, tmp_path):
    backward.save(tmp_path / "again")
    again = gf.load(tmp_path / "again")
    assert again.backward and again.decoding == backward.decoding
    assert again.generate(TEXTS[3], **SHORT) == backward.generate(TEXTS[3], **SHORT)
    told = json.loads((tmp_path / "again" / "generation_config.json").read_text("utf-8"))
    assert set(told) <= {"bos_token_id", "eos_token_id", "pad_token_id"}


@pytest.mark.parametrize("recipe", ["objective: causal_lm\n", "{", "objective: {direction: forward}\n", "7"])
def test_other_recipes_are_forward(tmp_path, recipe):
    model = gf.load(write_gpt(tmp_path / "model", recipe=recipe))
    assert not model.backward
    assert isinstance(model.score("a")[0], Score)
