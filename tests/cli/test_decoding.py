"""The options of decoding: every one is a setting, and only what was typed is passed on."""

import pytest
import typer
from typer.testing import CliRunner

from glassformer.cli.decoding import DECODING, GENERATION, takes_decoding, takes_generation
from glassformer.decode.settings import Decoding


@pytest.fixture(params=[takes_decoding, takes_generation])
def typed(request):
    """Types words after a verb that takes the options of decoding, and gives what reached it."""
    app = typer.Typer()
    seen = []

    @app.command()
    @request.param
    def verb(name: str, decoding: dict, loud: bool = False) -> None:
        """Do nothing."""
        seen.append((name, decoding, loud))

    def run(*words: str):
        ended = CliRunner().invoke(app, list(words))
        assert ended.exit_code == 0, ended.stderr
        return seen[-1]

    return run


def test_every_option_is_a_setting_of_decoding():
    assert set(DECODING) < set(GENERATION) <= set(Decoding.model_fields)


def test_only_what_was_typed_is_passed_on(typed):
    assert typed("x") == ("x", {}, False)
    assert typed("x", "--num-beams", "3", "--loud") == ("x", {"num_beams": 3}, True)


def test_each_option_reaches_its_setting(typed):
    words = (
        "x --num-beams 5 --n-best 2 --length-penalty 0.5 --min-new-tokens 1 --max-new-tokens 9 --seed 7"
        " --no-repeat-ngram-size 3 --sample --temperature 0.7 --top-k 4 --top-p 0.9 --repetition-penalty 1.2"
    )
    _, decoding, _ = typed(*words.split())
    assert set(decoding) == set(DECODING)
    assert Decoding(**decoding) == Decoding(
        num_beams=5,
        num_return_sequences=2,
        repetition_penalty=1.2,
        length_penalty=0.5,
        min_new_tokens=1,
        max_new_tokens=9,
        no_repeat_ngram_size=3,
        do_sample=True,
        temperature=0.7,
        top_k=4,
        top_p=0.9,
        seed=7,
    )


@pytest.mark.parametrize("typed", [takes_generation], indirect=True)
def test_texts_that_are_gone_on_with_may_be_stopped(typed):
    _, decoding, _ = typed("x", "--stop", ".", "--stop", "끝", "--cache", "fixed")
    assert decoding == {"stop_strings": [".", "끝"], "cache": "fixed"}
    assert typed("x")[1] == {}
