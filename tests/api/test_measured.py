"""What a card names is what others can read and type: no folder of this machine."""

from pathlib import Path

from glassformer.api.measured import command, named
from glassformer.data.sources import Source


def test_a_path_is_known_to_others_by_its_name():
    assert named("some/where/a.ko+some/where/a.en") == "a.ko+a.en"
    assert named("generated:korean-english/test") == "generated:korean-english/test"
    assert named("some/where/test.tsv") == "test.tsv"


def test_the_command_asks_for_every_source():
    sources = [Source(path="data/one.tsv"), Source(path="data/two.tsv")]
    assert command(Path("runs/x"), sources) == "glassformer evaluate x --data one.tsv --data two.tsv"
