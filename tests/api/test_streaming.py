"""Encoded data in batches: in the order of the file to measure with, in another to train with."""

from tiny_folder import PAIRS, write_model

from glassformer.api.heading import objective_for
from glassformer.api.loading import load
from glassformer.api.streaming import stores_of, stream_of
from glassformer.data.pairs import Config
from glassformer.objectives import translation


def _streams(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("ko\ten\n" + "".join(f"{a}\t{b}\n" for a, b in PAIRS), "utf-8")
    data = Config(train=str(path), valid=str(path), source="ko", target="en", tokens_per_batch=64)
    opened = load(write_model(tmp_path / "model"))
    settings = translation.Config()
    objective = objective_for(settings, opened.model, opened.tokenizers)
    stores = stores_of(data, "valid", settings, objective, model=opened.model, tokenizers=opened.tokenizers)
    return [stream_of(data, objective, stores, training=training) for training in (False, True)]


def test_every_example_is_met_once_with_all_its_answers(tmp_path):
    measuring, _ = _streams(tmp_path)
    assert sum(len(batch["source"]) for batch in measuring.once()) == len(PAIRS)


def test_only_what_is_trained_with_is_shuffled(tmp_path):
    measuring, training = _streams(tmp_path)
    assert (measuring.shuffle, training.shuffle) == (False, True)
