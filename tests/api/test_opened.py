"""What a folder asks of decoding: by kind of model, by who wrote it, and how it is written back."""

import json

import pytest
from tiny_family import write_gpt
from tiny_folder import write_model

import glassformer as gf
from glassformer.api.opened import FOREIGN, KNOWN, choose, generation_of
from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding

GREEDY = Decoding(**FOREIGN)
PUBLISHED = {
    "_from_model_config": True,
    "bos_token_id": 1,
    "eos_token_id": [2, 3],
    "do_sample": True,
    "temperature": 0.6,
    "top_p": 0.9,
    "repetition_penalty": 1.1,
    "max_new_tokens": 12,
    "max_length": 4096,
    "num_beams": None,
    "stop_strings": "끝",
    "transformers_version": "4.40.0",
}


def written(folder, generation, *, foreign=True):
    (folder / "generation_config.json").write_text(json.dumps(generation), "utf-8")
    if foreign:
        (folder / "manifest.json").unlink()
    return folder


def test_only_what_translates_searches_with_beams_unless_asked(tmp_path):
    assert gf.load(write_gpt(tmp_path / "gpt")).decoding == GREEDY
    assert gf.load(write_model(tmp_path / "marian")).decoding == Decoding(num_beams=2)
    asked = written(write_gpt(tmp_path / "asked"), {"num_beams": 5}, foreign=False)
    assert gf.load(asked).decoding.num_beams == 5


def test_published_settings_are_honoured_and_survive_saving(tmp_path):
    model = gf.load(written(write_gpt(tmp_path / "model"), PUBLISHED))
    wanted = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "top_k": 50, "repetition_penalty": 1.1}
    assert model.decoding == Decoding(**FOREIGN, **wanted, max_new_tokens=12, stop_strings=("끝",))
    model.save(tmp_path / "again")
    assert gf.load(tmp_path / "again").decoding == model.decoding
    told = json.loads((tmp_path / "again" / "generation_config.json").read_text("utf-8"))
    assert told["eos_token_id"] == [2, 3] and "max_length" not in told and "num_beams" not in told


def test_a_temperature_of_nothing_means_that_nothing_is_drawn(tmp_path):
    folder = written(write_gpt(tmp_path / "model"), {"do_sample": True, "temperature": 0.0})
    assert not gf.load(folder).decoding.do_sample


@pytest.mark.parametrize(
    ("generation", "said"),
    [
        ({"num_beams": 0}, r"generation_config\.json: num_beams: "),
        ({"top_p": 2}, r"generation_config\.json: top_p: "),
        ({"num_return_sequences": 3}, r"generation_config\.json: num_return_sequences \(3\) is larger"),
        ({"stop_strings": [1]}, r"generation_config\.json: stop_strings: "),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path, generation, said):
    with pytest.raises(UserError, match=said):
        gf.load(written(write_gpt(tmp_path / "model"), generation))


def test_what_is_written_says_only_what_is_not_usual():
    assert generation_of(GREEDY, ("generates",)) == {}
    assert generation_of(Decoding(**FOREIGN, top_k=7), ("generates",)) == {"top_k": 7}
    assert set(generation_of(Decoding(), ("translates",))) == set(KNOWN)
    assert generation_of(Decoding(), ("encodes",)) == generation_of(Decoding(), ("sees",)) == {}


@pytest.mark.parametrize("stop", ["\n", '끝: "x"', "👍🏽", "#", "{a: b}", "\\n"])
def test_a_stop_string_may_be_any_text(stop):
    assert choose(GREEDY, {"stop_strings": stop}).stop_strings == (stop,)
    assert choose(GREEDY, {"stop_strings": [stop, "b"]}).stop_strings == (stop, "b")
    with pytest.raises(UserError, match="stop_strings"):
        choose(GREEDY, {"stop_strings": ""})
