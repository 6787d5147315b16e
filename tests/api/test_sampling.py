"""The generated corpus on disk: readable as a user's own files, never over other files."""

import pytest

from glassformer.api import sampling
from glassformer.api.sampling import write_samples
from glassformer.base.errors import UserError
from glassformer.data.sources import read
from glassformer.decode.align import read_gold

SIZES = {"train": 1000, "valid": 3, "test": 5}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples") / "corpus"
    assert write_samples(folder, **SIZES) == SIZES
    return folder


def test_the_files_are_read_like_any_others(corpus):
    for split, size in SIZES.items():
        path = corpus / f"{split}.tsv"
        assert path.read_text(encoding="utf-8").startswith("ko\ten\n")
        assert len(list(read(str(path), "ko", "en"))) == size


def test_each_gold_alignment_fits_its_pair(corpus):
    pairs = list(read(str(corpus / "test.tsv"), "ko", "en"))
    lines = (corpus / "test.align").read_text(encoding="utf-8").splitlines()
    for pair, line in zip(pairs, lines, strict=True):
        for source, target in read_gold(line).sure:
            assert source < len(pair.fields["source"].split())
            assert target < len(pair.fields["target"].split())


def test_writing_again_goes_on_and_another_file_is_never_replaced(corpus):
    (corpus / "test.tsv").unlink()
    write_samples(corpus, **SIZES)
    assert (corpus / "test.tsv").exists()
    with pytest.raises(UserError, match=r"train\.tsv: is there already and is not overwritten"):
        write_samples(corpus, **SIZES, seed=2)


def test_too_few_training_pairs_are_a_sentence(tmp_path, monkeypatch):
    def refuse(**sizes):
        raise ValueError("ask for more training sentences")

    monkeypatch.setattr(sampling.samples, "splits", refuse)
    with pytest.raises(UserError, match="ask for more training sentences"):
        write_samples(tmp_path / "x", train=1)
    assert not (tmp_path / "x").exists()
