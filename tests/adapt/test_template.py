"""Templates put fields and labels where they were written, and refuse what is not one."""

from __future__ import annotations

import pytest

from glassformer.adapt.template import Template


def test_fields_and_the_answer_stand_where_they_were_written():
    template = Template("{{{premise}}} so {hypothesis}?\n답: {label} ({premise})")
    fields = {"premise": "비가 온다", "hypothesis": "길이 젖는다"}
    assert template.fields == ("premise", "hypothesis")
    assert template.before(fields) == "{비가 온다} so 길이 젖는다?\n답: "
    assert template.after(fields) == " (비가 온다)"
    assert template.whole(fields, "예") == template.before(fields) + "예" + template.after(fields)
    assert template.lead == "?\n답: "


def test_a_brace_in_the_data_is_only_a_letter():
    assert Template("{text}: {label}").before({"text": "{label} {0}"}) == "{label} {0}: "


def test_an_answer_may_stand_first_or_alone():
    assert Template("{label}: {text}").before({"text": "x"}) == ""
    assert Template("{label}: {text}").after({"text": "x"}) == ": x"
    assert Template("It was {label}").fields == ()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{text}", "has no {label}"),
        ("{label} {text} {label}", "has {label} 2 times"),
        ("{text {label}", "has no partner|is not the name"),
        ("{text} } {label}", "has no partner"),
        ("{0} {label}", "{0} is not the name of a field"),
        ("{} {label}", "{} is not the name of a field"),
        ("{text!r} {label}", "{text!r} is not the name of a field"),
        ("{text:>9} {label}", "{text:>9} is not the name of a field"),
    ],
)
def test_what_is_no_template_is_refused(written: str, said: str):
    with pytest.raises(ValueError, match=said.replace("{", r"\{").replace("}", r"\}")):
        Template(written)
