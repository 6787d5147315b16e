import math

import pytest

from glassformer.base.errors import UserError
from glassformer.train.schedule import ScheduleConfig, check, rate

STEPS = [1, 2, 7, 10, 11, 50, 100]


def rates(peak: float = 0.5, steps: int = 100, **config) -> list[float]:
    return [rate(ScheduleConfig(**config), step, peak=peak, steps=steps) for step in STEPS]


def test_inverse_square_root_rises_to_the_peak_and_falls_with_the_root_of_the_step():
    expected = [0.5 * min(step / 10, math.sqrt(10 / step)) for step in STEPS]
    assert rates(name="inverse_sqrt", warmup=10) == pytest.approx(expected)


def test_noam_is_the_formula_of_the_paper():
    expected = [2.0 * 64**-0.5 * min(step**-0.5, step * 10**-1.5) for step in STEPS]
    assert rates(name="noam", warmup=10, dim=64, factor=2.0) == pytest.approx(expected)


def test_noam_is_inverse_square_root_with_its_peak_written_differently():
    peak = 2.0 / math.sqrt(64 * 10)
    noam = rates(name="noam", warmup=10, dim=64, factor=2.0)
    assert noam == pytest.approx(rates(peak, name="inverse_sqrt", warmup=10))


def test_cosine_goes_down_half_a_wave_to_its_floor():
    fall = [0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (step - 10) / 90)) for step in STEPS]
    expected = [0.5 * (step / 10 if step <= 10 else fall[at]) for at, step in enumerate(STEPS)]
    assert rates(name="cosine", warmup=10, floor=0.1) == pytest.approx(expected)


def test_linear_goes_down_a_straight_line_and_stays_at_its_floor():
    config = ScheduleConfig(name="linear", warmup=10, floor=0.2)
    assert rate(config, 55, peak=1.0, steps=100) == pytest.approx(0.6)
    assert rate(config, 100, peak=1.0, steps=100) == pytest.approx(0.2)
    assert rate(config, 900, peak=1.0, steps=100) == pytest.approx(0.2)


def test_constant_stays_at_the_peak():
    assert rates(name="constant", warmup=10) == pytest.approx([0.05, 0.1, 0.35, 0.5, 0.5, 0.5, 0.5])


@pytest.mark.parametrize("name", ["inverse_sqrt", "noam", "cosine", "linear", "constant"])
def test_no_warmup_begins_at_the_peak_and_stays_a_positive_number(name):
    config = ScheduleConfig(name=name, floor=0.01)
    numbers = [rate(config, step, peak=1.0, steps=50) for step in range(1, 60)]
    assert numbers[0] == max(numbers)
    assert all(number > 0 for number in numbers)


def test_a_schedule_with_an_end_wants_to_know_it():
    with pytest.raises(UserError, match="set schedule"):
        check(ScheduleConfig(name="cosine"), None)
    check(ScheduleConfig(name="cosine", steps=10), None)
    check(ScheduleConfig(name="linear"), 10)
    check(ScheduleConfig(), None)
