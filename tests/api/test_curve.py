"""A curve has its points where they belong, and its scale says what they are."""

from glassformer.api.curve import HEIGHT, Curve, curve


def test_points_stand_at_their_height_and_the_first_curve_is_in_front():
    drawn = list(
        curve(
            [0, 1, 16], [Curve("a", "●", [50.0, 75.0, 100.0]), Curve("b", "○", [None, 100.0, 100.0])], "shown"
        )
    )
    rows = drawn[:HEIGHT]
    assert rows[0] == " 100.0 ┤         ○     ●"
    assert rows[HEIGHT // 2] == "  75.0 ┤         ●"
    assert rows[-1] == "  50.0 ┤   ●"
    assert drawn[-2].split() == ["0", "1", "16", "shown"]
    assert drawn[-1] == "  ● a   ○ b"


def test_a_flat_curve_can_be_drawn():
    drawn = list(curve([2], [Curve("a", "●", [50.0])], "shown"))
    assert drawn[HEIGHT - 1].startswith("  50.0 ┤   ●")
