import dataclasses

import numpy as np
import pytest
import torch

from glassformer.data.example import Batch, Example, Features


def test_an_example_knows_its_place_and_cannot_be_changed():
    example = Example({"source": "가.", "target": "Go."}, "train.tsv:2")
    assert example.where == "train.tsv:2"
    with pytest.raises(dataclasses.FrozenInstanceError):
        example.where = "elsewhere"


def test_the_size_of_features_is_that_of_the_longest_array():
    assert Features({"source": np.arange(3), "target": np.arange(5)}).size == 5
    assert Features({}).size == 0


def test_a_batch_reads_like_a_mapping_and_moves_as_a_whole():
    batch = Batch({"source": torch.tensor([[1, 2]])}, count=2)
    assert dict(batch) == {"source": batch["source"]}
    moved = batch.to(torch.device("meta"))
    assert moved["source"].device.type == "meta"
    assert moved.count == 2


def test_a_batch_of_nothing_is_false():
    assert not Batch({}, 0)
    assert Batch({"source": torch.zeros(1, 1)}, 1)
