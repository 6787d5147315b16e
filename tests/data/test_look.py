"""What a person sees of an example stands in one line."""

from glassformer.data.look import Look


def test_texts_stand_in_one_line() -> None:
    assert Look(("a\n b", "c\td"), "yes").text == "a b / c d"
