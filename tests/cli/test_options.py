"""Options that several verbs share are written once and found in one place."""

from typing import get_args

from glassformer.cli import decoding, options


def test_the_options_of_decoding_are_found_here_too():
    assert options.takes_decoding is decoding.takes_decoding
    assert options.takes_generation is decoding.takes_generation
    assert options.DECODING.items() < options.GENERATION.items()


def test_every_shared_option_says_what_it_is():
    shared = [options.JSON, options.Output, options.Model, options.Source, options.Target]
    for kind in [*shared, options.Lines, options.Device, options.Dtype]:
        assert get_args(kind)[1].help.endswith(".")
