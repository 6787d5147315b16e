"""Tables of labels: a row for each, in the order of the labels."""

import numpy as np

from glassformer.evaluate.classes import per_label
from glassformer.evaluate.tables import confusion_table, label_table


def test_a_row_for_each_label() -> None:
    table = np.array([[2, 0], [1, 1]])
    assert label_table(per_label(table), ["a", "b"]).rows == (
        ("a", 2 / 3, 1.0, 0.8, 2, 3),
        ("b", 1.0, 0.5, 2 / 3, 2, 1),
    )
    found = confusion_table(table, ["a", "b"])
    assert found.headers == ("true \\ told", "a", "b")
    assert found.rows == (("a", 2, 0), ("b", 1, 1))
