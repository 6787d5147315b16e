"""``glassformer doctor`` prints the report, for a reader or as JSON."""

from types import SimpleNamespace


class Found(SimpleNamespace):
    def __str__(self):
        return "a report"

    def as_json(self):
        return {"device": "cpu"}


def test_the_report_is_printed(ask, instead):
    instead("doctor", Found())
    assert ask("doctor").out == "a report\n"
    assert ask("doctor", "--json").result == {"device": "cpu"}
