import numpy as np

from glassformer.data.example import Example, Features
from glassformer.data.filter import Dropped, Limits


def example(source, target, line):
    return Example({"source": source, "target": target}, f"a.tsv:{line}")


def features(source, target):
    return Features({"source": np.arange(source), "target": np.arange(target)})


def test_nothing_dropped_says_nothing():
    assert Dropped().sentence() == ""
    assert Dropped().total == 0


def test_the_account_counts_each_reason_and_shows_the_first_places():
    dropped = Dropped()
    for line in range(1, 6):
        dropped.note("blank", f"a.tsv:{line}")
    dropped.note("longer than 4 tokens", "a.tsv:9")
    assert dropped.total == 6
    assert dropped.sentence() == (
        "6 examples were dropped: 5 blank (a.tsv:1, a.tsv:2, a.tsv:3, …); 1 longer than 4 tokens (a.tsv:9)"
    )
    assert Dropped.from_json(dropped.to_json()) == dropped


def test_long_texts_are_left_out_before_they_are_encoded():
    dropped = Dropped()
    examples = [example("짧다", "short", 1), example("짧다", "s" * 11, 2), example("길" * 11, "long", 3)]
    assert list(Limits(max_characters=10).examples(examples, dropped)) == examples[:1]
    assert dropped.counts == {"longer than 10 characters": 2}
    assert dropped.places == {"longer than 10 characters": ["a.tsv:2", "a.tsv:3"]}


def test_tokens_are_held_to_length_and_ratio():
    dropped = Dropped()
    made = [features(4, 4), features(5, 2), features(4, 1), features(1, 4), features(4, 2), features(0, 1)]
    places = [example("", "", line) for line in range(1, 7)]
    kept = Limits(max_length=4, max_ratio=2.0).features(made, places, dropped)
    assert kept == [made[0], made[4]]
    assert dropped.counts == {
        "longer than 4 tokens": 1,
        "one side more than 2 times as long as the other": 3,
    }


def test_without_limits_everything_stays():
    dropped = Dropped()
    made = [features(1000, 1)]
    assert Limits().features(made, [example("", "", 1)], dropped) == made
    assert not dropped.total
